from collections.abc import Iterable, Sequence
from typing import Final

from typing_extensions import Buffer

MOST: Final[int]
POLYGONS: Final[int]
POINTS: Final[int]
AVX2: Final[bool]
LAYOUTS: Final[dict[str, tuple[int, int, int, int]]]

class Scaler:
    def __init__(
        self,
        width: int,
        height: int,
        out_width: int,
        out_height: int,
        *,
        layout: str = "420",
        expand: bool = True,
        turn: int = 0,
        polygons: Iterable[Iterable[tuple[float, float]]] = (),
        fill: Sequence[int] = (0, 128, 128),
        portable: bool = False,
    ) -> None: ...
    @property
    def sizes(self) -> list[tuple[int, int]]: ...
    def scale(self, source: Iterable[tuple[Buffer, int]], target: Iterable[tuple[Buffer, int]]) -> None: ...

class Stamp:
    def __init__(
        self, alpha: Buffer, width: int, height: int, *, light: int = 255, dark: int = 0, box: int = 0
    ) -> None: ...
    def put(self, planes: Iterable[tuple[Buffer, int]], width: int, height: int, x: int, y: int) -> None: ...
