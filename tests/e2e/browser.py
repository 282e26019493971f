"""Chromium as Debian ships it, trusting the appliance's authority the way a person makes it: by installing it."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Playwright

CHROMIUM = "/usr/bin/chromium"
#: The same engine without the windows round it: it takes two thirds of the processor.
SHELL = "/usr/bin/chromium-headless-shell"
#: Root has no sandbox.  A busy machine must not make the browser put timers of our one page to sleep.
ARGUMENTS = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def environment(home: Path, authority: Path) -> dict[str, str | float | bool]:
    """A home for the browser whose only authority beside the public ones is ours."""
    store = home / ".pki" / "nssdb"
    if not store.exists():
        store.mkdir(parents=True)
        for words in (
            ["-N", "--empty-password"],
            ["-A", "-n", "Fanal", "-t", "C,,", "-i", str(authority)],
        ):
            subprocess.run(["certutil", "-d", f"sql:{store}", *words], check=True, timeout=60, capture_output=True)
    return {**os.environ, "HOME": str(home)}


@contextmanager
def open_browser(home: Path, authority: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright, launched(playwright, home, authority, SHELL) as browser:
        yield browser


@contextmanager
def launched(playwright: Playwright, home: Path, authority: Path, program: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(
        executable_path=program, args=ARGUMENTS, env=environment(home, authority), timeout=60_000
    )
    try:
        yield browser
    finally:
        browser.close()
