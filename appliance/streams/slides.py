"""Recordings as pictures: decoded in a worker, shown when they are due, at any speed and backwards.

One task makes them, in the order in which they are shown and a little ahead; another sends each at its time.  What
cannot be made in time is left out: pictures are lost, never time.  Sound goes with them where it is heard
(`appliance.streams.soundtrack`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.base.faults import Fault
from appliance.media.cheapest import Pictures
from appliance.media.picture import TIME_SIZE, frame_picture
from appliance.media.steps import picture_bytes
from appliance.recorder.player import GAP
from appliance.serve.frames import Opcode, frame_header
from appliance.streams import announcing, messages
from appliance.streams.darkroom import open_darkroom
from appliance.streams.recorded import fps_of, is_keys_only
from appliance.streams.soundtrack import SPEED, Soundtrack
from appliance.workers.crew import SeatLostError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.media.ladder import Rung
    from appliance.media.picture import Picture
    from appliance.recorder.player import Group, Scene
    from appliance.streams.darkroom import Darkroom
    from appliance.streams.show import Show
    from appliance.workers.crew import Crew

#: Pictures that are made ahead.
AHEAD: Final = 8
#: Of those that are shown backwards many have to be made before the first can be shown: so many bytes of them, about.
BACKWARDS_BYTES, BACKWARDS_LEAST, BACKWARDS_MOST = 12 << 20, 8, 64
#: With a picture that was stepped to so many are made that will be stepped to next.
KEPT: Final = 6
#: Nothing is made for later than in so long, and of so many groups that give no picture none did: it is no video.
AHEAD_S, BARREN = 10.0, 10
LOOK_S = 0.1
#: What is so late is not made, or not shown where there is a newer one.
LATE_S: Final = 0.25
#: Where the client names no rate, key pictures come so often at most.
KEYS_PER_S: Final = 25.0


class Slide(NamedTuple):
    """A picture and its time."""

    at: int
    jpeg: bytes


class Gap(NamedTuple):
    """Nothing was recorded in between."""

    at: int
    until: int


class Border(NamedTuple):
    """Another file begins: the groups before and after."""

    at: int
    before: Group
    after: Group


class Slides:
    """One stretch, from a command on."""

    def __init__(self, show: Show, crew: Crew, *, at_once: bool = False) -> None:
        plan = show.chosen.plan
        assert plan is not None
        self._show = show
        self._crew = crew
        self._at_once = at_once
        self._rung: Rung = plan.rung
        self._keys_only = is_keys_only(show.speed) or plan.pictures is Pictures.KEY
        self._send: trio.MemorySendChannel[Slide | Gap | Border]
        self._receive: trio.MemoryReceiveChannel[Slide | Gap | Border]
        self._batch = int(BACKWARDS_BYTES / picture_bytes(self._rung))
        self._batch = min(BACKWARDS_MOST, max(BACKWARDS_LEAST, self._batch))
        self._send, self._receive = trio.open_memory_channel(self._batch if show.speed < 0 else AHEAD)
        self._slot: int | None = None  # of the rate: that of the last picture
        self._end = show.at
        self._failed: Exception | None = None
        self._announced = False
        self._begins: Group | None = show.group  # with the next picture something is announced, from this group on
        is_heard = show.hears and show.beside and show.playing and show.speed == SPEED
        self._soundtrack = Soundtrack(show) if is_heard else None
        self._groups = 0  # that were gone through
        self._sequence = 0
        self.mean_bytes: float | None = None

    async def run(self) -> int:
        """Show until nothing more was recorded; gives where that ends.  Raises `Fault`, `SeatLostError`."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._make)
            if self._soundtrack is not None:
                nursery.start_soon(self._soundtrack.run)
            await self._project()
            nursery.cancel_scope.cancel()
        if self._failed is not None:
            raise self._failed
        return self._end

    # --- making ---------------------------------------------------------------------------------------------------

    async def _make(self) -> None:
        show = self._show
        try:
            async with open_darkroom(self._crew, show.strip.archive, self._rung, at_once=self._at_once) as room:
                if not show.playing:
                    await self._make_one(room)
                elif self._keys_only:
                    await self._make_keys(room)
                elif show.speed > 0:
                    await self._make_forwards(room)
                else:
                    await self._make_backwards(room)
        except (Fault, SeatLostError) as error:
            self._failed = error
        finally:
            self._send.close()

    async def _make_one(self, room: Darkroom) -> None:
        """The picture on the screen."""
        show = self._show
        scene = await show.strip.scene(show.group)
        at = scene.upto(show.at)
        kept = show.kept.get((show.strip.stream, self._rung, at))
        if kept is not None:
            await self._put(at, kept)
            return
        wanted = {at, *scene.beside(at, KEPT * show.stepped)}
        show.kept.clear()

        async def keep(made_at: int, jpeg: bytes) -> None:
            if len(wanted) > 1:
                show.kept[show.strip.stream, self._rung, made_at] = jpeg
            if made_at == at:
                await self._put(at, jpeg)

        await room.develop(scene.needed(wanted), wanted, keep, ahead=False)

    async def _make_forwards(self, room: Darkroom) -> None:
        show, group = self._show, self._show.group
        first: int | None = None  # of the times that are left
        while await self._is_time_for(group):
            scene = await show.strip.scene(group)
            first = scene.upto(show.at) if first is None else first
            wanted = self._paced([at for at in scene.times if at >= first])
            if wanted:
                await room.develop(scene.needed(wanted), wanted, self._put)
            first = scene.times[-1] + 1
            self._end = scene.group.ends_at
            follower = await self._follower(group)
            if follower is None:
                return
            if follower.number != group.number or follower.file.path != group.file.path:
                await self._pass_border(self._end, group, follower)
                await self._cross(self._end, follower.key_at)
                group = await self._in_time(follower)
            else:
                group = follower  # more of the same

    async def _follower(self, group: Group) -> Group | None:
        """The group that comes next, or this one with more of it, once there is one; None: it ends here."""
        strip = self._show.strip
        while True:
            grown = await strip.grown(group)
            if grown is not None:
                return grown
            follower = await strip.after(group)
            if follower is not None:
                return follower
            if not await self._show.more_may_come(group.ends_at):
                return None

    async def _in_time(self, group: Group) -> Group:
        """This group, or one behind it in the same file if all of it would be late."""
        head = self._show.playhead
        while head.runs and head.due_s(group.ends_at) < -LATE_S and not group.is_last:
            follower = await self._show.strip.after(group)
            if follower is None:
                return group
            group = follower
        return group

    async def _make_keys(self, room: Darkroom) -> None:
        """Key pictures only, either way, no more often than is wanted."""
        show, group = self._show, self._show.group
        forwards = show.speed > 0
        interval = abs(show.speed) / (self._rung.fps or KEYS_PER_S) * TICKS_PER_SECOND
        shown: int | None = None
        if not is_keys_only(show.speed):  # as many as are wanted, but the first is that of the moment
            await self._make_one(room)
            shown = group.key_at
        while await self._is_time_for(group):
            at = group.key_at
            late = show.playhead.runs and show.playhead.due_s(at) < -LATE_S
            if shown is None or (abs(at - shown) >= interval * 0.98 and not late):
                shown = at
                await room.develop([(group.opened, group.first, at)], (at,), self._put, ahead=False)
            other = await (self._follower(group) if forwards else show.strip.before(group))
            if other is not None and other.file.path == group.file.path and other.number == group.number:
                group = other
                continue  # it has grown, and its key picture is the same
            self._end = group.ends_at if forwards else at
            if other is None:
                return
            if forwards:
                await self._pass_border(self._end, group, other)
            await (self._cross(self._end, other.key_at) if forwards else self._cross(at, other.ends_at))
            group = other

    async def _make_backwards(self, room: Darkroom) -> None:
        """All pictures, the last of each group first: a group is decoded for as many of them as fit, and again."""
        show, group = self._show, self._show.group
        last: int | None = None
        while await self._is_time_for(group):
            scene = await show.strip.scene(group)
            times = scene.times if last is None else [at for at in scene.times if at < last]
            if last is None:
                times = [at for at in times if at <= scene.upto(show.at)]
            wanted = self._paced(times[::-1])
            for begin in range(0, len(wanted), self._batch):
                await self._make_batch(room, scene, wanted[begin : begin + self._batch])
            last = self._end = scene.times[0]
            before = await show.strip.before(group)
            if before is None:
                return
            await self._cross(last, before.ends_at)
            group = before

    async def _make_batch(self, room: Darkroom, scene: Scene, wanted: Sequence[int]) -> None:
        made: list[Slide] = []

        async def keep(at: int, jpeg: bytes) -> None:  # noqa: ASYNC124 (a sink)
            made.append(Slide(at, jpeg))

        await room.develop(scene.needed(wanted), wanted, keep)
        for slide in reversed(made):
            await self._send.send(slide)

    async def _is_time_for(self, group: Group) -> bool:
        """Wait until it is; False: what was recorded gives no pictures."""
        self._groups += 1
        head = self._show.playhead
        while True:
            early_s = head.due_s(group.key_at) - AHEAD_S if head.runs else 0.0
            if early_s <= 0:
                return self._announced or self._groups <= BARREN
            await trio.sleep(min(early_s, LOOK_S))  # a gap may be skipped meanwhile

    async def _cross(self, since: int, until: int) -> None:
        if abs(until - since) >= GAP:
            await self._send.send(Gap(since, until))

    async def _pass_border(self, at: int, before: Group, after: Group) -> None:
        """Into another file, forwards."""
        if self._soundtrack is not None and after.file.path != before.file.path:
            await self._send.send(Border(at, before, after))

    async def _put(self, at: int, jpeg: bytes) -> None:
        await self._send.send(Slide(at, jpeg))

    def _paced(self, times: Sequence[int]) -> list[int]:
        """Those of the times that the rate has room for, and that are not late already."""
        show, fps = self._show, self._rung.fps
        found = []
        for at in times:
            slot = at if fps is None else int((at - show.at) / show.speed * fps // TICKS_PER_SECOND)
            if slot == self._slot or (show.playhead.runs and show.playhead.due_s(at) < -LATE_S):
                continue
            self._slot = slot
            found.append(at)
        return found

    # --- showing --------------------------------------------------------------------------------------------------

    async def _project(self) -> None:
        show = self._show
        async for slide in self._receive:
            if show.playhead.runs:
                await show.playhead.reach(slide.at)
            if isinstance(slide, Border):
                if self._soundtrack is not None and self._soundtrack.breaks(slide.before, slide.after):
                    self._begins = slide.after
                continue
            if isinstance(slide, Gap):
                show.crosses(slide.at, slide.until)
                continue
            waiting = self._receive.statistics().current_buffer_used
            if show.playhead.runs and waiting and show.playhead.due_s(slide.at) < -LATE_S:
                continue
            if not show.may_show(self._rung.mask):
                await trio.sleep_forever()  # the mask is new, and whoever set it ends this
            self._project_one(slide)
        if not self._announced and self._failed is None:
            show.tell(messages.status("lost", "unsupported_codec"))
            show.begun()

    def _project_one(self, slide: Slide) -> None:
        show = self._show
        header = frame_header(TIME_SIZE + len(slide.jpeg), Opcode.BINARY)
        self._sequence += 1
        picture = frame_picture(header, slide.jpeg, slide.at, self._sequence)
        if self._begins is None:
            show.outlet.offer(picture)
        else:
            self._announce(self._begins, picture)
            self._begins, self._announced = None, True
        mean = self.mean_bytes
        self.mean_bytes = len(slide.jpeg) if mean is None else mean + (len(slide.jpeg) - mean) / 8
        if show.playing:
            show.playhead.start()
        else:
            self._end = slide.at
        show.begun()

    def _announce(self, group: Group, picture: Picture) -> None:
        """What is sent from this picture on, which is the first of it, or the first of a file."""
        show, rung, chosen = self._show, self._rung, self._show.chosen
        sound = None if self._soundtrack is None else self._soundtrack.begin(group, max(show.at, picture.dts))
        announcement = announcing.of_pictures(
            {
                "id": show.number,
                "stream": show.strip.stream,
                "width": rung.width,
                "height": rung.height,
                "fps": rung.fps or fps_of(group.opened),
                "reason": chosen.reason,
                "utc_zero": group.file.zero,
                "cause": chosen.cause,
                "level": chosen.level,
                "quality": rung.quality,
                "codec": group.opened.video.codec,
            },
            None if sound is None else sound.audio,
            0 if sound is None else sound.run.utc_zero,
        )
        show.outlet.audio = sound is not None
        show.outlet.begin(announcement, [picture])
