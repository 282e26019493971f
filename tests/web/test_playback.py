"""Recordings over the WebSocket: the picture that was on the screen at a time, and no other."""

from __future__ import annotations

import os
import random
import signal
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio_websocket

from appliance.auth.rights import ALL, Right
from appliance.base.clock import TICKS_PER_SECOND as S
from appliance.base.clock import to_rfc3339
from appliance.media.fmp4_read import read_samples
from tests.media.clips import Clip, encode_aac, encode_h264, encode_h265
from tests.recorder.made import endless, make_recording
from tests.streams.recordings import FRAME, START, number_in, stretch, with_leading
from tests.web.appliance import House, running_house
from tests.web.scenes import eventually
from tests.web.transcoding import AVC, HEVC, decode, pictures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.sites.cameras import Camera
    from tests.web.listening import LiveView
    from tests.web.visitor import Visitor

#: Pictures say their number; 130 s are three files, whose numbers begin anew every 8 s.
CLIP = encode_h264(200, gop=25, b=2, sc_threshold="0")
#: Pictures are shown before the key picture that they follow, and refer to what was before that.
OPEN = with_leading(encode_h264(250, gop=25, b=2, **{"x264-params": "open-gop=1:scenecut=0:keyint=25:bframes=2"}))
HALF = encode_h264(50, (160, 90), gop=10)
OTHER = encode_h265(100, (320, 180), gop=25)
SOUND, SOUNDS = encode_aac(2.0)
DIRECT = {"width": 320, "height": 180, "codecs": [AVC, HEVC]}
#: When each was recorded: with sound; then, after an hour, another format that follows at once on the first.
LONG, AGAIN, ANOTHER = START, START + 3600 * S, START + 3610 * S
END = ANOTHER + 4 * S


@dataclass
class World:
    house: House
    camera: Camera
    anna: Visitor

    def do(self, act: Any, *args: Any) -> Any:
        return self.house.do(act, self, *args)


def number_at(at: int) -> int:
    """The number of the picture that was on the screen."""
    for start, count in ((ANOTHER, len(OTHER.units)), (AGAIN, len(OPEN.units)), (LONG, len(CLIP.units))):
        if at >= start:
            return (at - start) // FRAME % count
    raise LookupError(at)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with running_house() as house:
        camera = house.do(house.camera)
        index = house.services.archive._index
        for clip, at, seconds, sounds in ((CLIP, LONG, 130, SOUNDS), (OPEN, AGAIN, 10, ()), (OTHER, ANOTHER, 4, ())):
            make_recording(
                house.folder,
                endless(clip, at, seconds, sounds=sounds),
                camera_id=camera.id,
                index=index,
                clock=house.services.clock,
            )
        # the cap on seeks is for people; here they are to be many
        house.do(lambda: house.services.settings.change({"recording.seeks_per_user": 100}, by="test"))
        user = house.do(lambda: house.user("anna", playback=[camera], audio=[camera]))
        yield World(house, camera, house.do(house.visitor, user))


def instants(count: int) -> list[int]:
    """Anything but the times of key pictures, in any order."""
    chance = random.Random(count)
    spans = [(LONG, 129 * S), (AGAIN, 9 * S), (ANOTHER, 3 * S)]
    chosen = [chance.choices(spans, [8, 2, 2])[0] for _ in range(count)]
    return [start + chance.randrange(length) // 90 * 90 for start, length in chosen]


async def directly(world: World, times: list[int]) -> None:
    async with world.anna.live(world.camera.id, way="playback") as view:
        await view.want(**DIRECT)
        for number, at in enumerate(times, 1):
            await view.say({"type": "seek", "at": to_rfc3339(at), "id": number})
            found = await stretch(view, number, until=at)
            assert (found.told["mode"], found.told["reason"]) == ("direct", None)
            shown, image = found.shown_at(at + 89)
            assert number_in(image) == number_at(at + 89), (number, at - START)
            assert 0 <= at + 89 - shown < FRAME
            assert found.units[0][0] <= at


def test_fifty_instants_are_shown_exactly_by_a_player_of_what_is_sent(world: World) -> None:
    world.do(directly, instants(50))


async def plays_over_the_border_of_files(world: World) -> None:
    """With sound, at four times the speed, into the next file; then a pause."""
    async with world.anna.live(world.camera.id, way="playback") as view:
        await view.want(**DIRECT, audio=True)
        at = LONG + 55 * S
        await view.say({"type": "play", "at": to_rfc3339(at), "speed": 4, "id": 1})
        found = await stretch(view, 1, until=LONG + 65 * S)
        assert found.audio == SOUND
        times = sorted(each for each, _ in found.units)
        assert {after - before for before, after in pairwise(times[:-3])} == {FRAME}  # others follow on the last
        assert {after - before for before, after in pairwise(found.sounds)} == {SOUNDS[0].duration}
        positions = [text for text in view.texts if text["type"] == "position"]
        assert positions[0] == {
            "type": "position", "id": 1, "utc_ms": at // 90, "state": "playing", "speed": 4.0
        }  # fmt: skip
        # no more than 4 s of the client's time ahead, at once
        began = trio.current_time()
        while max(at for at, _ in found.units) < LONG + 80 * S:
            message = await view.hear()
            if isinstance(message, bytes):
                found.take(message)
        assert trio.current_time() - began > 1
        await view.say({"type": "pause", "id": 2})
        while (told := await view.told("position"))["id"] != 2:
            pass
        assert told["state"] == "paused"
        assert LONG + 60 * S < told["utc_ms"] * 90 < LONG + 80 * S
        with trio.move_on_after(0.5):
            await view.hear()
            raise AssertionError("it goes on")


def test_playing_goes_on_over_the_border_of_files_and_stops_when_told(world: World) -> None:
    world.do(plays_over_the_border_of_files)


@pytest.mark.parametrize("gaps", ["skip", "play"])
def test_a_gap_is_skipped_or_played(world: World, gaps: str) -> None:
    async def act(world: World) -> None:
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**DIRECT)
            at = LONG + 129 * S
            await view.say({"type": "play", "at": to_rfc3339(at), "gaps": gaps, "id": 7})
            told = await view.told("gap")
            assert told == {"type": "gap", "id": 7, "from": (LONG + 130 * S) // 90, "to": AGAIN // 90}
            if gaps == "skip":
                (fragment,) = await view.fragments(1)
                (sample,) = read_samples(fragment)
                (told,) = (text for text in view.texts if text["type"] == "stream")
                assert told["utc_zero"] + sample.dts + sample.composition == AGAIN
                return
            began = trio.current_time()
            while (told := await view.told("position"))["state"] != "gap":
                pass
            assert trio.current_time() - began < 4
            assert told["utc_ms"] >= (LONG + 130 * S) // 90
            with trio.move_on_after(0.5):
                await view.fragments(1)
                raise AssertionError("what follows on an hour is not due yet")

    world.do(act)


def test_another_format_is_announced_and_the_end_is_told(world: World) -> None:
    async def act(world: World) -> None:
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**DIRECT)
            await view.say({"type": "play", "at": to_rfc3339(ANOTHER - S // 2), "speed": 4, "id": 1})
            first = await view.told("stream")
            second = await view.told("stream")
            assert ("avc1" in first["mime"], "hvc1" in second["mime"]) == (True, True)
            assert second["id"] == 1
            while (told := await view.told("position"))["state"] != "ended":
                pass
            assert told["utc_ms"] == (END - 1) // 90

    world.do(act)


def test_where_nothing_was_recorded_the_nearest_is_told(world: World) -> None:
    async def act(world: World) -> None:
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**DIRECT)
            for at, before, after in (
                (LONG - S, None, LONG), (AGAIN - S, LONG + 130 * S, AGAIN), (END + S, END, None)
            ):  # fmt: skip
                await view.say({"type": "seek", "at": to_rfc3339(at), "id": 1})
                told = await view.told("status")
                assert (told["state"], told["reason"]) == ("waiting", "no_recording")
                assert [told[name] for name in ("previous", "next")] == [
                    None if each is None else each // 90 for each in (before, after)
                ]
                assert (await view.told("position"))["state"] == "paused"

    world.do(act)


PICTURES = {"width": 320, "height": 180, "fps": 25, "codecs": [AVC, HEVC], "mode": "transcoded"}


async def pictures_of(view: LiveView, number: int, count: int) -> list[tuple[int, int]]:
    """Time (ticks of the millisecond) and number of the first pictures that come for a command."""
    while (told := await view.told("stream"))["id"] != number:
        pass
    assert told["mode"] == "transcoded", told
    assert told["codec"] in ("h264", "h265"), told  # of the file of that time
    return [(at * 90, number_in(decode(jpeg))) for at, jpeg in await pictures(view, count)]


def test_fifty_instants_are_shown_exactly_as_pictures(world: World) -> None:
    async def act(world: World) -> None:
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**PICTURES)
            for number, at in enumerate(instants(50), 1):
                await view.say({"type": "seek", "at": to_rfc3339(at), "id": number})
                ((shown, says),) = await pictures_of(view, number, 1)
                assert says == number_at(at + 89), (number, at - START)
                assert 0 <= at + 89 - shown < FRAME + 90

    world.do(act)


@pytest.mark.parametrize(
    ("speed", "at", "count", "step", "pace_s"),
    [
        (1, LONG + 59 * S, 30, FRAME, 0.04),
        (0.5, LONG + 3 * S, 8, FRAME, 0.08),
        (4, LONG + 59 * S, 20, 4 * FRAME, 0.04),
        (8, LONG + 50 * S, 11, S, 0.125),
        (-1, LONG + 61 * S, 30, -FRAME, 0.04),
        (-4, LONG + 70 * S, 6, -S, 0.25),
        (-32, LONG + 70 * S, 12, -2 * S, 0.0625),
    ],
)
def test_every_speed_shows_the_pictures_of_its_time_in_order(
    world: World, speed: float, at: int, count: int, step: int, pace_s: float
) -> None:
    async def act(world: World) -> None:
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**PICTURES)
            await view.say({"type": "play", "at": to_rfc3339(at + 90 * 10), "speed": speed, "id": 1})
            first = (await pictures_of(view, 1, 1))[0]
            began = trio.current_time()
            rest = [(at * 90, number_in(decode(jpeg))) for at, jpeg in await pictures(view, count - 1)]
            took = trio.current_time() - began
        shown = [first, *rest]
        assert [says for _, says in shown] == [number_at(at + 89) for at, _ in shown]
        steps = [after - before for (before, _), (after, _) in pairwise(shown)]
        assert all(each * step > 0 for each in steps)
        whole = [each for each in steps if abs(each - step) <= abs(step) / 8 + 90]
        assert len(whole) >= 0.8 * len(steps), steps  # on a busy machine some are left out
        assert took == pytest.approx(abs(sum(steps)) / S / abs(speed), abs=0.5)
        assert took >= 0.8 * pace_s * (count - 2)

    world.do(act)


@pytest.mark.parametrize("wants", [DIRECT, PICTURES], ids=["direct", "as pictures"])
def test_steps_go_over_borders_both_ways(world: World, wants: dict[str, Any]) -> None:
    async def act(world: World) -> None:
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**wants)
            number = 1
            for begin, by in ((LONG + 60 * S, -1), (LONG + 60 * S - FRAME, 1), (LONG + 3 * S, -1), (AGAIN, -1)):
                border = begin
                await view.say({"type": "seek", "at": to_rfc3339(border), "id": number})
                if wants is PICTURES:
                    ((at, _),) = await pictures_of(view, number, 1)
                    assert at == border // 90 * 90
                for _ in range(2):
                    number += 1
                    await view.say({"type": "step", "by": by, "id": number})
                    due = border + by * FRAME if border != AGAIN else LONG + 130 * S - FRAME
                    if wants is PICTURES:
                        ((at, says),) = await pictures_of(view, number, 1)
                        assert says == number_at(due)
                    else:
                        while (told := await view.told("position"))["id"] != number:
                            pass
                        at = told["utc_ms"] * 90
                        assert told["state"] == "paused"
                    assert at == due // 90 * 90
                    border = due
                number += 1

    world.do(act)


async def capped(world: World, seeks: int) -> None:
    await world.house.services.settings.change({"recording.seeks_per_user": seeks}, by="test")


@pytest.mark.parametrize("wants", [DIRECT, PICTURES], ids=["direct", "as pictures"])
def test_who_drags_a_slider_sees_where_they_are_and_gets_no_error(world: World, wants: dict[str, Any]) -> None:
    """A hundred seeks in a second: few are done, pictures come meanwhile, and the last is the last."""

    async def act(world: World) -> None:
        await capped(world, 10)
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**wants)
            began = trio.current_time()
            for number in range(1, 101):
                at = LONG + number * S + 7 * 90
                await view.say({"type": "seek", "at": to_rfc3339(at), "id": number})
                await trio.sleep(0.01)
            if wants is PICTURES:
                ((_, says),) = await pictures_of(view, 100, 1)
                assert says == number_at(at)
            else:
                assert number_in((await stretch(view, 100, until=at)).shown_at(at)[1]) == number_at(at)
            kinds = [text["type"] for text in view.texts]
            assert kinds.count("stream") <= 11 + 10 * (trio.current_time() - began)
            assert kinds.count("stream") >= 5
            assert "error" not in kinds
            told = [text["id"] for text in view.texts if text["type"] == "stream"]
            assert told == sorted(told)
        await capped(world, 100)

    world.do(act)


@pytest.mark.parametrize("wants", [DIRECT, PICTURES], ids=["direct", "as pictures"])
def test_the_right_is_taken_and_the_playback_ends(world: World, wants: dict[str, Any]) -> None:
    async def act(world: World) -> None:
        user = await world.house.user(f"eve {wants.get('mode')}", playback=[world.camera], live=[world.camera])
        eve = await world.house.visitor(user)
        async with eve.live(world.camera.id, way="playback") as view:
            await view.want(**wants)
            await view.say({"type": "play", "at": to_rfc3339(LONG), "speed": 1, "id": 1})
            await view.fragments(3)
            await world.house.services.auth.users.grant(user.id, {Right.PLAYBACK: frozenset()})
            with trio.fail_after(5):
                assert (await view.end())[0] == 4403
        path = f"/api/v1/cameras/{world.camera.id}/playback"
        assert (await trio.to_thread.run_sync(eve.shake_hands, path)).code == "no_right"
        assert not [member for member in world.house.services.audience if member.principal.user_id == user.id]
        await eventually(lambda: not world.house.services.transcoders.crew.pipelines)

    world.do(act)


def test_messages_that_cannot_be_used_are_answered_and_change_nothing(world: World) -> None:
    async def act(world: World) -> None:
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**DIRECT)
            hostile = (
                '{"type":"seek"}', '{"type":"seek","at":"yesterday"}', '{"type":"seek","at":"2026-11-27T16:00:00"}',
                '{"type":"play","speed":0}', '{"type":"play","speed":-0.5}', '{"type":"play","speed":1e300}',
                '{"type":"step","by":1000}', "[" * 60_000,
            )  # fmt: skip
            for message in hostile:
                await view.say(message)
                assert (await view.told("error"))["code"] == "bad_message"
            for at in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"):
                await view.say({"type": "seek", "at": at, "id": 5})
                assert (await view.told("status"))["reason"] == "no_recording"
            await view.say({"type": "seek", "at": to_rfc3339(LONG), "id": 6})
            await stretch(view, 6, until=LONG)
            await view.say("x" * 70_000)
            assert (await view.end())[0] == 1009

    world.do(act)


def test_a_flood_is_closed(world: World) -> None:
    async def act(world: World) -> None:
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**DIRECT)
            with suppress(trio_websocket.ConnectionClosed):
                for number in range(1000):
                    await view.say({"type": "step", "by": 1, "id": number})
            assert (await view.end())[0] == 1008

    world.do(act)


def test_snapshots_of_a_time_are_the_key_picture_before_it(world: World) -> None:
    async def act(world: World) -> None:
        path = f"/api/v1/cameras/{world.camera.id}/snapshot.jpg"
        for at, due in ((LONG + 61 * S + 20 * FRAME, LONG + 61 * S), (LONG, LONG), (ANOTHER + 2 * S, ANOTHER + 2 * S)):
            answer = await world.anna.get(f"{path}?at={to_rfc3339(at)}&width=160")
            assert answer.status == 200, answer.body
            assert answer.headers["x-picture-time"] == to_rfc3339(due)
            image = decode(answer.body)
            assert image.shape == (90, 160, 3)
            assert number_in(image) == number_at(due)
        for at in (LONG - S, LONG + 200 * S, END + S):
            answer = await world.anna.get(f"{path}?at={to_rfc3339(at)}")
            assert (answer.status, answer.code) == (404, "no_recording")
        for bad in ("yesterday", "", "2026-11-27"):
            assert (await world.anna.get(f"{path}?at={bad}")).code == "bad_parameter"
        assert (await world.anna.get(path)).code == "no_right"  # live is another right

    world.do(act)


def test_a_worker_that_dies_is_replaced_and_the_pictures_go_on(world: World) -> None:
    async def act(world: World) -> None:
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**PICTURES)
            await view.say({"type": "play", "at": to_rfc3339(LONG), "speed": 1, "id": 1})
            before = await pictures_of(view, 1, 5)
            crew = world.house.services.transcoders.crew
            for hand in list(crew._hands):
                os.kill(hand.worker.process.pid, signal.SIGKILL)
            told = await view.told("status")
            assert (told["state"], told["reason"]) == ("waiting", "decoder_restarts")
            while (await view.told("status"))["state"] != "ok":
                pass
            after = [(at * 90, number_in(decode(jpeg))) for at, jpeg in await pictures(view, 5)]
            assert after[0][0] > before[-1][0]
            assert [says for _, says in after] == [number_at(at + 89) for at, _ in after]

    world.do(act)


@pytest.mark.parametrize("wants", [DIRECT, PICTURES], ids=["direct", "as pictures"])
def test_what_is_recorded_meanwhile_is_played_on(world: World, wants: dict[str, Any]) -> None:
    async def act(world: World) -> None:
        house = world.house
        camera = await house.camera(f"Yard {wants.get('mode')}")
        await house.services.auth.users.grant("anna", {Right.PLAYBACK: ALL})
        now = house.services.clock.utc_90k() // S * S
        index, clock = house.services.archive._index, house.services.clock

        def record(start: int, seconds: int) -> None:
            units = endless(CLIP, start, seconds)
            make_recording(house.folder, units, camera_id=camera.id, index=index, clock=clock)

        record(now - 4 * S, 3)
        async with world.anna.live(camera.id, way="playback") as view, trio.open_nursery() as nursery:
            await view.want(**wants)
            await view.say({"type": "play", "at": to_rfc3339(now - 2 * S), "speed": 1, "id": 1})
            await view.told("stream")
            await view.fragments(5)

            async def later() -> None:
                await trio.sleep(1.5)
                record(now - S, 3)

            nursery.start_soon(later)
            with trio.fail_after(10):
                while (told := await view.told("position"))["state"] == "playing":
                    if told["utc_ms"] * 90 > now - S // 2:
                        break
            assert told["state"] == "playing"

    world.do(act)


def test_another_size_is_made_of_the_same_moment(world: World) -> None:
    async def act(world: World) -> None:
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**PICTURES)
            at = LONG + 33 * S
            await view.say({"type": "seek", "at": to_rfc3339(at), "id": 1})
            await pictures_of(view, 1, 1)
            await view.want(**(PICTURES | {"width": 160, "height": 90}))
            told = await view.told("stream")
            assert (told["id"], told["width"], told["height"]) == (1, 160, 90)
            ((shown, jpeg),) = await pictures(view, 1)
            assert (shown, number_in(decode(jpeg))) == (at // 90, number_at(at))
            await view.want(**DIRECT)
            assert (await stretch(view, 1, until=at)).shown_at(at)[0] == at

    world.do(act)


def test_what_only_wants_direct_is_told_why_there_is_none(world: World) -> None:
    async def act(world: World) -> None:
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**DIRECT, mode="direct")
            for number, (speed, reason) in enumerate(((-1, "reverse"), (8, "speed")), 1):
                await view.say({"type": "play", "at": to_rfc3339(LONG + 9 * S), "speed": speed, "id": number})
                told = await view.told("status")
                assert (told["state"], told["reason"]) == ("lost", reason)
            await view.want(**DIRECT)
            told = await view.told("stream")
            assert (told["mode"], told["reason"], told["cause"]) == ("transcoded", "speed", "speed")
            await view.say({"type": "play", "speed": 1, "id": 3})
            while (told := await view.told("stream"))["id"] != 3:
                pass
            assert told["mode"] == "direct"

    world.do(act)


def test_a_seek_to_where_it_began_goes_back(world: World) -> None:
    async def act(world: World) -> None:
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**PICTURES)
            at = LONG + 21 * S
            await view.say({"type": "play", "at": to_rfc3339(at), "speed": 4, "id": 1})
            await pictures_of(view, 1, 10)
            await view.say({"type": "seek", "at": to_rfc3339(at), "id": 2})
            again = await pictures_of(view, 2, 5)
            assert again[0] == (at, number_at(at))
            await view.say({"type": "pause", "id": 3})
            while (told := await view.told("position"))["id"] != 3:
                pass
            assert at < told["utc_ms"] * 90 < at + 8 * S
            # what is sent as a pair by who steps from where they are
            await view.say({"type": "seek", "at": to_rfc3339(at), "id": 4})
            await view.say({"type": "step", "by": -1, "id": 5})
            ((shown, _),) = await pictures_of(view, 5, 1)
            assert shown == (at - FRAME) // 90 * 90

    world.do(act)


def test_backwards_over_a_gap_and_through_groups_that_do_not_fit_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.streams.slides.BACKWARDS_MOST", 8)

    async def act(world: World) -> None:
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**PICTURES)
            await view.say({"type": "play", "at": to_rfc3339(AGAIN + S // 2), "speed": -1, "gaps": "skip", "id": 1})
            shown = await pictures_of(view, 1, 40)
            gaps = [text for text in view.texts if text["type"] == "gap"]
            assert gaps == [{"type": "gap", "id": 1, "from": AGAIN // 90, "to": (LONG + 130 * S) // 90}]
        assert [says for _, says in shown] == [number_at(at + 89) for at, _ in shown]
        times = [at for at, _ in shown]
        assert times == sorted(times, reverse=True)
        assert 10 <= sum(at >= AGAIN for at in times) <= 13  # on a busy machine some are left out
        assert LONG + 129 * S < next(at for at in times if at < AGAIN) < LONG + 130 * S

    world.do(act)


def test_pictures_of_another_format_go_on_where_the_first_ends(world: World) -> None:
    async def act(world: World) -> None:
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**PICTURES)
            await view.say({"type": "play", "at": to_rfc3339(ANOTHER - 5 * FRAME), "speed": 1, "id": 1})
            shown = await pictures_of(view, 1, 15)
        assert [says for _, says in shown] == [number_at(at + 89) for at, _ in shown]
        assert shown[-1][0] > ANOTHER + 5 * FRAME

    world.do(act)


def test_whoever_steps_on_gets_pictures_that_were_made_with_the_first(world: World) -> None:
    async def act(world: World) -> None:
        async with world.anna.live(world.camera.id, way="playback") as view:
            await view.want(**PICTURES)
            at, number = LONG + 40 * S + 15 * FRAME, 1
            await view.say({"type": "seek", "at": to_rfc3339(at), "id": number})
            await pictures_of(view, number, 1)
            playback = next(each.viewer for each in world.house.services.audience if each.needs is Right.PLAYBACK)
            made = []
            for by in (*[-1] * 9, *[1] * 9):
                number, at = number + 1, at + by * FRAME
                await view.say({"type": "step", "by": by, "id": number})
                ((shown, says),) = await pictures_of(view, number, 1)
                assert (shown, says) == (at // 90 * 90, number_at(at + 89))
                made.append(set(playback._kept))
                assert len(playback._kept) <= 7
            assert 2 <= len({frozenset(each) for each in made}) <= 6, "each step was made by itself"
            await view.want(**(PICTURES | {"width": 160, "height": 90}))
            told = await view.told("stream")
            ((_, jpeg),) = await pictures(view, 1)
            assert (told["width"], decode(jpeg).shape) == (160, (90, 160, 3))

    world.do(act)


@pytest.mark.parametrize("speed", [1, -1, 8])
def test_what_cannot_be_decoded_is_told_and_nobody_races_through_it(world: World, speed: int) -> None:
    async def act(world: World) -> None:
        house = world.house
        camera = await house.camera(f"Noise {speed}")
        await house.services.auth.users.grant("anna", {Right.PLAYBACK: ALL})
        index, clock = house.services.archive._index, house.services.clock
        noise = [replace(unit, data=b"\0\0\0\x40" + b"\x65" + b"\xa5" * 63) for unit in HALF.units]
        units = endless(Clip(HALF.format, noise), LONG, 20)
        make_recording(house.folder, units, camera_id=camera.id, index=index, clock=clock)
        async with world.anna.live(camera.id, way="playback") as view:
            await view.want(**PICTURES)
            await view.say({"type": "play", "at": to_rfc3339(LONG + 10 * S), "speed": speed, "id": 1})
            told = await view.told("status")
            assert (told["state"], told["reason"]) == ("lost", "unsupported_codec")
            while (told := await view.told("position"))["state"] == "playing":
                pass
            assert abs(told["utc_ms"] * 90 - LONG - 10 * S) < 6 * S
            assert not view.media

    world.do(act)
