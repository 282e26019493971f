"""Certificates: read, judged, described (SEC-1, SEC-3, abuse A22)."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise
from typing import TYPE_CHECKING, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from appliance.base.faults import Fault, invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
Address = IPv4Address | IPv6Address

WARN_AT_DAYS = (1, 7, 30)  # days left, A22
FILE_LIMIT = 1 << 20  # bytes of a certificate or key file; a chain of ten is about 20 KB
# TLS 1.2's suites with forward secrecy and authenticated encryption; those of TLS 1.3 are all of this kind
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
_HINT = "Put the new files in place; they are taken up within seconds."


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate, those that lead to its issuer, and its key."""

    chain: tuple[x509.Certificate, ...]  # the certificate first, each signed by the next
    key: PrivateKey

    @property
    def leaf(self) -> x509.Certificate:
        return self.chain[0]

    @property
    def chain_pem(self) -> bytes:
        return b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in self.chain)

    @property
    def key_pem(self) -> bytes:
        """Not encrypted: for files that only we may read, and for memory."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


@dataclass(frozen=True, slots=True)
class Description:
    """What a person wants to know of a certificate.  Times are UTC."""

    subject: str  # RFC 4514, or the common name alone
    issuer: str
    names: tuple[str, ...]  # DNS names, then addresses
    not_before: datetime
    not_after: datetime
    fingerprint_sha256: str  # "AB:CD:…"
    self_signed: bool

    def days_left(self, now: datetime) -> int:
        """Whole days; negative once it has expired."""
        return (self.not_after - now) // timedelta(days=1)

    def warning(self, now: datetime) -> int | None:
        """The level reached: 30, 7 or 1 days left, 0 when it has expired; None while there is time."""
        left = self.days_left(now)
        return 0 if left < 0 else next((level for level in WARN_AT_DAYS if left <= level), None)


def describe(certificate: x509.Certificate) -> Description:
    digest = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    dns, addresses = names_of(certificate)
    return Description(
        subject=_readable(certificate.subject),
        issuer=_readable(certificate.issuer),
        names=(*dns, *map(str, addresses)),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        fingerprint_sha256=digest,
        self_signed=certificate.subject == certificate.issuer,
    )


def names_of(certificate: x509.Certificate) -> tuple[tuple[str, ...], tuple[Address, ...]]:
    """The DNS names and addresses in the subject alternative name."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return (), ()
    addresses = names.get_values_for_type(x509.IPAddress)
    return (
        tuple(names.get_values_for_type(x509.DNSName)),
        tuple(address for address in addresses if isinstance(address, IPv4Address | IPv6Address)),
    )


def _readable(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()


def read_pair(chain_pem: bytes, key_pem: bytes, now: datetime) -> Pair:
    """A server's certificate and key out of two PEM files, fit to be used.

    Raises `Fault` ``bad_certificate``, ``bad_key``, ``key_mismatch``, ``bad_chain``, ``certificate_expired`` or
    ``certificate_not_yet_valid``, field ``cert`` or ``key``.  No message holds anything of the key.
    """
    try:
        chain = x509.load_pem_x509_certificates(chain_pem)
        certified = [_public(certificate.public_key()) for certificate in chain]
    except (ValueError, UnsupportedAlgorithm):
        raise _fault(
            "bad_certificate", "cert.pem holds no usable certificate in PEM form.", "cert", what="not_pem"
        ) from None
    key = _read_key(key_pem)
    leaf = chain[0]
    if certified[0] != _public(key.public_key()):
        if _public(key.public_key()) in certified:
            raise _fault(
                "bad_chain",
                "The server's own certificate is not the first in cert.pem.",
                "cert",
                "Put it first, then those of the issuers in order.",
                what="order",
            )
        raise _fault("key_mismatch", "key.pem is not the key of the certificate in cert.pem.", "key")
    _check_chain(chain)
    _check_times(leaf, now)
    _check_use(leaf)
    return Pair(tuple(chain), key)


def _read_key(pem: bytes) -> PrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, None)
    except TypeError:
        raise _fault(
            "bad_key",
            "key.pem is protected by a passphrase.",
            "key",
            "Remove it (openssl pkey -in key.pem -out plain.pem); only this server may read the file.",
            what="passphrase",
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise _fault("bad_key", "key.pem holds no private key in PEM form.", "key", what="not_pem") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise _fault(
            "bad_key", "The kind of key in key.pem cannot be used for HTTPS.", "key", "Use ECDSA or RSA.", what="kind"
        )
    return key


def _check_chain(chain: Sequence[x509.Certificate]) -> None:
    for issued, issuer in pairwise(chain):
        try:
            issued.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            raise _fault(
                "bad_chain",
                f"In cert.pem, {_readable(issuer.subject)} does not follow from {_readable(issued.subject)}.",
                "cert",
                "Put the server's certificate first, then each issuer's after the one it signed.",
                what="broken",
                issuer=_readable(issuer.subject),
                issued=_readable(issued.subject),
            ) from None


def _check_times(leaf: x509.Certificate, now: datetime) -> None:
    if now > leaf.not_valid_after_utc:
        day = f"{leaf.not_valid_after_utc:%Y-%m-%d}"
        raise _fault("certificate_expired", f"The certificate ended on {day}.", "cert", day=day)
    if now < leaf.not_valid_before_utc:
        raise _fault(
            "certificate_not_yet_valid",
            f"The certificate is valid from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC.",
            "cert",
            "Check this machine's clock.",
            at=f"{leaf.not_valid_before_utc:%Y-%m-%dT%H:%MZ}",
        )


def _check_use(leaf: x509.Certificate) -> None:
    try:
        usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return
    except ValueError:
        raise _fault("bad_certificate", "The certificate in cert.pem is malformed.", "cert", what="malformed") from None
    if not {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(usages):
        raise _fault(
            "bad_certificate", "The certificate in cert.pem is not for servers.", "cert", what="not_for_servers"
        )


def _public(key: object) -> bytes:
    # every public key of the library can do this; its types do not say so
    return cast("rsa.RSAPublicKey", key).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _fault(code: str, message: str, field: str, hint: str = _HINT, **details: str) -> Fault:
    """``details``: what the message names; ``what``: which of those with the same code it is."""
    return invalid(code, message, hint, field=field, details=details)


def server_context(pair: Pair) -> ssl.SSLContext:
    """TLS 1.2 or later, HTTP/1.1 only.

    Raises `Fault` ``bad_certificate`` when OpenSSL finds the certificate or key too weak, or cannot use it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    # OpenSSL wants a path; this one leads to memory, so what was judged is what is loaded
    memory = os.memfd_create("certificate", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(memory), "wb") as file:
            file.write(pair.chain_pem + pair.key_pem)
        context.load_cert_chain(f"/proc/self/fd/{memory}")
    except ssl.SSLError as error:
        why = (error.reason or "it is refused").replace("_", " ").lower()
        raise _fault(
            "bad_certificate", f"The certificate in cert.pem cannot be used: {why}.", "cert", what="refused", why=why
        ) from None
    finally:
        os.close(memory)
    return context
