"""How many connections an address may open, and how fast (abuse A5).

Pure: the time is handed in.  Above the rate connections are not refused but told when their turn is, in order; only
what would make the queue or the table grow without bound is turned away.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    rate: float = 50.0  # new connections a second from one address; as many may come at once
    per_address: int = 512  # open at the same time
    queue_per_address: int = 250  # waiting for their turn: five seconds' worth
    queue: int = 1000  # waiting, of all addresses
    total: int = 4096  # open, of all addresses; each costs a descriptor and about 50 KB


class Turned(StrEnum):
    """Why a connection was turned away."""

    ADDRESS_FULL = "address_full"
    QUEUE_FULL = "queue_full"
    SERVER_FULL = "server_full"


class TurnedAway(Exception):
    def __init__(self, why: Turned) -> None:
        super().__init__(why)
        self.why = why


@dataclass(slots=True)
class Ticket:
    """A connection's place.  ``turn_at``: when it may begin; say `begin` then."""

    turn_at: float
    waits: bool
    _address: _Address
    _admission: Admission

    def begin(self) -> None:
        if self.waits:
            self.waits = False
            self._address.waiting -= 1
            self._admission.waiting -= 1


@dataclass(slots=True)
class _Address:
    next_slot: float
    open: int = 0
    waiting: int = 0


@dataclass(slots=True)
class Admission:
    """The doorkeeper.  Addresses are counted as `address_key` puts them together."""

    limits: AdmissionLimits = field(default_factory=AdmissionLimits)
    ceiling: float = math.inf  # what the system has room for, whatever the limits say
    open: int = 0
    waiting: int = 0
    turned_away: dict[Turned, int] = field(default_factory=lambda: dict.fromkeys(Turned, 0))
    _addresses: OrderedDict[str, _Address] = field(default_factory=OrderedDict)

    @contextmanager
    def enter(self, peer: str, now: float) -> Iterator[Ticket]:
        """A place for a connection from ``peer`` for as long as the context lasts.

        ``now`` in seconds, never going back.  Raises `TurnedAway`.
        """
        limits = self.limits
        address = self._find(address_key(peer), now)
        interval = 1 / limits.rate
        turn_at = max(address.next_slot, now - (limits.rate - 1) * interval)
        waits = turn_at > now
        if self.open >= min(limits.total, self.ceiling):
            raise self._turn_away(Turned.SERVER_FULL)
        if address.open >= limits.per_address:
            raise self._turn_away(Turned.ADDRESS_FULL)
        if waits and (address.waiting >= limits.queue_per_address or self.waiting >= limits.queue):
            raise self._turn_away(Turned.QUEUE_FULL)
        address.next_slot = turn_at + interval
        address.open += 1
        self.open += 1
        if waits:
            address.waiting += 1
            self.waiting += 1
        ticket = Ticket(max(turn_at, now), waits, address, self)
        try:
            yield ticket
        finally:
            ticket.begin()
            address.open -= 1
            self.open -= 1

    @property
    def addresses_known(self) -> int:
        return len(self._addresses)

    def _turn_away(self, why: Turned) -> TurnedAway:
        self.turned_away[why] += 1
        return TurnedAway(why)

    def _find(self, key: str, now: float) -> _Address:
        self._forget_some(now)
        address = self._addresses.get(key)
        if address is None:
            address = self._addresses[key] = _Address(now - 1)
        return address

    def _forget_some(self, now: float) -> None:
        # Two looked at for each one that may be added: the table holds who is here and who was here a second ago.
        for _ in range(min(2, len(self._addresses))):
            key, address = self._addresses.popitem(last=False)
            if address.open or address.next_slot > now - 1:
                self._addresses[key] = address


@lru_cache(maxsize=4096)
def address_key(peer: str) -> str:
    """What counts as one address: an IPv4 address, or an IPv6 /64, which is what one customer gets.

    Anything else ("local") counts as itself.
    """
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Address(int(address) >> 64 << 64)) + "/64"
    return str(address)
