"""The certificate that is served, the authority behind it, and what happens when another is put in (A22)."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import pytest
import trio
import trustme

from tests.certs.support import openssl
from tests.web.appliance import House, open_house
from tests.web.scenes import eventually
from tests.web.visitor import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_authority_is_the_one_that_signed_the_certificate(house: House, tmp_path: Path) -> None:
    answer = await house.stranger(tls=False).get("/trust/ca.crt")
    assert answer.headers["content-type"] == "application/x-x509-ca-cert"
    assert answer.headers["content-disposition"] == 'attachment; filename="fanal-ca.crt"'
    (tmp_path / "ca.pem").write_bytes(answer.body)
    shown = openssl("x509", "-in", str(tmp_path / "ca.pem"), "-noout", "-fingerprint", "-sha256").stdout.decode()
    fingerprint = await house.services.authority_fingerprint()
    assert fingerprint
    assert shown.partition("=")[2].strip().replace(":", "") == fingerprint.replace(" ", "")
    assert b"PRIVATE" not in answer.body
    connect = ("s_client", "-connect", f"{LOOPBACK}:{house.port}", "-CAfile", str(tmp_path / "ca.pem"))
    done = await trio.to_thread.run_sync(
        lambda: openssl(*connect, "-verify_return_error", "-verify_ip", LOOPBACK, "-alpn", "h2,http/1.1")
    )
    assert b"Verify return code: 0 (ok)" in done.stdout
    assert b"ALPN protocol: http/1.1" in done.stdout
    with pytest.raises(ssl.SSLCertVerificationError):  # nobody else's authority will do
        await trio.to_thread.run_sync(seen_certificate, house.port, ssl.create_default_context())


def seen_certificate(port: int, context: ssl.SSLContext) -> str:
    """Who the server says it is, to a client that has not connected before: its serial number."""
    with (
        socket.create_connection((LOOPBACK, port), timeout=10) as bare,
        context.wrap_socket(bare, server_hostname=LOOPBACK) as secured,
    ):
        certificate = secured.getpeercert()
    assert certificate
    return str(certificate["serialNumber"])


async def test_a_new_certificate_is_served_without_a_restart_and_a_bad_one_is_not(monkeypatch) -> None:
    monkeypatch.setattr("appliance.certs.contexts.CHECK_S", 0.1)
    async with open_house() as house:
        await replace_certificates(house)


async def replace_certificates(house: House) -> None:
    tls, camera = house.services.tls, await house.camera()
    assert tls is not None
    anna = await house.viewer("anna", camera)
    before = await trio.to_thread.run_sync(seen_certificate, house.port, house.trusting)
    issuer = trustme.CA()
    pair = issuer.issue_cert(LOOPBACK, "fanal.example.org")
    trusting = ssl.create_default_context()
    issuer.configure_trust(trusting)
    folder = house.folder / "tls"
    async with anna.live(camera.id) as view:
        await view.want()
        await view.told("status")
        (folder / "key.pem").write_bytes(pair.private_key_pem.bytes())
        (folder / "cert.pem").write_bytes(b"".join(one.bytes() for one in pair.cert_chain_pems))
        await eventually(lambda: tls.state.value.source == "own")
        after = await trio.to_thread.run_sync(seen_certificate, house.port, trusting)
        assert after != before
        redirected = await house.stranger(tls=False).get(
            "/", Host="fanal.example.org"
        )  # a name in the certificate is ours
        assert redirected.status == 308
        (folder / "cert.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
        await eventually(lambda: bool(tls.state.value.problems))
        assert await trio.to_thread.run_sync(seen_certificate, house.port, trusting) == after
        await view.want(width=640, height=360)  # the open view has noticed nothing
        assert not len(view.media)
        assert len(house.services.audience) == 1
    page = await house.stranger(tls=False).get("/trust")
    assert b"certificate of its own" in page.body
