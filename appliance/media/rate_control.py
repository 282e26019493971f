"""How much one viewer's network carries (rows TRA-2, ADA-1; F3): a pure rule, tested as a table and in simulations.

What may be sent is a list of steps with what each takes, the best first: encodings of a transcoded picture, a camera's
streams, or first these and then those.  Down as soon as what waits shows that the network carries less, at once to
what it does carry.  Up one by one: soon while that is known to be carried; beyond it nothing tells but an attempt, so
that is made after a quiet time, and after attempts that fail ever more seldom.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: To be looked at so often: a second is needed to be sure that what is seen is no stall that is made up for.
LOOK_S = 0.25
#: What is sent or waits is so old, for so long: more than a large key frame or a lost packet makes; less counts with a
#: client that has nothing left to show.
LAG_S, DRY_LAG_S, DRY_S, LATE_FOR_S = 0.5, 0.25, 0.05, 0.7
#: That old suffices where it was never idle for so long, and what arrives is well below what is sent.
SURE_S = 0.75
#: Unless what is late becomes less, fast enough to be gone within so long.
CATCHES_UP_S = 2.0
#: Or it was never idle for so long, and so many of the pictures were left out as others were still on their way.
BUSY = ((0.6, 0.5), (1.0, 0.1))
FEWEST_LEFT_OUT = 2
#: Or the client drops so many of the pictures while the network brings them all: it is too slow to show them.  What is
#: sent then has to be so much less work to show, in samples a second.
DROPPED, FEWEST_DROPPED = 0.2, 3
LESS_WORK = 0.7
#: What is dropped is counted over the longer time, what the network takes over the shorter one.
WINDOW_S, MEASURE_S = 2.0, 1.0
#: A picture may take so much longer than the way itself, and the socket may take so long over it; else it is large for
#: this network, and the next one waits until it has arrived, or will have in so many times what the way takes.
ON_THE_WAY_S, ON_THE_WAY_INTERVALS = 0.25, 3.0
TAKEN_S, TAKEN_INTERVALS = 0.2, 1.5
SOON_WAYS = 2.0
#: What is on its way in a step that was left is not held against the next one for so long.
LEFTOVER_S = 3.0
#: A stream takes over with its next key frame; until then what is seen is about the one before.
SETTLE_S = 3.0
#: The share of what is carried that is used at first, and that is known to be carried when going up.
FITS, KNOWN = 0.85, 0.9
#: An attempt has failed where so much of what was left for it is carried.  What a step takes is measured anew all the
#: time, and is the same within this.
FAILED, ALIKE = 0.75, 1.02
#: So far below what is carried two steps are taken at once; so far ahead of it while attempts go well.
FAR, FURTHEST = 0.6, 2.0
#: So long without strain: before a step up that is known to be carried; while attempts go well; before an attempt,
#: twice as long after each that failed.
RISE_S, GO_ON_S, HOLD_S, LONGEST_HOLD_S = 2.0, 3.0, 10.0, 120.0
#: An attempt went well for so long: the next one may follow.  For so long: it has not failed.
CONFIRMED_S, PROBATION_S = 8.0, 30.0


class Cause(StrEnum):
    """What is too slow."""

    NETWORK = "network"
    CLIENT = "client"  # it does not show all that it gets


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen of one viewer at a time; counters only grow.

    ``step``: which is being sent (not yet the one that was decided, until it takes over).
    ``lag_s``: how old the oldest of what waits or is being written is, or by how much what is on its way is overdue; 0
    if nothing is.
    ``made``, ``left_out``: pictures meant for this viewer, and those of them that it was too slow for.
    ``sent``: bytes that the client's side acknowledged; or, if that is not known, that the socket took.
    ``buffer_s``, ``dropped``: what the client says it holds, and pictures that it dropped; None: it has no buffer.
    """

    at_s: float
    step: int
    lag_s: float
    made: int
    left_out: int
    sent: int
    buffer_s: float | None = None
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Control:
    """``step`` is what to send; ``cause``: why no less than that.  The rest is what the next decision needs."""

    step: int = 0
    cause: Cause = Cause.NETWORK
    ceiling_kbps: float = inf  # so much is carried, no more is known
    hold_s: float = HOLD_S
    changed_at: float = -inf
    tried_at: float | None = None  # the last attempt
    tried_from: float = 0.0  # what the step took that was left for it, or for those that went well just before
    left_out: int = 0  # pictures, then
    late_since: float | None = None
    calm_since: float | None = None
    busy: Sight | None = None  # the first of those since it was last idle
    seen: tuple[Sight, ...] = ()


def follow(control: Control, sight: Sight, kbps: Sequence[float], work: Sequence[float] = ()) -> Control:
    """Take in a sight; ``kbps``: what each step takes, as far as it is known; ``work``: samples a second to show it."""
    now = sight.at_s
    if sight.step != control.step and now - control.changed_at < SETTLE_S:
        return _anew(control)
    if control.seen and control.seen[-1].step != sight.step:
        control = _anew(control)
    late_since = control.late_since if control.late_since is not None else now
    control = replace(
        control,
        seen=(*(each for each in control.seen if now - each.at_s <= WINDOW_S), sight),
        busy=(control.busy or sight) if sight.lag_s else None,
        late_since=late_since if sight.lag_s >= (DRY_LAG_S if _is_dry(sight) else LAG_S) else None,
    )
    cause = _strain(control, sight, kbps)
    if cause is not None:
        return _fall(replace(control, calm_since=None), sight, kbps, cause, work)
    left_out = control.busy is not None and sight.left_out > control.busy.left_out
    if left_out or control.late_since is not None:
        return replace(control, calm_since=None)
    if control.calm_since is None:
        control = replace(control, calm_since=now)
    return _rise(control, sight, kbps) if control.step and sight.step == control.step else control


def may_begin(
    unacknowledged_s: float,
    round_trip_s: float,
    interval_s: float,
    *,
    taken_s: float,
    arrived_s: float,
    left_s: float = inf,
) -> bool:
    """Whether the next picture may be written, as what was written before arrives in time.

    ``unacknowledged_s``: how long ago the oldest was written of what the client's side has not acknowledged.
    ``interval_s``: from picture to picture.  ``taken_s``: how long it took until the socket had taken the last one,
    ``arrived_s``: until the last one that arrived was acknowledged; infinite before the first.  ``left_s``: how long
    what is on its way will take at the rate of late.  Else pictures pile up on the way, where nothing takes them back;
    here the newest waits and is the one that goes.
    """
    in_time = round_trip_s + min(ON_THE_WAY_S, ON_THE_WAY_INTERVALS * interval_s)
    if arrived_s == inf:
        return unacknowledged_s <= 0
    if arrived_s > in_time:  # it is known to be slow, so how slow it is has been measured
        return min(unacknowledged_s, left_s / SOON_WAYS) <= round_trip_s
    if taken_s <= min(TAKEN_S, TAKEN_INTERVALS * interval_s):
        return unacknowledged_s <= in_time
    return unacknowledged_s <= 0  # it has become slow, and how slow is known when that one has arrived


def rebased(control: Control, before: Sequence[float], after: Sequence[float]) -> Control:
    """The same for another list of steps, as the tile has changed: what takes no more than what is sent now."""
    if control.step == 0 and control.ceiling_kbps == inf:
        return Control()  # nothing is known of the network but that it carries all that was wanted
    carried = before[control.step]
    step = next((number for number, each in enumerate(after) if each <= carried), len(after) - 1)
    return replace(_anew(control), step=step)


def _anew(control: Control) -> Control:
    """What was seen was of another step."""
    return replace(control, late_since=None, calm_since=None, busy=None, seen=())


def _is_dry(sight: Sight) -> bool:
    return sight.buffer_s is not None and sight.buffer_s < DRY_S


def _strain(control: Control, sight: Sight, kbps: Sequence[float]) -> Cause | None:
    """What is too slow, if anything is."""
    if _is_strained(control, sight, kbps):
        return Cause.NETWORK
    first = control.seen[0]
    if sight.left_out > first.left_out or control.late_since is not None or sight.at_s - first.at_s < MEASURE_S:
        return None  # what the network was late with comes all at once, and nobody can show that
    dropped = sight.dropped - first.dropped
    return Cause.CLIENT if dropped >= max(FEWEST_DROPPED, DROPPED * (sight.made - first.made)) else None


def _is_strained(control: Control, sight: Sight, kbps: Sequence[float]) -> bool:
    """Whether the network is too slow."""
    tried = control.tried_at is not None and sight.at_s - control.tried_at < CONFIRMED_S
    late_for = LATE_FOR_S / 2 if tried else LATE_FOR_S
    is_late = control.late_since is not None and sight.at_s - control.late_since >= late_for
    if is_late and (tried or not _catches_up(control, sight)):
        return True
    busy = control.busy
    if busy is not None and sight.lag_s >= LAG_S and sight.at_s - busy.at_s >= SURE_S:
        sent = kbps[min(sight.step, len(kbps) - 1)]
        if _kbps([each for each in control.seen if each.at_s >= busy.at_s - 1e-6]) < FITS * sent:
            return True
    if busy is not None and sight.left_out - busy.left_out >= FEWEST_LEFT_OUT:
        share = (sight.left_out - busy.left_out) / max(1, sight.made - busy.made)
        return any(sight.at_s - busy.at_s >= seconds and share >= least for seconds, least in BUSY)
    return False


def _catches_up(control: Control, sight: Sight) -> bool:
    """Whether what waits gets less and is gone soon: a beginning since the last key frame, or a stall that is over."""
    late = next(each for each in control.seen if control.late_since is None or each.at_s >= control.late_since)
    elapsed_s = sight.at_s - late.at_s
    if elapsed_s <= 0 or sight.left_out > late.left_out:  # what was left out does not wait either
        return False
    return sight.lag_s <= CATCHES_UP_S * (late.lag_s - sight.lag_s) / elapsed_s


def _fall(control: Control, sight: Sight, kbps: Sequence[float], cause: Cause, work: Sequence[float]) -> Control:
    now, step = sight.at_s, max(control.step, sight.step)
    carried = _carried(control, now)
    tried_from, carries = control.tried_from, FITS * carried
    # else it is the network that has become worse
    as_before = control.tried_at is not None and carried >= FAILED * tried_from
    failed = as_before and now - (control.tried_at or 0) < max(PROBATION_S, control.hold_s)
    if failed:  # what was left for the attempt was carried, for all that is known
        carried = max(carried, tried_from)
        carries = max(KNOWN * carried, ALIKE * tried_from)
    fitting = next((number for number, each in enumerate(kbps) if each <= carries), len(kbps) - 1)
    if cause is Cause.CLIENT and step < len(work):
        less = (number for number, each in enumerate(work) if number > step and each <= LESS_WORK * work[step])
        fitting = max(fitting, next(less, len(kbps) - 1))
    if fitting <= step and now - control.changed_at < LEFTOVER_S:
        return control
    target = min(max(fitting, step + 1), len(kbps) - 1)
    if target <= control.step:
        return control
    return Control(
        step=target,
        cause=cause,
        # less than the least step takes says nothing of the network but that it stood still
        ceiling_kbps=carried if carried >= kbps[-1] else kbps[min(step, len(kbps) - 1)],
        hold_s=min(2 * control.hold_s, LONGEST_HOLD_S) if failed else control.hold_s if as_before else HOLD_S,
        changed_at=now,
    )


def _carried(control: Control, now: float) -> float:
    """What the network took of late, in kbit/s."""
    busy_at = -inf if control.busy is None else control.busy.at_s
    seen = [each for each in control.seen if each.at_s >= max(now - MEASURE_S, busy_at) - 1e-6]
    if len(seen) > 2 and seen[0].at_s <= busy_at:
        del seen[0]  # what is acknowledged just after it became busy had gone before, and maybe faster
    return _kbps(seen)


def _kbps(seen: Sequence[Sight]) -> float:
    seconds = seen[-1].at_s - seen[0].at_s
    return (seen[-1].sent - seen[0].sent) * 8 / 1000 / seconds if seconds > 0 else 0.0


def _rise(control: Control, sight: Sight, kbps: Sequence[float]) -> Control:
    now, ceiling = sight.at_s, control.ceiling_kbps
    calm_since = now if control.calm_since is None else control.calm_since
    beyond = kbps[min(control.step, len(kbps) - 1)] > KNOWN * ceiling
    went_well = control.tried_at is not None and now - control.tried_at >= CONFIRMED_S
    if beyond and went_well and sight.left_out == control.left_out:
        control, ceiling = replace(control, ceiling_kbps=inf), inf
    up = min(control.step, len(kbps)) - 1
    if up >= 1 and kbps[up - 1] <= (FAR * ceiling if ceiling < inf else FURTHEST * kbps[up + 1]):
        up -= 1
    known = kbps[up] <= KNOWN * ceiling
    wait = control.hold_s if not known else RISE_S if ceiling < inf else GO_ON_S
    if now - max(calm_since, control.changed_at) < wait:
        return control
    moved = replace(_anew(control), step=up, changed_at=now)
    if known and ceiling < inf:
        return moved
    tried_from = control.tried_from if known else kbps[min(control.step, len(kbps) - 1)]
    return replace(moved, tried_at=now, tried_from=tried_from, left_out=sight.left_out)
