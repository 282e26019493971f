"""One viewer: decides which of a camera's streams a client gets, and changes it without a black picture.

Decisions are synchronous and made in whichever task brings the news: the client's (what it wants) or the hub's (a
segment begins, the state changes).  A change of stream is prepared beside what is shown, and takes over with its first
key frame.  So is a change between direct and transcoded: it takes over with the first JPEG.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.choice import Admission
from appliance.media.masks import NO_MASK
from appliance.serve.frames import text_frame
from appliance.sites.source import Trouble
from appliance.streams import messages
from appliance.streams.choosing import Chooser, Refused, Unplayable
from appliance.streams.network import Network
from appliance.streams.slots import Slot, announcement, announcement_of_pictures
from appliance.streams.ways import for_slow_client

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.media.ladder import Rung
    from appliance.media.units import AudioFormat, Run, VideoFormat
    from appliance.serve.outlet import Outlet
    from appliance.sites.cameras import Camera
    from appliance.streams.choosing import Chosen, Policy
    from appliance.streams.directory import Directory
    from appliance.streams.hub import Hub, Segment
    from appliance.streams.messages import Stats, Want
    from appliance.streams.network import Ways
    from appliance.streams.renditions import Rendition
    from appliance.streams.transcoder import Transcoder
    from appliance.streams.transcoders import Transcoders

#: A larger stream that the network may or may not carry is begun early in its group of pictures, as little as that is
#: then sent at once; where it never is early when it is looked at (four times a second), after so many looks.
EARLY_TICKS = TICKS_PER_SECOND * 3 // 10
LOOKS = 40


#: What was announced: a client has to be told anew when any of it changes.
Announced = tuple["Run | None", "VideoFormat", "AudioFormat | None", "Rung | None", str | None, str | None, int | None]


class Viewer:
    """See the module.  Use as a context manager: leaving it lets go of all streams.

    ``only``: the id of the one stream that is chosen from, where the client has chosen itself; it gets what there is.
    ``transcoders`` None: this client gets streams as the camera sends them or none.
    ``announce(slot, segment, audio)`` makes the messages that begin a stretch; live WebSockets use `announcement`.
    ``announce_pictures(slot, rendition, segment, audio)``: the same of what is transcoded.
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
        announce_pictures: Callable[[Slot, Rendition, Segment, bool], list[bytes]] | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self._outlet = outlet
        self._directory = directory
        self._camera = camera
        self._policy = policy
        self._transcoders = transcoders
        self._chooser = Chooser(directory, camera, policy, only=only, transcodes=transcoders is not None)
        self._announce = announce or announcement
        self._announce_pictures = announce_pictures or announcement_of_pictures
        self._tell = tell or (lambda text: outlet.control(text_frame(text)))
        self._want: Want | None = None
        self._current: Slot | None = None  # what is sent
        self._next: Slot | None = None  # what will be, from its next beginning on
        self._sending = False
        self._announced: Announced | None = None
        self._status: tuple[str, str | None] = ("", None)
        self._network = Network(outlet)
        self._ways: Ways | None = None

    def __enter__(self) -> Viewer:
        return self

    def __exit__(self, *exc: object) -> None:
        self._let_go()

    def want(self, want: Want) -> None:
        """The client says what it can show and would like."""
        if self._want is None or want.codecs != self._want.codecs:
            self._chooser.forget()
        self._want = want
        self.decide()

    def camera_changed(self, camera: Camera) -> None:
        """The camera was configured anew."""
        self._camera = self._chooser.camera = camera
        self._chooser.forget()
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

    @property
    def is_transcoded(self) -> bool:
        """Whether what is sent is made here."""
        return self._sending and self._current is not None and self._current.rendition is not None

    def hear(self, stats: Stats) -> None:
        """What the client says of itself, once a second."""
        self._network.hear(stats)
        self.decide()
        if stats.tell:
            self._tell(messages.network(self._network.told(self._at) | {"level": self._policy.level}))

    def look(self, now: float) -> bool:
        """See whether the client's network carries what is sent; whether to look again in a quarter of a second."""
        is_awaited = False
        if self._next is not None and self._next.looks and self._want is not None and not self._want.paused:
            is_awaited = True
            self._begin_if_possible(self._next)
        current = self._current
        if not self._sending or current is None or self._network.rests(now):
            return is_awaited
        picture_bytes = None if current.rendition is None else current.rendition.mean_bytes
        if self._network.look(now, self._at, picture_bytes):
            self.decide()
        return True

    def decide(self) -> None:
        """Choose again: something that matters may have changed."""
        want = self._want
        if want is None:
            return
        if want.paused:
            self._pause()
            self._hear(wanted=False)
            if not self._hears:
                self._outlet.silence()
            return
        if self._sending and self._current is not None and not self._may_show(self._current):
            self._stop_sending()  # now, and nothing of what waits: the masked picture takes a moment
            self._outlet.forget()
        self._choose_slots(want)
        if self._outlet.audio and not self._hears:
            self._fall_silent()
        self._hear(wanted=self._hears)

    @property
    def _hears(self) -> bool:
        """Whether this client wants sound and may have it."""
        return self._want is not None and self._want.audio and self._policy.may_hear

    def _hear(self, *, wanted: bool) -> None:
        """Say to the hubs whether this client wants to hear them."""
        for slot in (self._current, self._next):
            if slot is not None:
                slot.hear(wanted=wanted)

    def _fall_silent(self) -> None:
        """No sound goes out from now on, however long it takes until what was chosen instead begins."""
        current = self._current
        if self._sending and current is not None and current.rendition is None:
            if self._policy.may_hear:
                return  # it is not wanted: that does no harm until then, and beginning again costs a group of pictures
            if current.hub.segment is not None and current.hub.ring.fragments:
                self._begin(current)
        if self._outlet.audio:
            self._stop_sound()

    def _stop_sound(self) -> None:
        """What is announced goes on without; with it again when it is announced anew."""
        self._outlet.silence()
        self._announced = None
        if self._current is not None:
            self._current.hub.sound_fanout.remove(self._outlet)

    def _choose_slots(self, want: Want) -> None:
        chosen = self._choose(want)
        if chosen is None:
            return
        self._ways = self._chooser.ways(want, chosen)
        steps = self._network.step(self._ways)
        chosen = self._ways.options[steps]
        if steps and self._network.is_client_slow:
            chosen = for_slow_client(chosen)
        if self._current is not None and self._current.is_near(chosen):
            self._current.follow(chosen, steps)
            if self._next is not None:
                self._next.close()
                self._next = None
            self._begin_if_possible(self._current)
            return
        if self._next is None or not self._next.is_near(chosen):
            before, self._next = self._next, self._hold(chosen)
            if before is not None:  # only now: what both need stays open
                before.close()
            if self._current is not None and self._current.steps > steps and chosen.plan is None:
                self._next.looks = LOOKS
        self._next.follow(chosen, steps)
        self._begin_if_possible(self._next)

    # --- called by hubs -----------------------------------------------------------------------------------------

    def may_begin(self, hub: Hub) -> None:
        if self._want is None or self._want.paused:
            return
        if any(
            slot is not None and slot.hub is hub and slot.rendition is not None for slot in (self._next, self._current)
        ):
            self.decide()  # another size, or a codec that the client plays, may have come
            self._check_sound(hub)
        for slot in (self._next, self._current):
            if slot is not None and slot.hub is hub and slot.rendition is None:
                self._begin(slot)
                return

    def _check_sound(self, hub: Hub) -> None:
        """Sound that is another than announced is not sent before it was announced: pictures may be long in coming."""
        current, announced, segment = self._current, self._announced, hub.segment
        if current is None or current.hub is not hub or current.rendition is None or announced is None:
            return
        if self._outlet.audio and (segment is None or (announced[0], announced[2]) != (segment.run, segment.audio)):
            self._stop_sound()

    def state_changed(self, hub: Hub) -> None:
        telling = self._current or self._next
        if telling is not None and telling.hub is hub:
            self._tell_state(telling)

    # --- called by transcoders ------------------------------------------------------------------------------------

    def may_show(self, rendition: Rendition) -> None:
        if self._want is None or self._want.paused:
            return
        for slot in (self._next, self._current):
            if slot is not None and slot.rendition is rendition and slot.hub.segment is not None:
                self._begin(slot)
                return

    def transcoder_changed(self, transcoder: Transcoder) -> None:
        telling = self._current or self._next
        if telling is not None and telling.rendition is not None and telling.rendition.transcoder is transcoder:
            self._tell_state(telling)

    # --- inside -------------------------------------------------------------------------------------------------

    @property
    def _at(self) -> int | None:
        """Which of the ways is what is sent."""
        if self._current is None or self._ways is None:
            return None
        return next((n for n, each in enumerate(self._ways.options) if self._current.is_near(each)), None)

    def _tell_state(self, slot: Slot) -> None:
        """How the camera is, or else how the transcoder is."""
        if self._want is None or self._want.paused:
            return
        state = slot.hub.state.value
        if state.state == "ok" and slot.rendition is not None:
            transcoding = slot.rendition.transcoder.state
            self._say(transcoding.state, transcoding.reason)
        else:
            self._say(state.state, state.reason, state.message)

    def _choose(self, want: Want) -> Chosen | None:
        """What this client is to get; None: nothing that there is, and it is told."""
        if not self._chooser.candidates:
            self._say("lost", str(Trouble.UNSUPPORTED_CODEC))
            return None
        chosen = self._chooser.choose(want)
        if isinstance(chosen, Refused):
            self._let_go()
            self._say("lost", chosen.reason)
            return None
        if isinstance(chosen, Unplayable):
            codec = "" if chosen.video is None else chosen.video.codec_string
            self._say("lost", str(chosen.why), chosen.message, codec=codec)
            return None
        return chosen

    def _may_show(self, slot: Slot) -> bool:
        """Whether all that this user may not see is hidden in it."""
        return self._policy.mask in (NO_MASK, slot.mask)

    def _let_go(self) -> None:
        self._stop_sending()
        for slot in (self._current, self._next):
            if slot is not None:
                slot.close()
        self._current = self._next = None

    def _hold(self, chosen: Chosen) -> Slot:
        holds = ExitStack()
        hub = holds.enter_context(self._directory.lease(self._camera, chosen.stream))
        holds.enter_context(hub.subscription(self))
        slot = Slot(chosen.stream, chosen.reason, hub, holds, plan=chosen.plan)
        slot.follow(chosen, 0)
        if chosen.plan is not None:
            assert self._transcoders is not None
            transcoder = holds.enter_context(self._transcoders.lease(hub))
            slot.rendition = holds.enter_context(transcoder.joined(chosen.plan.rung, self, chosen.plan.why))
        return slot

    def _begin_if_possible(self, slot: Slot) -> None:
        """Begin with the burst, or the newest JPEG, where there is one; else when the hub or transcoder says so."""
        if not self._may_show(slot):
            return  # it was opened to see what it is, and is not sent as it is
        if slot.rendition is not None:
            if slot.rendition.latest is not None and slot.hub.segment is not None:
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
        if not self._may_show(slot):
            self.decide()  # the mask is newer than what was chosen
            return
        if slot.rendition is not None:
            self._begin_pictures(slot, slot.rendition, segment)
            return
        if not self._sending and self._chooser.is_transcoded:
            self.decide()  # it was opened to see what it is
            return
        if self._chooser.admit(want, segment.video) is not Admission.YES:
            self._chooser.came(slot.stream.id, segment.video)
            self._refuse(slot)
            return
        audio = self._hears
        announced = (segment.run, segment.video, segment.variant(audio=audio), None, slot.reason, None, None)
        if slot is self._current and self._sending and announced == self._announced:
            return  # sound joined or left, and this client does not hear it
        self._take_over(slot)
        self._outlet.audio = segment.variant(audio=audio) is not None
        self._outlet.begin(self._announce(slot, segment, audio), slot.hub.burst())
        self._announced = announced
        slot.hub.fanout.add(self._outlet)
        self._sending = True

    def _begin_pictures(self, slot: Slot, rendition: Rendition, segment: Segment) -> None:
        audio = segment.variant(audio=self._hears)
        run = None if audio is None else segment.run  # pictures bring their time, sound counts from the run's zero
        announced = (run, segment.video, audio, rendition.rung, slot.reason, slot.cause, slot.level)
        if slot is self._current and self._sending and announced == self._announced:
            return
        if rendition.latest is None:
            return  # it is announced with its first picture
        self._take_over(slot)
        self._outlet.audio = audio is not None
        self._outlet.begin(self._announce_pictures(slot, rendition, segment, audio is not None), [rendition.latest])
        self._announced = announced
        rendition.fanout.add(self._outlet)
        if audio is not None:
            slot.hub.sound_fanout.add(self._outlet)
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

    def _pause(self) -> None:
        """Send nothing.  What is pulled stays warm; what is decoded for this client only would be for nobody."""
        self._stop_sending()
        if self._next is not None and self._next.rendition is not None:
            self._next.close()
            self._next = None
        if self._current is not None and self._current.rendition is not None:
            self._current.close()
            self._current = None

    def _stop_sending(self) -> None:
        if self._sending and self._current is not None:
            current = self._current
            fanout = current.hub.fanout if current.rendition is None else current.rendition.fanout
            fanout.remove(self._outlet)
            current.hub.sound_fanout.remove(self._outlet)
        self._sending = False
        self._announced = None

    def _say(self, state: str, reason: str | None, message: str = "", *, codec: str = "") -> None:
        if (state, reason) != self._status:
            self._status = (state, reason)
            self._tell(messages.status(state, reason, message if self._policy.may_know else "", codec=codec))
