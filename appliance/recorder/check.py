"""``fanal recorder check``: every difference between the recorded files and their index, and what is done about it.

It runs in threads, in steps of some milliseconds, beside a server that records and makes room: what looks wrong is
looked at again before it is said to be, and files that are being written are none of its business.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from appliance.base.faults import Fault
from appliance.base.ids import is_id
from appliance.recorder import heads, repairs, rows, upkeep
from appliance.recorder.database import NAME
from appliance.recorder.differences import Difference, Kind, Remark, Report
from appliance.recorder.files import STREAMS, start_of
from appliance.recorder.repairs import ASIDE, Place

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator
    from pathlib import Path

    from appliance.recorder.index import Index
    from appliance.recorder.rows import Row

_OWN: Final = (NAME, f"{NAME}-wal", f"{NAME}-shm")


@dataclass(frozen=True, slots=True)
class Suspicion:
    kind: Kind
    detail: str


class Check:
    """One check.  ``cameras``: the ids of those that are set up."""

    def __init__(self, index: Index, cameras: Collection[str], *, repair: bool, thorough: bool) -> None:
        self.report = Report(repair, thorough)
        self.stopped = False  # set by whoever does not want it any more
        self._index = index
        self._root = index.root
        self._cameras = cameras
        self._repair = repair
        self._thorough = thorough

    def steps(self) -> Generator[None, None, None]:
        """The check, bit by bit.  Raises `Fault`."""
        yield from self._check_index()
        database = self._index.database
        lost, complete = database.lost, False
        if self._repair:
            database.lost = False  # nobody else needs to look for what it lacks
        try:
            for camera_id, stream in self._places():
                self.report.place = f"{camera_id}/{stream}"
                yield from self._check_stream(camera_id, stream)
            complete = True
        finally:
            database.lost |= lost and not (complete and self._repair)
        self.report.place = ""
        if lost and self.report.counts[Kind.NOT_INDEXED] and not self.report.counts[Kind.INDEX_DAMAGED]:
            action = "the files were taken into the new one" if self._repair else ""
            message = "it was damaged or deleted, and has been begun anew"
            self.report.add(Difference(Kind.INDEX_LOST, NAME, message, action, mended=self._repair))

    # ── the index itself ────────────────────────────────────────────────────────────────────────────────────

    def _check_index(self) -> Iterator[None]:
        self.report.place = NAME
        database = self._index.database
        wrong = rows.damage(database.path, lambda: not self.stopped)
        if wrong is None:
            try:
                with database.read():
                    pass  # what was found damaged before is put aside now
            except Fault as fault:
                wrong = str(fault.__cause__)
        if wrong is not None:
            if self._repair:
                database.give_up(wrong)
            action = "it was put aside, and the files were taken into a new one" if self._repair else ""
            self.report.add(Difference(Kind.INDEX_DAMAGED, NAME, wrong, action, mended=self._repair))
        yield

    # ── what lies in the folder ─────────────────────────────────────────────────────────────────────────────

    def _places(self) -> list[tuple[str, str]]:
        """The streams that have files, or rows in the index."""
        found: set[tuple[str, str]] = set()
        for entry in self._entries(self._root):
            if is_id(entry.name) and entry.is_dir(follow_symlinks=False):
                self._look_into(entry, found)
            elif entry.name == ASIDE or entry.name.startswith(f"{NAME}.damaged-"):
                self.report.notice(Remark.PUT_ASIDE, entry.name, "damaged, and kept; delete it when you do not need it")
            elif entry.name not in _OWN:
                self._foreign(entry.name)
        try:
            found |= {(stream.camera_id, stream.name) for stream in self._index.streams()}
        except Fault:
            if not self.report.counts[Kind.INDEX_DAMAGED] or self._repair:
                raise
        return sorted(found)

    def _look_into(self, camera: os.DirEntry[str], found: set[tuple[str, str]]) -> None:
        if camera.name not in self._cameras:
            detail = "recordings of a camera that is not set up; they are kept as long as the settings say"
            self.report.notice(Remark.UNKNOWN_CAMERA, camera.name, detail)
        for entry in self._entries(self._root / camera.name):
            if entry.name in STREAMS and entry.is_dir(follow_symlinks=False):
                found.add((camera.name, entry.name))
            else:
                self._foreign(f"{camera.name}/{entry.name}")

    def _entries(self, folder: Path) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except FileNotFoundError:
            return []
        except OSError as error:
            shown = folder.relative_to(self._root).as_posix()
            self.report.add(Difference(Kind.INACCESSIBLE, shown, os.strerror(error.errno or 0)))
            return []

    def _foreign(self, shown: str) -> None:
        self.report.notice(Remark.FOREIGN, shown, "not one of ours; left alone")

    # ── a stream ────────────────────────────────────────────────────────────────────────────────────────────

    def _check_stream(self, camera_id: str, stream: str) -> Iterator[None]:
        names = self._names(camera_id, stream)
        yield
        index_is_readable = self._repair or not self.report.counts[Kind.INDEX_DAMAGED]
        known: set[str] = set()
        after = -1
        while index_is_readable and (found := rows.page(self._index, camera_id, stream, after)):
            for row in found:
                known.add(row.name)
                self._check_row(Place(self._root, camera_id, stream, row.name), row)
                yield
            after = found[-1].file.start
        for name in names:
            if name not in known and index_is_readable:
                self._check_file(Place(self._root, camera_id, stream, name))
                yield
        if index_is_readable:
            self._check_sums(camera_id, stream)
            yield

    def _names(self, camera_id: str, stream: str) -> list[str]:
        """The recorded files that lie there."""
        names: list[str] = []
        for entry in self._entries(self._root / camera_id / stream):
            if start_of(entry.name) is None or not entry.is_file(follow_symlinks=False):
                self._foreign(f"{camera_id}/{stream}/{entry.name}")
            else:
                names.append(entry.name)
        return names

    def _check_row(self, place: Place, row: Row) -> None:
        suspicion = self._suspect(place, row)
        if suspicion is None or suspicion.kind is not Kind.FILE_MISSING:
            self.report.files += 1
            self.report.size += row.file.size
        if suspicion is None:
            return
        again = rows.row_at(self._index, place.camera_id, place.stream, row.file.start)
        if again is None or self._index.is_growing(place.path):
            return  # deleted meanwhile; or being written
        suspicion = self._suspect(place, again)
        if suspicion is None:
            return
        if suspicion.kind is Kind.FILE_MISSING:
            action = "its row was removed from the index" if self._repair else ""
            if self._repair:
                upkeep.remove(self._index, again.file)
            missing = Difference(Kind.FILE_MISSING, place.shown, suspicion.detail, action, mended=self._repair)
            self.report.add(missing)
        elif suspicion.kind is Kind.CONTENT_DAMAGED and again.table is not None:
            action = "restored by what the index says" if self._repair else ""
            if self._repair:
                heads.restore_heads(place.path, again)
            self.report.add(Difference(suspicion.kind, place.shown, suspicion.detail, action, mended=self._repair))
        else:
            self._settle(place, again, suspicion)

    def _check_file(self, place: Place) -> None:
        """A file that no row was found for."""
        start = start_of(place.name)
        assert start is not None
        if upkeep.knows(self._index, place.camera_id, place.stream, start):
            return
        self.report.files += 1
        self._settle(place, None, Suspicion(Kind.NOT_INDEXED, "the index does not know it"))

    def _settle(self, place: Place, row: Row | None, suspicion: Suspicion) -> None:
        difference = repairs.settle(self._index, place, row, suspicion.kind, suspicion.detail, repair=self._repair)
        if difference is not None:
            self.report.add(difference)

    def _suspect(self, place: Place, row: Row) -> Suspicion | None:
        """What seems to be wrong with a file of the index."""
        if self._index.is_growing(place.path):
            return None
        try:
            found = os.lstat(place.path)
        except (FileNotFoundError, NotADirectoryError):
            return Suspicion(Kind.FILE_MISSING, "the index knows it, and it is not there")
        except OSError as error:
            return Suspicion(Kind.INACCESSIBLE, os.strerror(error.errno or 0))
        if not stat.S_ISREG(found.st_mode):
            return Suspicion(Kind.FILE_MISSING, "the index knows it, and something else is there")
        if row.grows:
            return Suspicion(Kind.UNFINISHED, f"it has no end in the index, and {found.st_size} bytes")
        if found.st_size != row.file.size:
            return Suspicion(Kind.SIZE_DIFFERS, f"{found.st_size} bytes; by the index {row.file.size}")
        if not row.is_sound:
            return Suspicion(Kind.SAMPLES_DAMAGED, "what the index says of its inside is damaged")
        return self._suspect_content(place, row) if self._thorough else None

    def _suspect_content(self, place: Place, row: Row) -> Suspicion | None:
        try:
            if row.table is None:  # the index says nothing of it
                return None if heads.is_whole(place.path, row) else Suspicion(Kind.CONTENT_DAMAGED, "it is not whole")
            differing = heads.heads_that_differ(place.path, row)
        except FileNotFoundError:
            return None
        except OSError as error:
            return Suspicion(Kind.INACCESSIBLE, os.strerror(error.errno or 0))
        if not differing:
            return None
        if heads.are_few(differing, row):
            return Suspicion(Kind.CONTENT_DAMAGED, f"{differing} of its heads are not as they were written")
        return Suspicion(Kind.SAMPLES_DAMAGED, "what the index says of its inside is of another file")

    def _check_sums(self, camera_id: str, stream: str) -> None:
        found = rows.sums(self._index, camera_id, stream)
        if found is None or not found.complaint:
            return
        action = "computed again" if self._repair else ""
        if self._repair:
            rows.mend_sums(self._index, found.key)
        shown = f"{camera_id}/{stream}"
        self.report.add(Difference(Kind.SUMS_WRONG, shown, found.complaint, action, mended=self._repair))
