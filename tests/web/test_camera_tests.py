"""The test of a camera over the interface: what is asked, what is answered, and that it tells no secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import trio

from appliance.sites.probe import ProbeResult
from appliance.sites.rtsp.steps import Step
from appliance.sites.rtsp.tls import Untrusted
from appliance.sites.source import SourceError, Trouble
from appliance.streams.trials import AT_ONCE
from tests.streams.scripted import CLIP, SOUND, Openers
from tests.web.appliance import House, open_house

if TYPE_CHECKING:
    from appliance.sites.cameras import StreamConfig
    from tests.web.manners import Answer

PATH = "/api/v1/admin/camera-tests"
DIGITS = "ab" * 32


def untrusted() -> ProbeResult:
    error = SourceError(Trouble.REFUSED, "The certificate cannot be verified.", "Pin it.")
    error.__cause__ = Untrusted("", "", DIGITS)
    return ProbeResult((Step("TLS", ok=False, detail="no", ms=3),), error=error)


class Probing(Openers):
    """What tests were asked for, with which credentials."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, str, str | None]] = []
        self.go = trio.Event()
        self.go.set()

    async def probe(self, stream: StreamConfig, *, within_s: float) -> ProbeResult:
        self.asked.append((stream.url, stream.username, stream.password.reveal() if stream.password else None))
        await self.go.wait()
        return self.probed


async def ask(house: House, body: Any) -> Answer:
    return await (await house.administrator()).ask("POST", PATH, body)


async def test_what_was_found_is_told_step_by_step() -> None:
    probing = Probing()
    steps = (Step("connect", ok=True, detail="192.0.2.10:554", ms=1), Step("picture", ok=True, detail="320x180", ms=40))
    probing.probed = ProbeResult(steps, CLIP.format, SOUND, ("a note",), ("cseq_wrong",), None)
    async with open_house(openers=probing) as house:
        answer = await ask(house, {"url": "rtsp://u:canary@192.0.2.10/main"})
    assert answer.status == 200
    assert "canary" not in answer.body.decode()
    told = answer.json
    assert told["ok"]
    [main] = told["streams"]
    assert (main["code"], main["message"], main["fingerprint"]) == (None, "", None)
    assert main["steps"][1] == {"name": "picture", "ok": True, "text": "320x180", "ms": 40}
    assert (main["codec"], main["width"], main["height"], main["nominal_fps"]) == ("h264", 320, 180, 25.0)
    assert main["audio"]["codec"] == "aac"
    assert main["notes"] == ["a note"]
    assert main["oddities"][0]["name"] == "cseq_wrong"
    assert main["oddities"][0]["sentence"].endswith(".")
    assert probing.asked == [("rtsp://192.0.2.10/main", "u", "canary")]


async def test_a_camera_that_is_set_up_is_tested_with_its_own_credentials() -> None:
    probing = Probing()
    async with open_house(openers=probing) as house:
        await house.services.cameras.add("Gate", "rtsp://u:pw@192.0.2.10/main")
        chief = await house.administrator()
        assert (await chief.ask("POST", PATH, {"camera": "gate"})).status == 200
        assert (await chief.ask("POST", PATH, {"camera": "gate", "password": "other"})).status == 200
        assert (await chief.ask("POST", PATH, {"camera": "nothing"})).code == "no_camera"
        assert house.services.cameras.get("gate").streams[0].password is not None
    assert probing.asked == [("rtsp://192.0.2.10/main", "u", "pw"), ("rtsp://192.0.2.10/main", "u", "other")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "bad_request"),
        ({"url": "ftp://192.0.2.1/"}, "unsupported_scheme"),
        ({"url": "rtsp://169.254.169.254/"}, "invalid_url"),
        ({"url": "file:///etc/passwd"}, "unsupported_scheme"),
        ({"url": "file:/etc/passwd"}, "invalid_url"),
        ({"url": "demo:main"}, "invalid_url"),
    ],
)
async def test_what_may_not_be_tested_is_not(body: dict[str, str], code: str) -> None:
    probing = Probing()
    async with open_house(openers=probing) as house:
        answer = await ask(house, body)
    assert answer.code == code
    assert probing.asked == []


async def test_not_more_than_some_are_tested_at_a_time() -> None:
    probing = Probing()
    probing.go = trio.Event()
    async with open_house(openers=probing) as house:
        chiefs = [await house.administrator(f"chief {n}") for n in range(AT_ONCE + 1)]
        async with trio.open_nursery() as nursery:
            for chief in chiefs[:-1]:
                nursery.start_soon(chief.ask, "POST", PATH, {"url": "rtsp://192.0.2.1/"})
            with trio.fail_after(5):
                while len(probing.asked) < AT_ONCE:  # noqa: ASYNC110 (from outside nothing tells)
                    await trio.sleep(0.01)
            refused = await chiefs[-1].ask("POST", PATH, {"url": "rtsp://192.0.2.1/"})
            assert (refused.status, refused.code) == (429, "busy")
            probing.go.set()
        assert (await chiefs[-1].ask("POST", PATH, {"url": "rtsp://192.0.2.1/"})).status == 200


async def test_a_way_and_a_certificate_are_tried_before_they_are_saved() -> None:
    probing = Probing()
    probing.probed = ProbeResult((), CLIP.format, None, (), (), None)
    async with open_house(openers=probing) as house:
        await house.services.cameras.add("Gate", "rtsps://u:pw@192.0.2.10/main", transport="http", fingerprint=DIGITS)
        chief = await house.administrator()
        shown = ":".join(["CD"] * 32)
        for body in (
            {"url": "rtsp://192.0.2.1/x", "transport": "udp"},
            {"camera": "gate"},
            {"camera": "gate", "transport": "auto"},
            {"camera": "gate", "fingerprint": shown},
            {"camera": "gate", "url": "rtsps://192.0.2.10/other", "transport": "tcp", "fingerprint": ""},
        ):
            assert (await chief.ask("POST", PATH, body)).status == 200
        for body, code in (
            ({"url": "rtsps://192.0.2.1/x", "transport": "udp"}, "invalid_url"),
            ({"url": "rtsp://192.0.2.1/x", "transport": "pigeon"}, "invalid_transport"),
            ({"url": "rtsps://192.0.2.1/x", "fingerprint": "first"}, "invalid_fingerprint"),
        ):
            refused = await chief.ask("POST", PATH, body)
            assert (refused.status, refused.code) == (422, code)
        assert house.services.cameras.get("gate").streams[0].url.endswith(f"#transport=http&fingerprint={DIGITS}")
    assert [url for url, _, _ in probing.asked] == [
        "rtsp://192.0.2.1/x#transport=udp",
        f"rtsps://192.0.2.10/main#transport=http&fingerprint={DIGITS}",
        f"rtsps://192.0.2.10/main#fingerprint={DIGITS}",
        f"rtsps://192.0.2.10/main#transport=http&fingerprint={'cd' * 32}",
        "rtsps://192.0.2.10/other#transport=tcp",
    ]
    assert {password for _, username, password in probing.asked if username} == {"pw"}


async def test_a_certificate_can_be_pinned_as_it_is_shown_now() -> None:
    probing = Probing()
    probing.probed = untrusted()
    async with open_house(openers=probing) as house:
        chief = await house.administrator()
        tested = await chief.ask("POST", PATH, {"url": "rtsps://192.0.2.1/x"})
        [stream] = tested.json["streams"]
        assert (tested.json["ok"], stream["code"]) == (False, "refused")
        assert stream["fingerprint"] == ":".join(["AB"] * 32)
        added = {"name": "gate", "url": "rtsps://u:pw@192.0.2.1/x", "fingerprint": "first"}
        assert (await chief.ask("POST", "/api/v1/admin/cameras", added)).status == 201
        url = f"rtsps://192.0.2.1/x#fingerprint={DIGITS}"
        assert house.services.cameras.get("gate").streams[0].url == url
        # a new certificate: what is pinned is not asked for while it is read
        changed = await chief.ask("PATCH", "/api/v1/admin/cameras/gate", {"fingerprint": "first", "name": "door"})
        assert (changed.status, probing.asked[-1][0]) == (200, "rtsps://192.0.2.1/x")
        assert house.services.cameras.get("door").streams[0].url == url
        plain = {"name": "yard", "url": "rtsp://192.0.2.1/x", "fingerprint": "first"}
        assert (await chief.ask("POST", "/api/v1/admin/cameras", plain)).code == "no_fingerprint"
        probing.probed = ProbeResult((), CLIP.format, None, (), (), None)
        trusted = await chief.ask("PATCH", "/api/v1/admin/cameras/door", {"fingerprint": "first"})
        assert (trusted.status, trusted.code) == (409, "no_fingerprint")
