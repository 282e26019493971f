"""A file that is being written, as those see it who read it meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from appliance.media.sample_table import Sample, SampleTable
from appliance.recorder.files import RecordedFile, Span

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(eq=False)
class Growing:
    """A file that is being written."""

    key: int  # of its stream
    id: int
    camera_id: str
    stream: str
    zero: int
    start: int
    init: bytes = field(repr=False)
    path: Path
    arrived: int
    samples: list[Sample] = field(default_factory=list, repr=False)
    #: End, size, number of samples: what is on the disk.  Replaced as a whole, so that any thread sees one state.
    written: tuple[int, int, int] = (0, 0, 0)

    @property
    def file(self) -> RecordedFile:
        end, size, _ = self.written
        return RecordedFile(self.id, self.camera_id, self.stream, self.zero, self.start, end, size, self.path)

    def table(self) -> SampleTable:
        return SampleTable.of(len(self.init), self.samples[: self.written[2]])

    def grow(self, samples: Sequence[Sample], end: int, size: int) -> None:
        """``samples`` are in the file now."""
        self.samples += samples
        self.written = (max(end, self.written[0]), size, len(self.samples))

    def end_at(self, end: int) -> None:
        """It ends there: the next file begins, or nothing follows."""
        self.written = (end, *self.written[1:])


def extended(spans: list[Span], growing: Growing | None) -> list[Span]:
    """The sequence at whose end a file grows is as long as that is."""
    if growing is None:
        return spans
    end = growing.written[0]
    return [Span(span.start, max(span.end, end)) if span.start <= growing.start <= span.end else span for span in spans]
