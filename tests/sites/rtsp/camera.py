"""A camera in memory: it answers as its table says, and after PLAY sends what the test wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio
import trio.testing

from tests.reference.packets import aac_hbr, interleaved
from tests.reference.packets import rtp as packet
from tests.sites.rtsp.talk import AUDIO, PPS, SPS, VIDEO, Sent, parse_request, response, sdp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

IDR = b"\x65\x88\x84" + b"\x21" * 40
P = b"\x41\x9a\x11" + b"\x22" * 20

#: What is answered to a method: a whole message, a function of the request, or None for silence.
Answer = bytes | None
Media = "Callable[[ScriptedCamera], Awaitable[None]]"


class TrioClock:
    """Wall-clock time that goes with Trio's, so that it jumps along."""

    def utc_90k(self) -> int:
        return 1_700_000_000 * 90_000 + round(trio.current_time() * 90_000)


def good_answers(*media: str) -> dict[str, Callable[[Sent], Answer]]:
    tracks = iter(range(0, 100, 2))

    def setup(request: Sent) -> bytes:
        channel = next(tracks)
        transport = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
        return response(headers={"Session": "7;timeout=60", "Transport": transport}, cseq=request.headers["CSeq"])

    def plain(**headers: str) -> Callable[[Sent], Answer]:
        return lambda request: response(headers=headers, cseq=request.headers["CSeq"])

    description = {"Content-Type": "application/sdp"}
    return {
        "OPTIONS": plain(Public="OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"),
        "DESCRIBE": lambda request: response(
            headers=description, body=sdp(*(media or (VIDEO, AUDIO))), cseq=request.headers["CSeq"]
        ),
        "SETUP": setup,
        "PLAY": plain(Session="7"),
        "GET_PARAMETER": plain(Session="7"),
        "TEARDOWN": plain(),
    }


def status(text: str, **headers: str) -> Callable[[Sent], Answer]:
    return lambda request: response(text, headers, cseq=request.headers["CSeq"])


def silent(_: Sent) -> None:
    return None


class ScriptedCamera:
    """``answers`` by method over the good ones; ``media`` runs after PLAY was answered."""

    def __init__(
        self,
        nursery: trio.Nursery,
        answers: dict[str, Callable[[Sent], Answer]] | None = None,
        media: Callable[[ScriptedCamera], Awaitable[None]] | None = None,
        tracks: tuple[str, ...] = (),
    ) -> None:
        self._nursery = nursery
        self._answers = {**good_answers(*tracks), **(answers or {})}
        self._media = media
        self.requests: list[tuple[float, Sent]] = []
        self.packets: list[tuple[float, int, bytes]] = []  # interleaved ones that we were sent
        self.dialled: list[str] = []
        self.gone = trio.Event()  # the other side closed
        self.stream: trio.StapledStream[trio.abc.SendStream, trio.abc.ReceiveStream] | None = None
        self.sequence = 0
        self._sending = trio.Lock()

    @property
    def methods(self) -> list[str]:
        return [request.method for _, request in self.requests]

    async def dial(self, url, check_address) -> trio.abc.Stream:
        self.dialled.append(str(url))
        ours, self.stream = trio.testing.memory_stream_pair()
        self._nursery.start_soon(self._serve, self.stream)
        return ours

    async def send(self, data: bytes) -> None:
        assert self.stream is not None
        async with self._sending:
            await self.stream.send_all(data)

    async def picture(self, nal: bytes, time: int, *more: bytes) -> None:
        """One access unit, a packet for each NAL unit."""
        nals = [nal, *more]
        for n, each in enumerate(nals):
            await self.send(interleaved(0, packet(each, sequence=self.sequence, time=time, marker=n == len(nals) - 1)))
            self.sequence += 1

    async def sound(self, frame: bytes, sequence: int, time: int) -> None:
        await self.send(
            interleaved(2, packet(aac_hbr(frame), sequence=sequence, time=time, marker=True, payload_type=97))
        )

    async def pictures(self, count: int, every_s: float = 0.1, gop: int = 10) -> None:
        for n in range(count):
            nals = (SPS, PPS, IDR) if n % gop == 0 else (P,)
            await self.picture(nals[0], round(n * every_s * 90_000), *nals[1:])
            await trio.sleep(every_s)

    async def _serve(self, stream) -> None:
        buffer = b""
        try:
            async for data in stream:
                buffer += data
                while buffer:
                    if buffer[0] == 0x24:
                        size = 4 + int.from_bytes(buffer[2:4], "big")
                        if len(buffer) < size:
                            break
                        self.packets.append((trio.current_time(), buffer[1], buffer[4:size]))
                        buffer = buffer[size:]
                        continue
                    head, end, rest = buffer.partition(b"\r\n\r\n")
                    if not end:
                        break
                    buffer = rest
                    await self._answer(parse_request(head))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        self.gone.set()

    async def _answer(self, request: Sent) -> None:
        self.requests.append((trio.current_time(), request))
        answer = self._answers[request.method](request)
        if answer is not None:
            await self.send(answer)
        if request.method == "PLAY" and self._media is not None:
            self._nursery.start_soon(self._play)

    async def _play(self) -> None:
        assert self._media is not None
        try:
            await self._media(self)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return  # the other side has left
