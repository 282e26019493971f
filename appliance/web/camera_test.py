"""The test of a camera's address: each step, what its streams are, a picture.  Nothing is kept of it."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Final

import msgspec

from appliance.auth.rights import Right
from appliance.base.faults import invalid
from appliance.base.secrets import Secret, redact
from appliance.media.advice import advise
from appliance.media.masks import NO_MASK
from appliance.sites.camera import configured, host_of
from appliance.sites.probe import MEASURE_S
from appliance.sites.rtsp.oddities import EVIDENCE, Oddity
from appliance.sites.rtsp.options import show_fingerprint
from appliance.web.admin import named_camera
from appliance.web.admin_cameras import CameraAccess
from appliance.web.cameras import AdviceView, advice_views
from appliance.web.table import Route, Video

if TYPE_CHECKING:
    from appliance.sites.probe import ProbeResult
    from appliance.streams.trials import Trial, Tried
    from appliance.web.gate import Call, Gate
    from appliance.web.services import Services

log = logging.getLogger(__name__)

#: The stream came, and its picture could not be decoded.
NOT_DECODED: Final = "not_decoded"
#: What servers call every session, whichever camera it is.
_SAYS_NOTHING = re.compile(
    r"(?i)^(no name|unnamed|unknown|untitled|n/a|media|main|sub|-|\W*)$"
    r"|stream|session|rtsp|rtp\b|live555|media (presentation|server)|h\.?26[45]|^ip ?camera$|://"
)
_NAME_LENGTH: Final = 64


class CameraTest(CameraAccess, kw_only=True):
    """What to test: an address; or an existing ``camera`` (id or name), with what is to be changed of it.

    What is left out is as that camera has it, its password too, which never goes to another host.  ``transport`` and
    ``fingerprint`` are as in a `CameraChange`, without "first".
    """

    url: str | None = None
    camera: str | None = None


class TestStep(msgspec.Struct):
    """``name``: connect (name, where nobody tells what the name is), TLS, OPTIONS, DESCRIBE, SETUP, PLAY, picture,
    measure, decode.  ``text`` is English.
    """

    name: str
    ok: bool
    text: str
    ms: int


class TestOddity(msgspec.Struct):
    """Something that the camera does otherwise than the standards say, and what is made of it."""

    name: str
    sentence: str


class TestAudio(msgspec.Struct):
    codec: str
    sample_rate: int
    channels: int


class TestStream(msgspec.Struct):
    """One stream, as far as it came.

    ``code`` is a reason of the live protocol, None if all went well; ``message`` and ``hint`` say it in English.
    ``fps`` and ``kbps`` as measured (``nominal_fps``: as the stream says); ``gop_s``: seconds from one key frame to
    the next, None if that is longer than the two that are waited for it.  ``fingerprint``: that of a certificate that
    was not believed.
    """

    name: str
    url: str
    ok: bool
    code: str | None
    message: str
    hint: str
    steps: list[TestStep]
    codec: str | None = None
    codec_string: str | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    nominal_fps: float | None = None
    kbps: float | None = None
    gop_s: float | None = None
    audio: TestAudio | None = None
    advice: list[AdviceView] = []
    notes: list[str] = []
    oddities: list[TestOddity] = []
    fingerprint: str | None = None


class TestPicture(msgspec.Struct):
    """``jpeg`` in Base64."""

    jpeg: bytes
    width: int
    height: int


class TestResult(msgspec.Struct):
    """``name``: what the camera could be called.  ``streams``: up to the first that failed, largest first."""

    ok: bool
    name: str
    host: str
    streams: list[TestStream]
    picture: TestPicture | None


class CameraTests:
    """The route of this module."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, gate: Gate) -> None:
        gate.add(
            Route(
                "camera_test",
                "POST",
                "/api/v1/admin/camera-tests",
                Right.ADMINISTER,
                self.test,
                "Test a camera's address: every step, its streams, a picture",
                body=CameraTest,
                answer=TestResult,
                video=Video.MASKED,
                example={"url": "rtsp://192.0.2.10/main", "username": "fanal", "password": "secret of the camera"},
            )
        )

    async def test(self, call: Call) -> TestResult:
        given: CameraTest = call.body
        old = None if given.camera is None else named_camera(self._services, given.camera)
        if old is None and given.url is None:
            raise invalid("bad_request", "There is nothing to test.", "Give an address, or a camera.", field="url")
        streams = configured(
            () if old is None else old.streams,
            given.url,
            given.sub,
            given.username,
            None if given.password is None else Secret(given.password),
            local=call.connection.local,
            transport=given.transport,
            fingerprint=given.fingerprint,
        )
        host = host_of(streams[0].url)
        mask = NO_MASK if old is None else self._services.mask_for(call.who, old)
        trial = await self._services.trials.run(streams, mask)
        result = _result(trial, host)
        code = next((stream.code for stream in result.streams if stream.code), None)
        log.info("%s tested a camera at %s: %s", call.who.name, host or "the demo", code or "ok")
        return result


def _result(trial: Trial, host: str) -> TestResult:
    streams = [_stream(tried) for tried in trial.streams]
    first, picture = streams[0], None
    if trial.picture is not None:
        picture = TestPicture(trial.picture.jpeg, trial.picture.width, trial.picture.height)
    elif trial.undecoded is not None and first.ok:
        first.ok, first.code = False, NOT_DECODED
        first.message, first.hint = trial.undecoded.message, trial.undecoded.hint
        first.steps.append(TestStep("decode", ok=False, text=trial.undecoded.message, ms=0))
    return TestResult(
        all(stream.ok for stream in streams), _name(trial.streams[0].result, host), host, streams, picture
    )


def _name(result: ProbeResult, host: str) -> str:
    """What the camera calls itself, where that tells it from others; else its host."""
    title = " ".join("".join(ch if ch.isprintable() else " " for ch in result.title).split())
    return host if not title or _SAYS_NOTHING.search(title) else redact(title)[:_NAME_LENGTH].strip()


def _stream(tried: Tried) -> TestStream:
    result, error = tried.result, tried.result.error
    view = TestStream(
        tried.stream.name,
        tried.stream.shown_url,
        error is None,
        None if error is None else error.trouble.value,
        "" if error is None else redact(error.message),
        "" if error is None else redact(error.hint),
        [TestStep(step.name, step.ok, redact(step.detail), step.ms) for step in result.steps],
        notes=[redact(note) for note in result.notes],
        oddities=[TestOddity(name, EVIDENCE[Oddity(name)].sentence) for name in result.oddities],
        fingerprint=show_fingerprint(result.fingerprint) if result.fingerprint else None,
    )
    if result.video is not None:
        video = result.video
        view.codec, view.codec_string, view.width, view.height = (
            video.codec,
            video.codec_string,
            video.width,
            video.height,
        )
        view.nominal_fps = None if video.nominal_fps is None else round(float(video.nominal_fps), 2)
    if result.audio is not None:
        view.audio = TestAudio(result.audio.codec, result.audio.sample_rate, result.audio.channels)
    measured = result.measured
    view.fps, view.kbps, view.gop_s = measured.fps, measured.kbps, measured.gop_s
    waited = measured.gop_s is None and measured.key_picture is not None and view.ok
    is_intra = result.video is not None and result.video.is_intra
    found = advise(measured.gop_s, measured.fps, since_key_s=MEASURE_S if waited else None, is_intra=is_intra)
    view.advice = advice_views(found)
    return view
