"""What a system does not let workers give up is said, and who may use the control socket."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.cli.program import FANAL, LOCALLY, PATIENCE_S, fanal, running, surroundings, until

#: Connects as nobody, and prints what it gets.
ASK_AS_NOBODY = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
with socket.socket(socket.AF_UNIX) as client:
    try:
        client.connect(sys.argv[1])
        client.sendall(b"GET /api/v1/status HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
        print(client.recv(4096).decode().partition("\\r")[0] or "hung up")
    except (BrokenPipeError, ConnectionResetError):
        print("hung up")
    except PermissionError:
        print("not permitted")
"""


def test_what_workers_could_not_give_up_is_said(tmp_path: Path) -> None:
    """A system without network namespaces: a user namespace in which there may be none."""
    script = 'echo 0 > /proc/sys/user/max_net_namespaces; exec "$@"'
    process = subprocess.Popen(
        ["unshare", "--user", "--map-root-user", "sh", "-ec", script, "sh", *FANAL, "run", *LOCALLY,
         "--data", str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=surroundings(),
    )  # fmt: skip
    try:
        until((tmp_path / "control.sock").exists, PATIENCE_S)
        until(lambda: fanal("status", "--json", data=tmp_path).json["isolation"], PATIENCE_S)
        shown = fanal("status", data=tmp_path).out
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)
    assert "could not give up: network (" in shown
    assert process.returncode == 0


@pytest.mark.parametrize("mode", [0o600, 0o666], ids=["as it is", "opened by somebody"])
def test_the_control_socket_is_for_its_own_user(mode: int) -> None:
    """The file's mode keeps others out; were that undone, the kernel's word on who they are does (SO_PEERCRED)."""
    assert os.geteuid() == 0, "only root can be somebody else"
    with tempfile.TemporaryDirectory(prefix="fanal-") as name, running(Path(name)) as server:
        Path(name).chmod(0o755)
        control = Path(name) / "control.sock"
        control.chmod(mode)
        done = subprocess.run(
            [sys.executable, "-c", ASK_AS_NOBODY, str(control)], capture_output=True, text=True, timeout=30, check=False
        )
        assert done.stdout.strip() in ({"not permitted"} if mode == 0o600 else {"hung up", "HTTP/1.1 403"}), done
        assert server.command("status").code == 0
