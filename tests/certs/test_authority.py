"""The local authority: trusted for what it may do, and refused for everything else."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from appliance.certs.authority import (
    ServerNames,
    issue,
    make_authority,
    needs_renewal,
    permitted_names,
    server_names,
)
from appliance.certs.certificates import Pair, names_of, server_context
from appliance.certs.contexts import client_context
from tests.certs.support import NOW, handshake, openssl, verify

if TYPE_CHECKING:
    from pathlib import Path

ADDRESSES = [ip_address("192.0.2.7"), ip_address("2001:db8::7")]
NAMES = server_names("gate.example.com", ADDRESSES)
DAY = timedelta(days=1)


def forged(authority: Pair, names: list[x509.GeneralName], common_name: str = "x", *, ca: bool = False) -> Pair:
    """What somebody who has the authority's key could sign with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)]))
        .issuer_name(authority.leaf.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + 90 * DAY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if ca:
        builder = builder.add_extension(
            x509.KeyUsage(
                digital_signature=False, key_cert_sign=True, crl_sign=True, content_commitment=False,
                key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )  # fmt: skip
    return Pair((builder.sign(authority.key, hashes.SHA256()),), key)


def test_openssl_takes_the_server_certificate_for_every_name_it_was_made_for(tmp_path: Path) -> None:
    authority = make_authority("gate.example.com", NOW)
    server = issue(authority, NAMES, NOW)
    assert verify(tmp_path, authority.chain_pem, server.chain_pem, NOW) == ""
    for name in ("localhost", "gate.example.com", "gate.local"):
        assert verify(tmp_path, authority.chain_pem, server.chain_pem, NOW, "-verify_hostname", name) == ""
    for address in ("127.0.0.1", "::1", "192.0.2.7", "2001:db8::7"):
        assert verify(tmp_path, authority.chain_pem, server.chain_pem, NOW, "-verify_ip", address) == ""
    assert "hostname mismatch" in verify(
        tmp_path, authority.chain_pem, server.chain_pem, NOW, "-verify_hostname", "other.local"
    )


def test_openssl_refuses_what_the_authority_may_not_sign(tmp_path: Path) -> None:
    authority = make_authority("gate", NOW)
    for names in (
        [x509.DNSName("example.com")],
        [x509.DNSName("gate.local"), x509.DNSName("example.com")],
        [x509.DNSName("notlocal")],
        [x509.DNSName("*.com")],
    ):
        said = verify(tmp_path, authority.chain_pem, forged(authority, list(names)).chain_pem, NOW)
        assert "permitted subtree violation" in said
    for fine in ("gate", "nas.local", "a.b.home.arpa", "x.internal"):
        assert verify(tmp_path, authority.chain_pem, forged(authority, [x509.DNSName(fine)]).chain_pem, NOW) == ""


def test_python_refuses_it_too() -> None:
    now = datetime.now(UTC)
    authority = make_authority("gate", now)
    client = client_context(authority.chain_pem)
    good = issue(authority, server_names("gate", ADDRESSES), now)
    for name in ("localhost", "gate", "gate.local", "127.0.0.1", "2001:db8::7"):
        handshake(server_context(good), client, name)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(server_context(good), client, "other.local")
    bad = make_forged_now(authority, now)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        handshake(server_context(bad), client, "example.com")


def make_forged_now(authority: Pair, now: datetime) -> Pair:
    signing = issue(authority, server_names("gate", []), now)
    builder = (
        x509.CertificateBuilder()
        .subject_name(signing.leaf.subject)
        .issuer_name(authority.leaf.subject)
        .public_key(signing.leaf.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("example.com")]), critical=False)
    )
    return Pair((builder.sign(authority.key, hashes.SHA256()),), signing.key)


def test_no_authority_below_it_is_believed(tmp_path: Path) -> None:
    authority = make_authority("gate", NOW)
    below = forged(authority, [], "an authority below", ca=True)
    leaf = forged(below, [x509.DNSName("gate.local")])
    (tmp_path / "below.pem").write_bytes(below.chain_pem)
    said = verify(
        tmp_path, authority.chain_pem, leaf.chain_pem, NOW, "-untrusted", str(tmp_path / "below.pem")
    )  # fmt: skip
    assert "path length constraint exceeded" in said


def test_the_certificates_say_what_the_design_says(tmp_path: Path) -> None:
    authority = make_authority("gate.example.com", NOW)
    server = issue(authority, NAMES, NOW)
    shown = {}
    for name, pair in (("authority", authority), ("server", server)):
        shown[name] = openssl("x509", "-noout", "-text", stdin=pair.chain_pem).stdout.decode()
        assert "NIST CURVE: P-256" in shown[name]
    assert "CA:TRUE, pathlen:0" in shown["authority"]
    assert "Name Constraints: critical" in shown["authority"]
    assert "Certificate Sign, CRL Sign" in shown["authority"]
    assert "CA:FALSE" in shown["server"]
    assert "TLS Web Server Authentication" in shown["server"]
    life = server.leaf.not_valid_after_utc - server.leaf.not_valid_before_utc
    assert life <= timedelta(days=397)
    assert server.leaf.not_valid_before_utc < NOW
    assert authority.leaf.not_valid_after_utc - NOW > 3600 * DAY


def test_a_name_the_authority_may_not_sign_for_is_left_out() -> None:
    authority = make_authority("gate", NOW)
    names = server_names("door.example.com", [])
    assert permitted_names(authority.leaf, names).dns == ("localhost", "door.local")
    assert names_of(issue(authority, names, NOW).leaf)[0] == ("localhost", "door.local")


@pytest.mark.parametrize(
    ("host_name", "dns"),
    [
        ("Gate", ("localhost", "gate", "gate.local")),
        ("gate.local", ("localhost", "gate.local")),
        ("gate.example.com.", ("localhost", "gate.example.com", "gate.local")),
        ("my_host", ("localhost",)),
        ("", ("localhost",)),
        ("x" * 64, ("localhost",)),
        ("10.0.0.1", ("localhost",)),
        ("gâte", ("localhost",)),
    ],
)
def test_the_names_of_a_machine(host_name: str, dns: tuple[str, ...]) -> None:
    names = server_names(host_name, [])
    assert names.dns == dns
    assert names.addresses == (ip_address("127.0.0.1"), ip_address("::1"))
    issue(make_authority(host_name, NOW), names, NOW)


@given(st.text(max_size=80))
def test_any_host_name_gives_a_certificate(host_name: str) -> None:
    names = server_names(host_name, [])
    assert names_of(issue(make_authority(host_name, NOW), names, NOW).leaf)[0] == names.dns


def test_when_a_server_certificate_is_made_anew() -> None:
    authority = make_authority("gate.example.com", NOW)
    leaf = issue(authority, NAMES, NOW).leaf

    def needed(names: ServerNames = NAMES, now: datetime = NOW, by: Pair = authority) -> bool:
        return needs_renewal(leaf, by.leaf, names, now)

    assert not needed()
    assert not needed(server_names("gate.example.com", []))
    assert needed(server_names("gate.example.com", [*ADDRESSES, ip_address("192.0.2.8")]))
    assert needed(server_names("door.local", ADDRESSES))
    assert not needed(server_names("gate.example.com", ADDRESSES), NOW + 300 * DAY)
    assert needed(now=NOW + 367 * DAY)
    assert needed(now=NOW + 500 * DAY)
    assert needed(now=NOW - 2 * DAY)
    assert needed(by=make_authority("gate.example.com", NOW))
    # a name that cannot be had does not make a new one at each look
    without = issue(authority, server_names("door.example.org", []), NOW)
    assert not needs_renewal(without.leaf, authority.leaf, server_names("door.example.org", []), NOW)


def test_near_the_authoritys_end_there_is_no_endless_renewal() -> None:
    authority = make_authority("gate", NOW)
    late = authority.leaf.not_valid_after_utc - 10 * DAY
    leaf = issue(authority, server_names("gate", []), late).leaf
    assert leaf.not_valid_after_utc <= authority.leaf.not_valid_after_utc
    assert not needs_renewal(leaf, authority.leaf, server_names("gate", []), late + DAY)
