"""Parameter sets in the stream, for forms whose header has room for none, or for those of one format only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from appliance.media.sample_table import AUDIO, SYNC

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from appliance.media.selection import Selection

    Bytes = npt.NDArray[np.uint8]


def lengths_before(sets: Sequence[bytes]) -> bytes:
    """Each behind its length in four bytes (ISO/IEC 14496-15 §5.3.4.2)."""
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in sets)


def start_codes_before(sets: Sequence[bytes]) -> bytes:
    """Each behind a start code (ITU-T H.264 Annex B)."""
    return b"".join(b"\0\0\0\1" + unit for unit in sets)


def inserted_sets(
    selection: Selection, written: Callable[[Sequence[bytes]], bytes], *, always: bool = False
) -> tuple[bytes, ...]:
    """What is inserted before samples (`inserts_before`): nothing, and the sets of each format.

    ``always``, or where there are several formats.
    """
    if not always and len(selection.videos) == 1:
        return (b"",)
    return b"", *(
        written(video.parameter_sets) if video.codec in ("h264", "h265") else _headers(video.codec, video.configuration)
        for video in selection.videos
    )


def inserts_before(flags: Bytes, formats: Bytes) -> Bytes:
    """Which of them stands before each sample: before every picture at which decoding can start the sets of its
    format."""
    numbers: Bytes = (flags & (AUDIO | SYNC) == SYNC) * (formats + np.uint8(1))
    return numbers


def _headers(codec: str, configuration: bytes) -> bytes:
    """Those of MPEG-4 Visual; a JPEG picture has its own in it."""
    return configuration if codec == "mpeg4" else b""
