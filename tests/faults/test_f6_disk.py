"""F6: the disk of the recordings runs full, cannot be written, or is slow (that one: tests/recorder/test_recording.py).

Live goes on, recording says so and goes on by itself, nothing already recorded is lost.  The disk is a real one of a
few MB, in mounts of the server's own.
"""

from __future__ import annotations

import shutil
import ssl
import subprocess
from contextlib import suppress
from http.client import HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cli.program import LOOPBACK, own_mounts, running, until
from tests.faults.recorded import agreeing, clip_camera, files, grown, record

if TYPE_CHECKING:
    from tests.cli.program import Server

DISK = 24 << 20


def attention(server: Server) -> set[str]:
    status, answer = server.ask("GET", "/api/v1/status")
    assert status == 200
    return {item["code"] for item in answer["attention"]}


def live_goes_on(server: Server, camera_id: str) -> None:
    context = ssl.create_default_context(cadata=(server.folder / "tls" / "authority.pem").read_text())
    connection = HTTPSConnection(LOOPBACK, server.port, timeout=10, context=context)
    try:
        headers = {"Authorization": f"Bearer {server.token}"}
        connection.request("GET", f"/api/v1/cameras/{camera_id}/live.mp4", headers=headers)
        response = connection.getresponse()
        assert response.status == 200
        assert len(response.read(500_000)) == 500_000  # two seconds
    finally:
        connection.close()


def test_f6_a_full_disk_and_one_that_cannot_be_written(tmp_path: Path) -> None:
    data = tmp_path / "data"
    inside = data / "recordings"
    inside.mkdir(parents=True, mode=0o700)
    mount = f'mount -t tmpfs -o size={DISK},mode=700 none {inside}; exec "$@"'
    with running(data, prefix=[*own_mounts(), "sh", "-ec", mount, "sh"]) as server:

        def in_its_mounts(*command: str) -> None:
            subprocess.run(["nsenter", "-t", str(server.pid), "-m", *command], check=True, timeout=10)

        server.sign_in("admin", server.first_password())
        disk = Path(f"/proc/{server.pid}/root{inside}")
        clip_camera(server, tmp_path)
        until(lambda: grown(disk, 1, 500_000), 30)
        camera_id = files(disk)[0].parts[-3]

        with (disk / "fill").open("wb", buffering=0) as fill:  # somebody else's
            try:
                while True:
                    fill.write(bytes(1 << 16))
            except OSError:
                pass
        until(lambda: "recording_disk_full" in attention(server), 20)
        kept = files(disk)[0].read_bytes()
        live_goes_on(server, camera_id)
        (disk / "fill").unlink()
        until(lambda: "recording_disk_full" not in attention(server), 20)
        until(lambda: files(disk)[-1].stat().st_size > len(kept) + 500_000, 20)
        assert files(disk)[0].read_bytes().startswith(kept)

        record(server, "off")
        until(lambda: not growing(server), 10)  # what is open already could still be written
        in_its_mounts("mount", "--bind", str(inside), str(inside))
        in_its_mounts("mount", "-o", "remount,bind,ro", str(inside))
        record(server, "continuous")
        until(lambda: "recording_disk_read_only" in attention(server), 20)
        live_goes_on(server, camera_id)
        in_its_mounts("umount", str(inside))
        until(lambda: grown(disk, 2, 300_000), 20)
        until(lambda: "recording_disk_read_only" not in attention(server), 10)

        record(server, "off")
        until(lambda: not growing(server), 10)
        shutil.copytree(disk, tmp_path / "copy" / "recordings")
        assert server.stop() == 0
    first, second = agreeing(tmp_path / "copy")
    assert first.path.read_bytes().startswith(kept)
    # what waited in memory while the disk was full is there, too
    assert second.start >= first.end


def growing(server: Server) -> bool:
    """Whether it still has a recording open."""
    for path in Path(f"/proc/{server.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            link = path.readlink()
            if "recordings" in link.parts and link.suffix == ".mp4":
                return True
    return False
