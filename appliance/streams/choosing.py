"""Which of a camera's streams a client gets, and direct or transcoded: the rules of `appliance.media` at work."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

import trio

from appliance.media.adaptive import Wish, choose
from appliance.media.cheapest import cheapest
from appliance.media.choice import Admission, admits
from appliance.media.delivery import Mode, Situation, begin, follow
from appliance.media.ladder import Limit, shown_size
from appliance.media.offer import Offer, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.media.adaptive import Choice
    from appliance.media.cheapest import Plan
    from appliance.media.delivery import Delivery
    from appliance.media.ladder import Rung
    from appliance.media.units import VideoFormat
    from appliance.sites.cameras import Camera, StreamConfig
    from appliance.streams.directory import Directory
    from appliance.streams.messages import Want

#: Codecs as people know them.
_NAMES = {"h264": "H.264", "h265": "H.265", "mpeg4": "MPEG-4", "mjpeg": "MJPEG"}
_STATES = {"ok": State.OK, "waiting": State.WAITING, "lost": State.LOST}


class Policy(Protocol):
    """What the administrator's settings and the user's rights say, asked anew at each decision."""

    @property
    def adaptive(self) -> bool: ...

    @property
    def may_hear(self) -> bool: ...

    @property
    def may_know(self) -> bool:
        """Whether the client is told in words what is wrong: they hold the camera's address."""
        ...

    @property
    def limit(self) -> Limit:
        """What transcoded pictures may be at most (row PER-2)."""
        ...


class Chosen(NamedTuple):
    """``plan`` None: direct."""

    stream: StreamConfig
    reason: str | None
    plan: Plan | None = None

    @property
    def rung(self) -> Rung | None:
        return None if self.plan is None else self.plan.rung


class Unplayable(NamedTuple):
    """The client can play nothing that there is."""

    video: VideoFormat  # what is nearest to being played
    why: Admission

    @property
    def message(self) -> str:
        """In English, for administrators."""
        name = _NAMES.get(self.video.codec, self.video.codec)
        size = f" of {self.video.width}x{self.video.height}" if self.why is Admission.LEVEL else ""
        return f"The camera sends {name}{size} ({self.video.codec_string}), which this client does not play."


class Chooser:
    """For one viewer of a camera.  ``only``: the id of the one stream that is chosen from, whatever it is.

    ``transcodes``: whether this client can be sent JPEG.
    """

    def __init__(
        self, directory: Directory, camera: Camera, policy: Policy, *, only: str | None, transcodes: bool
    ) -> None:
        self.camera = camera
        self._directory = directory
        self._policy = policy
        self._only = only
        self._transcodes = transcodes
        self._delivery: Delivery | None = None
        self._unplayable: dict[str, VideoFormat] = {}  # by stream id: what came, where it is not what was known

    @property
    def candidates(self) -> list[StreamConfig]:
        """The camera's streams that may be sent."""
        return [stream for stream in self.camera.streams if self._only in (None, stream.id)]

    @property
    def is_transcoded(self) -> bool:
        """Whether what was chosen last is."""
        return self._transcodes and self._delivery is not None and self._delivery.mode is Mode.TRANSCODED

    def admit(self, want: Want, video: VideoFormat) -> Admission:
        """Whether the client plays this."""
        return Admission.YES if self._only is not None else admits(want.codecs, video.codec_string)

    def came(self, stream_id: str, video: VideoFormat) -> None:
        """This came of a stream, and the client cannot play it."""
        self._unplayable[stream_id] = video

    def forget(self) -> None:
        """What could not be played may be playable now."""
        self._unplayable.clear()

    def choose(self, want: Want) -> Chosen | Unplayable:
        """The best that this client can play, and why it is no better."""
        streams = self.candidates
        videos = [self._known(stream.id) for stream in streams]
        admissions = [Admission.YES if video is None else self.admit(want, video) for video in videos]
        offers = [self._offer(stream, video) for stream, video in zip(streams, videos, strict=True)]
        wish = Wish(
            tile=(want.width, want.height) if want.width and want.height else None,
            zoomed=want.zoom,
            sound=want.audio and self._policy.may_hear,
            adaptive=self._policy.adaptive,
        )
        choice = choose(offers, admissions, wish)
        delivery = self._deliver(want, choice, streams)
        if self.is_transcoded:
            return self._plan(want, streams, offers, str(delivery.reason))
        if choice.stream is not None:
            return Chosen(streams[choice.stream], choice.reason)
        nearest = next((n for n, each in enumerate(admissions) if each is Admission.LEVEL), 0)
        video = videos[nearest]
        assert video is not None  # what is not known is taken to play
        return Unplayable(video, admissions[nearest])

    def _deliver(self, want: Want, choice: Choice, streams: Sequence[StreamConfig]) -> Delivery:
        """Direct or transcoded.  That a camera is lost or brings no picture is no reason: JPEG is made of the same."""
        now = trio.current_time()
        situation = Situation(want.mode, picture_at_s=now)
        if choice.stream is None:
            situation = replace(situation, admission=Admission(choice.reason or Admission.CODEC))
        else:
            situation = replace(situation, fps=self._directory.facts(streams[choice.stream].id).measured.fps)
        self._delivery = begin(now, situation) if self._delivery is None else follow(self._delivery, now, situation)
        return self._delivery

    def _plan(self, want: Want, streams: Sequence[StreamConfig], offers: Sequence[Offer], reason: str) -> Chosen:
        """The way to JPEG that costs least; a stream that nothing is known of is opened to see what it is."""
        tile = (want.width, want.height) if want.width or want.height else None
        states = [self._state(stream.id) for stream in streams]
        there = [replace(offer, state=state) for offer, state in zip(offers, states, strict=True)]
        plan = cheapest(there, tile, want.fps, zoomed=want.zoom, limit=self._policy.limit)
        if plan is None:
            return Chosen(streams[0], None)
        return Chosen(streams[plan.stream], reason, plan)

    def _state(self, stream_id: str) -> State:
        hub = self._directory.hub(stream_id)
        return State.CLOSED if hub is None else _STATES.get(hub.state.value.state, State.CLOSED)

    def _offer(self, stream: StreamConfig, video: VideoFormat | None) -> Offer:
        facts = self._directory.facts(stream.id)
        sound = facts.audio is not None
        if video is None:
            return Offer(sound=sound)
        nominal = None if video.nominal_fps is None else float(video.nominal_fps)
        return Offer(
            size=shown_size(video.width, video.height, video.pixel_aspect),
            codec=video.codec,
            fps=facts.measured.fps or nominal,
            kbps=facts.measured.kbps,
            gop_s=facts.measured.gop_s,
            sound=sound,
        )

    def _known(self, stream_id: str) -> VideoFormat | None:
        """What a stream sends: as it came, where that was not what the directory knew then."""
        video, came = self._directory.facts(stream_id).video, self._unplayable.get(stream_id)
        if came is not None and video is not None and video != came:
            hub = self._directory.hub(stream_id)
            if hub is None or hub.segment is None or hub.segment.video != came:
                del self._unplayable[stream_id]  # the camera sends something else by now
                return video
        return came or video
