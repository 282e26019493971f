from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A data folder for the tests of a module, its path short enough for a socket in it."""
    with tempfile.TemporaryDirectory(prefix="fanal-") as name:
        yield Path(name) / "data"
