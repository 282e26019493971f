"""A network of two machines that a test can make bad: network namespaces with a cable between them.

Needs root, iproute2 and nftables.  Addresses are of 198.18.0.0/15, which is for such tests (RFC 2544).  Nothing
leads out.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUSE, PHONE = "198.18.0.1", "198.18.0.2"
_CLONE_NEWNET = 0x40000000
#: What a slow line holds back before it drops: a modem's buffer.
LINE_BUFFER = "200ms"


@dataclass(frozen=True)
class Net:
    """The two ends; `inside` makes the calling thread, and what it starts, part of one of them."""

    house: str
    phone: str

    @contextmanager
    def inside(self, namespace: str) -> Iterator[None]:
        """Sockets and processes that this thread makes are of the namespace, for as long as the block lasts."""
        with Path("/proc/thread-self/ns/net").open() as before:
            _enter(Path(f"/run/netns/{namespace}"))
            try:
                yield
            finally:
                _set(before.fileno())

    def slow_down(self, rate: str) -> None:
        """From the house to the phone goes so much a second."""
        shape = ["root", "tbf", "rate", rate, "burst", "16kb", "latency", LINE_BUFFER]
        _run("ip", "netns", "exec", self.house, "tc", "qdisc", "replace", "dev", "cable", *shape)

    def lose(self, percent: int) -> None:
        """So many of a hundred packets do not arrive, in both directions."""
        drop = f"numgen random mod 100 < {percent} drop"
        chains = [f"chain {hook} {{ type filter hook {hook} priority 0; {drop}; }}" for hook in ("input", "output")]
        rules = "\n".join(["table inet loss {", *chains, "}\n"])
        _run("ip", "netns", "exec", self.phone, "nft", "-f", "-", told=rules)

    def mend(self) -> None:
        """As it was at first."""
        for command in (["tc", "qdisc", "del", "dev", "cable", "root"], ["nft", "flush", "ruleset"]):
            where = self.house if command[0] == "tc" else self.phone
            subprocess.run(["ip", "netns", "exec", where, *command], capture_output=True, timeout=10, check=False)


@contextmanager
def two_machines() -> Iterator[Net]:
    """The house at 198.18.0.1 and the phone at 198.18.0.2, for as long as the block lasts."""
    net = Net(f"fanal-{os.getpid()}-house", f"fanal-{os.getpid()}-phone")
    try:
        for namespace in (net.house, net.phone):
            _run("ip", "netns", "add", namespace)
            _run("ip", "-n", namespace, "link", "set", "lo", "up")
        cable = ["cable", "netns", net.house, "type", "veth", "peer", "name", "cable", "netns", net.phone]
        _run("ip", "link", "add", *cable)
        for namespace, address in ((net.house, HOUSE), (net.phone, PHONE)):
            _run("ip", "-n", namespace, "addr", "add", f"{address}/30", "dev", "cable")
            # packets as they are on a wire: else sixty-four kilobytes would be lost, or late, as one
            _run("ip", "-n", namespace, "link", "set", "cable", "gso_max_segs", "1", "up")
        yield net
    finally:
        for namespace in (net.house, net.phone):
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True, timeout=10, check=False)


def _run(*command: str, told: str = "") -> None:
    done = subprocess.run(command, input=told, capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}; tests/peers/install.sh, and root, are needed"


def _enter(namespace: Path) -> None:
    with namespace.open() as file:
        _set(file.fileno())


def _set(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
