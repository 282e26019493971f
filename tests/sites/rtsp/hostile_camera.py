"""A camera that means harm (abuse A12), in a process of its own: ``python -m tests.sites.rtsp.hostile_camera``.

It prints its port.  The path of an address says what it does; it does it to every connection until that is closed, or
for half a minute.
"""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.reference.packets import fu_a, interleaved, rtp
from tests.sites.rtsp.camera import IDR, P
from tests.sites.rtsp.talk import PPS, SPS, SPS_SMALL, response, sdp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LASTS_S = 30.0
#: A sequence parameter set of 65536x65536 samples.
SPS_HUGE = bytes.fromhex("6742c01e da0040000400080002000080".replace(" ", ""))
HEAD = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\n"


def picture(number: int, *nals: bytes, time: int | None = None, marker: bool = True) -> bytes:
    at = number * 3600 if time is None else time
    whole = [
        rtp(nal, sequence=number * len(nals) + n, time=at, marker=marker and n == len(nals) - 1)
        for n, nal in enumerate(nals)
    ]
    return b"".join(interleaved(0, data) for data in whole)


def paced(make: Callable[[int], bytes], a_second: float, burst: int = 1) -> Iterator[bytes]:
    """So many bursts a second, as far as the reader reads."""
    began, n = time.monotonic(), 0
    while True:
        yield b"".join(make(n + each) for each in range(burst))
        n += burst
        time.sleep(max(0.0, began + n / burst / a_second - time.monotonic()))


def giant_nal() -> Iterator[bytes]:
    """A fragment that never ends, as fast as it is read."""
    yield picture(0, SPS, PPS, IDR)
    start, middle = fu_a(b"\x65" + bytes(60_000), 30_000)
    yield interleaved(0, rtp(start, sequence=3, time=9000))
    n = 4
    while True:
        yield interleaved(0, rtp(middle[:1] + b"\x05" + middle[2:], sequence=n, time=9000))
        n += 1


def packet_flood() -> Iterator[bytes]:
    """A hundred thousand packets a second, each a picture of its own."""
    yield picture(0, SPS, PPS, IDR)
    return (yield from paced(lambda n: interleaved(0, rtp(b"\x41\x9a", sequence=n + 3, time=n)), 100, burst=1000))


#: After PLAY, by path.
MEDIA: dict[str, Callable[[], Iterator[bytes]]] = {
    "giant-nal": giant_nal,
    "packet-flood": packet_flood,
    "giant-sps": lambda: paced(lambda n: picture(n, SPS_HUGE, PPS, IDR), 100),
    "changing-sps": lambda: paced(lambda n: picture(n, (SPS, SPS_SMALL)[n % 2], PPS, IDR), 100),
    "time-backwards": lambda: paced(lambda n: picture(n, SPS, PPS, IDR, time=-n * 90_000), 100),
    "time-jumps": lambda: paced(lambda n: picture(n, SPS, PPS, IDR, time=n * 0x7FFF_FFFF), 100),
    "no-markers": lambda: paced(lambda n: picture(n, P, time=9, marker=False), 500),
    "control-flood": lambda: paced(lambda _: interleaved(1, os.urandom(24)) * 500, 100),
    "nonsense": lambda: paced(lambda _: interleaved(0, os.urandom(1000)) * 50, 100),
    "questions": lambda: paced(lambda n: b"OPTIONS * RTSP/1.0\r\nCSeq: %d\r\n\r\n" % n * 200, 100),
}
#: Over UDP, by path: datagrams, as fast as they can be sent.
DATAGRAMS: dict[str, Callable[[int], bytes]] = {
    "udp-flood": lambda n: rtp(b"\x41\x9a", sequence=n, time=n * 3600, marker=True),
    "udp-holes": lambda n: rtp(b"\x41\x9a", sequence=n * 2, time=n * 3600, marker=True),
    "udp-shuffled": lambda n: rtp(b"\x41\x9a", sequence=n ^ 0x1FF, time=n * 3600, marker=True),
    "udp-sources": lambda n: rtp(b"\x41\x9a", sequence=n, ssrc=n, marker=True),
    "udp-nonsense": lambda _: os.urandom(1200),
}
#: Instead of a description, by path.
DESCRIPTIONS: dict[str, Callable[[], Iterator[bytes]]] = {
    "endless-sdp": lambda: iter([HEAD + b"Content-Length: 4294967296\r\n\r\n", *[b"a=x:y\r\n" * 9000] * 10_000]),
    "wide-sdp": lambda: iter([described(b"v=0\r\n" + b"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/9\r\n" * 1300)]),
    "long-line-sdp": lambda: iter([described(b"v=0\r\na=fmtp:96 " + b";=," * 20_000)]),
    "endless-head": lambda: paced(lambda n: b"X-%d: y\r\n" % n if n else b"RTSP/1.0 200 OK\r\n", 10_000),
    "slow-head": lambda: paced(lambda n: b"RTSP/1.0 200 OK\r\nX: "[n : n + 1] or b"y", 50),
}


def described(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def serve(connection: socket.socket) -> None:
    """Answer as a good camera does, up to where the path means harm."""
    connection.settimeout(LASTS_S)
    buffer = b""
    with connection, suppress(OSError):
        while data := connection.recv(4096):
            buffer += data
            while b"\r\n\r\n" in buffer:
                text, _, buffer = buffer.partition(b"\r\n\r\n")
                answer(connection, text.decode("latin-1"))


def answer(connection: socket.socket, request: str) -> None:
    method, url = request.split()[:2]
    name = url.split("/")[3] if url.count("/") > 2 else ""
    cseq = found.group(1) if (found := re.search(r"(?i)cseq: *(\d+)", request)) else "0"
    if name == "redirects" and method == "DESCRIBE":
        location = f"{url}/{os.urandom(4).hex()}"
        connection.sendall(response("302 Found", {"Location": location}, cseq=cseq))
    elif name in DESCRIPTIONS and method == "DESCRIBE":
        pour(connection, DESCRIPTIONS[name]())
    elif method == "DESCRIBE":
        connection.sendall(response(headers={"Content-Type": "application/sdp"}, body=sdp(), cseq=cseq))
    elif method == "SETUP" and name in DATAGRAMS:
        found = re.search(r"client_port=(\d+)", request)
        if found is None:
            connection.sendall(response("461 Unsupported Transport", cseq=cseq))
            return
        transport = {"Session": "7", "Transport": "RTP/AVP;unicast;server_port=9-10"}
        connection.sendall(response(headers=transport, cseq=cseq))
        place = ("127.0.0.1", int(found.group(1)))
        threading.Thread(target=shoot, args=(connection, place, DATAGRAMS[name]), daemon=True).start()
    elif method == "SETUP":
        transport = {"Session": "7", "Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"}
        connection.sendall(response(headers=transport, cseq=cseq))
    else:
        connection.sendall(response(cseq=cseq))
        if method == "PLAY" and name in MEDIA:
            pour(connection, MEDIA[name]())


def pour(connection: socket.socket, pieces: Iterator[bytes]) -> None:
    end = time.monotonic() + LASTS_S
    for piece in pieces:
        connection.sendall(piece)
        if time.monotonic() > end:
            return


def shoot(connection: socket.socket, place: tuple[str, int], make: Callable[[int], bytes]) -> None:
    """Datagrams until the connection is closed."""
    end = time.monotonic() + LASTS_S
    ready = [make(n) for n in range(1 << 16)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        n = 0
        while connection.fileno() >= 0 and time.monotonic() < end:
            with suppress(OSError):
                sock.sendto(ready[n & 0xFFFF], place)
            n += 1


def main() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
