"""The messages of the live and playback WebSockets, design §9: what a client may say and what it is told.

Text messages are JSON; what does not fit the structures below is refused by name.  Bounds are here, once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.faults import Fault, invalid

Side = Annotated[int, msgspec.Meta(ge=0, le=16_384)]
CodecName = Annotated[str, msgspec.Meta(max_length=64)]


class Want(msgspec.Struct, tag="want", tag_field="type", frozen=True):
    """What the client can show and would like: its size in device pixels, its codecs (RFC 6381), sound, a pause."""

    width: Side = 0  # 0: no size in mind
    height: Side = 0
    fps: Annotated[float, msgspec.Meta(gt=0, le=240)] = 25
    mode: Literal["auto", "direct", "transcoded"] = "auto"
    zoom: bool = False
    codecs: Annotated[list[CodecName], msgspec.Meta(max_length=32)] | None = None
    audio: bool = False
    beside: bool = False  # recorded sound between JPEG pictures too; of live sound ``audio`` says so
    paused: bool = False


class Stats(msgspec.Struct, tag="stats", tag_field="type", frozen=True):
    """Once a second: what the client holds in its buffer, and the pictures that it did not show since the last time.

    ``tell``: the answer is how the network is, as seen from here.
    """

    buffer_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0.0
    dropped: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    tell: bool = False


class Retry(msgspec.Struct, tag="retry", tag_field="type", frozen=True):
    """Try a lost camera now (the tile's *Try now*)."""


#: A client counts its commands; every answer bears the number of the newest that it obeys.
Number = Annotated[int, msgspec.Meta(ge=0, le=(1 << 53) - 1)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
#: The speeds of what was recorded: backwards, and forwards.
BACKWARDS, FORWARDS = (-32.0, -1.0), (0.125, 32.0)


class Play(msgspec.Struct, tag="play", tag_field="type", frozen=True):
    """Play from ``at``, or from where it is.  ``gaps``: where nothing was recorded is skipped, or played as it was."""

    at: Moment | None = None
    speed: float | None = None  # None: as before
    gaps: Literal["skip", "play"] | None = None
    id: Number = 0

    def __post_init__(self) -> None:
        if self.speed is not None and not any(low <= self.speed <= high for low, high in (BACKWARDS, FORWARDS)):
            raise ValueError("speed is from -32 to -1 or from 1/8 to 32")


class Pause(msgspec.Struct, tag="pause", tag_field="type", frozen=True):
    """Stay at the picture that is shown."""

    id: Number = 0


class Seek(msgspec.Struct, tag="seek", tag_field="type", frozen=True):
    """Show what was on the screen at a time; go on playing from there if it plays."""

    at: Moment
    id: Number = 0


class Advance(msgspec.Struct, tag="step", tag_field="type", frozen=True):
    """Pause, and show the next picture or the one before."""

    by: Literal[1, -1] = 1
    id: Number = 0


ClientMessage = Want | Stats | Retry
Command = Play | Pause | Seek | Advance
PlaybackMessage = Want | Stats | Play | Pause | Seek | Advance
_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
_playback_decoder: msgspec.json.Decoder[PlaybackMessage] = msgspec.json.Decoder(PlaybackMessage)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICKS_PER_MS = TICKS_PER_SECOND // 1000


def parse(text: str | bytes) -> ClientMessage:
    """A client's message.  Raises `Fault` ``bad_message`` that says what is wrong with it."""
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _unusable(error) from error


def parse_playback(text: str | bytes) -> PlaybackMessage:
    """The same for playback."""
    try:
        return _playback_decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _unusable(error) from error


def ticks(moment: datetime) -> int:
    """A time that a client asks for, in UTC ticks."""
    since = moment - _EPOCH
    return asked((since.days * 86_400 + since.seconds) * TICKS_PER_SECOND + since.microseconds * 9 // 100)


def asked(at: int) -> int:
    """A time that a client asks for.

    We tell times in whole milliseconds, cut off.  So a whole one stands for all of it: who asks for a time that they
    were told gets the picture of that time, and not the one before.
    """
    return at if at % _TICKS_PER_MS else at + _TICKS_PER_MS - 1


def utc_ms(at: int) -> int:
    """UTC ticks in milliseconds, cut off."""
    return at // _TICKS_PER_MS


def _unusable(error: Exception) -> Fault:
    return invalid("bad_message", f"The message cannot be used: {error}.", 'Send {"type":"want",…} first.')


def stream(fields: dict[str, Any]) -> str:
    """``stream``: what is sent from here on."""
    return _text({"type": "stream", **fields})


def status(state: str, reason: str | None, message: str = "", *, codec: str = "") -> str:
    """``status``: ok, waiting or lost, and why; ``codec``: what the client would have to play."""
    more = {name: value for name, value in (("message", message), ("codec", codec)) if value}
    return _text({"type": "status", "state": state, "reason": reason} | more)


def unrecorded(previous: int | None, following: int | None) -> str:
    """``status`` of a time at which nothing was recorded: where the nearest is."""
    ends = {"previous": previous, "next": following}
    told = {name: None if at is None else utc_ms(at) for name, at in ends.items()}
    return _text({"type": "status", "state": "waiting", "reason": "no_recording"} | told)


def position(number: int, at: int, state: str, speed: float) -> str:
    """``position``: where it is, and what it does."""
    return _text({"type": "position", "id": number, "utc_ms": utc_ms(at), "state": state, "speed": speed})


def gap(number: int, since: int, until: int | None) -> str:
    """``gap``: nothing was recorded in between; None: nor later."""
    told = {"from": utc_ms(since), "to": None if until is None else utc_ms(until)}
    return _text({"type": "gap", "id": number} | told)


def dropped(seconds: float) -> str:
    """``dropped``: so much was left out because this client was too slow."""
    return _text({"type": "dropped", "seconds": round(seconds, 3)})


def network(fields: dict[str, Any]) -> str:
    """``network``: how the network to this client is, and what it gets for that."""
    return _text({"type": "network", **fields})


def error(fault: Fault) -> str:
    """``error``: a message of the client's that could not be used."""
    return _text({"type": "error", "code": fault.code, "detail": str(fault)})


def _text(fields: dict[str, Any]) -> str:
    return msgspec.json.encode(fields).decode()
