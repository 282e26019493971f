"""Parts of files onto the disk.  All of it blocks, for a thread.

After a failure (a full disk, say) a part is tried again as a whole: it is written where the last whole one ended.
"""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress
from shutil import disk_usage
from typing import TYPE_CHECKING, Final

from appliance._native.fmp4 import DECODE_TIME_AT, OVERHEAD
from appliance.base.clock import utc_seconds
from appliance.media.fmp4 import init_segment
from appliance.media.sample_table import Sample
from appliance.store.folder import disk_full, fault_of, make_private_folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from appliance.base.clock import Clock
    from appliance.media.fmp4 import Fragment
    from appliance.recorder.cutting import Begin, Part
    from appliance.recorder.growing import Growing
    from appliance.recorder.index import Index

#: The disk is made to have what was written this often: a power cut takes no more.
SYNC_S: Final = 5.0
#: So many bytes of a disk, and no more than that share of it, are never recorded on.
RESERVE: Final = 64 << 20
RESERVE_SHARE: Final = 50

log = logging.getLogger(__name__)


class Writer:
    """Writes the files of one stream, one after the other."""

    def __init__(self, index: Index, clock: Clock, camera_id: str, stream: str) -> None:
        self._index = index
        self._clock = clock
        self._camera_id = camera_id
        self._stream = stream
        self._growing: Growing | None = None
        self._begun: Begin | None = None  # what made that file
        self._created = False
        self._shift = 0  # ticks that its times are put later
        self._descriptor = -1
        self._synced_s = 0.0

    @property
    def shift(self) -> int:
        """By how many ticks recordings are put later, because there are recordings of that time already."""
        return self._shift

    def write(self, part: Part) -> bool:
        """Write a part.  False: there is no file for it, and it is lost.

        Raises `Fault`; then the same part can be tried again: what is done of it is taken out of it.
        """
        if part.begin is not None and part.begin is not self._begun:
            check_room(self._index.root)
            self.close()
            self._begin(part.begin)
        growing = self._growing
        if growing is None:
            return False
        try:
            if part.fragments:
                check_room(self._index.root)
                self._open(growing)
                self._append(growing, part.fragments)
                part.fragments = []
            if part.ends is not None:
                self._end(growing, part.ends + self._shift)
            elif time.monotonic() - self._synced_s >= SYNC_S:
                self._sync()
        except (FileNotFoundError, FileExistsError) as error:
            # somebody deleted it while it was written, or a file of that name is there that the index does not know
            log.exception("%s is lost", growing.path, exc_info=error)
            self._let_go()
            self._index.forget(growing)
            return False
        except OSError as error:
            self._shut()
            raise fault_of(error, growing.path) from error
        return True

    def close(self) -> None:
        """The file ends where it is.  Raises `Fault`."""
        if self._growing is not None:
            try:
                self._end(self._growing, self._growing.written[0])
            except OSError as error:
                raise fault_of(error, self._growing.path) from error

    def abandon(self) -> None:
        """Let the file go, whatever becomes of its row: the next start finds out what is in it."""
        if self._growing is not None:
            self._index.leave(self._growing)
        self._let_go()

    def _begin(self, begin: Begin) -> None:
        start = begin.start + self._shift
        if not begin.follows:
            start = self._index.free_from(self._camera_id, self._stream, begin.start)
        shift = start - begin.start
        self._growing = self._index.begin(
            self._camera_id,
            self._stream,
            zero=begin.base + shift,
            start=start,
            init=init_segment(begin.video, begin.audio),
            arrived=utc_seconds(self._clock),
        )
        self._begun, self._shift, self._synced_s = begin, shift, time.monotonic()

    def _open(self, growing: Growing) -> None:
        if self._descriptor >= 0:
            return
        flags = os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        if not self._created:
            make_private_folder(growing.path.parent)
            flags |= os.O_CREAT | os.O_EXCL
        self._descriptor = os.open(growing.path, flags, 0o600)
        self._created = True

    def _append(self, growing: Growing, fragments: list[Fragment]) -> None:
        assert self._begun is not None
        end, size, count = growing.written
        data, samples = laid_out(fragments, self._begun.base)
        if not count:
            data.insert(0, growing.init)
        written = b"".join(data)
        try:
            self._put(written, size)
        except OSError:
            with suppress(OSError):  # half a fragment is no harm, and is not counted; tidier without
                os.ftruncate(self._descriptor, size)
            raise
        # a file ends where its last picture does, however late its sound
        shown = [fragment.pts + fragment.duration for fragment in fragments if not fragment.is_audio]
        growing.grow(samples, max(shown, default=end - self._shift) + self._shift, size + len(written))

    def _put(self, data: bytes, at: int) -> None:
        left = memoryview(data)
        while left:
            put = os.pwrite(self._descriptor, left, at)
            left, at = left[put:], at + put

    def _sync(self) -> None:
        if self._descriptor >= 0:
            os.fdatasync(self._descriptor)
        self._synced_s = time.monotonic()

    def _end(self, growing: Growing, ends: int) -> None:
        if not growing.written[2]:  # nothing ever came of it
            self._index.forget(growing)
        else:
            self._sync()
            growing.end_at(ends)
            self._index.finish(growing)
        self._let_go()

    def _let_go(self) -> None:
        self._shut()
        self._growing, self._begun, self._created = None, None, False

    def _shut(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):
                os.close(descriptor)


def laid_out(fragments: Iterable[Fragment], base: int) -> tuple[list[bytes | memoryview], list[Sample]]:
    """The bytes of fragments in a file that counts from ``base``, and the samples that they are."""
    data: list[bytes | memoryview] = []
    samples: list[Sample] = []
    for fragment in fragments:
        body, decoded = fragment.body, fragment.dts - base
        data += (body[:DECODE_TIME_AT], decoded.to_bytes(8, "big"), body[DECODE_TIME_AT + 8 :])
        samples.append(
            Sample(
                decoded,
                fragment.duration,
                fragment.composition,
                len(body) - OVERHEAD,
                fragment.is_audio,
                fragment.is_idr,
                fragment.leading,
            )
        )
    return data, samples


def check_room(folder: Path) -> None:
    """Raise `Fault` ``disk_full`` a little early: deleting recordings, and saving settings, takes some room too."""
    usage = disk_usage(folder)
    if usage.free < min(RESERVE, usage.total // RESERVE_SHARE):
        raise disk_full(folder)
