"""For all tests."""

from __future__ import annotations

import gc
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from collections.abc import Generator

    from xdist.remote import Producer

# A single example has no deadline: on a busy machine it takes what it takes.  pytest's time-out bounds the whole test.
settings.register_profile("fanal", deadline=None)
settings.load_profile("fanal")

# Whoever started us in the background may have had these ignored, and what we start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

HERE = Path(__file__).parent
E2E = "tests/e2e/"
#: Browsers are heavy: at most two workers have some.  These files are one's, the others the other's: about as long.
PAGES = ("accessibility", "camera_settings", "masks", "performance_settings", "recording", "signing_in")
#: Rooms whose tests take long, the longest first: what is begun last should be short.
FIRST = ("e2e", "cli", "packaging", "faults", "soak", "abuse")
#: Rooms whose tests wait for cameras and clients much of the time.
WAIT = ("web", "sites", "streams", "recorder", "serve")
#: Those of all others calculate: these longest.
CALCULATE = ("bench", "fuzz", "workers", "native", "media")


class Files(LoadFileScheduling):
    """For workers side by side: the tests of a file stay together, and browsers are two workers'."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        if not file.startswith(E2E):
            return file
        return f"{E2E} pages" if file.removeprefix(f"{E2E}test_").startswith(PAGES) else f"{E2E} video"


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
    """Rooms with long tests come first; then what waits and what calculates, by turns: one fills the other's time."""
    order = (*FIRST, *WAIT, *CALCULATE)

    def room(file: Path) -> str:
        return file.relative_to(HERE).parts[0]

    files = list(dict.fromkeys(item.path for item in items))
    files.sort(key=lambda file: order.index(room(file)) if room(file) in order else len(order))
    first = [file for file in files if room(file) in FIRST]
    waiting = [file for file in files if room(file) in WAIT]
    calculating = [file for file in files if room(file) not in (*FIRST, *WAIT)]
    turn: dict[Path, float] = {file: number - len(first) for number, file in enumerate(first)}
    for several in (waiting, calculating):
        turn.update({file: number / len(several) for number, file in enumerate(several)})
    items.sort(key=lambda item: turn[item.path])
