"""Whatever a client asked for and a camera did: it is told how the camera is, what comes is announced, masks hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import trio
import trio.testing
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appliance.media.masks import NO_MASK
from appliance.media.units import Run
from appliance.sites.source import SourceError, Trouble
from appliance.streams.messages import Want
from tests.streams.scripted import CLIP, SMALL, picture, sound
from tests.streams.scripted_workers import Crew
from tests.streams.staging import Stage, settle, stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.media.masks import Mask

WANTS = st.builds(
    Want,
    width=st.sampled_from([160, 320, 1920]),
    height=st.just(180),
    mode=st.sampled_from(["auto", "transcoded"]),
    audio=st.booleans(),
    paused=st.sampled_from([False, False, False, True]),
)
#: A camera sends a picture, sound, a key picture of another run; it hangs up, it is back.
CAMERA = st.sampled_from(["picture", "picture", "sound", "run", "lose", "back"])
#: What a user may is changed; workers take their time, have taken it, or die.
OTHERS = st.sampled_from(["mask", "no mask", "deaf", "hearing", "slow", "fast", "die"])
CLIPS = {"main": CLIP, "sub": SMALL}
MASK: Mask = (((0, 0), (1, 0), (1, 1)),)
ZERO = CLIP.units[0].run.utc_zero
REFUSED = SourceError(Trouble.REFUSED, "Nothing answers.")


class Scene:
    """A viewer of a camera of these streams, and what its client was told last."""

    def __init__(self, s: Stage, names: Sequence[str], crew: Crew) -> None:
        self.s, self.names, self.crew = s, names, crew
        self.number = 0
        self.run = Run(ZERO)
        self.state = "ok"
        self.announced: dict | None = None
        self.since: list[object] = []  # what came after it

    async def do(self, deed: Want | str) -> None:
        if isinstance(deed, Want):
            self.s.viewer.want(deed)
            await settle()
        elif deed in ("mask", "no mask", "deaf", "hearing"):
            policy = self.s.policy
            policy.mask = {"mask": MASK, "no mask": NO_MASK}.get(deed, policy.mask)
            policy.may_hear = {"deaf": False, "hearing": True}.get(deed, policy.may_hear)
            self.s.viewer.decide()
        elif deed in ("slow", "fast", "die"):
            await self._work(deed)
        elif deed == "lose":
            for name in self.names:
                camera = self.s.camera(name)
                camera.refuse = REFUSED
                if camera.open_now:
                    await camera.fail()
        elif deed == "back":
            for name in self.names:
                self.s.camera(name).refuse = None
            await trio.sleep(1.2)
        elif deed == "run":
            while self.number % 25:  # as ever up to its end: a camera that skips is one of a picture a second
                await self._give()
            self.run = Run(ZERO)
            await self._give()
        else:
            await self._give(is_sound=deed == "sound")
        await self.hear()

    async def _work(self, deed: str) -> None:
        self.crew.is_fast = deed != "slow"
        for seat in self.crew.seats:
            if deed == "fast" and seat.lost is None:
                seat.let(len(seat.waiting))
            elif deed == "die":
                seat.lose()
        await settle()

    async def _give(self, *, is_sound: bool = False) -> None:
        for name in self.names:
            if self.s.camera(name).open_now:
                one = picture(self.number, clip=CLIPS[name], run=self.run)
                await self.s.camera(name).give(sound(self.number, self.run) if is_sound else one)
        self.number += not is_sound

    async def hear(self) -> None:
        for came in await self.s.received():
            if isinstance(came, list):  # as the camera sends it
                assert not came or self.s.policy.mask == NO_MASK
                self.since += came
            elif isinstance(came, str):
                self.since.append(came)
            elif came["type"] == "status":
                self.state = came["state"]
            elif came["type"] == "stream":
                self.announced, self.since = came, []


@settings(max_examples=100)
@given(
    st.lists(WANTS | CAMERA | OTHERS, max_size=14), WANTS, st.sampled_from([("main",), ("main", "sub")]), st.booleans()
)
@example([Want(1920, 1080), Want(320, 180, mode="transcoded"), "picture"], Want(1920, 1080), ("main",), True)
@example([], Want(320, 180, mode="transcoded", audio=True), ("main",), False)
@example([Want(1920, 1080), "run", "slow", "mask", "picture"], Want(1920, 1080), ("main",), True)
def test_a_lost_camera_is_told_and_all_that_comes_after_it_is_announced(
    deeds: list[Want | str], last: Want, names: tuple[str, ...], look: bool
) -> None:
    last = msgspec.structs.replace(last, paused=False)

    async def play() -> None:
        crew = Crew()
        async with stage(*names, look=look, crew=crew) as s:
            for stream in s.watched.streams:
                s.openers.opener(stream)
            scene = Scene(s, names, crew)
            for deed in (*deeds, "no mask", "hearing", "fast", last, "back", "run", "picture"):
                await scene.do(deed)
            await scene.do("lose")
            assert scene.state == "lost"
            await scene.do("back")
            for deed in ("run", "picture"):
                await scene.do(deed)
            assert scene.state == "ok"
            first = scene.number
            for deed in ("sound", "picture", "picture"):
                await scene.do(deed)
            told = scene.announced
            assert told is not None
            assert told["mode"] == ("transcoded" if last.mode == "transcoded" else "direct")
            if told["mode"] == "transcoded":
                assert (told["sound"] is not None) is last.audio
                assert f"jpeg {first + 1}" in scene.since
            else:
                assert ("mp4a" in told["mime"]) is last.audio
                assert first + 1 in scene.since

    trio.run(play, clock=trio.testing.MockClock(autojump_threshold=0))
