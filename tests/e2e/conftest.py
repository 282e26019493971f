"""One browser for all of these tests, one appliance with one pair of cameras for each module."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests.e2e.browser import CHROMIUM, SHELL, launched
from tests.e2e.house import first_house, open_house
from tests.e2e.visit import Visit
from tests.peers.cameras import cameras  # noqa: F401  (a fixture)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from playwright.sync_api import Browser, Playwright

    from tests.e2e.house import House


HERE = Path(__file__).parent
#: The first test pays for what all of them share.
TIMEOUT_S = 400


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))


@pytest.fixture(scope="package")
def first() -> Iterator[House]:
    with first_house() as house:
        yield house


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as begun:
        yield begun


@pytest.fixture(scope="package")
def chromium(playwright: Playwright, first: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with launched(playwright, tmp_path_factory.mktemp("home"), first.authority, SHELL) as browser:
        yield browser


@pytest.fixture(scope="module")
def house(first: House, request: pytest.FixtureRequest) -> Iterator[House]:
    with open_house(first, request.module.__name__.rpartition(".")[2], demo=request.module.DEMO) as running:
        yield running


@pytest.fixture(scope="module")
def browser(
    playwright: Playwright, first: House, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """The one of all; for a module that is `WHOLE`, Chromium as people have it."""
    if not getattr(request.module, "WHOLE", False):
        yield request.getfixturevalue("chromium")
        return
    with launched(playwright, tmp_path_factory.mktemp("home"), first.authority, CHROMIUM) as whole:
        yield whole


@pytest.fixture
def visit(browser: Browser, house: House, request: pytest.FixtureRequest) -> Iterator[Callable[..., Visit]]:
    """Somebody's visit; each has cookies and storage of its own.  In a module that `KEEPS`, pages keep their shell."""
    keeps = getattr(request.module, "KEEPS", False)
    visits: list[Visit] = []

    def begin(**more: Any) -> Visit:
        visits.append(Visit(browser, house.url, keeps=keeps, **more))
        return visits[-1]

    yield begin
    for one in visits:
        one.end()
