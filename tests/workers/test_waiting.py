"""The time that processes wait for a processor, against processes that do, or do not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from appliance.workers.pool import open_pool
from appliance.workers.waiting import ProcessorWait

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def running(code: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process on the first of our processors."""
    pin = f"import os; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}}); print(flush=True); "
    process = subprocess.Popen([sys.executable, "-c", pin + code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_who_shares_a_processor_waits_for_it_and_who_sleeps_does_not() -> None:
    loop = "exec('while True: pass')"
    with running(loop) as one, running(loop) as other, running("input()") as asleep:
        waits = [ProcessorWait(process.pid) for process in (one, other, asleep)]
        try:
            for process in (one, other, asleep):
                assert process.stdout is not None
                process.stdout.readline()
            time.sleep(0.2)
            before = [wait.seconds for wait in waits]
            time.sleep(1)
            waited = [wait.seconds - since for wait, since in zip(waits, before, strict=True)]
        finally:
            for wait in waits:
                wait.close()
        assert waited[0] + waited[1] > 0.5
        assert waited[2] < 0.1


async def test_of_a_worker_it_is_known_and_stays_what_it_was_when_that_ends() -> None:
    async with open_pool(1) as pool:
        worker = await pool.hire()
        assert (known := worker.waited.seconds) > 0
        await pool.retire(worker)
        assert worker.waited.seconds >= known


def test_of_no_process_there_is_nothing_new() -> None:
    with running("input()") as process:
        wait = ProcessorWait(process.pid)
        process.kill()
        process.wait(10)
        assert wait.seconds == wait.seconds  # that of a process that has ended cannot be read
    wait.close()
    gone = ProcessorWait(process.pid)
    assert gone.seconds == 0
    gone.close()
