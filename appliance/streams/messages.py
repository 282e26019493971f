"""The messages of the live WebSocket, design §9: what a client may say and what it is told.

Text messages are JSON; what does not fit the structures below is refused by name.  Bounds are here, once.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

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


ClientMessage = Want | Stats | Retry
_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)


def parse(text: str | bytes) -> ClientMessage:
    """A client's message.  Raises `Fault` ``bad_message`` that says what is wrong with it."""
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise invalid(
            "bad_message", f"The message cannot be used: {error}.", 'Send {"type":"want",…} first.'
        ) from error


def stream(fields: dict[str, Any]) -> str:
    """``stream``: what is sent from here on."""
    return _text({"type": "stream", **fields})


def status(state: str, reason: str | None, message: str = "", *, codec: str = "") -> str:
    """``status``: ok, waiting or lost, and why; ``codec``: what the client would have to play."""
    more = {name: value for name, value in (("message", message), ("codec", codec)) if value}
    return _text({"type": "status", "state": state, "reason": reason} | more)


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
