"""The bytes of a virtual file, out of the recorded files that it is made of.  Blocks: to be called in a thread."""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from appliance._native.gather import gather
from appliance.base.faults import Fault, Kind
from appliance.media.virtual import Run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from appliance.media.virtual import Rows, Virtual

#: Files that stay open: one is read after the other, and sound of the next may come early.
_OPEN_FILES: Final = 3


class Assembler:
    """Reads one virtual file; one thread at a time may.  ``paths``: by the numbers of its rows' files."""

    def __init__(self, virtual: Virtual, paths: Sequence[Path]) -> None:
        self._virtual = virtual
        self._paths = paths
        self._open: OrderedDict[int, int] = OrderedDict()  # descriptors, by number

    def __enter__(self) -> Assembler:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        while self._open:
            os.close(self._open.popitem()[1])

    def read(self, start: int, end: int) -> bytearray:
        """The bytes from ``start`` to ``end``.  Raises `Fault` ``recording_gone``."""
        out = bytearray(end - start)
        self.read_into(memoryview(out), start, end)
        return out

    def cut(self, start: int, most: int) -> int:
        """Where a piece from ``start`` on is best ended, at most ``most`` bytes further."""
        return self._virtual.cut(start, most)

    def read_into(self, out: memoryview, start: int, end: int) -> None:
        """The same, into the beginning of ``out``."""
        rows, at = self._virtual.rows, 0
        try:
            for part in self._virtual.parts(start, end):
                if isinstance(part, Run):
                    self._run(rows, part, out[at : at + part.keep])
                    at += part.keep
                else:
                    out[at : at + len(part)] = part
                    at += len(part)
        except (EOFError, OSError) as error:
            raise Fault(
                Kind.NOT_FOUND,
                "recording_gone",
                "A part of that recording was deleted meanwhile.",
                "Choose another time.",
            ) from error

    def _run(self, rows: Rows, run: Run, out: memoryview) -> None:
        """Rows are made whole; of the first and the last only a part may be wanted."""
        descriptor = self._descriptor(run.file)
        starts = rows.starts
        whole = int(starts[run.last] - starts[run.first])
        if whole == run.keep:
            self._gather(rows, descriptor, run.first, run.last, out)
            return
        first, last, at = run.first, run.last, 0
        if run.skip:
            first_length = int(starts[first + 1] - starts[first])
            kept = min(run.keep, first_length - run.skip)
            out[:kept] = self._one(rows, descriptor, first)[run.skip : run.skip + kept]
            first, at = first + 1, kept
        rest = len(out) - at
        if rest and int(starts[last] - starts[first]) > rest:
            last -= 1
            cut = rest - int(starts[last] - starts[first])
            out[len(out) - cut :] = self._one(rows, descriptor, last)[:cut]
            rest -= cut
        if rest:
            self._gather(rows, descriptor, first, last, out[at : at + rest])

    def _one(self, rows: Rows, descriptor: int, row: int) -> memoryview:
        out = memoryview(bytearray(int(rows.starts[row + 1] - rows.starts[row])))
        self._gather(rows, descriptor, row, row + 1, out)
        return out

    @staticmethod
    def _gather(rows: Rows, descriptor: int, first: int, last: int, out: memoryview) -> None:
        columns = rows.columns(first, last)
        gather(
            descriptor,
            out,
            columns.offset,
            columns.size,
            columns.heads,
            columns.insert,
            rows.inserts,
            columns.start_codes,
            0,
            last - first,
            rows.align,
        )

    def _descriptor(self, number: int) -> int:
        found = self._open.get(number)
        if found is None:
            found = os.open(self._paths[number], os.O_RDONLY | os.O_CLOEXEC)
            self._open[number] = found
            if len(self._open) > _OPEN_FILES:
                os.close(self._open.popitem(last=False)[1])
        else:
            self._open.move_to_end(number)
        return found
