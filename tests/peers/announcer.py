"""What ffmpeg sends over RTSP: it announces itself (RFC 2326 §10.3) and records to us, over one connection, so that
nothing is lost on the way.  Its encoders, its packets, its description: nobody here wrote any of it.
"""

from __future__ import annotations

import socket
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: All of it: coding a few seconds of small pictures.
WITHIN_S = 60.0


@dataclass(frozen=True)
class Announced:
    """A description, and the RTP packets of its first track in order."""

    sdp: bytes
    packets: list[bytes]


def announced(*arguments: str, kept: Path | None = None) -> Announced:
    """What ``ffmpeg … -f rtsp`` sends; the arguments are inputs, filters and encoders.

    ``kept``: where the same coded pictures are written as they are, ``.h264`` or ``.hevc``.  Without ``-flags
    +global_header`` the parameter sets are sent with the pictures and not announced.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(WITHIN_S)
        url = f"rtsp://127.0.0.1:{listener.getsockname()[1]}/x"
        command = ["ffmpeg", "-v", "error", "-nostdin", *arguments, "-map", "0:v", "-f", "tee"]
        command += [
            f"[f=rtsp:rtsp_transport=tcp]{url}" + (f"|[f={kept.suffix[1:]}:bsfs=dump_extra]{kept}" if kept else "")
        ]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(WITHIN_S)
                    result = _record(connection)
                _, errors = process.communicate(timeout=WITHIN_S)
            finally:
                process.kill()
        assert process.returncode == 0, errors
        assert result.packets, errors
        return result


def _record(connection: socket.socket) -> Announced:
    """Answer everything with 200 and keep what comes on channel 0."""
    sdp, packets = b"", []
    with connection.makefile("rb") as incoming:
        while first := incoming.read(1):
            if first == b"$":
                channel, size = incoming.read(1)[0], int.from_bytes(incoming.read(2), "big")
                data = incoming.read(size)
                if channel == 0:
                    packets.append(data)
                continue
            head = first + incoming.readline()
            headers = {}
            while (line := incoming.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                headers[name.lower()] = value.strip()
            body = incoming.read(int(headers.get(b"content-length", b"0")))
            method = head.split()[0]
            if method == b"ANNOUNCE":
                sdp = body
            more = b"Transport: " + headers[b"transport"] + b"\r\n" if method == b"SETUP" else b""
            connection.sendall(b"RTSP/1.0 200 OK\r\nCSeq: " + headers[b"cseq"] + b"\r\nSession: 1\r\n" + more + b"\r\n")
            if method == b"TEARDOWN":
                break
    return Announced(sdp, packets)
