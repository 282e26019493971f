"""kill -9 at any moment: the store is the old one or the new one, never a mix (abuse A24, F5)."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.store.children", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_writer_killed_at_random_leaves_whole_transactions_and_all_it_said_were_written(tmp_path: Path) -> None:
    assert int(run("writers", str(tmp_path), "30")) > 30


def test_a_server_killed_at_random_while_it_makes_its_folder_leaves_one_that_opens(tmp_path: Path) -> None:
    run("openers", str(tmp_path), "30")
