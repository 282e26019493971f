"""Parameter sets in the stream, for forms whose header has room for none, or for those of one format only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from appliance.media.selection import Selection


def lengths_before(sets: Sequence[bytes]) -> bytes:
    """Each behind its length in four bytes (ISO/IEC 14496-15 §5.3.4.2)."""
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in sets)


def start_codes_before(sets: Sequence[bytes]) -> bytes:
    """Each behind a start code (ITU-T H.264 Annex B)."""
    return b"".join(b"\0\0\0\1" + unit for unit in sets)


def inserted_sets(
    selection: Selection, written: Callable[[Sequence[bytes]], bytes], *, always: bool = False
) -> tuple[npt.NDArray[np.uint8], tuple[bytes, ...]]:
    """What is inserted before each sample, as a number in the texts that come second.

    Before every picture at which decoding can start stand the sets of its format: ``always``, or where there are
    several formats.
    """
    insert = np.zeros(len(selection), np.uint8)
    if not always and len(selection.videos) == 1:
        return insert, (b"",)
    texts = [
        written(video.parameter_sets) if video.codec in ("h264", "h265") else _headers(video.codec, video.configuration)
        for video in selection.videos
    ]
    keys = selection.is_sync & ~selection.is_audio
    insert[keys] = selection.format[keys] + 1
    return insert, (b"", *texts)


def _headers(codec: str, configuration: bytes) -> bytes:
    """Those of MPEG-4 Visual; a JPEG picture has its own in it."""
    return configuration if codec == "mpeg4" else b""
