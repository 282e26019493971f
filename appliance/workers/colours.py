"""In which colours a decoded picture is, and how it comes to those of JPEG.  Runs in a media worker."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from appliance._native.colour import to_bt601

if TYPE_CHECKING:
    import av
    import numpy as np


class Colours(Enum):
    """By the matrix that a picture's samples are made with."""

    JPEG = "bt601"
    HDTV = "bt709"
    UHDTV = "bt2020"


#: Matrix coefficients of ITU-T H.273, as the decoder reports them.  Of BT.2020 there is a second one, of constant
#: luminance (10), which is another kind of computation and which no camera was seen to send: it is taken as it comes.
_UNSPECIFIED = 2
_COLOURS = {1: Colours.HDTV, 9: Colours.UHDTV}
#: A picture from this size on is taken for HDTV where it does not say in which colours it is coded.
_HD = (1280, 577)


def colours_of(frame: av.VideoFrame) -> Colours:
    """In which colours a decoded picture is.  Where it does not say, players go by its size: mpv by this one, VLC and
    ffplay by its height; browsers take it for HDTV in any size, or go by the size as well."""
    if frame.colorspace == _UNSPECIFIED:
        return Colours.HDTV if frame.width >= _HD[0] or frame.height >= _HD[1] else Colours.JPEG
    return _COLOURS.get(int(frame.colorspace), Colours.JPEG)


def in_colours_of_jpeg(planes: list[np.ndarray], colours: Colours) -> list[np.ndarray]:
    """Planes (4:2:0, full range) as JPEG has them; those given may be changed."""
    if colours is Colours.JPEG:
        return planes
    own = [plane if plane.flags.writeable else plane.copy() for plane in planes]
    to_bt601(*own, bt2020=colours is Colours.UHDTV)
    return own
