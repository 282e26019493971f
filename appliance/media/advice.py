"""What an administrator is advised to change in a camera (row DIR-3): by what it sends, not by what it says."""

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
    """``measured`` is in seconds for a group of pictures, in pictures per second for a rate."""

    about: About
    measured: float
    message: str
    hint: str


def advise(gop_s: float | None, fps: float | None) -> tuple[Advice, ...]:
    """The advice for one stream as measured; None: not known yet, so nothing is said of it."""
    found: list[Advice] = []
    if gop_s is not None and gop_s > GOP_S * MEASURED:
        message = f"The camera sends a key frame every {gop_s:.1f} s."
        hint = "Set it to one a second: pictures begin sooner, and a slow network catches up sooner."
        found.append(Advice(About.GOP, gop_s, message, hint))
    if fps is not None and fps < FPS + ROUNDED:
        message = f"The camera sends {fps:.3g} pictures a second."
        hint = "Set it to more than 10, better 15 to 25, for smooth direct video."
        found.append(Advice(About.RATE, fps, message, hint))
    return tuple(found)
