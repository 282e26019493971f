"""Light RTSP cameras: any number of H.264 streams over TCP, from one process that costs next to nothing.

So that what a bench measures is the server behind it.  Packets are cut once and only numbered and timed anew each
time round; all cameras send the same footage, each at its own moment and from another place in it.  Speaks as much
RTSP (RFC 2326) as a client needs that plays, with sender reports that say the true time of each picture.

    python -m bench.common.camera [--begin key|now] [--spread MS]

prints ``ready PORT``; its streams are rtsp://127.0.0.1:PORT/cam1, cam2, …  Ends with SIGTERM; with SIGUSR1 it hangs up
on everybody.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import heapq
import os
import selectors
import signal
import socket
import struct
import sys
import time
from collections import OrderedDict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from bench.common.footage import FPS, GOP, Footage
from tests.reference.packets import interleaved, payloads, rtp

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKET_BYTES = 1400
TICK_S = 1 / FPS
RTP_STEP = 90_000 // FPS
NTP_TO_UNIX_S = 2_208_988_800
PAYLOAD_TYPE, SSRC = 96, 0x0F0F0F0F
REPORT_EVERY = FPS  # pictures between sender reports
BACKLOG_BYTES = 4 << 20  # what a reader may leave unread before it is cut off
KEPT = 4 * GOP  # pictures numbered and timed that are kept for the other cameras


class Packets:
    """The footage as interleaved RTP packets on channel 0, numbered through all its rounds."""

    def __init__(self, footage: Footage) -> None:
        self._templates: list[tuple[bytes, list[int]]] = []  # the bytes of a picture, where its packets begin
        self._first: list[int] = []  # sequence number of a picture's first packet within the round
        count = 0
        for picture in footage.pictures:
            parts = [part for unit in picture for part in payloads(unit, PACKET_BYTES)]
            packets = [
                interleaved(0, rtp(part, marker=n == len(parts) - 1, payload_type=PAYLOAD_TYPE, ssrc=SSRC))
                for n, part in enumerate(parts)
            ]
            starts = [sum(map(len, packets[:n])) for n in range(len(packets))]
            self._templates.append((b"".join(packets), starts))
            self._first.append(count)
            count += len(packets)
        self._round = count
        self._made: OrderedDict[int, tuple[bytes, list[int]]] = OrderedDict()

    def picture(self, number: int) -> tuple[bytes, list[int]]:
        """The bytes of picture ``number`` (from 0, without end) and where its packets begin."""
        made = self._made.get(number)
        if made is None:
            around, index = divmod(number, len(self._templates))
            template, starts = self._templates[index]
            data, sequence = bytearray(template), around * self._round + self._first[index]
            for start in starts:
                struct.pack_into(">HI", data, start + 6, sequence & 0xFFFF, number * RTP_STEP & 0xFFFFFFFF)
                sequence += 1
            made = self._made[number] = bytes(data), starts
            if len(self._made) > KEPT:
                self._made.popitem(last=False)
        return made


class Session:
    """One client's connection."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(0)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.heard = bytearray()
        self.unsent = bytearray()
        self.epoch = 0.0  # monotonic time of picture 0
        self.next = 0  # the next picture's number
        self.gone = False

    def send(self, data: bytes | memoryview) -> None:
        taken = 0
        if not self.unsent:
            try:
                taken = self.sock.send(data)
            except BlockingIOError:
                pass
            except OSError:
                self.gone = True
        if taken < len(data):
            self.unsent += memoryview(data)[taken:]
            self.gone = self.gone or len(self.unsent) > BACKLOG_BYTES

    def flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            del self.unsent[: self.sock.send(self.unsent)]


class Server:
    """Accepts, answers, and sends each picture when it is due."""

    def __init__(self, footage: Footage, *, begins_with_key: bool, spread_s: float) -> None:
        self._packets = Packets(footage)
        self._sets = footage.parameter_sets
        self._begins_with_key = begins_with_key
        self._spread_s = spread_s
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listener.settimeout(0)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._began = time.monotonic()
        self._due: list[tuple[float, int, Session, memoryview | None]] = []  # None: the next picture
        self._order = 0
        self.dropping = False  # set by a signal handler: hang up on everybody

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def run(self) -> None:
        while True:
            wait = max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
            ready = self._selector.select(wait)
            if self.dropping:
                self.dropping = False
                self.drop()
                continue
            for key, mask in ready:
                if key.fileobj is self._listener:
                    self._accept()
                    continue
                session: Session = key.data
                try:
                    if mask & selectors.EVENT_READ:
                        self._read(session)
                    if mask & selectors.EVENT_WRITE:
                        session.flush()
                except (OSError, ValueError):  # it hung up, or says what is no RTSP
                    session.gone = True
                self._look_after(session)
            now = time.monotonic()
            while self._due and self._due[0][0] <= now:
                _, _, session, data = heapq.heappop(self._due)
                if session.gone:
                    continue
                if data is None:
                    self._send_picture(session)
                else:
                    session.send(data)
                self._look_after(session)

    def drop(self) -> None:
        """Hang up on everybody at once."""
        for key in list(self._selector.get_map().values()):
            if key.data is not None:
                key.data.gone = True
                self._look_after(key.data)

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            session = Session(self._listener.accept()[0])
            self._selector.register(session.sock, selectors.EVENT_READ, session)

    def _look_after(self, session: Session) -> None:
        if session.sock.fileno() < 0:
            return
        if session.gone:
            self._selector.unregister(session.sock)
            session.sock.close()
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if session.unsent else 0)
        if self._selector.get_key(session.sock).events != wanted:
            self._selector.modify(session.sock, wanted, session)

    def _read(self, session: Session) -> None:
        data = session.sock.recv(1 << 16)
        session.gone = session.gone or not data
        session.heard += data
        while session.heard:
            if session.heard[0] == 0x24:  # a receiver report
                size = 4 + int.from_bytes(session.heard[2:4], "big")
                if len(session.heard) < size:
                    return
                del session.heard[:size]
                continue
            head, end, rest = session.heard.partition(b"\r\n\r\n")
            if not end:
                return
            session.heard = bytearray(rest)
            self._answer(session, head.decode("latin-1"))

    def _answer(self, session: Session, head: str) -> None:
        first, *lines = head.split("\r\n")
        method, url, _ = first.split()
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        answer = [("CSeq", fields.get("cseq", "0"))]
        body = ""
        if method == "OPTIONS":
            answer.append(("Public", "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"))
        elif method == "DESCRIBE":
            body = self._description()
            answer += [("Content-Base", f"{url}/"), ("Content-Type", "application/sdp")]
            answer.append(("Content-Length", str(len(body))))
        elif method == "SETUP":
            if "TCP" not in fields.get("transport", ""):
                session.send(f"RTSP/1.0 461 Unsupported Transport\r\nCSeq: {fields.get('cseq', '0')}\r\n\r\n".encode())
                return
            answer += [("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1"), ("Session", "1;timeout=60")]
        else:
            answer.append(("Session", "1"))
        text = "".join(f"{name}: {value}\r\n" for name, value in answer)
        session.send(f"RTSP/1.0 200 OK\r\n{text}\r\n{body}".encode())
        if method == "PLAY":
            self._play(session, url)
        elif method == "TEARDOWN":
            session.gone = True

    def _description(self) -> str:
        sps, pps = self._sets
        profile = sps[1:4].hex()
        sets = ",".join(base64.b64encode(each).decode() for each in (sps, pps))
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\na=control:*\r\n"
            f"m=video 0 RTP/AVP {PAYLOAD_TYPE}\r\na=rtpmap:{PAYLOAD_TYPE} H264/90000\r\na=framerate:{FPS}\r\n"
            f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sets}\r\n"
            "a=control:track1\r\n"
        )

    def _play(self, session: Session, url: str) -> None:
        digits = url.rpartition("/cam")[2].partition("/")[0]
        camera = int(digits) if digits.isdigit() else 0
        now = time.monotonic()
        # Cameras keep no step: each has its own moment within a picture and its own place in the footage.
        epoch = self._began + camera * 0.6180339887 % 1 * TICK_S - camera * 7 % GOP * TICK_S
        session.next = int((now - epoch) / TICK_S) + 1
        if self._begins_with_key:
            session.next += -session.next % GOP
            epoch = now - session.next * TICK_S
        session.epoch = epoch
        self._plan(session, epoch + session.next * TICK_S, None)

    def _plan(self, session: Session, at: float, data: memoryview | None) -> None:
        self._order += 1  # so that equal times stay in order
        heapq.heappush(self._due, (at, self._order, session, data))

    def _send_picture(self, session: Session) -> None:
        number, due = session.next, session.epoch + session.next * TICK_S
        data, starts = self._packets.picture(number)
        if number % REPORT_EVERY == 0:
            session.send(_sender_report(number, due))
        if self._spread_s:
            bounds = [*starts, len(data)]
            for n, (start, end) in enumerate(pairwise(bounds)):
                self._plan(session, due + self._spread_s * n / len(starts), memoryview(data)[start:end])
        else:
            session.send(data)
        session.next += 1
        self._plan(session, due + TICK_S, None)


def _sender_report(number: int, due: float) -> bytes:
    """RFC 3550 §6.4.1: the picture's RTP time was due at this time."""
    wall = time.time() - time.monotonic() + due + NTP_TO_UNIX_S
    ntp = int(wall * (1 << 32)) & 0xFFFFFFFFFFFFFFFF
    report = struct.pack(">BBHIQIII", 0x80, 200, 6, SSRC, ntp, number * RTP_STEP & 0xFFFFFFFF, 0, 0)
    return interleaved(1, report)


@contextlib.contextmanager
def running_camera(*, begin: str = "now", spread_ms: float = 0, film: Footage | None = None) -> Iterator[Camera]:
    """The cameras as a process of their own; ``film``: what they send, with key frames as far apart as usual."""
    from bench.common.process import running  # noqa: PLC0415  # not needed where this is the process

    arguments = ["-m", "bench.common.camera", "--begin", begin, "--spread", str(spread_ms)]
    arguments += ["--footage", str(film.path)] if film is not None else []
    with running([sys.executable, *arguments]) as process:
        yield Camera(process.pid, int(process.ready[0]))


class Camera:
    """A running camera process."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid = pid
        self.port = port

    def drop(self) -> None:
        """Hang up on everybody at once."""
        os.kill(self.pid, signal.SIGUSR1)

    def url(self, number: int = 1) -> str:
        return f"rtsp://127.0.0.1:{self.port}/cam{number}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--begin", choices=["key", "now"], default="now", help="with which picture PLAY begins")
    parser.add_argument("--spread", type=float, default=0, metavar="MS", help="a picture's packets come one by one")
    parser.add_argument("--footage", type=Path, help="Annex B file with delimiters; the benches' own if not given")
    options = parser.parse_args()
    if options.footage is None:
        from bench.common.footage import footage  # noqa: PLC0415

        options.footage = footage().path
    server = Server(Footage(options.footage), begins_with_key=options.begin == "key", spread_s=options.spread / 1000)
    signal.signal(signal.SIGUSR1, lambda *_: setattr(server, "dropping", True))
    print("ready", server.port, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()


if __name__ == "__main__":
    main()
