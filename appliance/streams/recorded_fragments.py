"""Fragments of recordings on another axis of time, and where among them sound is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from appliance._native.fmp4 import DECODE_TIME_AT
from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.fmp4 import Fragment
from appliance.recorder.player import GAP
from appliance.serve.frames import Opcode, frame_header

if TYPE_CHECKING:
    from appliance.media.units import Run
    from appliance.recorder.files import Opened
    from appliance.recorder.spool import Cursor

#: Sound is announced where there is some within so long.
SOUND_WITHIN: Final = 2 * TICKS_PER_SECOND


def sound_from(opened: Opened, at: int) -> int | None:
    """The number of the first piece of sound from a time on; None: there is none soon."""
    table, since = opened.table, at - opened.file.zero
    sounds = table.sounds
    soon = np.flatnonzero((table.dts[sounds] >= since) & (table.dts[sounds] < since + SOUND_WITHIN))
    return int(sounds[soon[0]]) if len(soon) else None


def sounds_on(before: Opened, after: Opened) -> bool:
    """Whether the sound of a file goes on in the one that follows: no gap, no jump, and coded in the same way."""
    begins = after.file.zero + int(after.table.pts[after.table.key_pictures[0]])
    return abs(begins - before.file.zero - before.table.ends_at) < GAP and after.audio == before.audio


def fragment_at(cursor: Cursor, body: bytes, run: Run) -> Fragment:
    """A fragment of a file, as it was read, with its time counted from the zero of ``run``."""
    header = frame_header(len(body), Opcode.BINARY)
    time = (cursor.dts - run.utc_zero).to_bytes(8, "big")
    message = b"".join((header, body[:DECODE_TIME_AT], time, body[DECODE_TIME_AT + 8 :]))
    is_sync = cursor.is_audio or cursor.is_key
    return Fragment(message, len(header), cursor.is_audio, is_sync, -1, cursor.dts, run, composition=0)
