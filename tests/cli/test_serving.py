"""What `fanal run` does round the appliance; in a process of its own, since it is for all of one."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc, signal
from pathlib import Path
from types import SimpleNamespace
from trio.testing import wait_all_tasks_blocked
from appliance.cli.context import Program
from appliance.cli.serving import serve

made = [[] for _ in range(50_000)]

async def run(*, task_status, stop, **options):
    ready = SimpleNamespace(urls=["https://127.0.0.1:1"], first=None, fingerprint=None)
    task_status.started(SimpleNamespace(ready=ready))
    await wait_all_tasks_blocked()
    print(gc.get_freeze_count() > len(made))
    signal.raise_signal(signal.SIGTERM)
    await stop()

assert serve(Program(run=run, offline=None), Path("."), {}) is None
"""


def test_what_the_start_has_made_is_not_looked_through_for_garbage_any_more() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-2:] == ["ready https://127.0.0.1:1", "True"]
