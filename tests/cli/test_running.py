"""A running Fanal with real cameras, as its user in a terminal and its clients meet it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.program import LOOPBACK, Server, fanal, is_alive, refused, running, until
from tests.peers.cameras import Cameras, free_port, running_cameras

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "s3cret-of-camera"  # of the cameras
OTHER = "wrong-for-camera"
NEW_PASSWORD = "another passphrase of theirs"
#: What decodes, encodes or scales: none of it may be in the process that has the sockets and the keys.  NumPy may: what
#: recorded files hold is kept in its tables (`appliance.media.sample_table`), and no bitstream goes through it.
MEDIA_LIBRARIES = re.compile(r"/[^/]*(libav|libsw(scale|resample)|x26[45]|simplejpeg|turbojpeg|/av/)[^/]*\.so")


@pytest.fixture(scope="module")
def locked_cameras() -> Iterator[Cameras]:
    with running_cameras(user="admin", password=PASSWORD) as cameras:
        yield cameras


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with running(folder) as started:
        started.sign_in("admin", started.first_password())
        yield started


@pytest.fixture(scope="module")
def gate(server: Server, locked_cameras: Cameras) -> str:
    """The id of a camera that works."""
    url = locked_cameras.url(userinfo=f"admin:{PASSWORD}@")
    done = server.command("camera", "add", "gate", url, "--sub", locked_cameras.url("/sub"))
    assert (done.code, done.err) == (0, "")
    return camera(server, "gate")["id"]


def camera(server: Server, name: str) -> dict[str, Any]:
    listed = server.command("camera", "list", "--json").json["cameras"]
    found: dict[str, Any] = next(each for each in listed if each["name"] == name)
    return found


def test_an_event_is_said_at_the_command_line(server: Server, gate: str) -> None:
    done = server.command("camera", "event", "GATE", "--kind", "door-open", "--text", "North door", "--json")
    told = done.json
    assert (done.code, told["kind"], told["text"]) == (0, "door-open", "North door")
    shown = server.command("camera", "event", "gate").out
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:.]+Z: manual at “gate”\.\n", shown), shown
    refused(server.command("camera", "event", "gate", "--kind", "Door"), "no kind of event", "small letters")
    refused(server.command("camera", "event", "nobody"), "no camera “nobody”", "gate")


FAILS = {
    "unknown camera": (["camera", "set", "yard", "url=rtsp://192.0.2.1/"], ["no camera “yard”"]),
    "unknown camera of a right": (["user", "set", "admin", "live=yard"], ["no camera “yard”"]),
    "name taken": (["camera", "add", "GATE", "rtsp://192.0.2.1/"], ["already", "another name"]),
    "another scheme": (["camera", "add", "x", "ftp://192.0.2.1/"], ["ftp://", "rtsp://"]),
    "no host": (["camera", "add", "x", "rtsp://"], ["no host", "rtsp://host/path"]),
    "no such port": (["camera", "add", "x", "rtsp://192.0.2.1:99999/"], ["99999", "1 to 65535"]),
    "cloud metadata": (["camera", "add", "x", "rtsp://169.254.169.254/"], ["169.254.169.254", "another host"]),
    "unknown user": (["user", "remove", "bob"], ["bob"]),
    "short password": (["user", "add", "bob", "--password-stdin"], ["5 characters", "12"]),
    "no terminal": (["user", "add", "bob"], ["no terminal", "--password-stdin"]),
    "unknown setting": (["config", "get", "general.log_day"], ["general.log_day", "Did you mean general.log_days"]),
    "out of range": (["config", "set", "general.log_days", "999"], ["general.log_days", "999", "1 to 365"]),
    "not a number": (["config", "set", "connectivity.https_port", "https"], ["connectivity.https_port", "65535"]),
    "both ports": (["config", "set", "connectivity.http_port", "8082"], ["two ports"]),
}


@pytest.mark.parametrize(("arguments", "said"), FAILS.values(), ids=FAILS.keys())
def test_what_cannot_be_is_said_with_what_to_do(
    arguments: list[str], said: list[str], server: Server, gate: str
) -> None:
    refused(server.command(*arguments, stdin="short\n"), *said)


def test_a_second_server_is_told_which_one_has_the_folder(server: Server) -> None:
    done = fanal("run", "--bind", LOOPBACK, "--http", "auto", "--https", "auto", data=server.folder)
    refused(done, f"process {server.pid}", str(server.folder), "--data")
    assert server.ask("GET", "/api/v1/session")[0] == 200


def test_a_player_shows_the_new_camera_without_a_complaint(server: Server, gate: str) -> None:
    """ffprobe, by a token in a header, over TLS; then the list knows what was measured."""
    done = subprocess.run(
        ["ffprobe", "-v", "warning", "-tls_verify", "1", "-ca_file", str(server.folder / "tls" / "authority.pem"),
         "-headers", f"Authorization: Bearer {server.token}\r\n", "-show_streams", "-of", "json",
         f"https://{LOOPBACK}:{server.port}/api/v1/cameras/{gate}/live.mp4"],
        capture_output=True, text=True, timeout=40, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    video = next(each for each in json.loads(done.stdout)["streams"] if each["codec_type"] == "video")
    assert (video["codec_name"], video["width"], video["height"]) == ("h264", 1280, 720)

    main = until(lambda: next((s for s in camera(server, "gate")["streams"] if s["fps"] and s["kbps"]), None))
    assert (main["codec"], main["width"], main["height"]) == ("h264", 1280, 720)
    assert main["fps"] == pytest.approx(10, abs=1)
    assert 100 < main["kbps"] < 20_000
    shown = server.command("camera", "list").out.splitlines()
    assert shown[0].split() == ["camera", "stream", "state", "codec", "size", "fps", "kbit/s", "address"]
    assert re.match(r"gate +main +ok +h264 +1280x720 +(?:1[01]|9)(?:\.\d)? +\d+ +rtsp://", shown[1])


JPEG_CAMERAS = {"pictures in RTP": "/mjpeg", "pictures in HTTP": "mjpeg", "snapshots": "snapshot.jpg#fps=5"}


@pytest.mark.parametrize("name", JPEG_CAMERAS)
def test_a_camera_that_sends_jpeg_is_tested_measured_and_shown(
    name: str, server: Server, locked_cameras: Cameras
) -> None:
    userinfo, path = f"admin:{PASSWORD}@", JPEG_CAMERAS[name]
    url = f"http://{userinfo}{LOOPBACK}:{locked_cameras.http_port}/cam1/{path}"
    if path.startswith("/"):
        url = locked_cameras.url(path, userinfo=userinfo)
    tested = server.command("camera", "test", url)
    assert tested.code == 0, tested.err
    assert re.search(r"640x360", tested.out)
    assert server.command("camera", "add", name, url).code == 0
    jpeg_camera = until(lambda: (found := camera(server, name))["state"]["state"] == "ok" and found)
    status, jpeg = server.ask("GET", f"/api/v1/cameras/{jpeg_camera['id']}/snapshot.jpg?width=320")
    assert (status, jpeg[:2]) == (200, b"\xff\xd8")
    main = until(lambda: next((s for s in camera(server, name)["streams"] if s["fps"] and s["kbps"]), None))
    assert (main["codec"], main["width"], main["height"]) == ("mjpeg", 640, 360)
    assert main["fps"] == pytest.approx(5 if "fps" in path else 10, abs=1)
    done = subprocess.run(
        ["ffprobe", "-v", "warning", "-tls_verify", "1", "-ca_file", str(server.folder / "tls" / "authority.pem"),
         "-headers", f"Authorization: Bearer {server.token}\r\n", "-show_streams", "-of", "json",
         f"https://{LOOPBACK}:{server.port}/api/v1/cameras/{jpeg_camera['id']}/live.mp4"],
        capture_output=True, text=True, timeout=40, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    (video,) = json.loads(done.stdout)["streams"]
    assert (video["codec_name"], video["codec_tag_string"], video["width"]) == ("mjpeg", "mp4v", 640)


def maps(pid: int) -> set[str]:
    return {
        found[0] for found in map(MEDIA_LIBRARIES.search, Path(f"/proc/{pid}/maps").read_text().splitlines()) if found
    }


def test_no_codec_is_in_the_main_process_while_it_serves(server: Server, gate: str) -> None:
    """With a client that watches, and a snapshot made."""
    with socket.create_connection((LOOPBACK, server.port)) as raw, _trusting(server).wrap_socket(
        raw, server_hostname=LOOPBACK
    ) as client:  # fmt: skip
        client.sendall(
            f"GET /api/v1/cameras/{gate}/live.mp4 HTTP/1.1\r\nHost: {LOOPBACK}\r\n"
            f"Authorization: Bearer {server.token}\r\n\r\n".encode()
        )
        received = 0
        while received < 200_000:
            received += len(client.recv(65536))
        status, jpeg = server.ask("GET", f"/api/v1/cameras/{gate}/snapshot.jpg")
        assert status == 200
        assert jpeg[:2] == b"\xff\xd8"
        workers = server.children()
        assert workers
        assert maps(server.pid) == set()
        assert {name for pid in workers for name in maps(pid) if "libavcodec" in name}, "the test sees nothing"


def _trusting(server: Server) -> Any:
    import ssl

    return ssl.create_default_context(cadata=(server.folder / "tls" / "authority.pem").read_text())


def test_a_killed_worker_costs_no_snapshot(server: Server, gate: str) -> None:
    before = server.children()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.6)  # a snapshot that was just made would be given again
    status, jpeg = server.ask("GET", f"/api/v1/cameras/{gate}/snapshot.jpg?width=320")
    assert status == 200
    assert jpeg[:2] == b"\xff\xd8"
    assert not set(before) & set(server.children())


def test_status_says_how_it_is_and_what_workers_could_not_give_up(server: Server, gate: str) -> None:
    done = server.command("status", "--json")
    assert done.json["cameras"]["ok"] >= 1
    assert set(done.json["isolation"]) == {"network", "privileges", "limits", "files"}
    shown = server.command("status").out
    kept = [name for name, why in done.json["isolation"].items() if why is not None]
    assert ("confined" in shown) if not kept else all(f"{name} (" in shown for name in kept)
    assert re.search(r"^Cameras +\d+ ok", shown, re.MULTILINE)


WRONG_CAMERAS = {
    "password": ("", f"admin:{OTHER}@", "bad_credentials", "user name or password"),
    "no password": ("", "", "bad_credentials", "Enter them"),
    "path": ("/nothing", f"admin:{PASSWORD}@", "not_found", "Check the path"),
    "nobody there": (None, "", "refused", "Nothing answers at 127.0.0.1:"),
}


@pytest.fixture(scope="module")
def wrong_cameras(server: Server, locked_cameras: Cameras) -> None:
    for name, (path, userinfo, _, _) in WRONG_CAMERAS.items():
        nowhere = f"rtsp://{LOOPBACK}:{free_port()}/"
        url = nowhere if path is None else locked_cameras.url(path, userinfo=userinfo)
        assert server.command("camera", "add", name, url).code == 0


@pytest.mark.parametrize(("name", "reason", "said"), [(n, *rest) for n, (_, _, *rest) in WRONG_CAMERAS.items()])
def test_a_camera_that_gives_nothing_says_why_everywhere(
    name: str, reason: str, said: str, server: Server, wrong_cameras: None
) -> None:
    """In the list, in the log, over HTTP, where a wait that mends nothing is not made; the tile has the same word."""
    lost = until(lambda: (found := camera(server, name))["state"]["state"] == "lost" and found)
    assert lost["state"]["reason"] == reason
    assert said in lost["message"]
    began = time.monotonic()
    status, problem = server.ask("GET", f"/api/v1/cameras/{lost['id']}/snapshot.jpg")
    assert (status, problem["code"]) == (503, reason)
    assert name in problem["detail"]
    assert time.monotonic() - began < 8
    until(lambda: re.search(rf"WARNING .*camera {name}.*{re.escape(said)}", server.log))


def test_all_that_is_wrong_is_below_the_list_and_no_password_anywhere(server: Server, wrong_cameras: None) -> None:
    shown = server.command("camera", "list").out
    for name, (_, _, reason, said) in WRONG_CAMERAS.items():
        assert re.search(rf"^{name} +main +lost {reason} ", shown, re.MULTILINE)
        assert re.search(rf"^{name}: .*{said}", shown, re.MULTILINE)
    told = shown + server.log + "\n".join(server.said + server.errors)
    for secret in (PASSWORD, OTHER, server.first_password(), server.token):
        assert secret not in told


def test_the_control_socket_is_for_its_user_and_root(server: Server) -> None:
    socket_file = server.folder / "control.sock"
    assert socket_file.stat().st_mode & 0o777 == 0o600
    assert server.folder.stat().st_mode & 0o777 == 0o700


def test_the_first_password_lies_in_a_private_file_until_it_is_changed(server: Server, gate: str) -> None:
    file = server.folder / "first-password"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "still has the first password" in server.command("status").out
    assert str(file) in "\n".join(server.said)
    assert server.first_password() not in "\n".join(server.said)
    done = server.command("user", "set", "admin", "--password-stdin", stdin=f"{NEW_PASSWORD}\n")
    assert (done.code, done.err) == (0, "")
    assert not file.exists()
    assert "first password" not in server.command("status").out


def test_a_restart_keeps_everything_and_everybody(server: Server, gate: str) -> None:
    """Users, rights, cameras, settings; a token goes on.  The end is in order and leaves nothing running."""
    for arguments in (
        ["user", "set", "admin", "--password-stdin"],
        ["user", "add", "ann", "--password-stdin"],
        ["user", "set", "ann", "live=gate"],
        ["config", "set", "general.server_name", "Harbour warehouse"],
    ):
        assert server.command(*arguments, stdin=f"{NEW_PASSWORD}\n").code == 0
    token = server.sign_in("admin", NEW_PASSWORD)
    cameras = [(each["id"], each["name"]) for each in server.command("camera", "list", "--json").json["cameras"]]
    workers = server.children()
    assert server.stop(signal.SIGTERM) == 0
    assert not any(map(is_alive, workers))
    assert not (server.folder / "control.sock").exists()
    with running(server.folder) as again:
        again.token = token
        assert again.ask("GET", "/api/v1/session")[1]["user"]["name"] == "admin"
        assert [
            (each["id"], each["name"]) for each in again.command("camera", "list", "--json").json["cameras"]
        ] == cameras
        assert again.command("user", "list").out.splitlines()[2].split() == ["ann", "viewer", "gate", *"––––"]
        assert again.command("config", "get", "general.server_name").out == "Harbour warehouse\n"
        assert again.ask("GET", f"/api/v1/cameras/{gate}/snapshot.jpg")[0] == 200, "the camera's password is lost"
        assert not (again.folder / "first-password").exists()
