"""HTTP/1.1 and the WebSocket handshake, stricter than Hypercorn and h11 are by themselves (abuse A14, A15, A16).

What h11 tolerates and we do not: lines that end in a bare LF, folded header lines, Content-Length beside
Transfer-Encoding or given twice, a header block over the limit that arrives in one piece, versions other than 1.x.
None of it is sent by a client of our time; each is one half of a request smuggling attack (RFC 9112 §11.2).
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import h11
from hypercorn.events import Closed, Event
from hypercorn.protocol.h11 import H11Protocol, H11WSConnection
from hypercorn.protocol.ws_stream import WSStream

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD_LINES = 100  # header lines of a request; browsers send about 20

_END_OF_HEAD = re.compile(rb"\n\r?\n")
_CONTENT_LENGTH = re.compile(rb"(?im)^content-length:([^\r\n]*)")
_TRANSFER_ENCODING = re.compile(rb"(?im)^transfer-encoding:")
# RFC 9112 §3.2: an address in brackets or a name, perhaps a port; nothing at all where the target has no authority.
# The framework above fails on others, and with labels that no name has.
_HOST = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|(?:[\w~!$&'()*+;=%-]{1,63}\.)*[\w~!$&'()*+;=%-]{1,63}\.?)?(?::[0-9]{0,5})?", re.ASCII
)
_HOST_BYTES = 300
_ABSOLUTE = re.compile(rb"(?i)https?://([^/?#]+)([^#]*)")


class Refused(Exception):
    """A request that is answered before the application sees it."""

    def __init__(self, status: int, headers: tuple[tuple[bytes, bytes], ...] = (), body: bytes = b"") -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.body = body


def locked(seconds: float) -> Refused:
    """The answer to an address that is locked out, in the form of the REST interface (design §9)."""
    return Refused(
        429,
        (
            (b"retry-after", str(max(1, math.ceil(seconds))).encode()),
            (b"content-type", b"application/problem+json"),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        ),
        b'{"type":"about:blank","title":"Too Many Requests","status":429,"code":"locked",'
        b'"detail":"Too many wrong passwords from this address."}',
    )


def check_head(head: bytes) -> None:
    """Judge the raw header block of a request, blank line included.  Raises `h11.RemoteProtocolError`."""
    ends = head.count(b"\r\n")
    if head.count(b"\n") != ends or head.count(b"\r") != ends:
        raise h11.RemoteProtocolError("a line does not end in CR LF")
    if ends > HEAD_LINES:
        raise h11.RemoteProtocolError(f"more than {HEAD_LINES} header lines", error_status_hint=431)
    if b"\r\n " in head or b"\r\n\t" in head:
        raise h11.RemoteProtocolError("folded header line")
    lengths = _CONTENT_LENGTH.findall(head)
    if len(lengths) > 1 or (lengths and b"," in lengths[0]):
        raise h11.RemoteProtocolError("more than one Content-Length")
    if lengths and _TRANSFER_ENCODING.search(head):
        raise h11.RemoteProtocolError("both Content-Length and Transfer-Encoding")


class StrictConnection(h11.Connection):
    """h11's server with `check_head` and a limit on the header block in front of it.

    It is never "paused": bytes of a next request wait, and whoever reads goes on reading, since the end of the
    connection would be missed otherwise while a long answer is on its way.
    """

    def __init__(self, head_limit: int) -> None:
        super().__init__(h11.SERVER, max_incomplete_event_size=head_limit)
        self._head_limit = head_limit

    def next_event(self) -> Any:
        """As `h11.Connection.next_event`."""
        if self.their_state is h11.IDLE:
            waiting, _ = self.trailing_data
            end = _END_OF_HEAD.search(waiting)
            if end is not None and end.end() > self._head_limit:
                raise h11.RemoteProtocolError("header block too large", error_status_hint=431)
            if end is not None:
                check_head(waiting[: end.end()])
        event = super().next_event()
        return h11.NEED_DATA if event is h11.PAUSED else event


class Http1(H11Protocol):
    """Hypercorn's HTTP/1.1 without ways out of it: no h2c, no HTTP/2 preface, no WebSocket extensions.

    ``refuse`` is asked before each request and gives the seconds for which this client is not served, 0 for none.
    """

    def __init__(self, *args: Any, head_limit: int, refuse: Callable[[], float]) -> None:
        super().__init__(*args)
        self.connection: h11.Connection | H11WSConnection = StrictConnection(head_limit)
        self._refuse = refuse

    @property
    def is_websocket(self) -> bool:
        """Whether this connection was asked to become a WebSocket (accepted or not)."""
        return isinstance(self.connection, H11WSConnection)

    @property
    def is_open_websocket(self) -> bool:
        """Whether the handshake is through."""
        return isinstance(self.stream, WSStream) and self.stream.handshake.accepted

    @property
    def awaits_request(self) -> bool:
        """Whether no request is being received or answered."""
        return not self.is_websocket and self.connection.their_state is h11.IDLE

    @property
    def awaits_body(self) -> bool:
        return not self.is_websocket and self.connection.their_state is h11.SEND_BODY

    @property
    def is_answering(self) -> bool:
        return not (self.is_websocket or self.awaits_request or self.awaits_body)

    @property
    def early_bytes(self) -> int:
        """How many bytes have come of a request that is not whole, or whose turn has not come."""
        return len(self.connection.trailing_data[0])

    async def handle(self, event: Event) -> None:
        try:
            await super().handle(event)
        except Refused as refused:
            await self.answer(refused)

    async def resume(self) -> None:
        """Go on with the bytes that came early."""
        try:
            await self._handle_events()
        except Refused as refused:
            await self.answer(refused)

    async def answer(self, refused: Refused) -> None:
        """Answer instead of the application and close."""
        headers = [
            (b"content-length", str(len(refused.body)).encode()),
            (b"connection", b"close"),
            *refused.headers,
            *self.config.response_headers("h11"),
        ]
        await self._send_h11_event(h11.Response(status_code=refused.status, headers=headers))
        if refused.body:
            await self._send_h11_event(h11.Data(data=refused.body))
        await self._send_h11_event(h11.EndOfMessage())
        await self.send(Closed())

    async def _check_protocol(self, event: h11.Request) -> None:
        # Hypercorn's goes over to HTTP/2 here; an offer of h2c may be ignored (RFC 9110 §7.8), a preface may not
        if event.http_version not in (b"1.1", b"1.0"):
            raise Refused(505)
        if event.http_version == b"1.0" and any(name == b"transfer-encoding" for name, _ in event.headers):
            raise Refused(400)  # RFC 9112 §6.1: faulty framing
        seconds = self._refuse()
        if seconds > 0:
            raise locked(seconds)

    async def _create_stream(self, request: h11.Request) -> None:
        if self.connection.trailing_data[0] and any(name == b"upgrade" for name, _ in request.headers):
            raise Refused(400)  # RFC 6455 §4.1: a client sends nothing before our answer
        await super()._create_stream(_normalised(request))


def _normalised(request: h11.Request) -> h11.Request:
    """The request as the application is to see it.

    Without WebSocket extensions, so that permessage-deflate is not agreed on: it makes shared frames impossible and
    costs five times the CPU.  With the target in origin form: in absolute form its authority replaces Host
    (RFC 9112 §3.2.2).  Raises `Refused` for targets in other forms, and for a Host that is none.
    """
    target, headers = request.target, request.headers.raw_items()
    changed = [(name, value) for name, value in headers if name.lower() != b"sec-websocket-extensions"]
    if not target.startswith(b"/"):
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None:
            raise Refused(400)
        authority, rest = absolute.groups()
        target = rest if rest.startswith(b"/") else b"/" + rest
        changed = [(b"Host", authority), *((name, value) for name, value in changed if name.lower() != b"host")]
    for name, value in changed:
        if name.lower() == b"host" and (len(value) > _HOST_BYTES or not _HOST.fullmatch(value)):
            raise Refused(400)
    if target == request.target and len(changed) == len(headers):
        return request
    return h11.Request(method=request.method, target=target, headers=changed, http_version=request.http_version)
