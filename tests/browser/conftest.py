"""Fixtures of the browser tests; they skip where there is no Chromium or no Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.browser import CHROMIUM_FLAGS, DESKTOP, PATIENCE, PHONE, Visit, running_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_server(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS, timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any, server: str) -> Iterator[Callable[..., Visit]]:
    """visit(phone=False, dark=False): a new visitor. At the end nobody may have had an error or a policy violation."""
    visits: list[Visit] = []

    def begin(phone: bool = False, dark: bool = False, watched: bool = True) -> Visit:
        context = chromium.new_context(
            viewport=PHONE if phone else DESKTOP,
            is_mobile=phone,
            has_touch=phone,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            accept_downloads=True,
        )
        context.set_default_timeout(PATIENCE)
        context.set_default_navigation_timeout(PATIENCE)
        one = Visit(context.new_page(), server)
        if watched:
            visits.append(one)
        return one

    yield begin
    complaints = [complaint for one in visits for complaint in one.complaints]
    for context in chromium.contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def tiny_text(tmp_path: Path) -> Path:
    """A file that calls itself a photo."""
    path = tmp_path / "photo.jpg"
    path.write_text("no photo")
    return path
