"""How Fanal ends: in order when asked, and without anything left behind when it is killed."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.program import END_S, FANAL, LOCALLY, PATIENCE_S, Server, fanal, is_alive, running, surroundings, until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One folder for all: keys and certificate are made once."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="fanal-") as name:
        yield Path(name) / "data"


def with_workers(server: Server) -> list[int]:
    """Its workers, once the one that is kept warm is up."""
    return until(server.children)


def test_ctrl_c_reaches_the_whole_group_and_ends_it_in_order(folder: Path) -> None:
    with running(folder) as server:
        workers = with_workers(server)
        os.killpg(server.pid, signal.SIGINT)
        assert server.process.wait(END_S) == 0
        assert not any(map(is_alive, workers))
    assert "Traceback" not in "\n".join(server.errors)


def test_a_killed_server_leaves_no_worker_and_its_folder_free(folder: Path) -> None:
    with running(folder) as server:
        workers = with_workers(server)
        os.kill(server.pid, signal.SIGKILL)
        server.process.wait(END_S)
        until(lambda: not any(map(is_alive, workers)), 3)
    assert (folder / "control.sock").exists(), "it was not killed in the middle of things"
    assert fanal("camera", "list", data=folder).code == 0
    with running(folder) as again:  # in the place of the dead one's socket
        assert again.command("status").code == 0
        assert again.stop() == 0


@pytest.mark.parametrize("after_s", [0.0, 0.5])
def test_whoever_stops_it_while_it_starts_need_not_wait(folder: Path, after_s: float) -> None:
    process = subprocess.Popen(
        [*FANAL, "run", *LOCALLY, "--data", str(folder)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=surroundings(), start_new_session=True,
    )  # fmt: skip
    try:
        until(lambda: (folder / "lock").read_text() == f"server {process.pid}\n", PATIENCE_S)
        time.sleep(after_s)
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert not (folder / "control.sock").exists()


def test_a_command_waits_for_a_server_that_is_starting(folder: Path) -> None:
    """A script starts it and goes on at once."""
    process = subprocess.Popen(
        [*FANAL, "run", *LOCALLY, "--data", str(folder)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=surroundings(),
    )  # fmt: skip
    try:
        until(lambda: (folder / "lock").read_text() == f"server {process.pid}\n", PATIENCE_S)
        done = fanal("config", "set", "general.description", "in the cellar", data=folder)
        assert (done.code, done.err) == (0, "")
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
    assert fanal("config", "get", "general.description", data=folder).out == "in the cellar\n"


class Terminal:
    """The other end of a terminal that a program runs at."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master = master
        self.process = process
        self.shown = ""
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def hang_up(self) -> None:
        """As the kernel does for a window that is closed."""
        os.killpg(self.process.pid, signal.SIGHUP)

    def _read(self) -> None:
        try:
            while piece := os.read(self._master, 4096):
                self.shown += piece.decode()
        except OSError:  # EIO: nobody has the other end any more
            pass


@contextmanager
def at_a_terminal(*arguments: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", *FANAL, *arguments],
        stdin=slave, stdout=slave, stderr=slave, env=surroundings({"TERM": "dumb"}),
    )  # fmt: skip
    os.close(slave)
    terminal = Terminal(master, process)
    try:
        yield terminal
    finally:
        process.kill()
        process.wait()
        terminal.reader.join()
        os.close(master)


def test_at_a_terminal_the_first_password_is_shown_there_and_nowhere_else(tmp_path: Path) -> None:
    with at_a_terminal("run", *LOCALLY, "--data", str(tmp_path)) as terminal:
        until(lambda: "ready http" in terminal.shown, PATIENCE_S)
        found = re.search(r"Password +(\S+) ", terminal.shown)
        assert found
        terminal.type(b"\x03")
        assert terminal.process.wait(END_S) == 0
    assert "Traceback" not in terminal.shown
    assert not (tmp_path / "first-password").exists()
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or found[1].encode() not in path.read_bytes(), path
    with running(tmp_path) as again:
        again.sign_in("admin", found[1])
        assert "Password" not in "\n".join(again.said), "it is shown once"


def test_a_terminal_that_is_closed_ends_it_in_order(folder: Path) -> None:
    with at_a_terminal("run", *LOCALLY, "--data", str(folder)) as terminal:
        until(lambda: "ready http" in terminal.shown, PATIENCE_S)
        terminal.hang_up()
        assert terminal.process.wait(END_S) == 0
    assert not (folder / "control.sock").exists()


def test_at_a_terminal_a_password_is_asked_for_twice_and_not_shown(folder: Path) -> None:
    with at_a_terminal("user", "add", "ann", "--data", str(folder)) as terminal:
        until(lambda: "Password: " in terminal.shown, PATIENCE_S)
        terminal.type(b"a passphrase of hers\n")
        until(lambda: "Repeat for confirmation: " in terminal.shown)
        terminal.type(b"a passphrase of hers\n")
        assert terminal.process.wait(PATIENCE_S) == 0
    assert "“ann” added" in terminal.shown
    assert "passphrase" not in terminal.shown


def test_ctrl_c_at_a_question_is_an_end_without_a_word_of_python(folder: Path) -> None:
    with at_a_terminal("user", "add", "bob", "--data", str(folder)) as terminal:
        until(lambda: "Password: " in terminal.shown, PATIENCE_S)
        terminal.type(b"\x03")
        assert terminal.process.wait(PATIENCE_S) == 1
    assert "Traceback" not in terminal.shown
