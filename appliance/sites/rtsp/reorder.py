"""Putting the packets of one track back into order, as UDP does not keep it.  Knows no socket and no clock.

A packet that follows the last one is given out at once.  One that is ahead waits for those before it: not longer than
``wait_s``, and not more of them than ``limit``; then what is missing counts as lost.  Late and double ones are dropped.
"""

from __future__ import annotations

WAIT_S = 0.1
LIMIT = 512  # packets; half a second of a stream of ten megabits
#: A larger step than this is a new beginning (RFC 3550 §A.1), as the depacketizers have it too.
MAX_DROPOUT = 3000
MAX_MISORDER = 100
_HEADER = 12


class Reorder:
    """The order of one track.  Times are seconds of one steady clock, and never go back."""

    def __init__(self, *, wait_s: float = WAIT_S, limit: int = LIMIT) -> None:
        self._wait_s = wait_s
        self._limit = limit
        self._held: dict[int, tuple[float, bytes]] = {}  # by extended sequence number, each ahead of `_next`
        self._next: int | None = None
        self._ssrc = b""
        self.late = 0  # and double

    def __len__(self) -> int:
        """How many wait."""
        return len(self._held)

    def push(self, packet: bytes, now: float) -> list[bytes]:
        """Take a packet; what can be given out now, in order.  What is no RTP packet is given out as it is."""
        if len(packet) < _HEADER or packet[0] >> 6 != 2:
            return [packet]
        sequence, ssrc = int.from_bytes(packet[2:4], "big"), packet[8:12]
        if self._next is None:
            return self._begin(packet, sequence, ssrc)
        ahead = (sequence - self._next) & 0xFFFF
        if ssrc != self._ssrc or MAX_DROPOUT <= ahead < 0x10000 - MAX_MISORDER:
            return [*self._all(), *self._begin(packet, sequence, ssrc)]
        number = self._next + ahead
        if ahead >= 0x10000 - MAX_MISORDER or number in self._held:
            self.late += 1
            return []
        if ahead == 0:
            self._next += 1
            return [packet, *self._following()]
        self._held[number] = now, packet
        return self._skip() if len(self._held) > self._limit else []

    def deadline(self) -> float | None:
        """When `expire` wants to be called."""
        # those that came first are first in the dictionary
        return next((came for came, _ in self._held.values()), float("inf")) + self._wait_s if self._held else None

    def expire(self, now: float) -> list[bytes]:
        """Give out, in order, what has waited for long enough, and what stands before it."""
        out: list[bytes] = []
        while (deadline := self.deadline()) is not None and now >= deadline:
            out += self._skip()
        return out

    def _begin(self, packet: bytes, sequence: int, ssrc: bytes) -> list[bytes]:
        self._next, self._ssrc = sequence + 1, ssrc
        return [packet]

    def _skip(self) -> list[bytes]:
        """What is missing before the first of those that wait is lost."""
        self._next = min(self._held)
        return self._following()

    def _following(self) -> list[bytes]:
        assert self._next is not None
        out: list[bytes] = []
        while (found := self._held.pop(self._next, None)) is not None:
            out.append(found[1])
            self._next += 1
        return out

    def _all(self) -> list[bytes]:
        out = [self._held[number][1] for number in sorted(self._held)]
        self._held.clear()
        return out
