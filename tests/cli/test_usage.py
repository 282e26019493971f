"""What somebody meets who types something wrong, or asks for help."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import fanal

WRONG = {
    "no such command": (["bogus"], "No such command 'bogus'"),
    "no name and address": (["camera", "add"], "Missing argument 'NAME'"),
    "nothing to change": (["camera", "set", "gate"], "Missing argument 'KEY=VALUE…'"),
    "no such key of a camera": (["camera", "set", "gate", "colour=blue"], "no “colour” to set. The keys are name, url"),
    "not KEY=VALUE": (["camera", "set", "gate", "s3cret"], "KEY=VALUE"),
    "no such key of a user": (
        ["user", "set", "ann", "sees=all"],
        "no “sees” to set. The keys are live, audio, unmasked, playback, export",
    ),
    "neither yes nor no": (["user", "set", "ann", "disabled=perhaps"], "“perhaps” is neither yes nor no"),
    "nothing to change of a user": (["user", "set", "ann"], "live=all"),
    "a password for all to read": (["user", "set", "ann", "password=s3cret"], "--password-stdin"),
    "no such role": (["user", "add", "ann", "--role", "king"], "'administrator', 'viewer'"),
    "no port": (["run", "--https", "70000"], "1 to 65535, 0 for off, or auto"),
    "no value": (["config", "set", "general.log_days"], "Missing argument 'VALUE'"),
}


@pytest.mark.parametrize(("arguments", "said"), WRONG.values(), ids=WRONG.keys())
def test_wrong_usage_is_explained_with_exit_code_2_and_touches_nothing(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    done = fanal(*arguments, environment={"FANAL_DATA": str(tmp_path / "data")})
    assert done.code == 2
    assert done.out == ""
    assert said in done.err
    assert "--help" in done.err
    assert "s3cret" not in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("", "fanal camera add gate rtsp://"),
        ("run", "fanal run --demo"),
        ("camera add", "rtsp://admin:secret@192.0.2.10/main"),
        ("camera set", "fanal camera set gate"),
        ("user add", "fanal user add ann --password-stdin"),
        ("user set", "fanal user set ann live=gate,yard"),
        ("config set", "fanal config set general.server_name"),
    ],
)
def test_help_shows_how(command: str, shown: str) -> None:
    done = fanal(*command.split(), "--help")
    assert done.code == 0
    assert shown in done.out
    assert all(len(line) <= 80 for line in done.out.splitlines())


def test_a_folder_that_holds_nothing_is_named_and_not_made(tmp_path: Path) -> None:
    for command in (["camera", "list"], ["user", "remove", "ann"]):
        done = fanal(*command, data=tmp_path / "mistyped")
        assert (done.code, done.out) == (1, "")
        assert f"nothing of Fanal in the folder {tmp_path / 'mistyped'}" in done.err
        assert "--data DIR" in done.err
    assert not (tmp_path / "mistyped").exists()


def test_a_status_of_nothing_says_how_to_start(tmp_path: Path) -> None:
    done = fanal("status", data=tmp_path)
    assert (done.code, done.out) == (1, "")
    assert f"does not run with the data folder {tmp_path}" in done.err
    assert "fanal run" in done.err


def test_a_command_does_not_load_the_appliance(tmp_path: Path) -> None:
    """A command for the running appliance answers in a third of the time."""
    done = fanal("status", data=tmp_path, environment={"PYTHONPROFILEIMPORTTIME": "1"})
    loaded = {line.rpartition("|")[2].strip() for line in done.err.splitlines() if line.startswith("import time:")}
    assert "click" in loaded
    assert not loaded & {"appliance.compose", "trio", "quart", "sqlalchemy", "av"}


def test_nothing_that_was_typed_or_sent_commands_the_terminal(tmp_path: Path) -> None:
    done = fanal("camera", "add", "x", "rt\x1b]0;owned\x07sp://192.0.2.1/", data=tmp_path)
    assert done.code == 1
    assert "\x1b" not in done.err + done.out
    assert "\x07" not in done.err + done.out
