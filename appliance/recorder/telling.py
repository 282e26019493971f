"""What of the recordings wants an administrator's attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.recorder.stream import Doing, RecordingState
from appliance.status.board import Attention, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from appliance.recorder.stream import StreamRecorder
    from appliance.status.board import Board

#: How long the loss of pictures wants attention.
TOLD_S: Final = 3600.0
#: Recordings that are dated later than the clock shows want attention beyond this; a camera's clock drifts by less.
TOLD_AHEAD_S: Final = 60


class Teller:
    """Puts on the board what it finds, and takes it off when it is over."""

    def __init__(self, board: Board, name_of: Callable[[str], str]) -> None:
        self._board = board
        self._name_of = name_of
        self._reasons: set[str] = set()
        self._losses: dict[tuple[str, str], float] = {}  # seconds that were told of
        self._told_s: float | None = None

    def tell(self, states: Iterable[RecordingState], streams: Sequence[StreamRecorder]) -> None:
        """What becomes of each camera, and who records."""
        self._tell_trouble(states)
        self._tell_losses(streams)
        self._tell_clock(streams)

    def _tell_trouble(self, states: Iterable[RecordingState]) -> None:
        troubled: dict[str, list[RecordingState]] = {}
        for state in states:
            if state.doing is Doing.FAILED or (state.doing is Doing.ON and state.reason):
                troubled.setdefault(state.reason or "", []).append(state)
        for reason in self._reasons - troubled.keys():
            self._board.attend(f"recording {reason}", None)
        self._reasons = set(troubled)
        for reason, alike in troubled.items():
            failed = sum(state.doing is Doing.FAILED for state in alike)
            many = f"{len(alike)} cameras" if len(alike) > 1 else "One camera"
            message = f"{many} cannot be recorded now." if failed else "The disk of the recordings is slow."
            severity = Severity.URGENT if failed else Severity.NOTICE
            hint = "Give it less to do, or use a faster one." if reason == "disk_slow" else alike[0].message
            self._board.attend(f"recording {reason}", Attention(f"recording_{reason}", message, hint, severity))

    def _tell_clock(self, streams: Sequence[StreamRecorder]) -> None:
        ahead_s = max((stream.writer.shift for stream in streams), default=0) // TICKS_PER_SECOND
        message = (
            f"The clock was set back: recordings are dated {ahead_s} s later than it shows, so as to keep their order."
        )
        hint = "Leave off recording for so long, and they are dated by it again."
        self._board.attend(
            "recording clock", Attention("recording_clock", message, hint) if ahead_s > TOLD_AHEAD_S else None
        )

    def _tell_losses(self, streams: Sequence[StreamRecorder]) -> None:
        now = trio.current_time()
        for stream in streams:
            key, lost = (stream.camera_id, stream.stream), stream.lost.seconds
            told = self._losses.get(key, 0.0)
            if lost != told:
                self._losses[key] = lost
                self._told_s = now
                self._board.counters["recording_lost_ms"] += round(1000 * max(0.0, lost - told))
                message = f"{lost:.1f} s of the recording of camera {self._name_of(key[0])} were lost."
                hint = "The disk took them too slowly, or not at all."
                self._board.attend("recording lost", Attention("recording_lost", message, hint, Severity.URGENT))
        if self._told_s is not None and now - self._told_s > TOLD_S:
            self._told_s = None
            self._board.attend("recording lost", None)
