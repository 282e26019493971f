"""Asking a camera over HTTP: connections, proofs of who we are, redirections; again where the connection stays open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

import trio

from appliance.sites.mjpeg.exchange import Answer, Exchange, Unproven
from appliance.sites.rtsp.auth import Authenticator
from appliance.sites.rtsp.connection import READ_SIZE, SEND_WITHIN_S, USER_AGENT
from appliance.sites.rtsp.errors import BadCredentials, BadMessage, Ended, NoAnswer, Redirected, RtspError
from appliance.sites.rtsp.oddities import Oddities
from appliance.sites.rtsp.steps import Steps
from appliance.sites.rtsp.urls import BadUrl, parse_http_url, redirected
from appliance.sites.source import SourceStatistics

if TYPE_CHECKING:
    from appliance.sites.rtsp.line import Line
    from appliance.sites.rtsp.target import RtspTarget
    from appliance.sites.rtsp.urls import RtspUrl

ANSWER_WITHIN_S: Final = 5.0
#: A camera that sends nothing for so long has gone.
SILENT_S: Final = 15.0
REDIRECTS_LIMIT: Final = 3
#: Without proof, with it, once more with a new nonce.
PROOFS_LIMIT: Final = 3


class Asking:
    """One camera.  One task at a time.  What it raises: `RtspError`, OSError, trio.BrokenResourceError (`FAILURES`)."""

    def __init__(self, line: Line, target: RtspTarget) -> None:
        self.statistics = SourceStatistics()
        self.oddities = Oddities(self.statistics.oddities)
        self.url = target.url
        self._line = line
        self._target = target
        self._authenticator = self._proof()
        self._stream: trio.abc.Stream | None = None
        self._exchange: Exchange | None = None

    async def ask(self, steps: Steps | None = None) -> Answer:
        """The head of the answer to a GET; its content is for `read`."""
        steps = steps or Steps(trio.current_time)
        redirects = proofs = 0
        while True:
            try:
                return await self._ask(steps)
            except Unproven:
                proofs += 1
                if proofs == PROOFS_LIMIT:
                    raise BadCredentials(
                        "The camera asks for proof of identity again and again.", "Check the user's name."
                    ) from None
            except Redirected as error:
                redirects += 1
                if redirects > REDIRECTS_LIMIT:
                    raise RtspError("The camera sends us in circles.", "Check the path of the address.") from None
                self.url = _redirection(error, self.url)
                self._authenticator = self._proof()  # what was proved there is nothing here
            await self.aclose()

    async def _ask(self, steps: Steps) -> Answer:
        if self._exchange is not None and self._stream is not None and self._exchange.can_ask_again:
            try:
                return await self._request(self._stream, self._exchange)
            except (Ended, OSError, trio.BrokenResourceError):
                pass  # servers close connections that wait, and may do so at this very moment
        await self.aclose()
        self._stream = await self._line.open(self.url, self._target.options.fingerprint, steps)
        self._exchange = Exchange(self.url, self._authenticator, self.oddities, USER_AGENT)
        steps.begin("GET")
        return await self._request(self._stream, self._exchange)

    async def _request(self, stream: trio.abc.Stream, exchange: Exchange) -> Answer:
        data = exchange.ask()
        with trio.move_on_after(SEND_WITHIN_S):
            await stream.send_all(data)
            with trio.move_on_after(ANSWER_WITHIN_S):
                while (event := exchange.next_event()) is None:
                    await self._receive(stream, exchange)
                if not isinstance(event, Answer):
                    raise BadMessage("The camera answers without a head.")
                return event
        raise NoAnswer("The camera does not answer GET.", "Check that it runs and is not overloaded.")

    async def read(self) -> bytes:
        """The next piece of the answer's content; nothing at its end."""
        assert self._stream is not None
        assert self._exchange is not None
        with trio.move_on_after(SILENT_S):
            await trio.lowlevel.checkpoint()  # a read may hold many pieces: others get their turn between them
            while True:
                event = self._exchange.next_event()
                if isinstance(event, bytes):
                    return event
                if event is not None:
                    raise BadMessage("The camera answers twice.")
                await self._receive(self._stream, self._exchange)
        raise NoAnswer(f"The camera sends nothing for {SILENT_S:g} s.", "Check that it runs.")

    async def _receive(self, stream: trio.abc.Stream, exchange: Exchange) -> None:
        data = await stream.receive_some(READ_SIZE)
        self.statistics.bytes_received += len(data)
        exchange.receive_data(data)

    async def aclose(self) -> None:
        """Close the connection, if there is one; HTTP has no farewell."""
        stream, self._stream, self._exchange = self._stream, None, None
        if stream is not None:
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)

    def _proof(self) -> Authenticator:
        target = self._target
        return Authenticator(self.url, target.username, target.password, allow_basic=target.allow_basic)


def _redirection(error: Redirected, url: RtspUrl) -> RtspUrl:
    """Where it leads; addresses may be relative (RFC 9110 §10.2.2), and what stands behind a # is not for us."""
    try:
        new = parse_http_url(urljoin(str(url), error.location.partition("#")[0])).url
    except (BadUrl, ValueError):
        raise error from None
    return redirected(error, url, new)
