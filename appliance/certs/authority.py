"""The local authority that a first start makes, and the server certificate it signs (SEC-1, design §7).

Who trusts the authority trusts this machine's key for good.  So it can do little: it signs server certificates only,
no other authorities, and only for names that mean nothing outside a house or an office; any address is allowed,
since a machine's addresses change.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.certs.certificates import Address, Pair, names_of

if TYPE_CHECKING:
    from collections.abc import Iterable

AUTHORITY_LIFE = timedelta(days=3652)  # ten years
SERVER_LIFE = timedelta(days=397)  # the longest that browsers accept of anybody
RENEW_BEFORE = timedelta(days=30)
CLOCK_SKEW = timedelta(days=1)  # how far behind a client's clock may be
# names that no public authority signs for and no public DNS has: RFC 6761, RFC 6762, RFC 8375, ICANN's .internal
PRIVATE_SUFFIXES = ("local", "home.arpa", "internal")
_COMMON_NAME_LIMIT = 64  # X.520, ub-common-name
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class ServerNames:
    """What a server certificate is for."""

    dns: tuple[str, ...]
    addresses: tuple[Address, ...]


def server_names(host_name: str, addresses: Iterable[Address]) -> ServerNames:
    """localhost, the host name, its first label in .local (mDNS), and all addresses with the loopback ones."""
    host = _clean(host_name)
    dns = ["localhost"]
    if host is not None:
        dns += [host, host.partition(".")[0] + ".local"]
    loopback = (ip_address("127.0.0.1"), ip_address("::1"))
    wanted = {*loopback, *addresses}
    return ServerNames(
        tuple(dict.fromkeys(dns)), tuple(sorted(wanted, key=lambda address: (address.version, int(address))))
    )


def make_authority(host_name: str, now: datetime) -> Pair:
    """A new authority for this machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    host = _clean(host_name)
    permitted = [name for name in (host, "localhost", *PRIVATE_SUFFIXES) if name is not None]
    # two machines of one name, or one set up anew, are two entries in a browser's list
    name = _name(f"Fanal {host or 'server'}", f" authority {secrets.token_hex(3)}")
    certificate = (
        _builder(name, name, key.public_key(), now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.NameConstraints(
                permitted_subtrees=[
                    *(x509.DNSName(name) for name in dict.fromkeys(permitted)),
                    # said, not left open: some checkers take a kind of name that is not listed for forbidden
                    x509.IPAddress(ip_network("0.0.0.0/0")),
                    x509.IPAddress(ip_network("::/0")),
                ],
                excluded_subtrees=None,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    return Pair((certificate,), key)


def issue(authority: Pair, names: ServerNames, now: datetime) -> Pair:
    """A new server certificate, for those of the names that the authority may sign for."""
    key = ec.generate_private_key(ec.SECP256R1())
    possible = permitted_names(authority.leaf, names)
    life = min(SERVER_LIFE, authority.leaf.not_valid_after_utc - (now - CLOCK_SKEW))
    issuer = authority.leaf.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = (
        _builder(_name(possible.dns[-1]), authority.leaf.subject, key.public_key(), now, life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
        .add_extension(
            x509.SubjectAlternativeName(
                [*map(x509.DNSName, possible.dns), *(x509.IPAddress(address) for address in possible.addresses)]
            ),
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )
    return Pair((certificate,), key)


def permitted_names(authority: x509.Certificate, names: ServerNames) -> ServerNames:
    """Those of the names that the authority's constraints allow (RFC 5280 §4.2.1.10)."""
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    trees = [tree.value for tree in constraints.permitted_subtrees or () if isinstance(tree, x509.DNSName)]
    dns = tuple(name for name in names.dns if any(name == tree or name.endswith("." + tree) for tree in trees))
    return ServerNames(dns, names.addresses)


def needs_renewal(leaf: x509.Certificate, authority: x509.Certificate, names: ServerNames, now: datetime) -> bool:
    """Whether a server certificate is another authority's, near its end, or lacks a name that it could have."""
    if leaf.issuer != authority.subject or not leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc:
        return True
    # an authority near its own end cannot give more time than it has
    has_more = authority.not_valid_after_utc - leaf.not_valid_after_utc > CLOCK_SKEW
    if has_more and now >= leaf.not_valid_after_utc - RENEW_BEFORE:
        return True
    possible = permitted_names(authority, names)
    dns, addresses = names_of(leaf)
    return not (set(possible.dns) <= set(dns) and set(possible.addresses) <= set(addresses))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    begin = now.replace(microsecond=0) - CLOCK_SKEW
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        # the last second counts: RFC 5280 §4.1.2.5
        .not_valid_after(begin + life - timedelta(seconds=1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates, key_cert_sign=certificates, crl_sign=certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _name(text: str, ending: str = "") -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[: _COMMON_NAME_LIMIT - len(ending)] + ending)])


def _clean(host_name: str) -> str | None:
    """A host name as it goes into a certificate; None where it cannot."""
    name = host_name.lower().rstrip(".")
    labels = name.split(".")
    usable = len(name) <= 253 and all(_LABEL.fullmatch(label) for label in labels) and not labels[-1].isdigit()
    return name if usable else None
