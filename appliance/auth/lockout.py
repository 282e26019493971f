"""Guessing passwords, made hopeless without giving anybody the means to lock others out (abuse A1, design §7).

* An (account, address) that failed ten times in 15 minutes is locked for 15 minutes.
* An address that failed fifty times in 15 minutes, whatever the accounts, is blocked for 15 minutes: it is refused
  before the application.
* Over all addresses an account only slows down, by up to 2 s.

Pure: no clock, no task; ``now`` is any clock in seconds that never goes back.  An attempt counts as a failure from its
beginning and is taken back when it succeeds, so that a hundred at once get no further than ten in a row, and
whoever hangs up early has failed.  Memory is bounded: each table holds `ROOM` keys that are counted and no more than
twice as many that are locked; of those counted the least recent give way, those locked never do.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final, Generic, TypeVar

K = TypeVar("K")

WINDOW_S: Final = 15 * 60.0
PAIR_LIMIT: Final = 10
ADDRESS_LIMIT: Final = 50
ROOM: Final = 16_384

#: Failures of an account over all addresses before it slows down, then s per further one, and s at most.
SLOW_AFTER: Final = 10
SLOWER_S: Final = 0.1
SLOWEST_S: Final = 2.0


class Tally(Generic[K]):
    """Counts failures per key and locks a key for the window when its ``limit`` is reached within the window."""

    def __init__(self, limit: int, room: int = ROOM) -> None:
        self._limit = limit
        self._room = room
        self._counting: OrderedDict[K, list[float]] = OrderedDict()  # least recent first
        self._locked: OrderedDict[K, list[float]] = OrderedDict()  # in the order in which they open

    def __len__(self) -> int:
        return len(self._counting) + len(self._locked)

    def seconds(self, key: K, now: float) -> float:
        """Until the key opens; 0 when it is open.

        When more than `ROOM` keys are locked at once, keys not counted yet wait for the oldest lock: nobody can fail
        so often within 15 minutes as that takes, since each time costs a hash.
        """
        self._open(now)
        failed = self._locked.get(key)
        if failed is None and len(self._locked) >= self._room and key not in self._counting:
            failed = next(iter(self._locked.values()))
        return failed[-1] + WINDOW_S - now if failed is not None else 0.0

    def add(self, key: K, now: float) -> None:
        """Count a failure of an open key."""
        self._open(now)
        failed = [at for at in self._counting.pop(key, ()) if at > now - WINDOW_S]
        failed.append(now)
        if len(failed) >= self._limit:
            self._locked[key] = failed
            return
        self._counting[key] = failed
        self._make_room()

    def take_back(self, key: K, at: float) -> None:
        """The attempt counted at ``at`` was no failure."""
        for table in (self._counting, self._locked):
            failed = table.get(key)
            if failed is not None and at in failed:
                failed.remove(at)
                if not failed:
                    del table[key]
                elif table is self._locked:
                    self._counting[key] = table.pop(key)
                    self._make_room()
                return

    def clear(self, key: K) -> bool:
        """Forget a key; whether it was locked."""
        self._counting.pop(key, None)
        return self._locked.pop(key, None) is not None

    def held(self) -> list[K]:
        """Every key there is something about."""
        return [*self._counting, *self._locked]

    def _make_room(self) -> None:
        while len(self._counting) > self._room:
            self._counting.popitem(last=False)

    def _open(self, now: float) -> None:
        while self._locked:
            key, failed = next(iter(self._locked.items()))
            if failed[-1] + WINDOW_S > now:
                return
            del self._locked[key]


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that was let through and counts as failed until `Lockout.succeeded`."""

    account: bytes
    network: str
    at: float


class Lockout:
    """The three rules together.  An account is any text by which users are told apart (`user_rows.account_of`)."""

    def __init__(self, room: int = ROOM) -> None:
        self._pairs: Tally[tuple[bytes, str]] = Tally(PAIR_LIMIT, room)
        self._networks: Tally[str] = Tally(ADDRESS_LIMIT, room)
        self._accounts: OrderedDict[bytes, list[float]] = OrderedDict()  # least recent first
        self._room = room

    def seconds(self, account: str, address: str, now: float) -> float:
        """Until this account may be tried from this address; 0 when it may be now."""
        network = network_of(address)
        return max(self._pairs.seconds((_key(account), network), now), self._networks.seconds(network, now))

    def address_blocked(self, address: str, now: float) -> float:
        """Seconds until this address may try anything; 0 when it may now.  Cheap: asked for every connection."""
        return self._networks.seconds(network_of(address), now)

    def begin(self, account: str, address: str, now: float) -> Attempt:
        """Count an attempt for which `seconds` is 0."""
        attempt = Attempt(_key(account), network_of(address), now)
        self._pairs.add((attempt.account, attempt.network), now)
        self._networks.add(attempt.network, now)
        failed = self._accounts.pop(attempt.account, [])
        most = SLOW_AFTER + round(SLOWEST_S / SLOWER_S) + 1  # more would not be slower
        self._accounts[attempt.account] = [*failed[1 - most :], now]
        if len(self._accounts) > self._room:
            self._accounts.popitem(last=False)
        return attempt

    def delay(self, attempt: Attempt) -> float:
        """Seconds to wait before looking at the password, for what the account failed before over all addresses."""
        failed = self._accounts.get(attempt.account, [])
        before = sum(attempt.at - WINDOW_S < at <= attempt.at for at in failed) - 1  # this one not counted
        return min(SLOWEST_S, max(0.0, SLOWER_S * (before - SLOW_AFTER)))

    def succeeded(self, attempt: Attempt) -> None:
        """It was the right password: the pair starts anew; the address keeps its other failures.

        Else one good account would let an address guess at all others for ever.
        """
        self._pairs.clear((attempt.account, attempt.network))
        self._networks.take_back(attempt.network, attempt.at)
        failed = self._accounts.get(attempt.account, [])
        if attempt.at in failed:
            failed.remove(attempt.at)

    def unlock(self, account: str | None = None, *, address: str | None = None) -> int:
        """An administrator opens an account for all addresses, or an address for all; how many locks that opened."""
        opened = 0
        if account is not None:
            key = _key(account)
            opened += sum(self._pairs.clear(pair) for pair in self._pairs.held() if pair[0] == key)
            self._accounts.pop(key, None)
        if address is not None:
            opened += self._networks.clear(network_of(address))
        return opened

    def __len__(self) -> int:
        """Keys held in memory."""
        return len(self._pairs) + len(self._networks) + len(self._accounts)


def network_of(address: str) -> str:
    """What one guesser has at hand: an IPv4 address, the /64 of an IPv6 address."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((int(parsed) >> 64 << 64, 64)))


def _key(account: str) -> bytes:
    """The account in 16 bytes, however long the name that was tried."""
    return hashlib.blake2b(account.encode("utf-8", "surrogatepass"), digest_size=16).digest()
