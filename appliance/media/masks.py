"""Privacy masks: what of a camera's picture is hidden (row TRA-4).  A pure value, checked here and nowhere else.

A mask is some polygons; their points are fractions of the picture, from its left upper corner.  What a polygon encloses
is hidden, and every sample that its edge touches; where it crosses itself, even-odd, so that the middle of a star stays
visible.  As text, for the command line: points as ``x,y`` with spaces between, polygons with semicolons between.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Final

from appliance.base.faults import invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.base.faults import Fault

Point = tuple[float, float]
Mask = tuple[tuple[Point, ...], ...]

NO_MASK: Final[Mask] = ()
#: What a mask is taken for that cannot be read any more: rather nothing is seen than what may not be.
EVERYTHING: Final[Mask] = (((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),)
#: As many as `appliance._native.scale` takes; a test compares them.
MOST_POLYGONS: Final = 64
MOST_POINTS: Final = 512  # of all polygons together
FEWEST_POINTS: Final = 3
#: The longest text that is looked at.
MOST_CHARACTERS: Final = 32_768


def checked(polygons: Sequence[Sequence[Sequence[float]]]) -> Mask:
    """The mask that these polygons make.  Raises `Fault` ``invalid_mask``."""
    if len(polygons) > MOST_POLYGONS:
        raise _invalid(f"The mask has {len(polygons)} polygons.", f"There may be {MOST_POLYGONS}.")
    points = sum(len(polygon) for polygon in polygons)
    if points > MOST_POINTS:
        raise _invalid(f"The mask has {points} points.", f"There may be {MOST_POINTS}, of all polygons together.")
    return tuple(_polygon(number, polygon) for number, polygon in enumerate(polygons, 1))


def parse_mask(text: str) -> Mask:
    """A mask from its text; of an empty one, and of ``none``, there is none.  Raises `Fault` ``invalid_mask``."""
    if len(text) > MOST_CHARACTERS:
        raise _invalid("The text of the mask is too long.", f"It may have {MOST_CHARACTERS} characters.")
    if text.strip() in ("", "none"):
        return NO_MASK
    return checked([[_point(word) for word in part.split()] for part in text.split(";")])


def show_mask(mask: Sequence[Sequence[Sequence[float]]]) -> str:
    """Its text, which `parse_mask` reads."""
    return "; ".join(" ".join(f"{_number(x)},{_number(y)}" for x, y in polygon) for polygon in mask)


def kept(mask: Mask) -> str | None:
    """As it lies in the store; None: there is none."""
    return json.dumps(mask) if mask else None


def from_kept(text: str | None) -> Mask:
    """Raises ValueError for what `kept` did not make."""
    if text is None:
        return NO_MASK
    try:
        mask = checked(json.loads(text))
    except Exception as error:  # it is read from a file: whatever is wrong with it, it is no mask
        raise ValueError(f"{text[:80]!r} is no mask") from error
    if not mask:
        raise ValueError("a mask without polygons")
    return mask


def _polygon(number: int, points: Sequence[Sequence[float]]) -> tuple[Point, ...]:
    if len(points) < FEWEST_POINTS:
        raise _invalid(f"Polygon {number} of the mask has {len(points)} points.", f"It takes {FEWEST_POINTS} at least.")
    found: list[Point] = []
    for point in points:
        if len(point) != 2:
            raise _invalid(f"A point of polygon {number} has {len(point)} numbers.", "Give two: x and y.")
        x, y = (float(value) for value in point)
        if not (math.isfinite(x) and math.isfinite(y) and 0 <= x <= 1 and 0 <= y <= 1):
            raise _invalid(
                f"The point {_number(x)},{_number(y)} of polygon {number} is not within the picture.",
                "Give fractions of the picture: 0,0 is its left upper corner, 1,1 the right lower one.",
            )
        found.append((x, y))
    (ax, ay), *others = found
    bx, by = max(others, key=lambda point: abs(point[0] - ax) + abs(point[1] - ay))
    if all((bx - ax) * (y - ay) == (by - ay) * (x - ax) for x, y in others):
        raise _invalid(f"The points of polygon {number} lie on one line.", "Give points that enclose something.")
    return tuple(found)


def _point(word: str) -> tuple[float, float]:
    x, _, y = word.partition(",")
    try:
        return float(x), float(y)  # without a comma y is empty
    except ValueError:
        raise _invalid(
            f"“{word[:40]}” is not a point of a mask.",
            "Write each point as x,y with spaces between, and semicolons between polygons: 0,0 0.5,0 0.5,0.5",
        ) from None


def _number(value: float) -> str:
    return repr(value).removesuffix(".0")


def _invalid(message: str, hint: str) -> Fault:
    return invalid("invalid_mask", message, hint, field="mask")
