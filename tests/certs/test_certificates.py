"""Certificates of others: what is wrong with them is said, and nothing of their keys."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa, x25519
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from appliance.base.faults import Fault
from appliance.certs.authority import issue, make_authority, server_names
from appliance.certs.certificates import Pair, describe, read_pair, server_context
from tests.certs.support import NOW, openssl

if TYPE_CHECKING:
    from pathlib import Path

DAY = timedelta(days=1)
TODAY = datetime.now(UTC)


def files(leaf: trustme.LeafCert) -> tuple[bytes, bytes]:
    return b"".join(blob.bytes() for blob in leaf.cert_chain_pems), leaf.private_key_pem.bytes()


def code_of(chain: bytes, key: bytes, now: datetime = TODAY) -> str:
    with pytest.raises(Fault) as fault:
        read_pair(chain, key, now)
    assert b"PRIVATE" not in str(fault.value).encode()
    assert fault.value.hint
    return fault.value.code


def test_a_chain_of_three_with_its_key_is_taken() -> None:
    root = trustme.CA()
    leaf = root.create_child_ca().issue_cert("door.example.org")
    chain, key = files(leaf)
    pair = read_pair(chain, key, TODAY)
    assert len(pair.chain) == 2
    server_context(pair)


def test_rsa_is_taken_too() -> None:
    pair = read_pair(*files(trustme.CA().issue_cert("a.example.org", key_type=trustme.KeyType.RSA)), TODAY)
    server_context(pair)


def test_what_is_wrong_is_said() -> None:
    authority = trustme.CA()
    one, other = authority.issue_cert("a.example.org"), authority.issue_cert("b.example.org")
    chain, key = files(one)
    other_chain, other_key = files(other)
    assert code_of(b"", key) == "bad_certificate"
    assert code_of(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", key) == "bad_certificate"
    assert code_of(chain, b"") == "bad_key"
    assert code_of(chain, chain) == "bad_key"
    assert code_of(chain, other_key) == "key_mismatch"
    assert code_of(chain + other_chain, key) == "bad_chain"
    assert code_of(other_chain + chain, key) == "bad_chain"
    assert code_of(authority.cert_pem.bytes() + chain, key) == "bad_chain"


def test_a_key_with_a_passphrase_and_one_of_another_kind_are_refused() -> None:
    chain, key = files(trustme.CA().issue_cert("a.example.org"))
    loaded: Any = serialization.load_pem_private_key(key, None)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    locked = loaded.private_bytes(*form, serialization.BestAvailableEncryption(b"secret"))
    assert code_of(chain, locked) == "bad_key"
    other = x25519.X25519PrivateKey.generate().private_bytes(*form, serialization.NoEncryption())
    assert code_of(chain, other) == "bad_key"


def test_times_are_judged() -> None:
    pair = issue(make_authority("gate", NOW), server_names("gate", []), NOW)
    assert read_pair(pair.chain_pem, pair.key_pem, NOW).leaf == pair.leaf
    with pytest.raises(Fault) as caught:
        read_pair(pair.chain_pem, pair.key_pem, NOW + 397 * DAY)
    assert caught.value.code == "certificate_expired"
    assert f"ended on {caught.value.details['day']}." in caught.value.message
    assert code_of(pair.chain_pem, pair.key_pem, NOW - 2 * DAY) == "certificate_not_yet_valid"


def test_a_certificate_for_something_else_is_refused() -> None:
    authority = trustme.CA()
    leaf = authority.issue_cert("a.example.org")
    chain, key = files(leaf)
    original = x509.load_pem_x509_certificate(chain)
    ca_key: Any = serialization.load_pem_private_key(authority.private_key_pem.bytes(), None)
    changed = (
        x509.CertificateBuilder()
        .subject_name(original.subject)
        .issuer_name(original.issuer)
        .public_key(original.public_key())
        .serial_number(7)
        .not_valid_before(original.not_valid_before_utc)
        .not_valid_after(original.not_valid_after_utc)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    assert code_of(changed.public_bytes(serialization.Encoding.PEM), key) == "bad_certificate"


def test_a_key_too_weak_for_openssl_is_a_fault_too() -> None:
    key = rsa.generate_private_key(65537, 1024)  # the weakness is the point
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "weak")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + DAY)
        .sign(key, hashes.SHA256())
    )
    with pytest.raises(Fault) as fault:
        server_context(Pair((certificate,), key))
    assert fault.value.code == "bad_certificate"
    assert "too small" in fault.value.message


@given(chain=st.binary(max_size=200), key=st.binary(max_size=200))
def test_garbage_is_a_fault(chain: bytes, key: bytes) -> None:
    with pytest.raises(Fault):
        read_pair(chain, key, NOW)


@given(position=st.integers(0, 1500), value=st.integers(0, 255), which=st.booleans())
def test_a_damaged_file_is_a_fault_or_still_whole(position: int, value: int, which: bool) -> None:
    pair = issue(*DAMAGED)
    parts = [bytearray(pair.chain_pem), bytearray(pair.key_pem)]
    damaged = parts[which]
    damaged[position % len(damaged)] = value
    with suppress(Fault):
        read_pair(bytes(parts[0]), bytes(parts[1]), NOW)


DAMAGED = (make_authority("gate", NOW), server_names("gate", []), NOW)


def test_the_description_is_what_openssl_says(tmp_path: Path) -> None:
    pair = issue(make_authority("gate", NOW), server_names("gate", []), NOW)
    shown = describe(pair.leaf)
    said = openssl("x509", "-noout", "-fingerprint", "-sha256", stdin=pair.chain_pem).stdout.decode()
    assert shown.fingerprint_sha256 == said.strip().partition("=")[2]
    assert shown.names == ("localhost", "gate", "gate.local", "127.0.0.1", "::1")
    assert shown.subject == "gate.local"
    assert shown.issuer.startswith("Fanal gate authority ")
    assert not shown.self_signed


@pytest.mark.parametrize(
    ("days", "left", "warning"),
    [(0, 395, None), (364.9, 31, None), (365.1, 30, 30), (388.1, 7, 7), (394.1, 1, 1), (395.1, 0, 1), (396.5, -1, 0)],
)
def test_the_warnings_come_at_thirty_seven_and_one_days(days: float, left: int, warning: int | None) -> None:
    shown = describe(issue(make_authority("gate", NOW), server_names("gate", []), NOW).leaf)
    now = NOW + timedelta(days=days)
    assert (shown.days_left(now), shown.warning(now)) == (left, warning)
