"""Opening connections to a camera: dialling, TLS, and always the same machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from appliance.sites.rtsp.connection import plain_address
from appliance.sites.rtsp.tls import open_tls

if TYPE_CHECKING:
    from appliance.sites.rtsp.connection import CheckAddress, Dial
    from appliance.sites.rtsp.steps import Steps
    from appliance.sites.rtsp.tls import Trust
    from appliance.sites.rtsp.urls import RtspUrl


class Line:
    """Opens the connections of one conversation, all of them to the address that the name had at first (abuse A11)."""

    def __init__(self, dial: Dial, check_address: CheckAddress | None, trust: Trust) -> None:
        self._dial = dial
        self._check_address = check_address
        self._trust = trust
        self._address: str | None = None

    async def open(self, url: RtspUrl, fingerprint: str | None, steps: Steps) -> trio.abc.Stream:
        """Plain or with TLS, as the address wants it.  Raises `RtspError`, OSError, trio.BrokenResourceError."""
        steps.begin("connect")
        if not url.is_secure:
            stream = await self.plain(url)
            steps.end(url.place)
            return stream
        steps.end(url.place)
        steps.begin("TLS")
        stream = await self.secure(url, fingerprint)
        steps.end("the pinned certificate" if fingerprint else "a certificate that the system trusts")
        return stream

    async def plain(self, url: RtspUrl) -> trio.abc.Stream:
        stream = await self._dial(url, self._allow)
        if self._address is None and isinstance(stream, trio.SocketStream):
            self._address = plain_address(stream.socket.getpeername()[0])
        return stream

    async def secure(self, url: RtspUrl, fingerprint: str | None) -> trio.abc.Stream:
        async def open_plain() -> trio.abc.Stream:
            return await self.plain(url)

        return await open_tls(open_plain, url, fingerprint, self._trust)

    def _allow(self, address: str) -> str | None:
        if self._address not in (None, address):
            return "the name now leads to another machine than before"
        return self._check_address(address) if self._check_address is not None else None
