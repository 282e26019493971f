"""F5: kill -9 of the appliance while somebody downloads a recording (configuration saves: tests/store/test_killed.py).

Nothing of the download is on the disk, neither then nor later; the client goes on where it was cut off, and has the
same file in the end as if nothing had happened.
"""

from __future__ import annotations

import http.client
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.clock import SystemClock, to_rfc3339
from tests.cli.program import LOOPBACK, PATIENCE_S, fanal, running
from tests.media.clips import Clip, encode_h264
from tests.recorder.made import endless, make_recording
from tests.web.scenes import judge

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Server

SECONDS = 120
#: Filler data (ITU-T H.264 §7.3.2.7) in each picture; in all more than sockets hold, of both sides.
FILLER = (8192).to_bytes(4, "big") + b"\x0c" + b"\xff" * 8190 + b"\x80"
LEAST = 24 << 20
KILLED_AFTER = (1 << 20, 5 << 20)


def test_f5_a_download_that_the_server_did_not_live_through_is_resumed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    added = fanal("camera", "add", "gate", "rtsp://192.0.2.10/main", "--json", data=data)
    camera, start = added.json["id"], SystemClock().utc_90k() // S * S - 3600 * S
    clip = encode_h264(50, (640, 360), gop=25)
    clip = Clip(clip.format, [replace(unit, data=unit.data + FILLER) for unit in clip.units])
    make_recording(data, endless(clip, start, SECONDS), camera_id=camera, clock=SystemClock())
    span = f"from={to_rfc3339(start)}&to={to_rfc3339(start + SECONDS * S)}"
    path = f"/api/v1/cameras/{camera}/recording.mp4?{span}"
    before = on_disk(data)
    got, etag = b"", None  # so far
    for more in KILLED_AFTER:
        with running(data) as server:
            server.sign_in("admin", server.first_password())
            part, etag = download(server, path, got, etag, most=more)
            got += part
            server.process.kill()
            server.process.wait(10)
        assert on_disk(data) == before
    with running(data) as server:
        server.sign_in("admin", server.first_password())
        rest, _ = download(server, path, got, etag)
        whole, _ = download(server, path)
        assert server.stop() == 0
    assert len(whole) > LEAST
    assert got + rest == whole
    file = tmp_path / "whole.mp4"
    file.write_bytes(whole)
    assert judge(file) == ["h264,640"]
    assert on_disk(data) == before


def on_disk(data: Path) -> list[Path]:
    """The recordings' folder; what SQLite has beside its file comes and goes."""
    return sorted(path for path in (data / "recordings").rglob("*") if not path.name.startswith("index.db-"))


def download(
    server: Server, path: str, got: bytes = b"", etag: str | None = None, *, most: int | None = None
) -> tuple[bytes, str | None]:
    """What comes behind ``got``, ``most`` bytes of it (None: all), and what the file is known by."""
    context = ssl.create_default_context(cadata=(server.folder / "tls" / "authority.pem").read_text())
    connection = http.client.HTTPSConnection(LOOPBACK, server.port, timeout=PATIENCE_S, context=context)
    try:
        headers = {"Authorization": f"Bearer {server.token}"}
        if etag is not None:
            headers |= {"Range": f"bytes={len(got)}-", "If-Range": etag}
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        assert response.status == (206 if etag is not None else 200)
        return response.read(most), response.getheader("ETag")
    finally:
        connection.close()
