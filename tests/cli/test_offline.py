"""Commands while nothing runs: they change the store, under the same rules (design §10)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import fanal, refused

URL = "rtsp://admin:s3cret-pass@192.0.2.10/main"


@pytest.fixture(scope="module")
def filled(folder: Path) -> Path:
    """A folder with a camera and a user, made by commands."""
    added = fanal("camera", "add", "gate", URL, "--sub", "rtsp://192.0.2.10/sub", data=folder)
    assert (added.code, added.err) == (0, "")
    assert "“gate” added" in added.out
    assert "fanal run" in added.out, "nobody says that it does not run"
    user = fanal("user", "add", "ann", "--password-stdin", data=folder, stdin="a passphrase of hers\n")
    assert (user.code, user.err) == (0, "")
    assert "fanal user set ann live=all" in user.out
    return folder


def test_what_was_added_is_listed_without_its_secrets(filled: Path) -> None:
    cameras = fanal("camera", "list", "--json", data=filled)
    (gate,) = cameras.json["cameras"]
    assert [stream["url"] for stream in gate["streams"]] == ["rtsp://192.0.2.10/main", "rtsp://192.0.2.10/sub"]
    assert gate["streams"][0]["has_password"] is True
    assert "s3cret" not in cameras.out
    for path in filled.rglob("*"):
        assert path.is_dir() or b"s3cret" not in path.read_bytes(), path


def test_a_user_is_granted_cameras_by_name(filled: Path) -> None:
    assert fanal("user", "set", "ann", "live=gate", "audio=all", "unmasked=gate", data=filled).code == 0
    shown = fanal("user", "list", data=filled)
    assert shown.out.splitlines()[1].split() == ["ann", "viewer", "gate", "all", "gate", "–", "–"]


def test_a_mask_is_set_and_shown_as_it_was_written(filled: Path) -> None:
    mask = "0,0 0.4,0 0.4,0.3; 0.8,0.5 1,0.5 1,1"
    assert fanal("camera", "set", "gate", f"mask={mask}", data=filled).code == 0
    assert f"gate: mask {mask}" in fanal("camera", "list", data=filled).out


def test_how_a_camera_is_recorded_is_set_and_shown(filled: Path) -> None:
    words = ["recording=schedule", "schedule=sat,sun 22:00-6:00", "record_sub=yes", "max_gb=20"]
    assert fanal("camera", "set", "gate", *words, data=filled).code == 0
    line = "gate: recorded sat,sun 22:00-06:00, sub stream too, at most 20 GB"
    assert line in fanal("camera", "list", data=filled).out
    refused(fanal("camera", "set", "gate", "pre=31", data=filled), "cannot be 31 s", "Use 0 to 30")


def test_a_setting_is_kept(filled: Path) -> None:
    assert fanal("config", "set", "general.server_name", "Harbour warehouse", data=filled).code == 0
    assert fanal("config", "get", "general.server_name", data=filled).out == "Harbour warehouse\n"


def test_a_refusal_is_said_with_what_to_do(filled: Path) -> None:
    done = fanal("camera", "set", "yard", "url=rtsp://192.0.2.1/", data=filled)
    refused(done, "no camera “yard”", "gate")
