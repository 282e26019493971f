"""Privacy masks, over every way out that the authorisation table has (row TRA-4): the pixels are looked at.

What a route has to do is taken from its entry; what it does is seen by two viewers, one of whom may see what the mask
hides.  A route with a picture that nobody can look at here fails: say in `pictures_of` how.
"""

from __future__ import annotations

import re
import time
from base64 import b64decode
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import simplejpeg
import trio
from quart import Response

from appliance.auth.rights import ALL, CAMERA_RIGHTS, Right
from appliance.base.clock import TICKS_PER_SECOND, to_rfc3339
from appliance.media.jpeg import video_format
from appliance.media.masks import EVERYTHING, NO_MASK, checked
from appliance.web.table import Route, Table, Video
from tests.media.jpegs import jpeg
from tests.recorder.made import endless, make_recording
from tests.streams.recordings import START as THEN
from tests.streams.scripted import CLIP, picture
from tests.web.appliance import House, running_house
from tests.web.endless import EndlessOpeners, EndlessSource
from tests.web.test_authorisation import Extra
from tests.web.transcoding import AVC
from tests.web.walk import needs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from appliance.media.masks import Mask
    from appliance.media.units import Unit
    from appliance.sites.camera import StreamConfig
    from appliance.sites.cameras import Camera
    from appliance.web.gate import Call
    from appliance.web.services import Services
    from tests.web.listening import LiveView
    from tests.web.visitor import Visitor

LEFT = [[[0, 0], [0.5, 0], [0.5, 1], [0, 1]]]
TOP = [[[0, 0], [1, 0], [1, 0.5], [0, 0.5]]]
#: What the mask's right edge and what is beside it are coded together in.
EDGE = 16
JPEGS = [jpeg(320, 180, quality=90, seed=seed) for seed in range(4)]
JPEG_MAGIC = b"\xff\xd8\xff"
WANT = {"width": 320, "height": 180, "codecs": [AVC]}


class JpegSource(EndlessSource):
    """A camera that gives JPEG."""

    def __init__(self) -> None:
        super().__init__("main")
        self.video, self.audio = video_format(320, 180), None

    async def receive(self) -> list[Unit]:
        await trio.sleep_until(self._began + self._pictures / 25)
        self._pictures += 1
        unit = picture(self._pictures)
        return [replace(unit, data=JPEGS[self._pictures % len(JPEGS)], is_idr=True, format=video_format(320, 180))]


class Openers(EndlessOpeners):
    """H.264, and JPEG where the address says so."""

    def opener(self, stream: StreamConfig) -> Any:
        if "JPEG" not in stream.url:
            return super().opener(stream)

        @asynccontextmanager
        async def open_it() -> AsyncIterator[JpegSource]:
            await trio.lowlevel.checkpoint()
            yield JpegSource()

        return open_it

    async def look(self, stream: StreamConfig) -> Any:
        if "JPEG" not in stream.url:
            return await super().look(stream)
        await trio.lowlevel.checkpoint()
        return video_format(320, 180), None


class World:
    """A house with two masked cameras; anna may watch them, berta may see what the masks hide, too."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.cameras: list[Camera] = [house.do(house.camera, name) for name in ("H264", "JPEG")]
        self.chief: Visitor = house.do(house.administrator)
        self.anna: Visitor = house.do(house.viewer, "anna", *self.cameras)
        self.berta: Visitor = house.do(house.viewer, "berta", *self.cameras)
        for name, more in (("anna", {}), ("berta", {Right.UNMASKED: ALL})):
            house.do(house.services.auth.users.grant, name, {Right.PLAYBACK: ALL, Right.EXPORT: ALL, **more})
        for camera in self.cameras:
            self.mask(camera, LEFT)
            make_recording(
                house.folder,
                endless(CLIP, THEN, 8),
                camera_id=camera.id,
                index=house.services.archive._index,
                clock=house.services.clock,
            )

    def mask(self, camera: Camera, mask: object) -> dict[str, Any]:
        answer = self.chief.call("PATCH", f"/api/v1/admin/cameras/{camera.id}", {"mask": mask})
        assert answer.status == 200, answer.body
        told: dict[str, Any] = answer.json
        return told


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with running_house(openers=Openers()) as house:
        yield World(house)


def is_hidden(data: bytes, mask: list[Any]) -> bool:
    """Whether all of the mask is black, and the rest is not.  Raises AssertionError for anything between."""
    rgb = simplejpeg.decode_jpeg(data).astype(int)
    rows, columns = rgb.shape[:2]
    inside = np.zeros((rows, columns), bool)
    x, y = max(point[0] for point in mask[0]), max(point[1] for point in mask[0])
    inside[: round(y * rows), : round(x * columns)] = True
    sure = np.zeros_like(inside)
    sure[: round(y * rows) - (EDGE if y < 1 else 0), : round(x * columns) - (EDGE if x < 1 else 0)] = True
    assert rgb[~inside].mean() > 20, "there is nothing to see"
    if rgb[inside].mean() > 20:
        return False
    assert rgb[sure].max() <= 3
    assert rgb[inside].mean() < 4
    return True


async def pictures_of(route: Route, visitor: Visitor, camera: Camera) -> list[bytes]:
    """JPEG pictures that a route gives.  Raises LookupError where it is not known here how to get at them."""
    path = route.path.replace("<camera_id>", camera.id)
    if route.media_type == "image/jpeg":
        found = []
        for query in ("", f"?at={to_rfc3339(THEN + TICKS_PER_SECOND)}") if route.instead else ("",):
            answer = await visitor.get(path + query)
            assert answer.status == 200, answer.body
            found.append(answer.body)
        return found
    if route.media_type.startswith("multipart/"):
        async with visitor.reading(path) as stream:
            assert stream.response.status == 200
            data = b""
            with trio.fail_after(20):
                while len(found := re.findall(rb"\xff\xd8\xff.*?\xff\xd9", data, re.DOTALL)) < 2:
                    data += await stream.read(1 << 16)
        return found
    if route.name == "live":
        async with visitor.live(camera.id) as view:
            await view.want(**WANT, mode="transcoded")
            await view.told("stream")
            return [message[8:] for message in await view.fragments(3)]
    if route.name == "playback":
        async with visitor.live(camera.id, way="playback") as view:
            await view.want(**WANT, mode="transcoded")
            shown = []
            for speed in (1, -1, 8):
                await view.say({"type": "play", "at": to_rfc3339(THEN + 3 * TICKS_PER_SECOND), "speed": speed})
                await view.told("stream")
                shown += [message[8:] for message in await view.fragments(3)]
            return shown
    if route.name == "camera_test":
        tested = await visitor.ask(route.method, path, {"camera": camera.id})
        assert tested.status == 200, tested.body
        return [b64decode(tested.json["picture"]["jpeg"])]
    raise LookupError(f"say in this test how the pictures of {route.name} are looked at")


def complaints(world: World) -> Iterator[str]:
    """Every way out that shows too much, or nothing to who may see it."""
    for route in world.house.appliance.table:
        shows = route.video is not None or needs(route.method, route.path) in ("live", "playback")
        for camera in world.cameras if "<camera_id>" in route.path or route.video is not None else ():
            if not shows or route.video is Video.NONE:
                yield from nothing_of(route, world, camera)
            elif route.video is Video.NATIVE:
                yield from native(route, world, camera)
            else:
                yield from masked(route, world, camera)


def native(route: Route, world: World, camera: Camera) -> Iterator[str]:
    path = route.path.replace("<camera_id>", camera.id)

    def answer(visitor: Visitor) -> tuple[int, str | None]:
        if route.websocket:
            got = visitor.shake_hands(path)
        else:
            got = visitor.begin(path) if route.method == "GET" else visitor.call(route.method, path, route.example)
        return got.status, got.code if got.status >= 400 else None

    if answer(world.anna) != (403, "privacy_mask"):
        yield f"{route.name} of {camera.name}: {answer(world.anna)} to who may not see what is hidden"
    if answer(world.berta)[1] == "privacy_mask":  # what else may be wrong with an example is not about masks
        yield f"{route.name} of {camera.name}: {answer(world.berta)} to who may"


def masked(route: Route, world: World, camera: Camera) -> Iterator[str]:
    who = ((world.anna, True), (world.berta, False), (world.anna, True))
    if route.needs is Right.ADMINISTER:  # who sees everything
        if world.anna.call(route.method, route.path, route.example).code != "no_right":
            yield f"{route.name} is not for administrators only"
        who = ((world.chief, False),)
    for visitor, due in who:
        try:
            shown = world.house.do(pictures_of, route, visitor, camera)
        except LookupError as unknown:
            yield str(unknown)
            return
        if any(is_hidden(data, LEFT) != due for data in shown):
            yield f"{route.name} of {camera.name} {'shows what is hidden' if due else 'hides what may be seen'}"


def nothing_of(route: Route, world: World, camera: Camera) -> Iterator[str]:
    """It has no picture, it says."""
    if route.method != "GET" or route.websocket:
        return
    got = world.anna.begin(route.path.replace("<camera_id>", camera.id))
    if any(mark in got.body for mark in (JPEG_MAGIC, b"moof", b"mdat")) or got.headers["content-type"][:6] == "image/":
        yield f"{route.name} of {camera.name} has a picture, and says that it has none"


def test_no_way_out_shows_what_a_mask_hides(world: World) -> None:
    assert list(complaints(world)) == []


def test_a_test_picture_is_masked_for_who_may_not_see_everything(world: World) -> None:
    """Today all who may test cameras may: the rule is the same for all pictures."""
    services, camera = world.house.services, world.cameras[0]
    for mask in (camera_mask := services.cameras.get(camera.id).mask, NO_MASK):
        trial = world.house.do(services.trials.run, camera.streams, mask)
        assert is_hidden(trial.picture.jpeg, LEFT) is (mask == camera_mask)


# ── the judge notices ───────────────────────────────────────────────────────────────────────────────────────────────

PEEK = "/api/v1/cameras/<camera_id>/peek"


def forgetful(services: Services) -> Extra:
    async def peek(call: Call) -> Response:
        taken = await services.snapshots.take(call.watched, 160, NO_MASK)
        return Response(taken.jpeg, content_type="image/jpeg")

    def route(name: str, video: Video, media_type: str = "image/jpeg") -> Route:
        path = PEEK.replace("peek", name)
        return Route(name, "GET", path, Right.LIVE, peek, name, camera="camera_id", media_type=media_type, video=video)

    return Extra(
        route("forgets", Video.MASKED), route("denies", Video.NONE), route("guarded", Video.NATIVE),
        route("unknown", Video.MASKED, "video/new"),
    )  # fmt: skip


def test_a_new_route_that_forgets_the_masks_is_noticed() -> None:
    with running_house(openers=Openers(), parts=lambda services: (forgetful(services),)) as house:
        found = "\n".join(complaints(World(house)))
    for camera in ("H264", "JPEG"):
        assert f"forgets of {camera} shows what is hidden" in found
        assert f"denies of {camera} has a picture, and says that it has none" in found
    assert "how the pictures of unknown are looked at" in found
    assert "guarded" not in found


@pytest.mark.parametrize(("right", "media_type"), [(right, "application/json") for right in CAMERA_RIGHTS] + [
    (Right.ADMINISTER, "image/jpeg"), (Right.ADMINISTER, "video/mp4"), (Right.ADMINISTER, "multipart/x-mixed-replace"),
])  # fmt: skip
def test_a_route_that_does_not_say_what_becomes_of_masks_is_refused(right: Right, media_type: str) -> None:
    async def handler(_call: object) -> None: ...

    route = Route("peek", "GET", PEEK, right, handler, "", camera="camera_id", media_type=media_type)
    with pytest.raises(ValueError, match="does not say whether it has masked video"):
        Table().add(route)
    Table().add(replace(route, video=Video.NONE))


# ── what runs, and what was kept ────────────────────────────────────────────────────────────────────────────────────


async def announced(view: LiveView, mode: str, reason: str | None) -> None:
    """The next ``stream`` message, but for repetitions, is this one."""
    told = await view.told("stream")
    assert (told["mode"], told["reason"]) == (mode, reason)


async def shown(view: LiveView, count: int = 3) -> list[bytes]:
    return [message[8:] for message in await view.fragments(count)]


def test_a_mask_begins_changes_and_ends_in_running_views(world: World) -> None:
    camera = world.cameras[0]
    users = world.house.services.auth.users

    async def patch(mask: object) -> float:
        answer = await world.chief.ask("PATCH", f"/api/v1/admin/cameras/{camera.id}", {"mask": mask})
        assert answer.status == 200
        return time.monotonic()

    async def act() -> None:
        (hub,) = [each for each in world.house.services.directory.hubs if each.camera_id == camera.id] or [None]
        async with world.anna.live(camera.id) as view, world.berta.live(camera.id) as other:
            await patch([])
            for each in (view, other):
                await each.want(**WANT)
                await announced(each, "direct", None)
                await each.fragments(5)
            run = hub or next(each for each in world.house.services.directory.hubs if each.camera_id == camera.id)
            for mask in (LEFT, TOP):
                acknowledged = await patch(mask)
                while (message := await view.hear()) and not isinstance(message, dict):
                    assert time.monotonic() - acknowledged < 1 or is_hidden(message[8:], mask)
                assert (message["type"], message["mode"], message["reason"]) == ("stream", "transcoded", "mask")
                assert all(is_hidden(data, mask) for data in await shown(view, 5))
            since = time.monotonic()
            await users.grant("anna", {Right.UNMASKED: frozenset({camera.id})})
            await announced(view, "direct", None)
            assert (await view.fragments(1))[0][4:8] == b"ftyp"
            assert time.monotonic() - since < 5
            await users.grant("anna", {Right.UNMASKED: frozenset()})
            since = time.monotonic()
            await announced(view, "transcoded", "mask")
            assert all(is_hidden(data, TOP) for data in await shown(view, 5))
            assert time.monotonic() - since < 5
            await patch([])
            await announced(view, "direct", None)
            # who may see everything saw it all the time, and the camera was not opened anew
            assert [text["mode"] for text in other.texts if text["type"] == "stream"] == ["direct"]
            assert run in world.house.services.directory.hubs
            assert run.segment is not None
            await patch(LEFT)

    world.house.do(act)


def test_who_asks_for_direct_video_only_is_told_and_gets_none(world: World) -> None:
    camera = world.cameras[0]

    async def act() -> None:
        async with world.anna.live(camera.id) as view:
            await view.want(**WANT, mode="direct")
            told = await view.told("status")
            assert (told["state"], told["reason"]) == ("lost", "mask")
            with trio.move_on_after(0.5):
                await view.fragments(1)
            assert view.media == []

    world.house.do(act)


@pytest.mark.parametrize("name", ["H264", "JPEG"])
def test_two_who_may_not_see_the_same_never_share_a_picture(world: World, name: str) -> None:
    camera = next(each for each in world.cameras if each.name == name)

    async def act() -> None:
        async with world.anna.live(camera.id) as view, world.berta.live(camera.id) as other:
            for each, reason in ((view, "mask"), (other, "requested")):
                await each.want(**WANT, mode="transcoded")
                await announced(each, "transcoded", reason)
            mine, theirs = await shown(view, 8), await shown(other, 8)
            assert all(is_hidden(data, LEFT) for data in mine)
            assert not any(is_hidden(data, LEFT) for data in theirs)
            if name == "JPEG":
                assert set(theirs) <= set(JPEGS)  # the camera's own, as they are
                assert not set(mine) & set(JPEGS)

    world.house.do(act)


def test_a_picture_that_was_begun_before_the_mask_is_taken_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    camera, snapshots = world.cameras[0], world.house.services.snapshots
    taken, take = [], snapshots.take
    world.mask(camera, [])

    async def slow(watched: Camera, width: int | None, mask: Mask) -> Any:
        picture = await take(watched, width, mask)
        taken.append(mask)
        if len(taken) == 1:
            await world.house.services.cameras.change(camera.id, mask=checked(LEFT))
        return picture

    monkeypatch.setattr(snapshots, "take", slow)
    answer = world.anna.call("GET", f"/api/v1/cameras/{camera.id}/snapshot.jpg?width=320")
    assert is_hidden(answer.body, LEFT)
    assert taken == [NO_MASK, checked(LEFT)]


def test_a_player_is_cut_off_when_a_mask_comes_or_the_right_goes(world: World) -> None:
    camera = world.cameras[0]
    users = world.house.services.auth.users

    async def until_it_ends(visitor: Visitor, act: Any) -> tuple[float, bytes]:
        async with visitor.reading(f"/api/v1/cameras/{camera.id}/live.mp4?audio=0") as stream:
            assert stream.response.status == 200
            data = b""
            while len(data) < 20_000:
                data += await stream.read(1 << 16)
            await act()
            since = time.monotonic()
            with trio.fail_after(10):
                while await stream.read(1 << 16):
                    pass
            return time.monotonic() - since, data

    async def act() -> None:
        async def mask() -> None:
            await world.chief.ask("PATCH", f"/api/v1/admin/cameras/{camera.id}", {"mask": LEFT})

        async def revoke() -> None:
            await users.grant("berta", {Right.UNMASKED: frozenset()})

        await world.chief.ask("PATCH", f"/api/v1/admin/cameras/{camera.id}", {"mask": []})
        assert (await until_it_ends(world.anna, mask))[0] < 1.5
        assert (await world.anna.get(f"/api/v1/cameras/{camera.id}/live.mp4")).code == "privacy_mask"
        assert (await until_it_ends(world.berta, revoke))[0] < 5
        assert (await world.berta.get(f"/api/v1/cameras/{camera.id}/live.mp4")).code == "privacy_mask"
        await users.grant("berta", {Right.UNMASKED: ALL})

    world.house.do(act)


def test_what_users_and_administrators_are_told_of_masks(world: World) -> None:
    camera = world.cameras[0]
    for visitor, masked_for in ((world.anna, True), (world.berta, False), (world.chief, False)):
        told = visitor.call("GET", f"/api/v1/cameras/{camera.id}").json
        assert told["masked"] is masked_for
        assert ("unmasked" in told["rights"]) is not masked_for
        assert not re.search(r"(?<![\d:])0\.5\b", str(told))  # where it lies is nobody's business
    assert world.mask(camera, "0,0 0.5,0 0.5,1 0,1")["mask"] == LEFT[0:1]
    listed = world.chief.call("GET", "/api/v1/admin/cameras").json["cameras"]
    assert [each["mask"] for each in listed if each["id"] == camera.id] == [LEFT]


@pytest.mark.parametrize(("mask", "code"), [
    ([[[0, 0], [1, 1]]], "invalid_mask"), ([[[0, 0], [1, 0], [1, 1.5]]], "invalid_mask"), ("0,0 1,1", "invalid_mask"),
    ([[[0, 0], [1, 0], [1]]], "bad_request"), ([[["a", 0], [1, 0], [1, 1]]], "bad_request"), (7, "bad_request"),
    ([[[0, 0], [0.5, 0.5], [1, 1]]], "invalid_mask"), ([[[0, 0], [0, 1], [1, 1]]] * 65, "invalid_mask"),
    ([], None), ("none", None), ("", None),
])  # fmt: skip
def test_a_mask_that_is_none_is_refused_and_nothing_changes(world: World, mask: object, code: str | None) -> None:
    camera = world.cameras[1]
    path = f"/api/v1/admin/cameras/{camera.id}"
    answer = world.chief.call("PATCH", path, {"name": "JPEG of the yard", "mask": mask})
    now = world.house.services.cameras.get(camera.id)
    if code is None:
        assert answer.status == 200
        assert now.mask == NO_MASK
        world.chief.call("PATCH", path, {"name": camera.name, "mask": LEFT})
    else:
        assert (answer.status, answer.code, answer.json["field"][:4]) == (422, code, "mask")
        assert now.name == camera.name
        assert now.mask


def test_a_mask_is_there_after_a_restart_and_one_that_is_damaged_hides_everything(world: World) -> None:
    import sqlalchemy as sa

    from appliance.sites.cameras import CameraBook
    from appliance.store import tables

    services = world.house.services
    store = services.auth.users._store

    async def act() -> None:
        again = await CameraBook.load(store)
        assert again.get(world.cameras[0].id).mask == checked(LEFT)
        damaged = sa.update(tables.cameras).where(tables.cameras.c.id == world.cameras[0].id).values(mask="[[[0")
        await store.write(lambda connection: connection.execute(damaged).rowcount)
        assert (await CameraBook.load(store)).get(world.cameras[0].id).mask == EVERYTHING

    world.house.do(act)
    world.mask(world.cameras[0], TOP)
    world.mask(world.cameras[0], LEFT)


def test_a_mask_begins_and_ends_in_a_running_playback(world: World) -> None:
    """Not one picture of the camera's own comes after the mask, from the moment on that it was acknowledged."""
    camera = world.cameras[0]

    async def patch(mask: object) -> None:
        answer = await world.chief.ask("PATCH", f"/api/v1/admin/cameras/{camera.id}", {"mask": mask})
        assert answer.status == 200

    async def act() -> None:
        await patch([])
        async with (
            world.anna.live(camera.id, way="playback") as view,
            world.berta.live(camera.id, way="playback") as other,
        ):
            for each in (view, other):
                await each.want(**WANT)
                await each.say({"type": "play", "at": to_rfc3339(THEN), "speed": 0.25, "id": 1})
                await announced(each, "direct", None)
                await each.fragments(5)
            for mask in (LEFT, TOP):
                await patch(mask)
                await announced(view, "transcoded", "mask")
                assert all(is_hidden(data, mask) for data in await shown(view, 3))
            await patch([])
            await announced(view, "direct", None)
            assert [text["mode"] for text in other.texts if text["type"] == "stream"] == ["direct"]
            await patch(LEFT)

    world.house.do(act)


def test_who_asks_for_recordings_as_they_are_is_told_of_the_mask(world: World) -> None:
    camera = world.cameras[0]

    async def act() -> None:
        async with world.anna.live(camera.id, way="playback") as view:
            await view.want(**WANT, mode="direct")
            await view.say({"type": "seek", "at": to_rfc3339(THEN)})
            told = await view.told("status")
            assert (told["state"], told["reason"]) == ("lost", "mask")
            with trio.move_on_after(0.5):
                await view.fragments(1)
            assert view.media == []

    world.house.do(act)
