"""From an address to a conversation: dialling, TLS, the tunnel, and again where a redirection leads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import trio

from appliance.sites.rtsp.auth import Authenticator
from appliance.sites.rtsp.connection import USER_AGENT, Connection, plain_address
from appliance.sites.rtsp.errors import NameNotAnswered, NoAnswer, Redirected, RtspError
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.options import Way
from appliance.sites.rtsp.tls import Trust, open_tls
from appliance.sites.rtsp.trouble import FAILURES, explain
from appliance.sites.rtsp.tunnel import Opening, open_tunnel
from appliance.sites.rtsp.urls import BadUrl, RtspUrl, parse_url, same_host

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from appliance.sites.rtsp.connection import CheckAddress, Dial
    from appliance.sites.rtsp.steps import Steps
    from appliance.sites.rtsp.target import RtspTarget

T = TypeVar("T")

#: All of opening, whatever a camera does between its answers.
OPEN_WITHIN_S = 15.0
REDIRECTS_LIMIT = 3


async def converse(
    target: RtspTarget,
    steps: Steps,
    go: Callable[[Connection], Awaitable[T]],
    *,
    check_address: CheckAddress | None,
    dial: Dial,
    trust: Trust | None = None,
) -> T:
    """Connect and run ``go``, again where a redirection within the host leads.  Raises `SourceError`.

    The connection stays open if that succeeds, and is closed if not.
    """
    line = _Line(dial, check_address, trust or Trust())
    try:
        with trio.move_on_after(OPEN_WITHIN_S):
            for _ in range(REDIRECTS_LIMIT + 1):
                connection = await line.open(target, steps)
                try:
                    return await go(connection)
                except Redirected as error:
                    await connection.aclose()
                    target = replace(target, url=_redirection(error, target.url))
                except BaseException:
                    await connection.aclose()
                    raise
            raise RtspError("The camera sends us in circles.", "Check the path of the address.")
    except FAILURES as error:
        if isinstance(error, NameNotAnswered):
            steps.rename("name")
        raise explain(error, target.url) from error
    raise explain(NoAnswer("The camera takes too long to answer.", "Check that it is not overloaded."), target.url)


class _Line:
    """Opens the connections of one conversation, all of them to the address that the name had at first (abuse A11)."""

    def __init__(self, dial: Dial, check_address: CheckAddress | None, trust: Trust) -> None:
        self._dial = dial
        self._check_address = check_address
        self._trust = trust
        self._address: str | None = None

    async def open(self, target: RtspTarget, steps: Steps) -> Connection:
        """Raises `RtspError`, OSError, trio.BrokenResourceError."""
        url, options = target.url, target.options

        async def plain() -> trio.abc.Stream:
            return await self._connect(url)

        async def secure() -> trio.abc.Stream:
            return await open_tls(plain, url, options.fingerprint, self._trust)

        steps.begin("connect")
        if options.way is not Way.HTTP:
            if not url.is_secure:
                stream = await plain()
                steps.end(url.place)
                return Connection(stream, target)
            steps.end(url.place)
            steps.begin("TLS")
            stream = await secure()
            steps.end("the pinned certificate" if options.fingerprint else "a certificate that the system trusts")
            return Connection(stream, target)
        oddities = Oddities()
        proof = Authenticator(url, target.username, target.password, allow_basic=target.allow_basic)
        stream = await open_tunnel(secure if url.is_secure else plain, Opening(url, proof, oddities, USER_AGENT))
        steps.end(f"{url.place}, through HTTP")
        connection = Connection(stream, target)
        connection.oddities.names.update(oddities.names)
        return connection

    async def _connect(self, url: RtspUrl) -> trio.abc.Stream:
        stream = await self._dial(url, self._allow)
        if self._address is None and isinstance(stream, trio.SocketStream):
            self._address = plain_address(stream.socket.getpeername()[0])
        return stream

    def _allow(self, address: str) -> str | None:
        if self._address not in (None, address):
            return "the name now leads to another machine than before"
        return self._check_address(address) if self._check_address is not None else None


def _redirection(error: Redirected, url: RtspUrl) -> RtspUrl:
    """Where a redirection leads, if that is the same host (abuse A11); else the redirection is the error."""
    try:
        new = parse_url(error.location).url
    except BadUrl:
        raise error from None
    if not same_host(new, url):
        raise error
    if url.is_secure and not new.is_secure:
        raise RtspError("The camera sends us on to where nothing is encrypted, which is not followed.")
    return replace(new, host=url.host)
