"""Readers slower than the camera: what they miss they are told, and they go on with a whole picture (A4, F3)."""

from __future__ import annotations

import json
import socket
import struct
from typing import TYPE_CHECKING, Any

import trio

from appliance.base.clock import TICKS_PER_SECOND
from appliance.media.fmp4_read import read_samples
from appliance.serve import backlog, outlet
from tests.web.scenes import eventually, feed, give, large_picture

if TYPE_CHECKING:
    import http.client

    from tests.web.appliance import House
    from tests.web.visitor import Visitor

HURRY = b'{"type":"want"}'


class SlowReader:
    """A WebSocket client with a small window that reads when it is told to."""

    def __init__(self, visitor: Visitor, camera_id: str) -> None:
        self.connection: http.client.HTTPSConnection = visitor.connect()  # type: ignore[assignment]
        self.connection._create_connection = _narrow
        path = f"/api/v1/cameras/{camera_id}/live"
        self.connection.request("GET", path, headers=visitor.handshake | visitor.identity)
        self.response = self.connection.getresponse()
        assert self.response.status == 101
        assert self.connection.sock is not None
        self.connection.sock.sendall(struct.pack("!BB", 0x81, 0x80 | len(HURRY)) + bytes(4) + HURRY)
        self.heard: list[dict[str, Any] | bytes] = []

    def read(self, count: int) -> None:
        """So many more messages; pings are not counted, and not answered."""
        wanted = len(self.heard) + count
        while len(self.heard) < wanted:
            self._read_frame()

    def send_close(self) -> bytes:
        """Send a close frame and read until it is answered; the answer."""
        self.connection.sock.sendall(b"\x88\x82" + bytes(4) + struct.pack("!H", 1000))
        while (answer := self._read_frame()) is None:
            pass
        return answer

    def _read_frame(self) -> bytes | None:
        """What a close frame says; None for any other."""
        first, length = self._exactly(2)
        if length == 126:
            (length,) = struct.unpack("!H", self._exactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._exactly(8))
        data = self._exactly(length)
        if first & 0x0F == 1:
            self.heard.append(json.loads(data))
        elif first & 0x0F == 2:
            self.heard.append(data)
        return data if first & 0x0F == 8 else None

    def _exactly(self, size: int) -> bytes:
        data = self.response.fp.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def close(self) -> None:
        self.response.close()
        self.connection.close()


def _narrow(address: tuple[str, int], timeout: float, source: tuple[str, int]) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 10)  # before it connects, or the window is larger
    sock.settimeout(timeout)
    sock.bind(source)
    sock.connect(address)
    return sock


async def test_a_slow_reader_is_told_what_it_missed_and_goes_on_with_a_key_frame(house: House) -> None:
    camera = await house.camera()
    anna, bob = await house.viewer("anna", camera), await house.viewer("bob", camera)
    slow = await trio.to_thread.run_sync(SlowReader, anna, camera.id)
    try:
        async with bob.live(camera.id) as quick:
            await quick.want()
            source = await feed(house, camera)
            for n in range(150):  # six seconds of 4 Mbit/s: more than may wait and more than the network holds
                await give(source, large_picture(n))
                await quick.fragments(2 if n == 0 else 1)
            (member,) = [one for one in house.services.audience if one.principal.name == "anna"]
            assert member.outlet.fragments_dropped > 50
            assert member.outlet.queued <= backlog.QUEUE_BYTES
            while not any(isinstance(one, dict) and one["type"] == "dropped" for one in slow.heard):
                await trio.to_thread.run_sync(slow.read, 1)
            await trio.to_thread.run_sync(slow.read, 1)
            assert not [text for text in quick.texts if text["type"] == "dropped"]  # another sees nothing of it
        media = [one for one in slow.heard if isinstance(one, dict) or one[4:8] == b"moof"]
        told = 0
        for before, word, after in zip(media, media[1:], media[2:], strict=False):
            if isinstance(word, dict) and word["type"] == "dropped":
                assert sample_of(after).is_sync
                gap = (sample_of(after).dts - sample_of(before).dts) / TICKS_PER_SECOND - 1 / 25
                assert gap > 0
                assert abs(word["seconds"] - gap) < 0.001
                told += 1
            elif isinstance(before, bytes) and isinstance(word, bytes):  # and where nothing is told nothing is missing
                assert sample_of(word).dts - sample_of(before).dts == TICKS_PER_SECOND // 25
        assert told >= 1
    finally:
        slow.close()


def sample_of(message: dict[str, Any] | bytes) -> Any:
    assert isinstance(message, bytes)
    (sample,) = read_samples(message)
    return sample


async def test_a_close_frame_of_a_slow_reader_is_answered_in_the_middle_of_pictures(house: House) -> None:
    camera = await house.camera()
    anna, bob = await house.viewer("anna", camera), await house.viewer("bob", camera)
    async with bob.live(camera.id) as quick:
        await quick.want()
        source = await feed(house, camera)
        for n in range(25):  # what the next ones are sent at once
            await give(source, large_picture(n))
        await quick.fragments(26)
        for _ in range(40):
            slow = await trio.to_thread.run_sync(SlowReader, anna, camera.id)
            try:
                await trio.to_thread.run_sync(slow.read, 3)
                assert await trio.to_thread.run_sync(slow.send_close) == struct.pack("!H", 1000)
                assert len(slow.heard) < 25  # nothing that had not begun
            finally:
                slow.close()
        await eventually(lambda: len(house.appliance.bound.connections) == 1)


async def test_a_reader_that_takes_nothing_is_too_slow_and_cut(house: House, monkeypatch) -> None:
    assert outlet.STUCK_S == 10
    monkeypatch.setattr(outlet, "STUCK_S", 0.5)
    camera = await house.camera()
    anna = await house.viewer("anna", camera)
    stuck = await trio.to_thread.run_sync(SlowReader, anna, camera.id)
    try:
        source = await feed(house, camera)
        await eventually(lambda: bool(len(house.services.audience)))
        (member,) = house.services.audience
        for n in range(100):
            await give(source, large_picture(n))
            await trio.sleep(0.005)
        await eventually(lambda: not len(house.services.audience))
        assert member.ending is not None
        assert member.ending.code == 4408
        await eventually(lambda: not len(house.appliance.bound.connections))  # nothing is held for it any longer
    finally:
        stuck.close()


async def test_a_player_that_takes_nothing_is_cut_too(house: House, monkeypatch) -> None:
    monkeypatch.setattr(outlet, "STUCK_S", 0.5)
    camera = await house.camera()
    anna = await house.viewer("anna", camera)

    def ask() -> http.client.HTTPConnection:
        connection = anna.connect()
        connection._create_connection = _narrow  # type: ignore[attr-defined]
        connection.request("GET", f"/api/v1/cameras/{camera.id}/live.mp4?audio=0", headers=anna.identity)
        return connection

    stuck = await trio.to_thread.run_sync(ask)
    try:
        source = await feed(house, camera)
        for n in range(100):
            await give(source, large_picture(n))
            await trio.sleep(0.005)
        await eventually(lambda: house.services.audience.bytes_of_the_gone > 0 and not len(house.services.audience))
        await eventually(lambda: not len(house.appliance.bound.connections))
    finally:
        stuck.close()
