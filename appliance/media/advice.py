"""What an administrator is advised to change in a camera (row DIR-3): by what it sends, not by what it says.

The one place where this is decided; who shows it has only the words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: Groups of pictures of a second are recommended, at more than ten pictures a second.
GOP_S, FPS = 1.0, 10.0
#: What is configured as a second is measured so much longer.
MEASURED = 1.05
#: Half a picture above: a camera set to ten measures as that, one set to eleven does not.
ROUNDED = 0.5


class About(StrEnum):
    GOP = "gop"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class Advice:
    """``measured`` is in seconds for a group of pictures, in pictures per second for a rate.

    ``at_least``: the group has not ended yet, so it is longer than that.
    """

    about: About
    measured: float
    message: str
    hint: str
    at_least: bool = False


def advise(
    gop_s: float | None, fps: float | None, *, since_key_s: float | None = None, is_intra: bool = False
) -> tuple[Advice, ...]:
    """The advice for one stream as measured; None: not known yet, so nothing is said of it.

    ``since_key_s``: how long ago the last key frame came, where no other has come since.  ``is_intra``: every picture
    is one, as of Motion JPEG.
    """
    found: list[Advice] = []
    lasts = since_key_s is not None and since_key_s > (gop_s or 0.0)
    group_s = since_key_s if lasts else gop_s
    if group_s is not None and not is_intra and group_s > GOP_S * MEASURED:
        message = f"The camera sends a key frame every {group_s:.1f} s{' or less often' if lasts else ''}."
        hint = "Set it to one a second: pictures begin sooner, and a slow network catches up sooner."
        found.append(Advice(About.GOP, round(group_s, 2), message, hint, lasts))
    if fps is not None and fps < FPS + ROUNDED:
        message = f"The camera sends {fps:.3g} pictures a second."
        hint = "Set it to more than 10, better 15 to 25, for smooth direct video."
        found.append(Advice(About.RATE, fps, message, hint))
    return tuple(found)
