"""The hub: one pull, one mux; it survives its source and says how it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from appliance.media.units import Run
from appliance.sites.source import SourceError, Trouble
from appliance.streams.hub import Hub
from tests.streams.scripted import CLIP, SMALL, SOUND, START, Camera, TrioClock, picture, sound


class Listener:
    def __init__(self) -> None:
        self.begins: list[tuple[bool, int]] = []  # with sound, fragments in the ring
        self.states: list[tuple[str, str | None]] = []

    def may_begin(self, hub: Hub) -> None:
        assert hub.segment is not None
        self.begins.append((hub.segment.audio is not None, len(hub.ring.fragments)))

    def state_changed(self, hub: Hub) -> None:
        self.states.append((hub.state.value.state, hub.state.value.reason))


@asynccontextmanager
async def running(camera: Camera) -> AsyncIterator[tuple[Hub, Listener]]:
    hub, listener = Hub("cam", "camera Gate (main)", camera, TrioClock()), Listener()
    async with trio.open_nursery() as nursery:
        with hub.subscription(listener):
            nursery.start_soon(hub.run)
            await trio.testing.wait_all_tasks_blocked()
            yield hub, listener
            nursery.cancel_scope.cancel()


async def test_pictures_become_fragments_once_and_the_ring_holds_the_group() -> None:
    camera = Camera()
    async with running(camera) as (hub, listener):
        await camera.give(*(picture(n) for n in range(30)))
        assert [fragment.seq for fragment in hub.ring.fragments] == list(range(25, 30))
        assert hub.pictures == 30
        assert listener.begins == [(False, 0)]
        assert listener.states == [("ok", None)]


async def test_nothing_is_sent_before_the_first_key_frame() -> None:
    camera = Camera()
    async with running(camera) as (hub, _):
        await camera.give(picture(23), picture(24))
        assert hub.segment is None
        await camera.give(picture(25))
        assert [fragment.seq for fragment in hub.ring.fragments] == [25]


async def test_new_parameter_sets_begin_a_segment_at_a_key_frame() -> None:
    camera = Camera()
    async with running(camera) as (hub, listener):
        await camera.give(picture(0), picture(1))
        await camera.give(picture(2, form=SMALL.format))  # not decodable: no key frame came with the new sets
        assert hub.pictures == 2
        await camera.give(picture(25, form=SMALL.format))
        assert hub.segment is not None
        assert hub.segment.video is SMALL.format
        assert listener.begins == [(False, 0), (False, 0)]
        assert [fragment.seq for fragment in hub.ring.fragments] == [25]


async def test_equal_parameter_sets_sent_again_change_nothing() -> None:
    camera = Camera()
    again = type(CLIP.format)(**{name: getattr(CLIP.format, name) for name in CLIP.format.__dataclass_fields__})
    async with running(camera) as (_, listener):
        await camera.give(picture(0), picture(25, form=again))
        assert len(listener.begins) == 1


async def test_a_jump_of_the_clock_begins_a_segment_with_a_new_zero() -> None:
    camera = Camera()
    async with running(camera) as (hub, listener):
        await camera.give(picture(0))
        later = Run(START)
        await camera.give(picture(1, run=later), picture(25, run=later))
        assert hub.segment is not None
        assert hub.segment.run is later
        assert len(listener.begins) == 2


async def test_sound_joins_after_its_first_unit_and_leaves_when_it_is_silent(autojump_clock) -> None:
    camera = Camera()
    async with running(camera) as (hub, listener):
        await camera.give(sound(0), picture(0), picture(1))
        assert hub.segment is not None
        assert hub.segment.audio is None
        await camera.give(sound(1), picture(2))
        assert hub.segment.audio == SOUND
        assert listener.begins[-1] == (True, 2)
        assert [fragment.is_audio for fragment in hub.ring.fragments] == [False, False, True, False]
        for n in range(3, 80):
            await camera.give(picture(n))
            await trio.sleep(0.04)
        assert hub.segment.audio is None
        assert hub.state.value.state == "ok"


async def test_a_lost_camera_is_tried_every_second_and_viewers_stay(autojump_clock) -> None:
    camera = Camera()
    async with running(camera) as (hub, listener):
        await camera.give(picture(0))
        camera.refuse = SourceError(Trouble.REFUSED, "Nothing answers.")
        await camera.fail()
        assert (hub.state.value.state, hub.state.value.reason) == ("lost", "camera_lost")
        assert hub.segment is None
        assert hub.ring.fragments == []
        before = camera.opened
        await trio.sleep(10)
        assert 9 <= camera.opened - before <= 10
        assert hub.state.value.reason == "refused"
        camera.refuse = None
        await trio.sleep(1.1)
        await camera.give(picture(50))
        assert hub.state.value.state == "ok"
        assert listener.states == [
            ("ok", None), ("lost", "camera_lost"), ("lost", "refused"), ("ok", None)
        ]  # fmt: skip


async def test_who_listens_twice_and_leaves_once_hears_once_of_everything() -> None:
    camera = Camera()
    async with running(camera) as (hub, listener):
        with hub.subscription(listener):
            await camera.give(picture(0))
        await camera.give(sound(0))
        assert [begin[0] for begin in listener.begins] == [False, True]
        camera.refuse = SourceError(Trouble.REFUSED, "Nothing answers.")
        await camera.fail()
        assert listener.states == [("ok", None), ("lost", "camera_lost")]
    assert not hub._subscribers


async def test_a_wrong_password_is_not_repeated_every_second_but_on_demand(autojump_clock) -> None:
    camera = Camera()
    camera.refuse = SourceError(Trouble.BAD_CREDENTIALS, "Wrong password.")
    async with running(camera) as (hub, _):
        await trio.sleep(59)
        assert camera.opened == 1
        hub.retry_now()
        await trio.testing.wait_all_tasks_blocked()
        assert camera.opened == 2


async def test_a_new_configuration_is_taken_up_at_once(autojump_clock) -> None:
    camera, other = Camera(), Camera()
    async with running(camera) as (hub, _):
        await camera.give(picture(0))
        hub.reopen(other)
        await trio.testing.wait_all_tasks_blocked()
        assert (camera.open_now, other.open_now) == (0, 1)


async def test_a_camera_without_pictures_is_waiting(autojump_clock) -> None:
    camera = Camera()
    async with running(camera) as (hub, _):
        await camera.give(picture(0))
        await trio.sleep(3)
        assert hub.state.value.state == "waiting"
        await camera.give(picture(1))
        assert hub.state.value.state == "ok"


async def test_a_camera_that_sends_and_gives_no_whole_picture_says_so(autojump_clock) -> None:
    camera = Camera()
    camera.statistics.packets_received = 1
    async with running(camera) as (hub, _):
        assert (hub.state.value.state, hub.state.value.reason) == ("waiting", "connecting")
        await trio.sleep(6)
        assert (hub.state.value.state, hub.state.value.reason) == ("waiting", "long_gop")
        await camera.give(picture(0))
        assert hub.state.value.state == "ok"
        await trio.sleep(3)
        assert (hub.state.value.state, hub.state.value.reason) == ("waiting", None)
        await trio.sleep(3)  # something comes all the time, or the source would have ended
        assert (hub.state.value.state, hub.state.value.reason) == ("waiting", "long_gop")


async def test_a_bug_in_a_source_is_a_lost_camera_and_not_the_end(autojump_clock, caplog) -> None:
    camera = Camera()
    async with running(camera) as (hub, _):
        await camera.give(picture(0))
        await camera.fail(RuntimeError("boom"))
        assert hub.state.value.state == "lost"
        assert "boom" in caplog.text
        await trio.sleep(11)
        await camera.give(picture(25))
        assert hub.state.value.state == "ok"


async def test_a_group_too_long_to_keep_is_begun_again_at_its_end() -> None:
    camera = Camera()
    async with running(camera) as (hub, listener):
        hub.ring._limit = 3000
        await camera.give(*(picture(n) for n in range(25)))
        assert hub.ring.overflowed
        await camera.give(picture(25))
        assert not hub.ring.overflowed
        assert listener.begins == [(False, 0), (False, 0)]


async def test_what_is_sent_is_measured() -> None:
    camera = Camera()
    async with running(camera) as (hub, _):
        await camera.give(*(picture(n) for n in range(101)))
        measured = hub.measured
        assert measured.fps == pytest.approx(25, abs=0.3)
        assert measured.gop_pictures == 25
        assert measured.gop_s == pytest.approx(1.0)
        size = sum(len(unit.data) for unit in CLIP.units[:25])
        assert measured.kbps == pytest.approx(size * 8 / 1000, rel=0.05)
