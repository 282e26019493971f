"""From an address to a conversation: dialling, TLS, the tunnel, and again where a redirection leads."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import trio

from appliance.sites.rtsp.auth import Authenticator
from appliance.sites.rtsp.connection import USER_AGENT, Connection
from appliance.sites.rtsp.errors import NameNotAnswered, NoAnswer, Redirected, RtspError
from appliance.sites.rtsp.line import Line
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.options import Way
from appliance.sites.rtsp.tls import Trust
from appliance.sites.rtsp.trouble import FAILURES, explain
from appliance.sites.rtsp.tunnel import Opening, open_tunnel
from appliance.sites.rtsp.urls import BadUrl, RtspUrl, parse_url, redirected

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
    line = Line(dial, check_address, trust or Trust())
    try:
        with trio.move_on_after(OPEN_WITHIN_S):
            for _ in range(REDIRECTS_LIMIT + 1):
                connection = await _open(line, target, steps)
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


async def _open(line: Line, target: RtspTarget, steps: Steps) -> Connection:
    """Raises `RtspError`, OSError, trio.BrokenResourceError."""
    url, options = target.url, target.options
    if options.way is not Way.HTTP:
        return Connection(await line.open(url, options.fingerprint, steps), target)
    steps.begin("connect")
    oddities = Oddities()
    proof = Authenticator(url, target.username, target.password, allow_basic=target.allow_basic)
    way = partial(line.secure, url, options.fingerprint) if url.is_secure else partial(line.plain, url)
    stream = await open_tunnel(way, Opening(url, proof, oddities, USER_AGENT))
    steps.end(f"{url.place}, through HTTP")
    connection = Connection(stream, target)
    connection.oddities.names.update(oddities.names)
    return connection


def _redirection(error: Redirected, url: RtspUrl) -> RtspUrl:
    try:
        new = parse_url(error.location).url
    except BadUrl:
        raise error from None
    return redirected(error, url, new)
