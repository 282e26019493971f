"""Cameras' host names: looked up in threads of their own, a bounded number of them, and once for all who ask.

The system's resolver cannot be told to stop: where no name server answers, a thread hangs in it for ten seconds and
more.  A house full of cameras with such names tries each every second, and would take all threads that others need.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass, field
from errno import EAGAIN
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import trio

from appliance.base.hosts import is_address

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from outcome import Outcome

#: Threads at once; a thread that waits costs some ten kilobytes.  As many as a large house has cameras.
AT_ONCE = 64
#: Of these, for names that were not answered in time when last asked: the others do not wait behind them.
AGAIN_AT_ONCE = 16
#: Longer than a name server of this network takes, and than anybody waits who connects to a camera.
SLOW_S = 5.0
#: An answer that came when nobody waited for it any more is used by the next who asks: else a name server that takes
#: six seconds would be of no use.  A camera that nobody watches is tried each minute.  No other answer is kept.
KEPT_S = 90.0
#: Names remembered as slow.
SLOW_LIMIT = 1024

#: Family and address, the port left out (0).
Found: TypeAlias = tuple[int, str]
#: What `socket.getaddrinfo` is.
Resolve: TypeAlias = "Callable[..., Sequence[tuple[Any, Any, Any, Any, tuple[Any, ...]]]]"


@dataclass(eq=False, slots=True)
class _Lookup:
    host: str
    asking: int = 0  # tasks
    began_at: float | None = None  # None: it waits for a thread
    kept_until: float | None = None  # it is over, and nobody waited
    found: list[Found] = field(default_factory=list)
    error: Exception | None = None
    over: trio.Event = field(default_factory=trio.Event)


class Names:
    """The lookups of one appliance.  ``resolve`` blocks; ``now`` gives seconds of a steady clock."""

    def __init__(self, resolve: Resolve = socket.getaddrinfo, now: Callable[[], float] = trio.current_time) -> None:
        self._resolve = resolve
        self._now = now
        self._lookups: dict[str, _Lookup] = {}  # the longest waiting first
        self._slow: dict[str, None] = {}  # names, the longest known first

    @property
    def running(self) -> int:
        """Threads that hang in the resolver."""
        return sum(lookup.began_at is not None and not lookup.over.is_set() for lookup in self._lookups.values())

    async def addresses(self, host: str) -> list[Found]:
        """What a name stands for; an address for itself.

        Bound it in time: the lookup goes on for others.  Raises `socket.gaierror`.
        """
        if is_address(host):
            await trio.lowlevel.checkpoint()
            return [(socket.AF_INET6 if ":" in host else socket.AF_INET, host)]
        lookup = self._lookups.get(host)
        if lookup is None or (lookup.kept_until is not None and lookup.kept_until < self._now()):
            lookup = self._lookups[host] = _Lookup(host)
            self._begin()
        lookup.asking += 1
        try:
            await lookup.over.wait()
        finally:
            lookup.asking -= 1
            if not lookup.asking and lookup.began_at is None:
                self._forget(lookup)  # nobody waits for what has not begun
        self._forget(lookup)
        if isinstance(lookup.error, OSError):
            raise type(lookup.error)(*lookup.error.args)  # each who asked gets one of its own
        if lookup.error is not None:
            raise lookup.error
        return lookup.found

    def _begin(self) -> None:
        """Start what may start now."""
        running = [lookup for lookup in self._lookups.values() if lookup.began_at is not None]
        running = [lookup for lookup in running if not lookup.over.is_set()]
        total, again = len(running), sum(lookup.host in self._slow for lookup in running)
        waiting = [lookup for lookup in self._lookups.values() if lookup.began_at is None]
        for lookup in sorted(waiting, key=lambda lookup: lookup.host in self._slow):
            slow = lookup.host in self._slow
            if total >= AT_ONCE or (slow and again >= AGAIN_AT_ONCE):
                return
            lookup.began_at = self._now()
            total, again = total + 1, again + slow
            self._start(lookup)

    def _start(self, lookup: _Lookup) -> None:
        token = trio.lowlevel.current_trio_token()

        def deliver(result: Outcome[Sequence[tuple[Any, ...]]]) -> None:
            with suppress(trio.RunFinishedError):  # the appliance ended meanwhile
                token.run_sync_soon(self._over, lookup, result)

        # bytes: the name is in its last form
        resolve = partial(self._resolve, lookup.host.encode("ascii"), 0, type=socket.SOCK_STREAM)
        try:
            trio.lowlevel.start_thread_soon(resolve, deliver, "name lookup")
        except RuntimeError as error:  # the system gives no more threads
            lookup.error = OSError(EAGAIN, str(error))
            lookup.over.set()
            self._forget(lookup)

    def _over(self, lookup: _Lookup, result: Outcome[Sequence[tuple[Any, ...]]]) -> None:
        now = self._now()
        try:
            lookup.found = [(family, str(address[0])) for family, _, _, _, address in result.unwrap()]
        except Exception as error:  # raised again by those who asked
            lookup.error = error
        lookup.over.set()
        self._slow.pop(lookup.host, None)
        if lookup.began_at is not None and now - lookup.began_at > SLOW_S:
            self._slow[lookup.host] = None
            if len(self._slow) > SLOW_LIMIT:
                del self._slow[next(iter(self._slow))]
        for other in list(self._lookups.values()):
            if other.kept_until is not None and other.kept_until < now:
                self._forget(other)
        if lookup.asking or is_no_answer(lookup.error):
            self._forget(lookup)
        else:
            lookup.kept_until = now + KEPT_S
        self._begin()

    def _forget(self, lookup: _Lookup) -> None:
        if self._lookups.get(lookup.host) is lookup:
            del self._lookups[lookup.host]


def is_no_answer(error: Exception | None) -> bool:
    """Whether the name may well be right, and no name server told."""
    return isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
