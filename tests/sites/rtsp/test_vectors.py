"""Every vector is understood, and shows exactly the oddity that it is named after."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.sites.rtsp.codecs import choose
from appliance.sites.rtsp.events import Described, Playing, TrackReady
from appliance.sites.rtsp.oddities import Oddities, Oddity
from appliance.sites.rtsp.sdp import parse_sdp
from tests.sites.rtsp.talk import Talk

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
    oddities = Oddities()
    plan = choose(parse_sdp(path.read_bytes(), oddities), oddities, audio=True)
    usable = path.stem != Oddity.PARAMETER_SETS_UNREADABLE
    assert (plan.video.format is not None) == usable
    assert (plan.audio is not None) == (b"m=audio" in path.read_bytes())
    assert oddities.names == {Oddity(path.stem)}
