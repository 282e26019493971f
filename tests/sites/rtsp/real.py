"""Scripted cameras behind real sockets of this machine."""

from __future__ import annotations

import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio

from appliance.sites.rtsp.target import RtspTarget
from tests.reference.packets import rtp as packet
from tests.sites.rtsp.camera import ScriptedCamera
from tests.sites.rtsp.talk import response

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from tests.sites.rtsp.talk import Sent


@asynccontextmanager
async def listening(camera: ScriptedCamera, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The camera serves every connection to the port that is given."""

    async def serve(stream: trio.SocketStream) -> None:
        if tls is None:
            camera.stream = stream
        else:
            camera.stream = trio.SSLStream(stream, tls, server_side=True, https_compatible=True)
        async with camera.stream:
            await camera._serve(camera.stream)

    scope = trio.CancelScope()
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")

    async def run() -> None:
        with scope:
            await trio.serve_listeners(serve, listeners)

    camera._nursery.start_soon(run)
    try:
        yield listeners[0].socket.getsockname()[1]
    finally:
        scope.cancel()


def at(port: int, path: str = "/live", scheme: str = "rtsp", userinfo: str = "") -> RtspTarget:
    return RtspTarget.from_url(f"{scheme}://{userinfo}127.0.0.1:{port}{path}")


class UdpCamera(ScriptedCamera):
    """Sends over UDP from ports of its own.  ``says``: what the Transport header says beside them."""

    def __init__(self, nursery: trio.Nursery, *args, says: str = "", server_ports: bool = True, **options) -> None:
        super().__init__(nursery, *args, **options)
        self.says = says
        self.server_ports = server_ports
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        self.client_ports: list[tuple[int, int]] = []
        self._answers["SETUP"] = self._set_up

    def _set_up(self, request: Sent) -> bytes:
        cseq = request.headers["CSeq"]
        name, _, ports = request.headers["Transport"].partition("client_port=")
        if name != "RTP/AVP;unicast;":
            return response("461 Unsupported Transport", cseq=cseq)
        first, second = map(int, ports.split("-"))
        self.client_ports.append((first, second))
        pair = (bound(), bound())
        self.pairs.append(pair)
        says = self.says or f";client_port={first}-{second}"
        if self.server_ports:
            says += f";server_port={pair[0].getsockname()[1]}-{pair[1].getsockname()[1]}"
        return response(headers={"Session": "7;timeout=60", "Transport": f"RTP/AVP;unicast{says}"}, cseq=cseq)

    def send_to(self, which: int, data: bytes, sender: socket.socket | None = None, track: int = 0) -> None:
        (sender or self.pairs[track][which]).sendto(data, ("127.0.0.1", self.client_ports[track][which]))

    def datagram(self, nal: bytes, sequence: int, time: int, sender: socket.socket | None = None) -> None:
        """One picture in one packet."""
        self.send_to(0, packet(nal, sequence=sequence, time=time, marker=True), sender)

    def heard(self, which: int, track: int = 0) -> list[bytes]:
        """What came to a port of the camera since it was asked last."""
        found = []
        while True:
            try:
                found.append(self.pairs[track][which].recv(2048))
            except BlockingIOError:
                return found

    def close(self) -> None:
        for pair in self.pairs:
            for sock in pair:
                sock.close()


def bound(host: str = "127.0.0.1") -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(0)
    sock.bind((host, 0))
    return sock
