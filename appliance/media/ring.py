"""The fragments of the current group of pictures, so that a new viewer never waits for a key frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appliance.media.fmp4 import Fragment

#: A longer group of pictures is not kept: its viewers wait for the next key frame and are told so (`long_gop`).
RING_BYTES = 3 << 20


class GopRing:
    """Everything since the last IDR picture, video and audio in order, bounded in bytes: that picture itself by what a
    source gives, all together by ``limit``.

    Except for what leads that picture: nobody who starts with it could decode it.
    """

    def __init__(self, limit: int = RING_BYTES) -> None:
        self._limit = limit
        self._fragments: list[Fragment] = []
        self._bytes = 0
        self._began = False
        self.overflowed = False

    def push(self, fragment: Fragment) -> None:
        """Take the next fragment; an IDR picture begins anew."""
        if fragment.is_idr and not fragment.is_audio:
            self._fragments, self._bytes, self.overflowed, self._began = [], 0, False, True
        if not self._began or self.overflowed or fragment.leading:
            return
        self._bytes += len(fragment.message)
        if self._bytes > self._limit and self._fragments:  # one picture alone is kept, whatever its size
            self._fragments, self.overflowed = [], True
            return
        self._fragments.append(fragment)

    def clear(self) -> None:
        """Forget everything: what comes next does not follow on what was."""
        self._fragments, self._bytes, self.overflowed, self._began = [], 0, False, False

    @property
    def fragments(self) -> list[Fragment]:
        """From the last IDR picture on; empty before the first one, and where the group is too long.

        The list may grow under its reader: copy it before anything awaits.
        """
        return self._fragments

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._bytes if not self.overflowed else 0
