"""What is announced to a client before its media: text messages and init segments, framed (design §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from appliance.media.fmp4 import sound_init_segment, sound_mime_type
from appliance.serve.frames import Opcode, frame_header, text_frame
from appliance.streams import messages

if TYPE_CHECKING:
    from appliance.media.units import AudioFormat


def of_video(fields: dict[str, Any], init: bytes) -> list[bytes]:
    """The ``stream`` message of direct video, and its init segment."""
    return [text_frame(messages.stream({"mode": "direct", **fields})), _framed(init)]


def of_pictures(fields: dict[str, Any], audio: AudioFormat | None, zero: int) -> list[bytes]:
    """The ``stream`` message of pictures and, where sound goes between them, the init segment of that.

    ``zero``: what the sound's decode times count from, in UTC ticks.
    """
    sound = None if audio is None else {"mime": sound_mime_type(audio), "utc_zero": zero}
    text = messages.stream({"mode": "transcoded", "mime": "image/jpeg", **fields, "sound": sound})
    return [text_frame(text)] if audio is None else [text_frame(text), _framed(sound_init_segment(audio))]


def _framed(init: bytes) -> bytes:
    return frame_header(len(init), Opcode.BINARY) + init
