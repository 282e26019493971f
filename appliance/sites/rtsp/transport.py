"""The headers that set a track up and start it: Transport, Session, RTP-Info (RFC 2326 §12.39, §12.37, §12.33)."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.sites.rtsp.errors import BadMessage, Unsupported
from appliance.sites.rtsp.fields import is_number, parameter, split_quoted
from appliance.sites.rtsp.oddities import Oddities, Oddity

DEFAULT_TIMEOUT_S = 60  # RFC 2326 §12.37
SESSION_LIMIT = 256  # characters; RFC 2326 §3.4 wants eight at least
_ONLY_UDP = "Put #transport=udp behind the address."
_ONLY_TCP = "Put #transport=tcp behind the address, or leave its transport out."


@dataclass(frozen=True, slots=True)
class Transport:
    """Where a track's packets come: RTP on ``channel``, RTCP on ``control_channel``.

    Over UDP the channels are the numbers by which we call our own ports; ``server_ports`` are the camera's.
    """

    channel: int
    control_channel: int
    ssrc: int | None = None
    server_ports: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    timeout_s: int | None  # None: not said


@dataclass(frozen=True, slots=True)
class RtpInfo:
    """What PLAY says of one track; None: not said, or not readable."""

    url: str
    sequence: int | None
    rtp_time: int | None


def ask_for(channel: int) -> str:
    """The Transport header of a SETUP over this connection."""
    return f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"


def ask_for_udp(ports: tuple[int, int]) -> str:
    """The Transport header of a SETUP over UDP to these ports of ours."""
    return f"RTP/AVP;unicast;client_port={ports[0]}-{ports[1]}"


def parse_udp_transport(
    text: str | None, channel: int, ports: tuple[int, int], host: str, oddities: Oddities
) -> Transport:
    """Read a SETUP answer's Transport; ``ports`` of ours are what we proposed, ``host`` is the camera's.

    What it says of ours and of hosts changes nothing (abuse A11).  Raises `Unsupported`.
    """
    if not text:
        oddities.note(Oddity.TRANSPORT_MISSING)
        return Transport(channel, channel + 1)
    profile, parameters = _specification(text, oddities)
    if profile not in ("RTP/AVP", "RTP/AVP/UDP", "RTP/AVPF", "RTP/AVPF/UDP") or "multicast" in parameters:
        raise Unsupported("The camera does not send to us alone over UDP.", _ONLY_TCP)
    if "unicast" not in parameters:
        oddities.note(Oddity.UNICAST_MISSING)
    if "client_port" in parameters and _pair(parameters["client_port"], 65535) != ports:
        oddities.note(Oddity.CLIENT_PORT_OTHER)
    if parameters.get("source") not in (None, host):
        oddities.note(Oddity.SOURCE_ELSEWHERE)
    server = _pair(parameters.get("server_port"), 65535)
    if server is None or 0 in server:
        oddities.note(Oddity.SERVER_PORT_MISSING)
        server = None
    return Transport(channel, channel + 1, _ssrc(parameters.get("ssrc"), oddities), server)


def _specification(text: str, oddities: Oddities) -> tuple[str, dict[str, str | None]]:
    """The profile, in capital letters, and the parameters of the first transport in a header."""
    profile, *rest = split_quoted(next(iter(split_quoted(text, ",")), ""), ";") or [""]
    if any(part.lower().startswith("ssrc= ") for part in rest):
        oddities.note(Oddity.SSRC_SPACE)
    return profile.upper(), dict(parameter(part) for part in rest)


def _pair(text: str | None, most: int) -> tuple[int, int] | None:
    """``a-b``, or ``a`` for it and the next; None for what cannot be."""
    first, dash, second = (part.strip() for part in (text or "").partition("-"))
    numbers = [int(part) for part in (first, second) if is_number(part)]
    if len(numbers) != (2 if dash else 1) or max(numbers) > most or len(set(numbers)) != len(numbers):
        return None
    return numbers[0], numbers[1] if dash else (numbers[0] + 1) % (most + 1)


def parse_transport(text: str | None, asked: int, oddities: Oddities) -> Transport:
    """Read a SETUP answer's Transport; ``asked`` is the channel we proposed.

    Raises `Unsupported` for a transport that is not this connection, `BadMessage` for nonsense.
    """
    if not text:
        oddities.note(Oddity.TRANSPORT_MISSING)
        return Transport(asked, asked + 1)
    profile, parameters = _specification(text, oddities)
    if profile not in ("RTP/AVP/TCP", "RTP/AVPF/TCP") and "interleaved" not in parameters:
        raise Unsupported("The camera sends only over UDP, and not as it was asked to.", _ONLY_UDP)
    if "unicast" not in parameters and "multicast" not in parameters:
        oddities.note(Oddity.UNICAST_MISSING)
    channels = parameters.get("interleaved")
    if channels is None:
        oddities.note(Oddity.INTERLEAVED_MISSING)
        return Transport(asked, asked + 1, _ssrc(parameters.get("ssrc"), oddities))
    pair = _pair(channels, 255)
    if pair is None:
        raise BadMessage("The camera gave channels that cannot be.")
    return Transport(*pair, _ssrc(parameters.get("ssrc"), oddities))


def _ssrc(text: str | None, oddities: Oddities) -> int | None:
    if text is None:
        return None
    if not text or len(text) > 8 or not set(text) <= set("0123456789abcdefABCDEF"):
        oddities.note(Oddity.SSRC_UNREADABLE)
        return None
    return int(text, 16)


def parse_session(text: str, oddities: Oddities) -> Session:
    """Read a Session header.  Raises `BadMessage`."""
    name, *rest = text.split(";")
    if name != name.strip() or any(part != part.strip() or " =" in part or "= " in part for part in rest):
        oddities.note(Oddity.SESSION_SPACE)
    name = name.strip()
    if not name or len(name) > SESSION_LIMIT:
        raise BadMessage("The camera opened a session without a name.")
    for key, value in map(parameter, rest):
        if key == "timeout":
            if value is not None and is_number(value) and 0 < int(value) <= 86_400:
                return Session(name, int(value))
            oddities.note(Oddity.SESSION_TIMEOUT_UNREADABLE)
    return Session(name, None)


def parse_rtp_info(text: str | None, oddities: Oddities) -> list[RtpInfo]:
    """Read a PLAY answer's RTP-Info; what cannot be read is left out, by name."""
    found: list[RtpInfo] = []
    for part in split_quoted(text or "", ","):
        parameters = dict(map(parameter, split_quoted(part, ";")))
        sequence = _within(parameters.get("seq"), 0xFFFF, oddities)
        found.append(
            RtpInfo(parameters.get("url") or "", sequence, _within(parameters.get("rtptime"), 0xFFFFFFFF, oddities))
        )
    return found


def _within(text: str | None, most: int, oddities: Oddities) -> int | None:
    if text is None:
        return None
    if is_number(text) and int(text) <= most:
        return int(text)
    oddities.note(Oddity.RTP_INFO_UNREADABLE)
    return None
