"""For all tests."""

from __future__ import annotations

import gc
import os
import signal
from contextlib import suppress
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
STANDS_BACK = "stands back"
#: Browsers are heavy: at most two workers have some.  These files are one's, the others the other's: about as long.
PAGES = ("accessibility", "camera_settings", "masks", "performance_settings", "recording", "signing_in")
#: Rooms whose tests wait for browsers, cameras, clients and servers, and hold them to times; those with long tests come
#: first: what is begun last should be short.  Those of all other rooms calculate.
TIMED = ("e2e", "cli", "packaging", "faults", "soak", "abuse", "bench", "web", "sites", "streams", "recorder", "serve")
#: Of those that calculate, the longest.
CALCULATE = ("fuzz", "workers", "native", "media")
#: How much the last worker stands back: it calculates while the others wait, and should not make them late.
NICE = 5


def room(file: str) -> str:
    """The folder below this one that a test's file, or a node's name, is in."""
    return file.removeprefix("tests/").split("/")[0]


class Files(LoadFileScheduling):
    """For workers side by side: a file's tests stay together, browsers are two workers', the last one calculates."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        if not file.startswith(E2E):
            return file
        return f"{E2E} pages" if file.removeprefix(f"{E2E}test_").startswith(PAGES) else f"{E2E} video"

    def _assign_work_unit(self, node: WorkerController) -> None:
        """The last one is given what calculates as long as there is some, the others what does not."""
        calculates = node.workerinput[STANDS_BACK]
        first = next((scope for scope in self.workqueue if (room(scope) not in TIMED) == calculates), None)
        if first is not None:
            self.workqueue.move_to_end(first, last=False)
        super()._assign_work_unit(node)


def pytest_configure_node(node: WorkerController) -> None:
    last = f"gw{node.workerinput['workercount'] - 1}"
    by_file = node.config.getoption("dist") == "loadfile"
    node.workerinput[STANDS_BACK] = by_file and last != "gw0" and node.workerinput["workerid"] == last


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """The last worker stands back while it calculates; it comes forward again where that is allowed."""
    if getattr(item.config, "workerinput", {}).get(STANDS_BACK):
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, 0 if room(item.nodeid) in TIMED else NICE)


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
    order = (*TIMED, *CALCULATE)

    def rank(item: pytest.Item) -> int:
        where = room(item.nodeid)
        return order.index(where) if where in order else len(order)

    items.sort(key=rank)
