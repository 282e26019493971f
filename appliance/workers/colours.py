"""In which colours a decoded picture is, and how it comes to those of JPEG.  Runs in a media worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance._native.colour import to_bt601

if TYPE_CHECKING:
    import av
    import numpy as np

#: Matrix coefficients of ITU-T H.273, as the decoder reports them.
_BT709, _UNSPECIFIED = 1, 2
#: A picture from this size on is taken for HDTV where it does not say in which colours it is coded.
_HD = (1280, 577)


def is_bt709(frame: av.VideoFrame) -> bool:
    """Whether a decoded picture is in the colours of HDTV.  Where it does not say, players go by its size: mpv by this
    one, VLC and ffplay by its height; browsers take it for HDTV in any size, or go by the size as well."""
    if frame.colorspace == _UNSPECIFIED:
        return frame.width >= _HD[0] or frame.height >= _HD[1]
    return bool(frame.colorspace == _BT709)


def in_colours_of_jpeg(planes: list[np.ndarray]) -> list[np.ndarray]:
    """Planes of HDTV (4:2:0, full range) as JPEG has them; those given may be changed."""
    own = [plane if plane.flags.writeable else plane.copy() for plane in planes]
    to_bt601(*own)
    return own
