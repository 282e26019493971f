"""Live video over the WebSocket of design §9, as a client gets it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
import trio
import trio_websocket

from appliance.sites.source import SourceError, Trouble
from tests.streams.scripted import CLIP, picture, sound
from tests.web.scenes import feed, give, judge

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.appliance import House


async def test_first_the_announcement_then_the_init_segment_then_the_group(house: House) -> None:
    camera = await house.camera(sub=True)
    anna = await house.viewer("anna", camera)
    async with anna.live(camera.id) as view:
        await view.want(width=1920, height=1080)
        assert (await view.told("status"))["state"] == "waiting"
        source = await feed(house, camera)
        await give(source, *(picture(n) for n in range(3)))
        told = await view.told("stream")
        assert told == {
            "type": "stream", "mode": "direct", "stream": "main", "width": 320, "height": 180, "reason": None,
            "mime": f'video/mp4; codecs="{CLIP.format.codec_string}"', "fps": told["fps"],
            "utc_zero": CLIP.units[0].run.utc_zero,
        }  # fmt: skip
        init, *fragments = await view.fragments(4)
        assert init[4:8] == b"ftyp"
        assert [fragment[4:8] for fragment in fragments] == [b"moof"] * 3


async def test_two_viewers_receive_identical_bytes_and_a_later_one_the_group_at_once(house: House) -> None:
    camera = await house.camera()
    anna, bob = await house.viewer("anna", camera), await house.viewer("bob", camera)
    async with anna.live(camera.id) as one, bob.live(camera.id) as other:
        await one.want()
        source = await feed(house, camera)
        await give(source, *(picture(n) for n in range(10)))
        await one.fragments(11)
        await other.want()
        await other.fragments(11)  # although no key frame came since
        await give(source, *(picture(n) for n in range(10, 40)))
        await one.fragments(30)
        await other.fragments(30)
    hashes = [hashlib.sha256(b"".join(view.media)).hexdigest() for view in (one, other)]
    assert hashes[0] == hashes[1]
    assert source.opened == 1


async def test_the_bytes_of_the_socket_are_a_movie_without_a_complaint(house: House, tmp_path: Path) -> None:
    camera = await house.camera()
    anna = await house.viewer("anna", camera, audio=True)
    async with anna.live(camera.id) as view:
        await view.want(audio=True)
        source = await feed(house, camera)
        await give(source, picture(0), sound(0))
        assert "mp4a.40.2" in (await view.stream(sound=True))["mime"]
        view.media.clear()
        await view.fragments(3)
        for n in range(1, 50):  # one by one: two seconds all at once are more than may wait for a client
            await give(source, picture(n), sound(n))
            await view.fragments(2)
        assert not [text for text in view.texts if text["type"] == "dropped"]
    file = tmp_path / "live.mp4"
    file.write_bytes(b"".join(view.media))
    probe = await trio.to_thread.run_sync(judge, file)
    assert probe == ["aac", "h264,320"]


async def test_compression_is_refused(house: House) -> None:
    camera = await house.camera()
    anna = await house.viewer("anna", camera)
    offer = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
    answer = await trio.to_thread.run_sync(anna.shake_hands, f"/api/v1/cameras/{camera.id}/live", offer)
    assert answer.status == 101
    assert "sec-websocket-extensions" not in answer.headers


@pytest.mark.parametrize(
    "message",
    ["", "{", "[]", '{"type":"nothing"}', '{"type":"want","width":-1}', '{"type":"want","width":99999999}',
     '{"type":"want","codecs":["' + "x" * 65 + '"]}', '{"type":"want","mode":"telepathy"}',
     '{"type":"stats","buffer_s":"x"}'],
)  # fmt: skip
async def test_a_message_that_cannot_be_used_is_named_and_the_view_goes_on(house: House, message: str) -> None:
    camera = await house.camera()
    anna = await house.viewer("anna", camera)
    async with anna.live(camera.id) as view:
        await view.say(message)
        error = await view.told("error")
        assert error["code"] == "bad_message"
        assert error["detail"]
        await view.want()
        assert (await view.told("status"))["state"] == "waiting"


async def test_a_lost_camera_is_told_with_its_reason_and_can_be_tried_at_once(house: House) -> None:
    camera = await house.camera()
    anna = await house.viewer("anna", camera)
    house.openers.opener(camera.streams[0]).refuse = SourceError(Trouble.BAD_CREDENTIALS, "Wrong password.")
    async with anna.live(camera.id) as view:
        await view.want()
        while (told := await view.told("status"))["state"] != "lost":
            pass
        assert told == {"type": "status", "state": "lost", "reason": "bad_credentials"}
        source = house.openers.opener(camera.streams[0])
        source.refuse = None
        before = source.opened
        await view.say({"type": "retry"})
        source = await feed(house, camera)
        assert source.opened == before + 1
        await give(source, picture(0))
        assert (await view.told("status"))["state"] == "ok"


async def test_where_a_camera_is_only_administrators_are_told(house: House) -> None:
    camera = await house.camera()
    lost = SourceError(Trouble.REFUSED, "Nothing answers at 192.0.2.1:554.")
    house.openers.opener(camera.streams[0]).refuse = lost
    for visitor, heard in ((await house.viewer("anna", camera), None), (await house.administrator(), str(lost))):
        async with visitor.live(camera.id) as view:
            await view.want()
            while (told := await view.told("status"))["state"] != "lost":
                pass
            assert told.get("message") == heard


async def test_a_handshake_that_is_refused_is_answered_as_http(house: House) -> None:
    camera = await house.camera()
    refused = pytest.RaisesExc(trio_websocket.ConnectionRejected, check=lambda error: error.status_code == 401)
    with pytest.RaisesGroup(refused):
        async with house.stranger().live(camera.id):
            pass
