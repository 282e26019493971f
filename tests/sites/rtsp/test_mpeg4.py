"""Pictures of MPEG-4 come out from one that stands alone on, as those of H.264 do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.sites.rtsp.oddities import Oddity
from tests.reference.packets import rtp as packet
from tests.sites.rtsp.talk import MPEG4
from tests.sites.rtsp.test_video import STEP, Camera

if TYPE_CHECKING:
    from appliance.media.units import AccessUnit

KEY, NEXT, BETWEEN = (b"\0\0\1\xb6" + bytes((kind << 6,)) + b"\x5a" * 50 for kind in range(3))
SMALL = bytes.fromhex("000001b0f1000001b5a913000001000000012008d48d0800cd02040614103f")  # 64x48, as libav writes them


def send(camera: Camera, *pictures: tuple[int, bytes], sequence: int = 0) -> list[AccessUnit]:
    """Pictures, each with its time in pictures; what came out."""
    return camera.push(
        *[packet(data, sequence=sequence + n, time=time * STEP, marker=True) for n, (time, data) in enumerate(pictures)]
    )


def test_who_joins_in_the_middle_begins_with_a_picture_that_stands_alone() -> None:
    camera = Camera(MPEG4)
    units = send(camera, (0, NEXT), (2, KEY), (1, BETWEEN), (3, NEXT))
    assert [(unit.data, unit.seq) for unit in units] == [(KEY, 0), (NEXT, 1)]
    assert [unit.pts - camera.begun for unit in units] == [2 * STEP, 3 * STEP]
    assert camera.statistics.units_dropped == 1  # what leads the first one


def test_what_leads_a_picture_that_stands_alone_is_given_out_if_nothing_is_missing() -> None:
    camera = Camera(MPEG4)
    units = send(camera, (0, KEY), (2, KEY), (1, BETWEEN), (3, NEXT))
    assert [(unit.data, unit.leading) for unit in units] == [(KEY, False), (KEY, False), (BETWEEN, True), (NEXT, False)]


def test_nothing_leads_a_new_format() -> None:
    camera = Camera(MPEG4)
    units = send(camera, (0, KEY), (1, NEXT), (3, SMALL + KEY), (2, BETWEEN), (4, NEXT))
    assert [(unit.data, unit.format.width) for unit in units] == [
        (KEY, 640), (NEXT, 640), (SMALL + KEY, 64), (NEXT, 64),
    ]  # fmt: skip
    assert camera.statistics.units_dropped == 1


def test_a_picture_with_the_time_of_the_one_before_is_shown_a_picture_later() -> None:
    camera = Camera(MPEG4)
    units = send(camera, (0, KEY), (1, NEXT), (1, KEY), (3, NEXT), (4, NEXT))
    assert [unit.pts - camera.begun for unit in units] == [n * STEP for n in range(5)]
    assert camera.oddities.names == {Oddity.TIME_REPEATED}
