"""One request to a camera over HTTP/1.1 and its answer (RFC 9112, by h11), without sockets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import h11

from appliance.sites.rtsp.errors import BadMessage, Ended, Redirected, Refused

if TYPE_CHECKING:
    from appliance.sites.rtsp.auth import Authenticator
    from appliance.sites.rtsp.oddities import Oddities
    from appliance.sites.rtsp.urls import RtspUrl

#: Status line and header fields of an answer, all together.
HEAD_LIMIT: Final = 16 << 10
#: Interim answers (1xx) before the one that counts.
INTERIM_LIMIT: Final = 8
_LOCATION_LIMIT = 2048
_NOT_HTTP = "Check the address and the port."
_ACCEPT = "multipart/x-mixed-replace, image/jpeg"


class Unproven(Exception):
    """The camera wants a proof of who we are, and now there is one: ask again, on a new connection."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer that has something."""

    content_type: str  # as the camera writes it; "" where nothing says it


class Exchange:
    """Requests on one connection, one after the other.  Raises `RtspError`, whatever comes, and `Unproven`."""

    def __init__(self, url: RtspUrl, authenticator: Authenticator, oddities: Oddities, user_agent: str) -> None:
        self._url = url
        self._authenticator = authenticator
        self._oddities = oddities
        self._user_agent = user_agent
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT)
        self._interim = 0
        self._heard = False  # something of the answer came
        self._closed = False  # by the camera

    @property
    def can_ask_again(self) -> bool:
        """Whether the connection serves for another request."""
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
        return self._http.our_state is h11.IDLE

    def ask(self) -> bytes:
        """The bytes of a GET."""
        path = self._url.path if self._url.path.startswith("/") else f"/{self._url.path}"
        host = str(self._url).removeprefix(f"{self._url.scheme}://").removesuffix(self._url.path)
        fields = [("Host", host), ("User-Agent", self._user_agent), ("Accept", _ACCEPT)]
        proof = self._authenticator.authorization("GET", self._url, path)
        if proof is not None:
            fields.append(("Authorization", proof))
        self._interim = 0
        self._heard = False
        try:
            data = self._http.send(h11.Request(method="GET", target=path, headers=_encoded(fields)))
            return (data or b"") + (self._http.send(h11.EndOfMessage()) or b"")
        except h11.LocalProtocolError:
            # the rest of it is ours and checked
            raise BadMessage("The camera asked for a proof with a control character in it.") from None

    def receive_data(self, data: bytes | bytearray) -> None:
        """What came; nothing: the connection was closed.  Raises `Ended` where that is all of an answer."""
        if not data:
            self._closed = True
            if not self._heard:
                raise Ended("The camera closed the connection instead of answering.")
        self._heard = True
        try:
            self._http.receive_data(bytes(data))
        except h11.RemoteProtocolError:
            raise BadMessage("The camera sends more than it was asked for.") from None

    def next_event(self) -> Answer | bytes | None:
        """The head of the answer, then its content piece by piece, then ``b""`` at its end; None: more has to come."""
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                if self._closed:
                    raise Ended("The camera closed the connection.") from None
                raise _bad(error) from None
            if isinstance(event, h11.Response):
                return self._answer(event)
            if isinstance(event, h11.Data):
                return bytes(event.data)
            if isinstance(event, h11.EndOfMessage | h11.ConnectionClosed) or event is h11.PAUSED:
                return b""
            if not isinstance(event, h11.InformationalResponse):
                return None
            self._interim += 1
            if self._interim > INTERIM_LIMIT:
                raise BadMessage(f"The camera sent over {INTERIM_LIMIT} interim answers.")

    def _answer(self, response: h11.Response) -> Answer:
        code = response.status_code
        if code == 401:
            self._authenticator.challenge(_all(response, b"www-authenticate"), self._oddities)
            raise Unproven
        if code in (301, 302, 303, 307, 308):
            raise Redirected(next(iter(_all(response, b"location")), "")[:_LOCATION_LIMIT])
        if code != 200:
            reason = "".join(char if char.isprintable() else "?" for char in response.reason.decode("latin-1")[:60])
            raise Refused("GET", code, reason, "Check the path of the address, and the rights of the user.")
        self._authenticator.succeeded()
        return Answer(next(iter(_all(response, b"content-type")), ""))


def _all(response: h11.Response, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in response.headers if key == name]


def _encoded(fields: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in fields]


def _bad(error: h11.RemoteProtocolError) -> BadMessage:
    if error.error_status_hint == 431:
        return BadMessage(f"The camera sent a header of over {HEAD_LIMIT} bytes.")
    return BadMessage("What answers there does not speak HTTP.", _NOT_HTTP)
