"""Fixtures of the browser tests; they skip where there is no Chromium or no Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.browser import Begin, Finished, Visit, chromium_program, context_of, launched, running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_server(
        tmp_path_factory.mktemp("server"), UNFLAT_REFINE_STEPS="40", UNFLAT_FILM_SECONDS="0"
    ) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    if chromium_program() is None:
        pytest.skip("no Chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver, launched(driver) as browser:
        yield browser


@pytest.fixture(scope="session")
def finished(chromium: Any, server: str) -> Finished:
    """For the tests that need a model and not its making."""
    context = context_of(chromium)
    seen = Visit(context.new_page(), server).upload().until_ready()
    made = Finished(seen.page.url.removeprefix(server), context.storage_state(), seen.shift())
    context.close()
    return made


@pytest.fixture
def visit(chromium: Any, server: str) -> Iterator[Begin]:
    """visit(phone=False, dark=False, state=None): a new visitor, or the one of a cookie. At the end no one who was watched
    may have had an error or a policy violation."""
    visits: list[Visit] = []

    def begin(
        phone: bool = False, dark: bool = False, watched: bool = True, state: Any = None, moving: bool = False
    ) -> Visit:
        one = Visit(context_of(chromium, phone, dark, state, moving).new_page(), server)
        if watched:
            visits.append(one)
        return one

    yield begin
    complaints = [complaint for one in visits for complaint in one.complaints]
    for context in chromium.contexts:
        context.close()
    assert complaints == []
