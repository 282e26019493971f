"""One viewer: decides which of a camera's streams a client gets, and changes it without a black picture.

Decisions are synchronous and made in whichever task brings the news: the client's (what it wants) or the hub's (a
segment begins, the state changes).  A change of stream is prepared beside what is shown, and takes over with its first
key frame.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.adaptive import Wish, choose
from appliance.media.choice import Admission, admits
from appliance.media.offer import Offer
from appliance.serve.frames import Opcode, frame_header, text_frame
from appliance.sites.source import Trouble
from appliance.streams import messages
from appliance.streams.network import Network

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from appliance.media.units import AudioFormat, VideoFormat
    from appliance.serve.fanout import Outlet
    from appliance.sites.cameras import Camera, StreamConfig
    from appliance.streams.directory import Directory
    from appliance.streams.hub import Hub, Segment
    from appliance.streams.messages import Want


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


@dataclass(eq=False)
class Slot:
    """A stream that this viewer holds open; ``reason`` says why it is not the best, None if it is."""

    stream: StreamConfig
    reason: str | None
    hub: Hub
    holds: ExitStack = field(repr=False)
    steps: int = 0  # so many streams smaller than chosen, for the network's sake
    looks: int = 0  # how often yet it is waited for to be early in its group of pictures

    def close(self) -> None:
        self.holds.close()


#: What was announced: a client has to be told anew when any of it changes.
Announced = tuple[object, "VideoFormat", "AudioFormat | None", str | None]
#: Codecs as people know them.
_NAMES = {"h264": "H.264", "h265": "H.265"}


class Viewer:
    """See the module.  Use as a context manager: leaving it lets go of all streams.

    ``only``: the id of the one stream that is chosen from, where the client has chosen itself; it gets what there is.
    ``announce(slot, segment, audio)`` makes the messages that begin a stretch; live WebSockets use `announcement`.
    """

    def __init__(
        self,
        outlet: Outlet,
        directory: Directory,
        camera: Camera,
        policy: Policy,
        *,
        only: str | None = None,
        announce: Callable[[Slot, Segment, bool], list[bytes]] | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self._outlet = outlet
        self._directory = directory
        self._camera = camera
        self._policy = policy
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
        if want is not None and current is not None and self._sending and self._next is None:
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
        stream, reason = chosen
        steps = 0
        if self._policy.adaptive:
            stream, steps = self._network.carried(stream, self._candidates(), want.codecs)
            reason = "bandwidth" if steps else reason
        if self._current is not None and self._current.stream.id == stream.id:
            self._current.reason, self._current.steps = reason, steps
            if self._next is not None:
                self._next.close()
                self._next = None
            self._begin_if_possible(self._current)
            return
        if self._next is None or self._next.stream.id != stream.id:
            if self._next is not None:
                self._next.close()
            self._next = self._hold(stream, reason)
            if self._current is not None and self._current.steps > steps:
                self._next.looks = LOOKS
        self._next.reason, self._next.steps = reason, steps
        self._begin_if_possible(self._next)

    # --- called by hubs -----------------------------------------------------------------------------------------

    def may_begin(self, hub: Hub) -> None:
        for slot in (self._next, self._current):
            if slot is not None and slot.hub is hub and self._want is not None and not self._want.paused:
                self._begin(slot)
                return

    def state_changed(self, hub: Hub) -> None:
        if self._want is None or self._want.paused:
            return
        telling = self._current or self._next
        if telling is not None and telling.hub is hub:
            state = hub.state.value
            self._say(state.state, state.reason, state.message)

    # --- inside -------------------------------------------------------------------------------------------------

    def _choose(self, want: Want) -> tuple[StreamConfig, str | None] | None:
        """The best stream that this client can play, and why it is no better; None: it can play none, and is told."""
        streams = self._candidates()
        if want.mode == "transcoded" or not streams:
            self._say("lost", str(Trouble.UNSUPPORTED_CODEC))
            return None
        videos = [self._known(stream.id) for stream in streams]
        admissions = [Admission.YES if video is None else self._admit(want, video) for video in videos]
        offers = [
            Offer(None if video is None else (video.width, video.height), sound=self._has_sound(stream))
            for stream, video in zip(streams, videos, strict=True)
        ]
        wish = Wish(
            tile=(want.width, want.height) if want.width and want.height else None,
            zoomed=want.zoom,
            sound=want.audio and self._policy.may_hear,
            adaptive=self._policy.adaptive,
        )
        choice = choose(offers, admissions, wish)
        if choice.stream is None:
            self._say_unplayable(videos, admissions)
            return None
        return streams[choice.stream], choice.reason

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

    def _hold(self, stream: StreamConfig, reason: str | None) -> Slot:
        holds = ExitStack()
        hub = holds.enter_context(self._directory.lease(self._camera, stream))
        holds.enter_context(hub.subscription(self))
        return Slot(stream, reason, hub, holds)

    def _begin_if_possible(self, slot: Slot) -> None:
        """Begin with the burst, where there is one; else when the hub says so."""
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
        if self._admit(want, segment.video) is not Admission.YES:
            self._unplayable[slot.stream.id] = segment.video
            self._refuse(slot)
            return
        audio = want.audio and self._policy.may_hear
        announced = (segment.run, segment.video, segment.variant(audio=audio), slot.reason)
        if slot is self._current and self._sending and announced == self._announced:
            return  # sound joined or left, and this client does not hear it
        self._stop_sending()
        if slot is not self._current:
            if self._current is not None:
                self._current.close()
            self._current, self._next = slot, None
        if self._status[0] not in ("", "ok"):
            self._say("ok", None)
        self._outlet.audio = segment.variant(audio=audio) is not None
        self._outlet.begin(self._announce(slot, segment, audio), slot.hub.burst())
        self._announced = announced
        slot.hub.fanout.add(self._outlet)
        self._sending = True

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
            self._current.hub.fanout.remove(self._outlet)
        self._sending = False
        self._announced = None

    def _say(self, state: str, reason: str | None, message: str = "", *, codec: str = "") -> None:
        if (state, reason) != self._status:
            self._status = (state, reason)
            self._tell(messages.status(state, reason, message if self._policy.may_know else "", codec=codec))


def announcement(slot: Slot, segment: Segment, audio: bool) -> list[bytes]:
    """The ``stream`` message and the init segment, framed."""
    measured = slot.hub.measured
    nominal = segment.video.nominal_fps
    text = messages.stream(
        {
            "mode": "direct",
            "mime": segment.mime(audio=audio),
            "stream": slot.stream.name,
            "width": segment.video.width,
            "height": segment.video.height,
            "fps": measured.fps or (None if nominal is None else round(float(nominal), 2)),
            "reason": slot.reason,
            "utc_zero": segment.run.utc_zero,
        }
    )
    init = segment.init(audio=audio)
    return [text_frame(text), frame_header(len(init), Opcode.BINARY) + init]
