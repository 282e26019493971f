from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.appliance import House, open_house, running_house
from tests.web.endless import EndlessOpeners

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """An appliance for one test, whose cameras do what the test says."""
    async with open_house() as opened:
        yield opened


@pytest.fixture(scope="module")
def shared() -> Iterator[House]:
    """An appliance for all tests of a module, in a thread of its own, whose cameras always have a picture."""
    with running_house(openers=EndlessOpeners()) as opened:
        yield opened
