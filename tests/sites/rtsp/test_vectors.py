"""Every vector is understood, and shows exactly the oddity that it is named after."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from appliance.sites.rtsp.codecs import choose
from appliance.sites.rtsp.events import Capable, Described, Playing, TrackReady
from appliance.sites.rtsp.oddities import Oddities, Oddity
from appliance.sites.rtsp.sdp import parse_sdp
from tests.sites.rtsp.talk import H265, MPEG4, VIDEO, Talk
from tests.sites.rtsp.test_video import Camera

VECTORS = Path(__file__).parents[2] / "vectors" / "rtsp"


def vectors(folder: str) -> list[object]:
    return [pytest.param(path, id=path.stem) for path in sorted((VECTORS / folder).iterdir())]


def reply(talk: Talk, path: Path):
    data = path.read_bytes().replace(b"{cseq}", talk.asked.headers["CSeq"].encode())
    return talk.feed(data)


@pytest.mark.parametrize("path", vectors("describe"))
def test_descriptions(path: Path) -> None:
    talk = Talk()
    talk.start()
    talk.client.describe(0.0)
    (described,) = reply(talk, path)
    assert isinstance(described, Described)
    talk.client.play(described.description.media, 0.0)
    assert talk.asked.url in ("rtsp://192.0.2.7/live/trackID=1",)
    assert talk.oddities.names == {Oddity(path.stem)}


@pytest.mark.parametrize("path", vectors("setup"))
def test_setups(path: Path) -> None:
    talk = Talk()
    talk.start()
    talk.client.play(talk.describe().description.media, 0.0)
    (ready,) = reply(talk, path)
    assert isinstance(ready, TrackReady)
    assert (ready.transport.channel, ready.transport.control_channel) == (0, 1)
    assert (talk.asked.method, talk.asked.headers["Session"]) == ("PLAY", "7")
    assert talk.oddities.names == {Oddity(path.stem)}


@pytest.mark.parametrize("path", vectors("play"))
def test_plays(path: Path) -> None:
    talk = Talk()
    talk.start()
    talk.client.play(talk.describe().description.media, 0.0)
    talk.answer(headers={"Session": "7", "Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"})
    (playing,) = reply(talk, path)
    assert isinstance(playing, Playing)
    assert talk.oddities.names == {Oddity(path.stem)}


@pytest.mark.parametrize("path", vectors("sdp"))
def test_sdp(path: Path) -> None:
    oddity, oddities = Oddity(path.name.partition(".")[0]), Oddities()
    plan = choose(parse_sdp(path.read_bytes(), oddities), oddities, audio=True)
    usable = oddity is not Oddity.PARAMETER_SETS_UNREADABLE
    assert (plan.video.format is not None) == usable
    assert (plan.audio is not None) == (b"m=audio" in path.read_bytes())
    assert oddities.names == {oddity}


@pytest.mark.parametrize("path", vectors("talk"))
def test_conversations(path: Path) -> None:
    talk = Talk(username="user", password="word")
    talk.client.start(0.0)
    playing = False
    for step in path.read_bytes().split(b"== ")[1:]:
        head, _, message = step.partition(b"\r\n")
        what = head.decode()
        if what.startswith("pictures for "):
            for _ in range(int(what.split()[2])):
                talk.client.media_heard(talk.now)
                talk.later(1.0)
            continue
        if what == "goodbye":
            talk.client.goodbye_heard(talk.now)
            continue
        assert what in (talk.asked.method, "nobody")
        for event in talk.feed(message.replace(b"{cseq}", talk.asked.headers["CSeq"].encode())):
            match event:
                case Capable():
                    talk.client.describe(talk.now)
                case Described():
                    talk.client.play(event.description.media, talk.now)
                case Playing():
                    playing = True
    assert playing
    assert talk.oddities.names == {Oddity(path.stem)}


@dataclass
class Packets:
    """A vector of packets: what was announced, how many pictures have to come out, and the packets as they arrived."""

    media: str
    pictures: int
    control: list[bytes]
    packets: list[tuple[int, bytes]]  # milliseconds, RTP

    @classmethod
    def read(cls, path: Path) -> Packets:
        found = cls("", -1, [], [])
        for line in path.read_text().splitlines():
            word, _, rest = line.partition(" ")
            match word:
                case "media":
                    codec, _, changed = rest.partition(" packetization-mode=")
                    found.media = {"h264": VIDEO, "h265": H265, "mpeg4": MPEG4}[codec]
                    if changed:
                        found.media = found.media.replace("packetization-mode=1", f"packetization-mode={changed}")
                case "pictures":
                    found.pictures = int(rest)
                case "control":
                    found.control.append(bytes.fromhex(rest))
                case _:
                    found.packets.append((int(word), bytes.fromhex(rest)))
        return found


@pytest.mark.parametrize("path", vectors("rtp"))
def test_packets(path: Path) -> None:
    vector, camera = Packets.read(path), Camera(Packets.read(path).media)
    for milliseconds, data in vector.packets:
        camera.clock.now = camera.begun + milliseconds * 90
        camera.receive(data)
    for packet in vector.control:
        camera.receiver.reports.control(packet, camera.clock.now, 0.0)
    assert camera.oddities.names == {Oddity(path.name.partition(".")[0])}
    assert len(camera.units) == vector.pictures
    assert all(one.dts < other.dts for one, other in pairwise(camera.units))
    assert not camera.units or camera.units[0].is_idr
