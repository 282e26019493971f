"""What a check of the recordings found, and what became of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

#: So many are named; all are counted.
NAMED: Final = 1000


class Kind(StrEnum):
    """What differs between the files and the index."""

    INDEX_DAMAGED = "index_damaged"
    INDEX_LOST = "index_lost"  # it was damaged or deleted, and begun anew at the start
    NOT_INDEXED = "not_indexed"  # a file that the index does not know
    FILE_MISSING = "file_missing"
    UNFINISHED = "unfinished"  # a file whose end was never written down: the server was killed
    SIZE_DIFFERS = "size_differs"
    SAMPLES_DAMAGED = "samples_damaged"  # what the index says of the inside of a file is nonsense
    CONTENT_DAMAGED = "content_damaged"  # the bytes of a file are not those that were written
    UNREADABLE = "unreadable"  # nothing in a file can be decoded
    INACCESSIBLE = "inaccessible"  # a file that this program may not read
    SUMS_WRONG = "sums_wrong"  # when was recorded, and how many bytes, by the index's own sums


class Remark(StrEnum):
    """What is no difference, and should be known."""

    FOREIGN = "foreign"
    UNKNOWN_CAMERA = "unknown_camera"
    PUT_ASIDE = "put_aside"


@dataclass(frozen=True, slots=True)
class Difference:
    """``path``: below the folder of recordings.  ``action``: what was done about it, empty without repair.

    ``mended``: nothing is left to do.
    """

    kind: Kind
    path: str
    detail: str
    action: str = ""
    mended: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    remark: Remark
    path: str
    detail: str


@dataclass
class Report:
    """Grows while the check runs."""

    repair: bool
    thorough: bool
    files: int = 0  # looked at
    size: int = 0  # bytes of them
    place: str = ""  # where the check is
    differences: list[Difference] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    counts: Counter[Kind] = field(default_factory=Counter)
    noticed: int = 0
    left: int = 0  # differences that are not mended

    def add(self, difference: Difference) -> None:
        self.counts[difference.kind] += 1
        self.left += not difference.mended
        if len(self.differences) < NAMED:
            self.differences.append(difference)

    def notice(self, remark: Remark, path: str, detail: str) -> None:
        self.noticed += 1
        if len(self.notices) < NAMED:
            self.notices.append(Notice(remark, path, detail))

    @property
    def found(self) -> int:
        return self.counts.total()
