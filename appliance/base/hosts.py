"""Hosts as people type them: IP addresses and DNS names in the one form in which they are kept and compared."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")  # with the underscores that cameras are given
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def clean_host(text: str) -> str:
    """The canonical form: an IP address without brackets, or a DNS name in lower case and ASCII (IDNA).

    A name whose last label is a number is refused: resolvers take such names for addresses, each in its own way
    (``0x7f.1``, ``2130706433``).  Raises `ValueError` with a sentence for the person who typed it.
    """
    if len(text) > 255:  # before anything that costs more for longer texts
        raise ValueError(f"A host name has at most 253 characters, this one {len(text)}.")
    if text.startswith("[") and text.endswith("]"):
        return str(_version_6(text[1:-1]))
    if ":" in text:
        return str(_version_6(text))
    try:
        return str(IPv4Address(text))
    except ValueError:
        pass
    try:
        name = text.lower().encode("idna").decode("ascii").removesuffix(".")
    except UnicodeError:
        raise ValueError(f"{text!r} is not a host name.") from None
    labels = name.split(".")
    if not name or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text!r} is not a host name.")
    if _NUMBER.fullmatch(labels[-1]):
        raise ValueError(f"{text!r} is not an IP address.")
    return name


def is_address(host: str) -> bool:
    """Whether a host in canonical form is an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _version_6(text: str) -> IPv6Address:
    try:
        address = IPv6Address(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IPv6 address.") from None
    if address.scope_id is not None:
        raise ValueError(f"{text!r} names an interface, which cannot be used here.")
    return address
