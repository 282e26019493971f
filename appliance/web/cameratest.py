"""The test of a camera: step by step, what it answers, and what its first picture is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import trio

from appliance.auth.rights import Right
from appliance.base.faults import Fault, Kind, invalid
from appliance.base.secrets import Secret
from appliance.sites.addresses import with_options
from appliance.sites.camera import configured
from appliance.sites.rtsp.oddities import EVIDENCE, Oddity
from appliance.sites.rtsp.options import show_fingerprint
from appliance.web.table import Route

if TYPE_CHECKING:
    from appliance.sites.cameras import StreamConfig
    from appliance.sites.rtsp.probe import ProbeResult
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

#: Tests at a time: each holds a connection to a camera, for half a minute at most.
MOST_TESTS = 4
#: Instead of a fingerprint: the one that the camera shows now.
FIRST = "first"


class CameraTest(msgspec.Struct, forbid_unknown_fields=True):
    """Either ``url``, which may hold user and password, or ``camera``: the name or id of one that is set up."""

    url: str | None = None
    camera: str | None = None
    username: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return "CameraTest()"


class StepView(msgspec.Struct):
    """One thing that was asked of the camera, what came of it, and in how many milliseconds."""

    name: str
    ok: bool
    detail: str
    ms: int


class OddityView(msgspec.Struct):
    """Something that the camera does otherwise than the standards say, and what we make of it."""

    name: str
    sentence: str


class TestedVideo(msgspec.Struct):
    codec: str
    width: int
    height: int
    fps: float | None


class TestedAudio(msgspec.Struct):
    codec: str
    sample_rate: int
    channels: int


class CameraTested(msgspec.Struct):
    """``reason`` is one of the live protocol; ``fingerprint`` that of a certificate that was not believed."""

    ok: bool
    steps: list[StepView]
    video: TestedVideo | None
    audio: TestedAudio | None
    notes: list[str]
    oddities: list[OddityView]
    reason: str | None = None
    message: str = ""
    hint: str = ""
    fingerprint: str | None = None


class CameraTests:
    """The route of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._running = trio.CapacityLimiter(MOST_TESTS)

    def add_to(self, gate: Gate) -> None:
        gate.add(
            Route(
                "camera_test",
                "POST",
                "/api/v1/admin/camera-tests",
                Right.ADMINISTER,
                self.test,
                "Test a camera",
                body=CameraTest,
                answer=CameraTested,
                example={"url": "rtsp://192.0.2.10/main"},
            )
        )

    async def test(self, call: Call) -> CameraTested:
        given: CameraTest = call.body
        stream = self._stream(given, local=call.connection.local)
        if self._running.available_tokens < 1:
            raise Fault(
                Kind.LIMITED,
                "too_many_tests",
                f"{MOST_TESTS} cameras are being tested already.",
                "Wait for one of them.",
                retry_after_s=10,
            )
        async with self._running:
            return _view(await self._services.probe(stream))

    def _stream(self, given: CameraTest, *, local: bool) -> StreamConfig:
        if (given.url is None) == (given.camera is None):
            raise invalid("bad_test", "Give either an address or the name of a camera.", field="url")
        password = None if given.password is None else Secret(given.password)
        if given.url is not None:
            return configured((), given.url, None, given.username, password, local=local)[0]
        camera = self._services.cameras.get(str(given.camera))
        return configured(camera.streams, None, None, given.username, password, local=local)[0]


async def shown_fingerprint(services: Services, stream: StreamConfig) -> str:
    """The fingerprint of the certificate that a camera shows now.

    Raises `Fault` ``no_fingerprint`` where there is none to be pinned.
    """
    if not stream.url.startswith("rtsps://"):
        raise invalid("no_fingerprint", "This camera shows no certificate.", "Use rtsps://.", field="fingerprint")
    address = with_options(stream.url, None, "")
    found = await services.probe(replace(stream, url=address))
    if found.fingerprint is not None:
        return found.fingerprint
    if found.error is None:
        message, hint = "The system trusts the certificate that this camera shows.", "It need not be pinned."
    else:
        message, hint = f"The camera's certificate could not be read: {found.error.message}", found.error.hint
    raise Fault(Kind.CONFLICT, "no_fingerprint", message, hint, field="fingerprint")


def _view(found: ProbeResult) -> CameraTested:
    video = audio = None
    if found.video is not None:
        fps = found.video.nominal_fps
        video = TestedVideo(
            found.video.codec, found.video.width, found.video.height, round(float(fps), 3) if fps else None
        )
    if found.audio is not None:
        audio = TestedAudio(found.audio.codec, found.audio.sample_rate, found.audio.channels)
    tested = CameraTested(
        ok=found.error is None,
        steps=[StepView(step.name, step.ok, step.detail, step.ms) for step in found.steps],
        video=video,
        audio=audio,
        notes=list(found.notes),
        oddities=[OddityView(name, EVIDENCE[Oddity(name)].sentence) for name in found.oddities],
    )
    if found.error is not None:
        tested.reason, tested.message, tested.hint = found.error.trouble, found.error.message, found.error.hint
        tested.fingerprint = show_fingerprint(found.fingerprint) if found.fingerprint else None
    return tested
