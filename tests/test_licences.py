"""Every library that the product runs on is named in docs/licences.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8").lower()
# parts of another entry
PARTS = {"argon2-cffi-bindings": "its bindings"}


def locked() -> list[str]:
    lines = (ROOT / "build" / "requirements" / "run.txt").read_text(encoding="utf-8").splitlines()
    return [match[1] for line in lines if (match := re.match(r"([A-Za-z0-9_.-]+)==", line))]


@pytest.mark.parametrize("name", locked())
def test_every_locked_library_is_listed(name: str) -> None:
    word = PARTS.get(name, name)
    assert word in TEXT, f"{name} is not in docs/licences.md"
