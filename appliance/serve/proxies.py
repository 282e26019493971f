"""Who the client is when a reverse proxy stands in front (abuse A16).

Only proxies that the administrator named are believed.  Limits on connections stay with the real peer.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Network = IPv4Network | IPv6Network
_HOPS = 20  # more proxies in a row than anybody has


class Client(NamedTuple):
    """``address`` without port.  ``secure``: whether the client speaks TLS to the proxy; None: not said."""

    address: str
    secure: bool | None


def client_address(peer: str, headers: Iterable[tuple[bytes, bytes]], trusted: Sequence[Network]) -> Client:
    """The client as far as it can be believed.

    ``peer``: the address at the other end of the socket; ``headers``: names in lower case, as in an ASGI scope.
    X-Forwarded-For is read from the right, through the trusted ones, to the first that is not; what is left of it
    may be invented.  An entry that is no address ends the walk at the hop before.
    """
    address = _parse(peer)
    if address is None or not _is_trusted(address, trusted):
        return Client(peer, None)
    forwarded: list[bytes] = []
    protocols: list[bytes] = []
    for name, value in headers:
        if name == b"x-forwarded-for":
            forwarded += value.split(b",")
        elif name == b"x-forwarded-proto":
            protocols += value.split(b",")
    for entry in forwarded[: -_HOPS - 1 : -1]:
        hop = _parse(entry.decode("latin-1"))
        if hop is None:
            break
        address = hop
        if not _is_trusted(hop, trusted):
            break
    # the last is what the nearest proxy, the one we believe, has written
    protocol = protocols[-1].strip().lower() if protocols else b""
    return Client(str(address), {b"https": True, b"http": False}.get(protocol))


def _is_trusted(address: IPv4Address | IPv6Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """An address out of ``192.0.2.1``, ``192.0.2.1:4711``, ``2001:db8::1`` or ``[2001:db8::1]:4711``."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
