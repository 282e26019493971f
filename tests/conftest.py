"""For all tests."""

from __future__ import annotations

import gc
import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from collections.abc import Generator

    from xdist.remote import Producer
    from xdist.workermanage import WorkerController

# A single example has no deadline: on a busy machine it takes what it takes.  pytest's time-out bounds the whole test.
settings.register_profile("fanal", deadline=None)
settings.load_profile("fanal")

# Whoever started us in the background may have had these ignored, and what we start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

E2E = "tests/e2e/"
#: Browsers are heavy: at most two workers have some.  These files are one's, the others the other's: about as long.
PAGES = ("accessibility", "camera_settings", "masks", "performance_settings", "recording", "signing_in")
#: Rooms whose tests wait for cameras, clients and servers much of the time, the longest first: what is begun last
#: should be short.
WAIT = ("cli", "faults", "soak", "abuse", "web", "sites", "streams", "recorder", "serve")
#: Those of all others calculate: these longest.
CALCULATE = ("packaging", "bench", "fuzz", "workers", "native", "media")
#: As many processors as there are may be kept busy at a time: by a browser, or by what calculates.
BUSY = os.cpu_count() or 1


def room(file: str) -> str:
    """The folder below this one that a test's file, or a node's name, is in."""
    return file.removeprefix("tests/").split("/")[0]


class Files(LoadFileScheduling):
    """For workers side by side: a file's tests stay together, browsers are two workers', and waiting is mixed in."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        if not file.startswith(E2E):
            return file
        return f"{E2E} pages" if file.removeprefix(f"{E2E}test_").startswith(PAGES) else f"{E2E} video"

    def _assign_work_unit(self, node: WorkerController) -> None:
        """The first that is left which waits, if enough others are busy; else the first that calculates."""
        scopes = [item for other, work in self.assigned_work.items() if other is not node for item in work.items()]
        busy = sum(room(scope) not in WAIT for scope, tests in scopes if not all(tests.values()))
        wanted = (scope for scope in self.workqueue if (room(scope) in WAIT) == (busy >= BUSY))
        first = next(wanted, None)
        if first is not None:
            self.workqueue.move_to_end(first, last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Files | None:
    """Where files are not asked for, tests go one by one to whoever is free."""
    return Files(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What has been collected stays: garbage is not looked for in it, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browsers' tests come first, then what waits and what calculates, rooms with long tests before others."""
    order = ("e2e", *WAIT, *CALCULATE)

    def rank(item: pytest.Item) -> int:
        where = room(item.nodeid)
        return order.index(where) if where in order else len(order)

    items.sort(key=rank)
