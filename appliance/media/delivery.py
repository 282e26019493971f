"""Direct or transcoded, for one viewer, and why (row DIR-2): a state machine that is told what is and when.

Nothing in here waits.  Whoever wires it calls `follow` with the situation whenever something in it changes, and when
`Delivery.look_again_s` has come.  What was decided on (a mask, a setting, the client's codecs) is followed at once in
both ways.  What merely happened (a camera was lost, it brought no video) has to be over for a while before the viewer
goes back to direct, and for longer if it comes again soon.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from appliance.media.choice import Admission

#: So long without direct video, and it is transcoded.
NO_VIDEO_S = 10.0
#: A camera at up to so many pictures a second is one that is set to one; from so many on it is no longer.
ONE_FPS, MORE_FPS = 1.2, 1.5
#: Video comes if the last picture is not older than this.
FLOWS_S = 2.0
#: So long has a fall-back's cause to be over; twice as long each time that it comes back within `PROBATION_S`.
CALM_S, LONGEST_CALM_S = 3.0, 60.0
PROBATION_S = 30.0
#: While it is transcoded, whether video comes is looked at so often.
LOOK_S = 1.0
#: Browsers play so fast at most; of what is faster, the key frames are enough.
FASTEST = 4.0


class Mode(StrEnum):
    DIRECT = "direct"
    TRANSCODED = "transcoded"
    NONE = "none"  # the client wants direct and nothing else, and may not or cannot have it


class Reason(StrEnum):
    """As clients are told it (design §9); in the order in which they are told, if there are several."""

    MASK = "mask"
    OFF = "off"
    REQUESTED = "requested"
    REVERSE = "reverse"
    SPEED = "speed"
    CODEC = "codec"
    LEVEL = "level"
    SITE_LOST = "site_lost"
    CAMERA_LOST = "camera_lost"
    ONE_FPS = "one_fps"
    NO_VIDEO = "no_video_10s"


#: What happens to a camera; a client that wants direct only waits for it to be over.
PASSING = frozenset({Reason.SITE_LOST, Reason.CAMERA_LOST, Reason.ONE_FPS, Reason.NO_VIDEO})


@dataclass(frozen=True, slots=True)
class Situation:
    """What the decision depends on.

    ``masked``: the camera has a privacy mask, and this user has not the right to see what is under it.
    ``allowed``: direct streaming is on, in the settings and for the camera.
    ``admission``: whether the client plays the stream that it would get; of a codec that is never sent directly: CODEC.
    ``lost``: `Reason.SITE_LOST` or `CAMERA_LOST` while it is.
    ``fps``: as measured, None until known.
    ``picture_at_s``: when that stream last brought a picture that was, or could have been, sent to this client as it
    is; None: none yet.
    ``speed``: of what was recorded; negative: backwards.  A decoder in a browser does neither that nor more than
    `FASTEST`.
    """

    asked: Literal["auto", "direct", "transcoded"] = "auto"
    masked: bool = False
    allowed: bool = True
    admission: Admission = Admission.YES
    lost: Literal[Reason.SITE_LOST, Reason.CAMERA_LOST] | None = None
    fps: float | None = None
    picture_at_s: float | None = None
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one viewer gets.  ``reason``: why not direct; None if it is.  ``since_s``: since when it is so.

    ``look_again_s``: when to call `follow` again at the latest, with nothing new; None: no need to.
    The rest is what the next decision needs: since when the cause of a fall-back has been over and how long it has to
    be, and when a fall-back last ended.
    """

    mode: Mode
    reason: Reason | None
    since_s: float
    look_again_s: float | None
    calm_since_s: float | None = None
    calm_s: float = CALM_S
    returned_s: float | None = None


def begin(at_s: float, situation: Situation) -> Delivery:
    """The decision for a new viewer."""
    return follow(Delivery(Mode.DIRECT, None, at_s, None), at_s, situation)


def follow(before: Delivery, at_s: float, situation: Situation) -> Delivery:
    """The decision from now on."""
    decided = _decided(situation)
    if decided is not None:
        mode = Mode.NONE if situation.asked == "direct" else Mode.TRANSCODED
        return _told(before, at_s, mode, decided)
    if situation.asked == "direct":
        return _told(before, at_s, Mode.DIRECT, None)
    falling = before.reason in PASSING
    cause = _happens(situation, is_slow=before.reason is Reason.ONE_FPS)
    if cause is None and falling:
        return _end(before, at_s, situation)
    if cause is None:
        direct = _told(before, at_s, Mode.DIRECT, None)
        due = max(direct.since_s, situation.picture_at_s or direct.since_s) + NO_VIDEO_S
        if at_s < due:
            return replace(direct, look_again_s=due)
        cause = Reason.NO_VIDEO
    if falling:
        return replace(_told(before, at_s, Mode.TRANSCODED, cause), look_again_s=at_s + LOOK_S)
    again = before.returned_s is not None and at_s - before.returned_s < PROBATION_S
    calm_s = min(2 * before.calm_s, LONGEST_CALM_S) if again else CALM_S
    return replace(_told(before, at_s, Mode.TRANSCODED, cause), calm_s=calm_s, look_again_s=at_s + LOOK_S)


def _told(before: Delivery, at_s: float, mode: Mode, reason: Reason | None) -> Delivery:
    same = (before.mode, before.reason) == (mode, reason)
    since_s = before.since_s if same else at_s
    return replace(before, mode=mode, reason=reason, since_s=since_s, look_again_s=None, calm_since_s=None)


def _decided(situation: Situation) -> Reason | None:
    if situation.masked:
        return Reason.MASK
    if not situation.allowed:
        return Reason.OFF
    if situation.asked == "transcoded":
        return Reason.REQUESTED
    if situation.speed < 0:
        return Reason.REVERSE
    if situation.speed > FASTEST:
        return Reason.SPEED
    return None if situation.admission is Admission.YES else Reason(situation.admission.value)


def _happens(situation: Situation, *, is_slow: bool) -> Reason | None:
    """What is in the way of direct video now; that none comes shows only in time."""
    if situation.lost is not None:
        return situation.lost
    if situation.fps is None:
        return Reason.ONE_FPS if is_slow else None
    return Reason.ONE_FPS if 0 < situation.fps < (MORE_FPS if is_slow else ONE_FPS) else None


def _end(before: Delivery, at_s: float, situation: Situation) -> Delivery:
    """The cause is over, it seems: once video has come for long enough, back to direct."""
    comes = situation.picture_at_s is not None and at_s - situation.picture_at_s <= FLOWS_S
    if not comes:
        return replace(before, calm_since_s=None, look_again_s=at_s + LOOK_S)
    since_s = at_s if before.calm_since_s is None else before.calm_since_s
    if at_s - since_s < before.calm_s:
        return replace(before, calm_since_s=since_s, look_again_s=min(at_s + LOOK_S, since_s + before.calm_s))
    return replace(_told(before, at_s, Mode.DIRECT, None), look_again_s=at_s + NO_VIDEO_S, returned_s=at_s)
