"""One viewer: decides which of a camera's streams a client gets, and changes it without a black picture.

Decisions are synchronous and made in whichever task brings the news: the client's (what it wants) or the hub's (a
segment begins, the state changes).  A change of stream is prepared beside what is shown, and takes over with its first
key frame.  So is a change between direct and transcoded: it takes over with the first JPEG.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.adaptive import Wish, choose
from appliance.media.cheapest import USUAL_FPS, cheapest
from appliance.media.choice import Admission, admits
from appliance.media.delivery import Mode, Situation, begin, follow
from appliance.media.ladder import Limit, shown_size
from appliance.media.offer import Offer, State
from appliance.serve.frames import Opcode, frame_header, text_frame
from appliance.sites.source import Trouble
from appliance.streams import messages
from appliance.streams.network import Network

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from appliance.media.adaptive import Choice
    from appliance.media.cheapest import Plan
    from appliance.media.delivery import Delivery
    from appliance.media.ladder import Rung
    from appliance.media.units import AudioFormat, VideoFormat
    from appliance.serve.fanout import Outlet
    from appliance.sites.cameras import Camera, StreamConfig
    from appliance.streams.directory import Directory
    from appliance.streams.hub import Hub, Segment
    from appliance.streams.messages import Want
    from appliance.streams.transcoder import Level, Transcoder
    from appliance.streams.transcoders import Transcoders

#: A larger stream that the network may or may not carry is begun early in its group of pictures, as little as that is
#: then sent at once; where it never is early when it is looked at (once a second), after so many looks.
EARLY_TICKS = TICKS_PER_SECOND * 3 // 10
LOOKS = 10


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


@dataclass(eq=False)
class Slot:
    """A stream that this viewer holds open; ``reason`` says why it is not the best, None if it is.

    ``level``: where it is transcoded, the rung that this viewer gets; ``plan`` says how it came to that.
    """

    stream: StreamConfig
    reason: str | None
    hub: Hub
    holds: ExitStack = field(repr=False)
    level: Level | None = None
    plan: Plan | None = None
    steps: int = 0  # so many streams smaller than chosen, for the network's sake
    looks: int = 0  # how often yet it is waited for to be early in its group of pictures

    def close(self) -> None:
        self.holds.close()


class Chosen(NamedTuple):
    """``plan`` None: direct."""

    stream: StreamConfig
    reason: str | None
    plan: Plan | None = None

    @property
    def rung(self) -> Rung | None:
        return None if self.plan is None else self.plan.rung


#: What was announced: a client has to be told anew when any of it changes.
Announced = tuple[object, "VideoFormat", "AudioFormat | Rung | None", str | None]
#: Codecs as people know them.
_NAMES = {"h264": "H.264", "h265": "H.265", "mjpeg": "MJPEG"}
_STATES = {"ok": State.OK, "waiting": State.WAITING, "lost": State.LOST}
#: Rates so near to each other are one: they are measured.
SAME_RATE = 0.1


class Viewer:
    """See the module.  Use as a context manager: leaving it lets go of all streams.

    ``only``: the id of the one stream that is chosen from, where the client has chosen itself; it gets what there is.
    ``transcoders`` None: this client gets streams as the camera sends them or none.
    ``announce(slot, segment, audio)`` makes the messages that begin a stretch; live WebSockets use `announcement`.
    """

    def __init__(
        self,
        outlet: Outlet,
        directory: Directory,
        camera: Camera,
        policy: Policy,
        transcoders: Transcoders | None = None,
        *,
        only: str | None = None,
        announce: Callable[[Slot, Segment, bool], list[bytes]] | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self._outlet = outlet
        self._directory = directory
        self._camera = camera
        self._policy = policy
        self._transcoders = transcoders
        self._only = only
        self._announce = announce or announcement
        self._tell = tell or (lambda text: outlet.control(text_frame(text)))
        self._want: Want | None = None
        self._current: Slot | None = None  # what is sent
        self._next: Slot | None = None  # what will be, from its next beginning on
        self._sending = False
        self._announced: Announced | None = None
        self._unplayable: dict[str, VideoFormat] = {}  # by stream id: what came, where it is not what was known
        self._status: tuple[str, str | None] = ("", None)
        self._network = Network(outlet, directory)
        self._delivery: Delivery | None = None

    def __enter__(self) -> Viewer:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop_sending()
        for slot in (self._current, self._next):
            if slot is not None:
                slot.close()
        self._current = self._next = None

    def want(self, want: Want) -> None:
        """The client says what it can show and would like."""
        if self._want is None or want.codecs != self._want.codecs:
            self._unplayable.clear()
        self._want = want
        self.decide()

    def camera_changed(self, camera: Camera) -> None:
        """The camera was configured anew."""
        self._camera = camera
        self._unplayable.clear()
        kept = {stream.id for stream in camera.streams}
        if self._next is not None and self._next.stream.id not in kept:
            self._next.close()
            self._next = None
        if self._current is not None and self._current.stream.id not in kept:
            self._stop_sending()
            self._current.close()
            self._current = None
        self.decide()

    @property
    def showing(self) -> Slot | None:
        """What is sent, for the list of active users."""
        return self._current if self._sending else None

    def look_at_network(self, now: float) -> None:
        """See whether the client's network carries what is sent; to be called about once a second, before `decide`."""
        want, current = self._want, self._current
        if want is None or current is None or current.level is not None:
            return
        if self._sending and self._next is None:
            self._network.look(now, current.stream, self._candidates(), want.codecs)

    def decide(self) -> None:
        """Choose again: something that matters may have changed."""
        want = self._want
        if want is None:
            return
        if want.paused:
            self._stop_sending()
            return
        chosen = self._choose(want)
        if chosen is None:
            return
        steps = 0
        if self._policy.adaptive and chosen.plan is None:
            stream, steps = self._network.carried(chosen.stream, self._candidates(), want.codecs)
            chosen = Chosen(stream, "bandwidth" if steps else chosen.reason)
        if self._current is not None and _is_it(self._current, chosen):
            self._current.reason, self._current.steps, self._current.plan = chosen.reason, steps, chosen.plan
            if self._next is not None:
                self._next.close()
                self._next = None
            self._begin_if_possible(self._current)
            return
        if self._next is None or not _is_it(self._next, chosen):
            before, self._next = self._next, self._hold(chosen)
            if before is not None:  # only now: what both need stays open
                before.close()
            if self._current is not None and self._current.steps > steps:
                self._next.looks = LOOKS
        self._next.reason, self._next.steps, self._next.plan = chosen.reason, steps, chosen.plan
        self._begin_if_possible(self._next)

    # --- called by hubs -----------------------------------------------------------------------------------------

    def may_begin(self, hub: Hub) -> None:
        if self._want is None or self._want.paused:
            return
        if any(slot is not None and slot.hub is hub and slot.level is not None for slot in (self._next, self._current)):
            self.decide()  # another size, or a codec that the client plays, may have come
        for slot in (self._next, self._current):
            if slot is not None and slot.hub is hub and slot.level is None:
                self._begin(slot)
                return

    def state_changed(self, hub: Hub) -> None:
        telling = self._current or self._next
        if telling is not None and telling.hub is hub:
            self._tell_state(telling)

    # --- called by transcoders ------------------------------------------------------------------------------------

    def may_show(self, level: Level) -> None:
        for slot in (self._next, self._current):
            if slot is not None and slot.level is level and self._want is not None and not self._want.paused:
                self._begin(slot)
                return

    def transcoder_changed(self, transcoder: Transcoder) -> None:
        telling = self._current or self._next
        if telling is not None and telling.level is not None and telling.level.transcoder is transcoder:
            self._tell_state(telling)

    # --- inside -------------------------------------------------------------------------------------------------

    def _tell_state(self, slot: Slot) -> None:
        """How the camera is, or else how the transcoder is."""
        if self._want is None or self._want.paused:
            return
        state = slot.hub.state.value
        if state.state == "ok" and slot.level is not None:
            transcoding = slot.level.transcoder.state
            self._say(transcoding.state, transcoding.reason)
        else:
            self._say(state.state, state.reason, state.message)

    def _choose(self, want: Want) -> Chosen | None:
        """The best stream that this client can play, and why it is no better; None: it can play none, and is told."""
        streams = self._candidates()
        if not streams:
            self._say("lost", str(Trouble.UNSUPPORTED_CODEC))
            return None
        videos = [self._known(stream.id) for stream in streams]
        admissions = [Admission.YES if video is None else self._admit(want, video) for video in videos]
        offers = [self._offer(stream, video) for stream, video in zip(streams, videos, strict=True)]
        wish = Wish(
            tile=(want.width, want.height) if want.width and want.height else None,
            zoomed=want.zoom,
            sound=want.audio and self._policy.may_hear,
            adaptive=self._policy.adaptive,
        )
        choice = choose(offers, admissions, wish)
        delivery = self._deliver(want, choice, offers)
        if delivery.mode is Mode.TRANSCODED and self._transcoders is not None:
            return self._plan(want, streams, offers, str(delivery.reason))
        if choice.stream is None:
            self._say_unplayable(videos, admissions)
            return None
        return Chosen(streams[choice.stream], choice.reason)

    def _deliver(self, want: Want, choice: Choice, offers: Sequence[Offer]) -> Delivery:
        """Direct or transcoded.  That a camera is lost or brings no picture is no reason: there is one way to it."""
        now = trio.current_time()
        admission = Admission.YES if choice.stream is not None else Admission(choice.reason or Admission.CODEC)
        fps = None if choice.stream is None else offers[choice.stream].fps
        situation = Situation(asked=want.mode, admission=admission, fps=fps, picture_at_s=now)
        self._delivery = begin(now, situation) if self._delivery is None else follow(self._delivery, now, situation)
        return self._delivery

    def _plan(self, want: Want, streams: Sequence[StreamConfig], offers: Sequence[Offer], reason: str) -> Chosen | None:
        """The way to JPEG that costs least; a stream that nothing is known of is opened to see what it is."""
        tile = (want.width, want.height) if want.width or want.height else None
        plan = cheapest(offers, tile, want.fps, zoomed=want.zoom, limit=self._policy.limit)
        if plan is None:
            return Chosen(streams[0], None)
        return Chosen(streams[plan.stream], reason, plan)

    def _offer(self, stream: StreamConfig, video: VideoFormat | None) -> Offer:
        sound = self._has_sound(stream)
        if video is None:
            return Offer(sound=sound)
        measured, hub = self._directory.facts(stream.id).measured, self._directory.hub(stream.id)
        nominal = None if video.nominal_fps is None else float(video.nominal_fps)
        return Offer(
            shown_size(video.width, video.height, video.pixel_aspect),
            video.codec,
            measured.fps or nominal,
            measured.kbps,
            measured.gop_s,
            State.CLOSED if hub is None else _STATES.get(hub.state.value.state, State.CLOSED),
            sound,
        )

    def _has_sound(self, stream: StreamConfig) -> bool:
        return self._directory.facts(stream.id).audio is not None

    def _admit(self, want: Want, video: VideoFormat) -> Admission:
        return Admission.YES if self._only is not None else admits(want.codecs, video.codec_string)

    def _known(self, stream_id: str) -> VideoFormat | None:
        """What a stream sends: as it came, where that was not what the directory knew then."""
        video, came = self._directory.facts(stream_id).video, self._unplayable.get(stream_id)
        if came is not None and video is not None and video != came:
            hub = self._directory.hub(stream_id)
            if hub is None or hub.segment is None or hub.segment.video != came:
                del self._unplayable[stream_id]  # the camera sends something else by now
                return video
        return came or video

    def _say_unplayable(self, videos: Sequence[VideoFormat | None], admissions: Sequence[Admission]) -> None:
        """The stream that is nearest to being played says why it is not."""
        nearest = next((n for n, each in enumerate(admissions) if each is Admission.LEVEL), 0)
        video = videos[nearest]
        assert video is not None
        name = _NAMES.get(video.codec, video.codec)
        size = f"{name} of {video.width}x{video.height}" if admissions[nearest] is Admission.LEVEL else name
        message = f"The camera sends {size} ({video.codec_string}), which this client does not play."
        self._say("lost", str(admissions[nearest]), message, codec=video.codec_string)

    def _candidates(self) -> list[StreamConfig]:
        """The camera's streams that may be sent."""
        return [stream for stream in self._camera.streams if self._only in (None, stream.id)]

    def _hold(self, chosen: Chosen) -> Slot:
        holds = ExitStack()
        hub = holds.enter_context(self._directory.lease(self._camera, chosen.stream))
        holds.enter_context(hub.subscription(self))
        slot = Slot(chosen.stream, chosen.reason, hub, holds, plan=chosen.plan)
        if chosen.rung is not None:
            assert self._transcoders is not None
            transcoder = holds.enter_context(self._transcoders.lease(hub))
            slot.level = holds.enter_context(transcoder.joined(chosen.rung, self))
        return slot

    def _begin_if_possible(self, slot: Slot) -> None:
        """Begin with the burst, or the newest JPEG, where there is one; else when the hub or transcoder says so."""
        if slot.level is not None:
            if slot.level.latest is not None:
                self._begin(slot)
            elif self._current is None or self._current is slot:
                self._tell_state(slot)
            return
        group = slot.hub.ring.fragments
        if slot.hub.segment is not None and group:
            if slot.looks and group[-1].dts - group[0].dts > EARLY_TICKS:
                slot.looks -= 1
            else:
                self._begin(slot)
        elif self._current is None or self._current is slot:
            state = slot.hub.state.value
            if slot.hub.ring.overflowed:
                self._say("waiting", str(Trouble.LONG_GOP))
            elif state.state != "ok":
                self._say(state.state, state.reason, state.message)

    def _begin(self, slot: Slot) -> None:
        segment, want = slot.hub.segment, self._want
        assert segment is not None
        assert want is not None
        if slot.level is not None:
            self._begin_pictures(slot, slot.level, segment)
            return
        if not self._sending and self._delivery is not None and self._delivery.mode is Mode.TRANSCODED:
            self.decide()  # it was opened to see what it is
            return
        if self._admit(want, segment.video) is not Admission.YES:
            self._unplayable[slot.stream.id] = segment.video
            self._refuse(slot)
            return
        audio = want.audio and self._policy.may_hear
        announced = (segment.run, segment.video, segment.variant(audio=audio), slot.reason)
        if slot is self._current and self._sending and announced == self._announced:
            return  # sound joined or left, and this client does not hear it
        self._take_over(slot)
        self._outlet.audio = segment.variant(audio=audio) is not None
        self._outlet.begin(self._announce(slot, segment, audio), slot.hub.burst())
        self._announced = announced
        slot.hub.fanout.add(self._outlet)
        self._sending = True

    def _begin_pictures(self, slot: Slot, level: Level, segment: Segment) -> None:
        announced = (None, segment.video, level.rung, slot.reason)
        if slot is self._current and self._sending and announced == self._announced:
            return
        assert level.latest is not None
        self._take_over(slot)
        self._outlet.audio = False
        self._outlet.begin([announcement_of_pictures(slot, level, segment)], [level.latest])
        self._announced = announced
        level.fanout.add(self._outlet)
        self._sending = True

    def _take_over(self, slot: Slot) -> None:
        """From here on this slot is sent, and no other."""
        self._stop_sending()
        if slot is not self._current:
            before, self._current, self._next = self._current, slot, None
            if before is not None:
                before.close()
        if self._status[0] not in ("", "ok"):
            self._say("ok", None)

    def _refuse(self, slot: Slot) -> None:
        """The client cannot play what came: another stream may do."""
        if slot is self._current:
            self._stop_sending()
            self._current = None
        else:
            self._next = None
        slot.close()
        self.decide()

    def _stop_sending(self) -> None:
        if self._sending and self._current is not None:
            current = self._current
            fanout = current.hub.fanout if current.level is None else current.level.fanout
            fanout.remove(self._outlet)
        self._sending = False
        self._announced = None

    def _say(self, state: str, reason: str | None, message: str = "", *, codec: str = "") -> None:
        if (state, reason) != self._status:
            self._status = (state, reason)
            self._tell(messages.status(state, reason, message if self._policy.may_know else "", codec=codec))


def announcement(slot: Slot, segment: Segment, audio: bool) -> list[bytes]:
    """The ``stream`` message and the init segment, framed."""
    text = messages.stream(
        {
            "mode": "direct",
            "mime": segment.mime(audio=audio),
            "stream": slot.stream.name,
            "width": segment.video.width,
            "height": segment.video.height,
            "fps": _fps(slot.hub),
            "reason": slot.reason,
            "utc_zero": segment.run.utc_zero,
        }
    )
    init = segment.init(audio=audio)
    return [text_frame(text), frame_header(len(init), Opcode.BINARY) + init]


def announcement_of_pictures(slot: Slot, level: Level, segment: Segment) -> bytes:
    """The ``stream`` message of what is transcoded, framed."""
    rung = level.rung
    text = messages.stream(
        {
            "mode": "transcoded",
            "mime": "image/jpeg",
            "stream": slot.stream.name,
            "width": rung.width,
            "height": rung.height,
            "fps": rung.fps or _fps(slot.hub),
            "reason": slot.reason,
            "utc_zero": segment.run.utc_zero,
        }
    )
    return text_frame(text)


def _is_it(slot: Slot, chosen: Chosen) -> bool:
    """Whether the slot is what was chosen, or so near to it that nobody would see a difference."""
    if slot.stream.id != chosen.stream.id:
        return False
    if slot.level is None or chosen.rung is None:
        return slot.level is None and chosen.rung is None
    has, would = slot.level.rung, chosen.rung
    if (has.size, has.quality) != (would.size, would.quality):
        return False
    fps = _fps(slot.hub) or USUAL_FPS
    rates = [fps if rung.fps is None else min(fps, rung.fps) for rung in (has, would)]
    return abs(rates[0] - rates[1]) <= SAME_RATE * rates[1]


def _fps(hub: Hub) -> float | None:
    """As measured, else as the parameter sets say."""
    nominal = None if hub.segment is None else hub.segment.video.nominal_fps
    return hub.measured.fps or (None if nominal is None else round(float(nominal), 2))
