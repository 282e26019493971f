"""Which of a camera's streams a client gets, and direct or transcoded: the rules of `appliance.media` at work."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import trio

from appliance.media.adaptive import StreamMode, Wish, choose
from appliance.media.cheapest import Plan, cheapest
from appliance.media.choice import Admission, admits
from appliance.media.delivery import Mode, Reason, Situation, begin, follow
from appliance.media.ladder import NO_LIMIT, Limit, shown_size
from appliance.media.offer import Offer, State
from appliance.streams.ways import best_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.media.adaptive import Choice
    from appliance.media.delivery import Delivery
    from appliance.media.ladder import Rung, Size
    from appliance.media.masks import Mask
    from appliance.media.units import VideoFormat
    from appliance.sites.cameras import StreamConfig
    from appliance.streams.directory import StreamFacts
    from appliance.streams.hub import Hub
    from appliance.streams.messages import Want
    from appliance.streams.network import Ways

#: Codecs as people know them.
_NAMES = {"h264": "H.264", "h265": "H.265", "mpeg4": "MPEG-4", "mjpeg": "MJPEG"}
#: Why nothing is sent directly to whoever wants nothing else, whatever it plays.
_NEVER_DIRECT = {
    Reason.OFF: "Direct streaming is switched off.",
    Reason.REVERSE: "Players do not play backwards.",
    Reason.SPEED: "Players do not play so fast.",
}
#: A camera's rate as measured is another one if it differs by so much.
ANOTHER_RATE = 0.1
_STATES = {"ok": State.OK, "waiting": State.WAITING, "lost": State.LOST}


class Policy(Protocol):
    """What the administrator's settings and the user's rights say, asked anew at each decision."""

    @property
    def adaptive(self) -> bool: ...

    @property
    def mode(self) -> StreamMode:
        """How streams are chosen (row ADA-2)."""
        ...

    @property
    def direct(self) -> bool:
        """Whether streams may be sent as they come from the camera."""
        ...

    @property
    def may_hear(self) -> bool: ...

    @property
    def may_know(self) -> bool:
        """Whether the client is told in words what is wrong: they hold the camera's address."""
        ...

    @property
    def mask(self) -> Mask:
        """What may not be seen of the camera; empty: its video may be sent as it is."""
        ...

    @property
    def limit(self) -> Limit:
        """What transcoded pictures may be at most (rows PER-2, PER-3)."""
        ...

    @property
    def level(self) -> int:
        """Whose limit that is: 1, or 2 or 3 while the server is busy."""
        ...


class Streams(Protocol):
    """What has streams: a camera."""

    @property
    def streams(self) -> tuple[StreamConfig, ...]: ...


class Knowledge(Protocol):
    """What is known of streams: `appliance.streams.directory.Directory` of what comes."""

    def facts(self, stream_id: str, /) -> StreamFacts: ...

    def hub(self, stream_id: str, /) -> Hub | None: ...


class Chosen(NamedTuple):
    """``plan`` None: direct.  ``reason``: why it is no better; ``cause``: why it is transcoded, None if it is not.

    ``level``: whose limit makes it smaller or slower; None: none does.
    """

    stream: StreamConfig
    reason: str | None
    plan: Plan | None = None
    cause: str | None = None
    level: int | None = None

    @property
    def rung(self) -> Rung | None:
        return None if self.plan is None else self.plan.rung

    def hiding(self, mask: Mask) -> Chosen:
        """The same with a mask burned in, where it is transcoded."""
        if self.plan is None or self.plan.rung.mask == mask:
            return self
        return self._replace(plan=replace(self.plan, rung=replace(self.plan.rung, mask=mask)))


class Unplayable(NamedTuple):
    """The client can play nothing that there is, or may not."""

    why: Admission | Reason
    video: VideoFormat | None = None  # what is nearest to being played

    @property
    def message(self) -> str:
        """In English, for administrators."""
        if self.video is None:
            return _NEVER_DIRECT.get(Reason(self.why), "")
        name = _NAMES.get(self.video.codec, self.video.codec)
        size = f" of {self.video.width}x{self.video.height}" if self.why is Admission.LEVEL else ""
        return f"The camera sends {name}{size} ({self.video.codec_string}), which this client does not play."


class Refused(NamedTuple):
    """There is something to see, and this client may not have it as it would."""

    reason: str


class Chooser:
    """For one viewer of a camera.  ``only``: the id of the one stream that is chosen from, whatever it is.

    ``transcodes``: whether this client can be sent JPEG.  ``speed``: of what was recorded.
    """

    def __init__(
        self, directory: Knowledge, camera: Streams, policy: Policy, *, only: str | None, transcodes: bool
    ) -> None:
        self.camera = camera
        self.speed = 1.0
        self._directory = directory
        self._policy = policy
        self._only = only
        self._transcodes = transcodes
        self._delivery: Delivery | None = None
        self._rates: dict[str, float] = {}  # what was measured, but not every change of a hundredth
        self._seen: list[tuple[StreamConfig, Admission, Offer]] = []  # at the last choice
        self._ways: tuple[tuple[Any, ...], Mask, Ways] | None = None  # for what was asked last
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

    def choose(self, want: Want) -> Chosen | Unplayable | Refused:
        """The best that this client can play, and why it is no better."""
        streams = self.candidates
        videos = [self._known(stream.id) for stream in streams]
        admissions = [Admission.YES if video is None else self.admit(want, video) for video in videos]
        offers = [self._offer(stream, video) for stream, video in zip(streams, videos, strict=True)]
        self._seen = list(zip(streams, admissions, offers, strict=True))
        wish = Wish(
            tile=(want.width, want.height) if want.width and want.height else None,
            zoomed=want.zoom,
            sound=want.audio and self._policy.may_hear,
            adaptive=self._policy.adaptive,
            mode=self._policy.mode,
        )
        choice = choose(offers, admissions, wish)
        delivery = self._deliver(want, choice, streams)
        if self.is_transcoded:
            return self._plan(want, streams, offers, str(delivery.reason))
        if self._policy.mask:  # what is not transcoded is not masked
            return Refused(Reason.MASK)
        if delivery.mode is Mode.NONE and delivery.reason in _NEVER_DIRECT:
            return Unplayable(delivery.reason)
        if choice.stream is not None:
            return Chosen(streams[choice.stream], choice.reason)
        nearest = next((n for n, each in enumerate(admissions) if each is Admission.LEVEL), 0)
        video = videos[nearest]
        assert video is not None  # what is not known is taken to play
        return Unplayable(admissions[nearest], video)

    def ways(self, want: Want, chosen: Chosen) -> Ways:
        """What this client may be sent where its network is too slow for what was chosen just now, the best first."""
        own = next(offer for stream, _, offer in self._seen if stream.id == chosen.stream.id)
        streams, offers = [chosen.stream], [own]
        if chosen.plan is None and self._policy.adaptive and self._only is None:
            for stream, admission, offer in self._seen:
                if stream.id != chosen.stream.id and offer.size is not None and admission is Admission.YES:
                    streams.append(stream)
                    offers.append(offer)
        may_make = chosen.plan is not None or (self._transcodes and self._policy.adaptive and want.mode == "auto")
        asked = (chosen, streams, offers, _tile(want), want.fps, self._policy.limit if may_make else None)
        mask = self._policy.mask
        if self._ways is None or self._ways[:2] != (asked, mask):  # asked again and again, seldom of anything new
            ways = best_first(*asked)
            hidden = tuple(option.hiding(mask) for option in ways.options)  # last, whatever it was chosen for
            self._ways = (asked, mask, ways._replace(options=hidden))
        return self._ways[2]

    def _deliver(self, want: Want, choice: Choice, streams: Sequence[StreamConfig]) -> Delivery:
        """Direct or transcoded.  That a camera is lost or brings no picture is no reason: JPEG is made of the same."""
        now = trio.current_time()
        allowed = self._policy.direct or self._only is not None
        situation = Situation(want.mode, allowed=allowed, masked=bool(self._policy.mask), picture_at_s=now)
        situation = replace(situation, speed=self.speed)
        if choice.stream is None:
            situation = replace(situation, admission=Admission(choice.reason or Admission.CODEC))
        else:
            situation = replace(situation, fps=self._directory.facts(streams[choice.stream].id).measured.fps)
        self._delivery = begin(now, situation) if self._delivery is None else follow(self._delivery, now, situation)
        return self._delivery

    def _plan(self, want: Want, streams: Sequence[StreamConfig], offers: Sequence[Offer], reason: str) -> Chosen:
        """The way to JPEG that costs least; a stream that nothing is known of is opened to see what it is."""
        states = [self._state(stream.id) for stream in streams]
        there = [replace(offer, state=state) for offer, state in zip(offers, states, strict=True)]
        mode = self._policy.mode if self._policy.adaptive else StreamMode.QUALITY
        limit, level, masked = self._policy.limit, self._policy.level, bool(self._policy.mask)
        sound = want.audio and self._policy.may_hear

        def plan_within(limit: Limit) -> Plan | None:
            return cheapest(
                there, _tile(want), want.fps, zoomed=want.zoom, mode=mode, masked=masked, sound=sound, limit=limit
            )

        plan = plan_within(limit)
        if plan is None:
            return Chosen(streams[0], None, cause=reason)
        unlimited = plan_within(NO_LIMIT)
        limited = unlimited is not None and unlimited.rung != plan.rung
        told = str(Reason.LEVEL) if limited and level > 1 else reason
        return Chosen(streams[plan.stream], told, plan, cause=reason, level=level if limited else None)

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
            fps=self._steady(f"fps {stream.id}", facts.measured.fps or nominal),
            kbps=self._steady(f"kbps {stream.id}", facts.measured.kbps),
            gop_s=facts.measured.gop_s,
            sound=sound,
        )

    def _steady(self, what: str, rate: float | None) -> float | None:
        """The rate as it was measured before, as long as it is about the same: what is sent is chosen by it."""
        before = self._rates.get(what)
        if rate is None:
            return before
        if before is None or abs(rate - before) > ANOTHER_RATE * before:
            self._rates[what] = rate
        return self._rates[what]

    def _known(self, stream_id: str) -> VideoFormat | None:
        """What a stream sends: as it came, where that was not what the directory knew then."""
        video, came = self._directory.facts(stream_id).video, self._unplayable.get(stream_id)
        if came is not None and video is not None and video != came:
            hub = self._directory.hub(stream_id)
            if hub is None or hub.segment is None or hub.segment.video != came:
                del self._unplayable[stream_id]  # the camera sends something else by now
                return video
        return came or video


def _tile(want: Want) -> Size | None:
    return (want.width, want.height) if want.width or want.height else None
