"""Privacy masks and running views: at once, and nothing that waits of the picture before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.auth.rights import Holdings, Principal, Right, Rights, Role
from appliance.base.faults import Fault
from appliance.media.jpeg import video_format
from appliance.media.masks import NO_MASK, Mask
from appliance.sites.cameras import Camera
from appliance.streams.messages import Want
from appliance.streams.privacy import mask_for, refuse_native
from tests.media.jpegs import jpeg
from tests.streams.scripted import picture
from tests.streams.scripted_workers import Crew
from tests.streams.staging import ANY, JPEG, Stage, said, settle, stage

LEFT: Mask = (((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)),)
RIGHT: Mask = (((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)),)


async def let_all(crew: Crew) -> None:
    """The worker answers everything."""
    await settle()
    crew.seats[-1].let(len(crew.seats[-1].waiting))
    await settle()


def set_mask(s: Stage, mask: Mask) -> None:
    """As the camera book and the rights do it: whoever asks gets the new answer; then the news come."""
    s.policy.mask = mask
    s.viewer.decide()


def test_who_may_see_what_a_mask_hides() -> None:
    rights = Rights()
    rights.put("chief", Holdings(Role.ADMINISTRATOR))
    rights.put("anna", Holdings(Role.VIEWER, grants={Right.LIVE: frozenset({"a", "b"})}))
    rights.put("berta", Holdings(Role.VIEWER, grants={Right.UNMASKED: frozenset({"a"})}))
    masked, other = (Camera(name, "site", name, 0, (), mask) for name, mask in (("a", LEFT), ("b", RIGHT)))
    chief, anna, berta = (Principal(name, name, Role.VIEWER) for name in ("chief", "anna", "berta"))
    assert [mask_for(rights, who, masked) for who in (chief, anna, berta)] == [NO_MASK, LEFT, NO_MASK]
    assert [mask_for(rights, who, other) for who in (chief, anna, berta)] == [NO_MASK, RIGHT, RIGHT]
    assert mask_for(rights, anna, replace(masked, mask=NO_MASK)) == NO_MASK
    refuse_native(rights, berta, masked)
    refuse_native(rights, anna, replace(masked, mask=NO_MASK))
    with pytest.raises(Fault) as caught:
        refuse_native(rights, anna, masked)
    assert caught.value.code == "privacy_mask"


async def test_direct_video_ends_with_the_mask_and_comes_back_when_it_ends() -> None:
    crew = Crew(is_fast=False)
    async with stage("main", crew=crew) as s:
        s.viewer.want(ANY)
        await settle()
        await s.camera("main").give(picture(0))
        assert (await s.received())[-1] == [0]
        set_mask(s, LEFT)
        await s.camera("main").give(picture(1), picture(2))
        assert await s.received() == []  # no black picture, and none that shows too much either
        await let_all(crew)
        announced, shown = await s.received()
        assert said(announced, "mode", "reason") == ["transcoded", "mask"]
        assert shown.startswith("jpeg")
        set_mask(s, NO_MASK)
        announced, init, burst = await s.received()
        assert said(announced, "mode", "reason") == ["direct", None]
        assert (init, burst) == ("init", [0, 1, 2])


async def test_what_waits_for_a_slow_reader_is_not_sent_once_there_is_a_mask() -> None:
    async with stage("main", crew=Crew(is_fast=False)) as s:
        s.viewer.want(ANY)
        await settle()
        await s.camera("main").give(picture(0))
        await s.received()
        s.lane.room = 0
        await s.camera("main").give(*(picture(n) for n in range(1, 10)))
        set_mask(s, LEFT)
        s.lane.drain(1 << 30)
        shown = [n for m in await s.received() if isinstance(m, list) for n in m]
        assert shown in ([], [1])  # what the socket has taken a part of is finished


async def test_another_mask_is_another_rung_at_once() -> None:
    crew = Crew(is_fast=False)
    async with stage("main", crew=crew) as s:
        s.policy.mask = LEFT
        s.viewer.want(ANY)
        await settle()
        await s.camera("main").give(picture(0), picture(1))
        await let_all(crew)
        assert s.viewer.showing is not None
        assert s.viewer.showing.mask == LEFT
        assert (await s.received())[-1] == "jpeg 1"
        await s.camera("main").give(picture(2))  # the worker has it, for the mask before
        set_mask(s, LEFT + RIGHT)
        assert s.viewer.showing is None
        await let_all(crew)
        assert await s.received() == []
        await s.camera("main").give(picture(3))
        await let_all(crew)
        assert s.viewer.showing is not None
        assert s.viewer.showing.mask == LEFT + RIGHT
        assert [m for m in await s.received() if isinstance(m, str)] == ["jpeg 3"]
        assert len(crew.seats) == 1  # the decoder went on


async def test_a_mask_that_is_newer_than_what_was_chosen_is_seen_when_the_stream_begins() -> None:
    """The book knows, and the news are under way."""
    async with stage("main", crew=Crew()) as s:
        s.viewer.want(ANY)
        await settle()
        s.policy.mask = LEFT
        await s.camera("main").give(picture(0), picture(1))
        kinds = [said(m, "mode", "reason") if isinstance(m, dict) else m for m in await s.received()]
        assert ["transcoded", "mask"] in kinds
        assert not [m for m in kinds if m == "init" or (isinstance(m, list) and m and isinstance(m[0], int))]


@pytest.mark.parametrize("crew", [Crew(), None], ids=["that asks for direct video", "of a player"])
async def test_a_client_that_takes_direct_video_only_gets_none(crew: Crew | None) -> None:
    async with stage("main", crew=crew) as s:
        s.viewer.want(Want(width=1920, height=1080, mode="direct"))
        await settle()
        await s.camera("main").give(picture(0))
        assert (await s.received())[-1] == [0]
        set_mask(s, LEFT)
        await s.camera("main").give(picture(1))
        (told,) = await s.received()
        assert said(told, "type", "state", "reason") == ["status", "lost", "mask"]
        s.viewer.decide()
        await s.camera("main").give(picture(25))
        assert await s.received() == []
        set_mask(s, NO_MASK)
        await settle()
        kinds = [m if not isinstance(m, dict) else said(m, "type", "mode", "state") for m in await s.received()]
        assert kinds == [["status", None, "ok"], ["stream", "direct", None], "init", [25]]


async def test_jpeg_of_the_camera_is_not_passed_on_to_who_may_not_see_all_of_it() -> None:
    data = jpeg(320, 180, quality=75)
    form = video_format(320, 180)
    crew = Crew()
    async with stage("main", look=False, crew=crew) as s:
        s.policy.mask = LEFT
        s.viewer.want(JPEG)
        await settle()
        await s.camera("main").give(*(replace(picture(n, form=form), data=data, is_idr=True) for n in range(3)))
        shown = [m for m in await s.received() if not isinstance(m, dict)]
        assert shown
        assert all(isinstance(m, str) and m.startswith("jpeg") for m in shown), shown  # made by the worker
        assert s.viewer.showing is not None
        assert s.viewer.showing.mask == LEFT


@pytest.mark.parametrize(("mask", "reduced"), [(NO_MASK, 4), (LEFT, 1)])
async def test_jpeg_is_not_decoded_at_a_part_of_its_size_where_something_is_hidden(mask: Mask, reduced: int) -> None:
    """Decoded in part, a sample has something of its whole block, beside the mask too."""
    data = jpeg(1280, 720, quality=75)
    form = video_format(1280, 720)
    crew = Crew()
    async with stage("main", look=False, crew=crew) as s:
        s.policy.mask = mask
        s.viewer.want(Want(width=160, height=90, mode="transcoded"))
        await settle()
        await s.camera("main").give(replace(picture(0, form=form), data=data, is_idr=True))
        await settle()
        opened = crew.seats[-1].opened
        assert opened is not None
        assert opened.reduce == reduced
