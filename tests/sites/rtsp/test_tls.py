"""TLS to scripted cameras: whose certificate is believed, and what is sent before it is."""

from __future__ import annotations

import hashlib
import ssl

import pytest
import trio
import trustme

from appliance.base.clock import SystemClock
from appliance.sites.rtsp.options import show_fingerprint
from appliance.sites.rtsp.probe import probe_rtsp
from appliance.sites.rtsp.source import open_rtsp
from appliance.sites.rtsp.tls import Trust
from appliance.sites.source import SourceError, Trouble
from tests.sites.rtsp.camera import ScriptedCamera, status
from tests.sites.rtsp.real import at, listening

CA = trustme.CA()
OTHER_CA = trustme.CA()


def served(name: str = "127.0.0.1", ca: trustme.CA = CA) -> tuple[ssl.SSLContext, str]:
    """A camera's side, and the fingerprint of its certificate."""
    certificate = ca.issue_cert(name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    der = ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
    return context, hashlib.sha256(der).hexdigest()


def trusting() -> Trust:
    def make() -> ssl.SSLContext:
        context = ssl.create_default_context()
        CA.configure_trust(context)
        return context

    return Trust(make)


async def trouble_of(camera: ScriptedCamera, context: ssl.SSLContext | None, options: str = "") -> SourceError:
    async with listening(camera, context) as port:
        where = at(port, f"/canary{options}", "rtsps", "canary:canary@")
        with pytest.raises(SourceError) as caught:
            async with open_rtsp(where, SystemClock(), trust=trusting()):
                pytest.fail("it cannot be open")
    assert "canary" not in str(caught.value)
    return caught.value


async def test_a_camera_that_a_known_authority_vouches_for_is_opened(nursery) -> None:
    camera = ScriptedCamera(nursery, media=lambda camera: camera.pictures(3, 0.01))
    context, _ = served()
    async with (
        listening(camera, context) as port,
        open_rtsp(at(port, scheme="rtsps"), SystemClock(), trust=trusting()) as source,
    ):
        await source.receive()
    assert camera.methods == ["OPTIONS", "DESCRIBE", "SETUP", "SETUP", "PLAY", "TEARDOWN"]
    assert {request.url.split(":")[0] for _, request in camera.requests} == {"rtsps"}


@pytest.mark.parametrize(("name", "ca"), [("127.0.0.1", OTHER_CA), ("127.0.0.9", CA), ("camera.lan", CA)])
async def test_who_is_not_vouched_for_is_told_nothing_but_that(name, ca, nursery) -> None:
    camera = ScriptedCamera(nursery)
    context, digits = served(name, ca)
    error = await trouble_of(camera, context)
    assert error.trouble == Trouble.REFUSED
    assert show_fingerprint(digits) in error.message
    assert "#fingerprint=" in error.hint
    assert camera.requests == []


async def test_a_pinned_certificate_is_the_only_one_and_needs_no_authority(nursery) -> None:
    camera = ScriptedCamera(nursery, media=lambda camera: camera.pictures(3, 0.01))
    context, digits = served("camera.lan", OTHER_CA)
    async with (
        listening(camera, context) as port,
        open_rtsp(at(port, f"/live#fingerprint={digits}", "rtsps"), SystemClock()) as source,
    ):
        await source.receive()
    # even one that an authority vouches for is refused where another is pinned
    stranger = ScriptedCamera(nursery)
    context, found = served()
    error = await trouble_of(stranger, context, f"#fingerprint={digits}")
    assert "another certificate than the pinned one" in error.message
    assert show_fingerprint(found) in error.message
    assert stranger.requests == []


async def test_what_does_not_speak_tls_is_told(nursery) -> None:
    async def answer(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.receive_some()
            await stream.send_all(b"RTSP/1.0 400 Bad Request\r\n\r\n")

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as servers:
        servers.start_soon(trio.serve_listeners, answer, listeners)
        result = await probe_rtsp(at(listeners[0].socket.getsockname()[1], scheme="rtsps"), SystemClock())
        servers.cancel_scope.cancel()
    assert result.error is not None
    assert (result.error.trouble, result.error.message) == (
        Trouble.CAMERA_LOST,
        "What answers there does not speak TLS.",
    )


async def test_silence_instead_of_a_handshake_is_a_timeout(nursery, monkeypatch) -> None:
    monkeypatch.setattr("appliance.sites.rtsp.tls.HANDSHAKE_WITHIN_S", 0.1)
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        with pytest.raises(SourceError, match="does not answer with TLS") as caught:
            async with open_rtsp(at(listener.socket.getsockname()[1], scheme="rtsps"), SystemClock()):
                pytest.fail("it cannot be open")
    assert caught.value.trouble == Trouble.TIMEOUT


async def test_the_test_of_a_camera_has_a_step_for_it(nursery) -> None:
    camera = ScriptedCamera(nursery)
    context, digits = served(ca=OTHER_CA)
    async with listening(camera, context) as port:
        result = await probe_rtsp(at(port, scheme="rtsps"), SystemClock())
    assert [(step.name, step.ok) for step in result.steps] == [("connect", True), ("TLS", False)]
    assert show_fingerprint(digits) in result.steps[-1].detail


async def test_a_redirection_out_of_tls_is_not_followed(nursery) -> None:
    context, digits = served()
    camera = ScriptedCamera(nursery, {"DESCRIBE": status("302 Found", Location="rtsp://127.0.0.1:9/x")})
    error = await trouble_of(camera, context, f"#fingerprint={digits}")
    assert "nothing is encrypted" in error.message
