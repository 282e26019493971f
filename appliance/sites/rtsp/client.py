"""An RTSP client without a socket (RFC 2326): what to send, what happened, when to be woken.

OPTIONS, DESCRIBE, SETUP of each track, PLAY, keep-alives, TEARDOWN; one request after the other.  The driver hands
in what was received and the time, takes out what is to be sent and the events, and calls `handle_timeout` at
`next_deadline`.  Times are seconds of one steady clock.  Everything raises `RtspError` only.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from appliance.sites.rtsp.errors import BadCredentials, BadMessage, Ended, NoAnswer, Redirected, Refused
from appliance.sites.rtsp.events import (
    Capable,
    Described,
    Event,
    Playing,
    TcpRefused,
    TornDown,
    TrackReady,
    TrackRefused,
)
from appliance.sites.rtsp.fields import is_number, split_quoted
from appliance.sites.rtsp.messages import Decoder, Packets, Request, Response, encode_request, encode_response
from appliance.sites.rtsp.oddities import Oddities, Oddity
from appliance.sites.rtsp.sdp import parse_sdp
from appliance.sites.rtsp.transport import (
    DEFAULT_TIMEOUT_S,
    Transport,
    ask_for,
    ask_for_udp,
    parse_rtp_info,
    parse_session,
    parse_transport,
    parse_udp_transport,
)
from appliance.sites.rtsp.urls import base_url, control_url

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from appliance.sites.rtsp.auth import Authenticator
    from appliance.sites.rtsp.sdp import Media
    from appliance.sites.rtsp.urls import RtspUrl

ANSWER_WITHIN_S = 5.0
#: Silence is noticed within five seconds (fault F2), and it takes a moment to be told.
MEDIA_WITHIN_S = 4.5
#: What goes on for this long after RTCP BYE was not meant to end.
AFTER_GOODBYE_S = 1.0
#: Keep-alives go at half of the session's time-out, but not oftener or more seldom than this.
KEEP_ALIVE_S = (1.0, 60.0)
#: Bytes that wait to be sent; only a camera that asks and does not read makes so many.
UNSENT_LIMIT = 64 * 1024
METHODS_LIMIT = 64
#: Messages of one read that lead to nothing: questions, and answers to what nobody asked.  Reading them costs.
IDLE_LIMIT = 128
#: Times that a request is sent: without proof, with it, once more with a new nonce.
ATTEMPTS = 3


@dataclass(slots=True)
class _Asked:
    """A request that waits for its answer."""

    method: str
    url: RtspUrl
    headers: list[tuple[str, str]]
    answered: Callable[[Response], None]
    refused: Callable[[Response], None] | None = None  # None: being refused is an error
    attempts: int = 0
    cseq: int = 0
    deadline: float = 0.0


@dataclass(slots=True)
class _Session:
    id: str = ""
    keep_alive_s: float = DEFAULT_TIMEOUT_S / 2
    playing: bool = False
    transports: list[Transport] = field(default_factory=list)


class RtspClient:
    """One connection to one camera."""

    def __init__(self, url: RtspUrl, authenticator: Authenticator, oddities: Oddities, *, user_agent: str) -> None:
        self._url = url
        self._authenticator = authenticator
        self._oddities = oddities
        self._user_agent = user_agent
        self._decoder = Decoder(oddities)
        self._unsent = bytearray()
        self._events: deque[Event] = deque()
        self._now = 0.0
        self._cseq = 0
        self._asked: _Asked | None = None  # the conversation's request
        self._kept_alive: _Asked | None = None  # the keep-alive's
        self._given_up: deque[int] = deque(maxlen=8)  # keep-alives whose answers may yet come
        self._methods: frozenset[str] = frozenset()
        self._base = self._aggregate = url
        self._to_set_up: deque[tuple[Media, int, bool]] = deque()
        self._ports: dict[int, tuple[int, int]] = {}  # of ours, by channel; none over this connection
        self._session = _Session()
        self._keep_alive_at: float | None = None
        self._silent_at: float | None = None
        self._goodbye = False
        self._idle = 0  # messages since the last data that led to nothing

    # ---- what the driver asks for

    def start(self, now: float) -> None:
        """Begin with OPTIONS."""
        self._now = now

        def refused(_: Response) -> None:
            self._oddities.note(Oddity.OPTIONS_REFUSED)
            self._events.append(Capable(frozenset()))

        self._ask(_Asked("OPTIONS", self._url, [], self._take_options, refused))

    def describe(self, now: float) -> None:
        self._now = now
        self._ask(_Asked("DESCRIBE", self._url, [("Accept", "application/sdp")], self._take_description))

    def play(self, tracks: Sequence[Media], now: float, ports: Sequence[tuple[int, int]] = ()) -> None:
        """Set these tracks up, the first at all costs, the others if the camera lets us, and play them.

        ``ports``: where we listen for each of them, RTP and RTCP; without them they come over this connection.
        """
        self._now = now
        self._ports = {2 * number: pair for number, pair in enumerate(ports)}
        self._to_set_up.clear()
        self._to_set_up.extend((media, 2 * number, number == 0) for number, media in enumerate(tracks))
        self._set_up_next()

    def tear_down(self, now: float) -> None:
        """End the session, if there is one; answers that are due are not waited for any more."""
        self._now = now
        self._keep_alive_at = self._silent_at = self._kept_alive = None
        if not self._session.id:
            self._events.append(TornDown())
            return

        if self._asked is not None:
            self._given_up.append(self._asked.cseq)

        def gone(_: Response) -> None:
            self._events.append(TornDown())

        self._ask(_Asked("TEARDOWN", self._aggregate, self._with_session(), gone, gone))

    def send_control(self, channel: int, packet: bytes) -> None:
        """Send an RTCP packet between the messages."""
        self._send(bytes((0x24, channel)) + len(packet).to_bytes(2, "big") + packet)

    def media_heard(self, now: float) -> None:
        """Packets of the picture came."""
        if self._goodbye and self._silent_at is not None and now < self._silent_at:
            self._oddities.note(Oddity.GOODBYE_UNMEANT)
            self._goodbye = False
        if self._session.playing:
            self._silent_at = now + MEDIA_WITHIN_S

    def goodbye_heard(self, now: float) -> None:
        """RTCP BYE came for the picture: it ends now, or the camera is odd."""
        if self._session.playing and not self._goodbye:
            self._goodbye = True
            self._silent_at = now + AFTER_GOODBYE_S

    # ---- bytes, events, time

    @property
    def wants_to_send(self) -> bool:
        return bool(self._unsent)

    def data_to_send(self) -> bytes:
        data = bytes(self._unsent)
        self._unsent.clear()
        return data

    def receive_data(self, data: bytes | bytearray, now: float) -> None:
        self._now = now
        self._idle = 0
        self._decoder.receive_data(data)

    def next_event(self) -> Event | None:
        """What happened next; None: nothing until more is received.  `Packets` are valid until the next call."""
        while not self._events:
            message = self._decoder.next_event()
            if message is None:
                return None
            if isinstance(message, Packets):
                return message
            self._idle += 1
            if self._idle > IDLE_LIMIT:
                raise BadMessage("The camera sends messages that lead to nothing.")
            if isinstance(message, Request):
                self._take_request(message)
            else:
                self._take_response(message)
        self._idle = 0
        return self._events.popleft()

    def next_deadline(self) -> float | None:
        """When `handle_timeout` wants to be called."""
        soonest = self._silent_at
        if self._keep_alive_at is not None and (soonest is None or self._keep_alive_at < soonest):
            soonest = self._keep_alive_at
        if self._asked is not None and (soonest is None or self._asked.deadline < soonest):
            soonest = self._asked.deadline
        return soonest

    def handle_timeout(self, now: float) -> None:
        """Do what is due.  Raises `NoAnswer` where waiting is over."""
        self._now = now
        if self._asked is not None and now >= self._asked.deadline:
            raise NoAnswer(
                f"The camera does not answer {self._asked.method}.", "Check that it runs and is not overloaded."
            )
        if self._silent_at is not None and now >= self._silent_at:
            if self._goodbye:
                raise Ended("The camera ended the stream.")
            raise NoAnswer("The camera sends no more pictures.", "Check that it runs, and the network to it.")
        if self._keep_alive_at is not None and now >= self._keep_alive_at:
            self._keep_alive()

    # ---- the conversation

    def _ask(self, asked: _Asked) -> None:
        self._asked = asked
        self._request(asked)

    def _request(self, asked: _Asked) -> None:
        self._cseq += 1
        asked.cseq = self._cseq
        asked.attempts += 1
        asked.deadline = self._now + ANSWER_WITHIN_S
        headers = [("CSeq", str(asked.cseq)), ("User-Agent", self._user_agent), *asked.headers]
        authorization = self._authenticator.authorization(asked.method, asked.url)
        if authorization is not None:
            headers.append(("Authorization", authorization))
        self._send(encode_request(asked.method, str(asked.url), headers))

    def _send(self, data: bytes) -> None:
        self._unsent += data
        if len(self._unsent) > UNSENT_LIMIT:
            raise BadMessage("The camera asks more than it lets us answer.")

    def _with_session(self, *more: tuple[str, str]) -> list[tuple[str, str]]:
        return [("Session", self._session.id), *more]

    def _take_response(self, response: Response) -> None:
        if response.code < 200:
            return  # provisional: the answer is still to come
        asked = self._match(response.headers.get("CSeq"))
        if asked is None:
            return
        if response.code == 401:
            self._authenticator.challenge(response.headers.get_all("WWW-Authenticate"), self._oddities)
            if asked.attempts == ATTEMPTS:
                raise BadCredentials("The camera asks for proof of identity again and again.", "Check the user's name.")
            self._request(asked)
            return
        if asked is self._kept_alive:
            self._kept_alive = None
        else:
            self._asked = None
        if 300 <= response.code < 400:
            raise Redirected(response.headers.get("Location") or "")
        if response.code < 300:
            self._authenticator.succeeded()
            asked.answered(response)
        elif asked.refused is not None:
            asked.refused(response)
        else:
            raise _refusal(asked.method, response)

    def _match(self, text: str | None) -> _Asked | None:
        """The request that an answer is to."""
        waiting = [asked for asked in (self._asked, self._kept_alive) if asked is not None]
        number = int(text) if text and is_number(text) else None
        for asked in waiting:
            if asked.cseq == number:
                return asked
        if number in self._given_up:
            return None  # a keep-alive's, too late
        if not waiting:
            self._oddities.note(Oddity.ANSWER_UNASKED)
            return None
        self._oddities.note(Oddity.CSEQ_MISSING if text is None else Oddity.CSEQ_WRONG)
        return min(waiting, key=lambda asked: asked.cseq)

    def _take_options(self, response: Response) -> None:
        names = [name for value in response.headers.get_all("Public") for name in split_quoted(value, ",")]
        self._methods = frozenset(name.upper() for name in names[:METHODS_LIMIT])
        self._events.append(Capable(self._methods))

    def _take_description(self, response: Response) -> None:
        kind = response.headers.get("Content-Type")
        if kind is None or kind.split(";")[0].strip().lower() != "application/sdp":
            if not response.body.lstrip().startswith(b"v="):
                raise BadMessage("The camera describes the stream in a way that is not SDP.")
            self._oddities.note(Oddity.CONTENT_TYPE_MISSING if kind is None else Oddity.CONTENT_TYPE_WRONG)
        description = parse_sdp(response.body, self._oddities)
        self._base = base_url(response.headers, self._url, self._oddities)
        self._aggregate = control_url(description.control, self._base, self._url, self._oddities)
        self._events.append(Described(description))

    def _set_up_next(self) -> None:
        if not self._to_set_up:
            headers = self._with_session(("Range", "npt=0.000-"))
            self._ask(_Asked("PLAY", self._aggregate, headers, self._take_play))
            return
        media, channel, needed = self._to_set_up.popleft()
        if not media.control:
            self._oddities.note(Oddity.CONTROL_MISSING)
        url = control_url(media.control, self._base, self._url, self._oddities)

        def answered(response: Response) -> None:
            self._take_setup(response, media, channel)
            self._set_up_next()

        def refused(response: Response) -> None:
            if not needed:
                self._events.append(TrackRefused(media, _refusal("SETUP", response)))
                self._set_up_next()
            elif response.code == 461 and channel not in self._ports:
                self._events.append(TcpRefused(_refusal("SETUP", response)))
            else:
                raise _refusal("SETUP", response)

        ports = self._ports.get(channel)
        headers = [("Transport", ask_for(channel) if ports is None else ask_for_udp(ports))]
        if self._session.id:
            headers = self._with_session(*headers)
        self._ask(_Asked("SETUP", url, headers, answered, refused))

    def _take_setup(self, response: Response, media: Media, channel: int) -> None:
        session = parse_session(response.headers.get("Session") or "", self._oddities)
        if not self._session.id:
            self._session.id = session.id
        elif session.id != self._session.id:
            self._oddities.note(Oddity.SESSION_CHANGED)
        if session.timeout_s is not None:
            self._session.keep_alive_s = min(max(session.timeout_s / 2, KEEP_ALIVE_S[0]), KEEP_ALIVE_S[1])
        ports, text = self._ports.get(channel), response.headers.get("Transport")
        if ports is None:
            transport = parse_transport(text, channel, self._oddities)
        else:
            transport = parse_udp_transport(text, channel, ports, self._url.host, self._oddities)
        taken = {number for each in self._session.transports for number in (each.channel, each.control_channel)}
        if taken & {transport.channel, transport.control_channel}:
            raise BadMessage("The camera gave two tracks the same channel.")
        self._session.transports.append(transport)
        self._events.append(TrackReady(media, transport))

    def _take_play(self, response: Response) -> None:
        self._session.playing = True
        self._silent_at = self._now + MEDIA_WITHIN_S
        self._keep_alive_at = self._now + self._session.keep_alive_s
        self._events.append(Playing(parse_rtp_info(response.headers.get("RTP-Info"), self._oddities)))

    # ---- keeping the session alive

    def _keep_alive(self) -> None:
        if self._kept_alive is not None:
            self._oddities.note(Oddity.KEEP_ALIVE_UNANSWERED)
            self._given_up.append(self._kept_alive.cseq)
        method = "GET_PARAMETER" if "GET_PARAMETER" in self._methods else "OPTIONS"
        self._keep_alive_at = self._now + self._session.keep_alive_s
        self._kept_alive = _Asked(
            method, self._aggregate, self._with_session(), lambda _: None, self._keep_alive_refused
        )
        self._request(self._kept_alive)

    def _keep_alive_refused(self, response: Response) -> None:
        if response.code == 454:  # RFC 2326 §11.3.5
            raise Ended("The camera ended the session.")
        self._oddities.note(Oddity.KEEP_ALIVE_REFUSED)
        if "GET_PARAMETER" in self._methods:
            self._methods -= {"GET_PARAMETER"}
            self._keep_alive()

    # ---- what the camera asks of us

    def _take_request(self, request: Request) -> None:
        code, reason = 200, "OK"
        headers = [("CSeq", request.headers.get("CSeq") or "0")]
        if request.method == "REDIRECT":
            raise Redirected(request.headers.get("Location") or "")
        if request.method == "TEARDOWN":
            raise Ended("The camera ended the session.")
        if request.method == "OPTIONS":
            headers.append(("Public", "OPTIONS, GET_PARAMETER, SET_PARAMETER, TEARDOWN, REDIRECT"))
        elif request.method not in ("GET_PARAMETER", "SET_PARAMETER"):
            code, reason = 501, "Not Implemented"
        self._send(encode_response(code, reason, headers))


_HINTS = {
    403: "Check what this user may see in the camera.",
    404: "Check the path of the address.",
    453: "The camera has not enough bandwidth left; end other viewers of it.",
    461: "The camera does not send on the way that the address asks for; leave its transport out.",
    503: "The camera serves too many viewers already, or is starting.",
}


def _refusal(method: str, response: Response) -> Refused:
    return Refused(method, response.code, response.reason, _HINTS.get(response.code, ""))
