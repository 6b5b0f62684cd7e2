"""A real browser on the real application, for the tests in test_browser*.py.

The server is `python app.py` of this checkout in a folder of its own; the browser is the system's Chromium, driven by
Playwright, drawing with SwiftShader. `UNFLAT_TEST_URL` names a server that already runs.
"""

from __future__ import annotations

import atexit
import io
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.photo import phone_photo

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "samples" / "chelsea.jpg"  # the smallest one, for tests that need a second model and not a large photo
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
PATIENCE = 60_000  # milliseconds: two cores draw, run the network and serve at the same time
WATCH_SHIFTS = (
    "window.shift = 0;"
    "new PerformanceObserver((list) => { for (const one of list.getEntries()) window.shift += one.value; })"
    ".observe({ type: 'layout-shift', buffered: true })"
)
NOISE = re.compile("GPU stall due to ReadPixels")  # SwiftShader on screenshots


@cache
def phone_file() -> Path:
    """The sample as a phone would have taken it, 12 megapixels and 4.6 MB: what people upload."""
    folder = tempfile.TemporaryDirectory(prefix="unflat-photo-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / SAMPLE.name
    path.write_bytes(phone_photo(SAMPLE))
    return path


@contextmanager
def running_server(data: Path, **variables: str) -> Iterator[str]:
    """The address of the application, which is stopped at the end. variables: settings."""
    if given := os.environ.get("UNFLAT_TEST_URL"):
        yield given.rstrip("/")
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    usual = {"UNFLAT_PORT": str(port), "UNFLAT_DATA": str(data), "UNFLAT_ENV": "development"}
    environment = os.environ | usual | variables
    with open(data / "server.log", "wb") as log:
        server = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, server, data / "server.log")
        yield address
    finally:
        server.terminate()
        server.wait(60)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=2).close()
            return
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(0.1)
    raise RuntimeError(f"the server did not answer:\n{log.read_text()[-2000:]}")


def chromium_program() -> str | None:
    """The system's browser, if it has one."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def launched(driver: Any) -> Iterator[Any]:
    """The browser, which is closed at the end."""
    browser = driver.chromium.launch(executable_path=chromium_program(), args=CHROMIUM_FLAGS, timeout=PATIENCE)
    try:
        yield browser
    finally:
        browser.close()


def context_of(browser: Any, phone: bool = False, dark: bool = False, state: Any = None, moving: bool = False) -> Any:
    """A visitor: a new one, or the one whose cookies `state` holds. moving: who does not mind motion."""
    context = browser.new_context(
        viewport=PHONE if phone else DESKTOP,
        is_mobile=phone,
        has_touch=phone,
        color_scheme="dark" if dark else "light",
        reduced_motion="no-preference" if moving else "reduce",
        storage_state=state,
    )
    context.set_default_timeout(PATIENCE)
    context.set_default_navigation_timeout(PATIENCE)
    return context


class Visit:
    """One visitor's page, and everything the browser complained about."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address
        self.complaints: list[str] = []
        page.add_init_script(WATCH_SHIFTS)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning") and not NOISE.search(message.text):
            self.complaints.append(f"{message.type}: {message.text}")

    def open(self, path: str = "/") -> Visit:
        """Go to a page of the application."""
        self.page.goto(self.address + path)
        return self

    def upload(self, photo: Path | None = None) -> Visit:
        """Choose a photo (a phone's, if none is given) on the first page; ends on the job's page."""
        self.open().page.set_input_files("#photo", photo or phone_file())
        self.page.wait_for_url("**/jobs/*")
        return self

    def until_model(self) -> Visit:
        """Wait until something stands on the stage."""
        self.page.wait_for_selector("#waiting", state="hidden")
        return self

    def until_ready(self) -> Visit:
        """Wait until the job has ended well and both meshes can be chosen."""
        self.page.wait_for_selector('#job[data-state="done"]')
        self.page.wait_for_selector("#surface:enabled", state="attached")
        self.page.wait_for_selector('[data-mode="points"]:enabled')
        return self.until_fetched()

    def until_fetched(self) -> Visit:
        """Wait until what is to be seen is there."""
        self.page.wait_for_selector("#waiting", state="hidden")
        self.page.wait_for_selector('#viewer:not([aria-busy="true"])')
        return self

    def stop(self) -> Visit:
        """Cancel the job of this page, so that the next test need not wait for it."""
        self.page.click("#cancel:enabled")
        self.page.wait_for_selector('#job[data-state="cancelled"]')
        return self

    def shift(self) -> float:
        """Cumulative layout shift of this page so far."""
        return float(self.page.evaluate("window.shift"))

    def until(self, what: Callable[[], bool]) -> None:
        """Wait until that is so. (Playwright's wait_for_function evaluates a string, which the page's policy forbids.)"""
        for _ in range(PATIENCE // 100):
            if what():
                return
            self.page.wait_for_timeout(100)
        raise AssertionError("it never came about")

    def picture(self) -> np.ndarray:
        """The stage as one sees it, height×width×3 uint8."""
        self.page.wait_for_selector('#viewer:not([aria-busy="true"])')
        taken = self.page.locator("#stage").screenshot()
        return np.asarray(Image.open(io.BytesIO(taken)).convert("RGB"))

    def click_stage(self, x: float, y: float) -> None:
        """Click the canvas at a place given in parts of its width and height."""
        box = self.page.locator("#canvas").bounding_box()
        self.page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


Begin = Callable[..., Visit]
"""The fixture `visit`."""


@dataclass(frozen=True)
class Finished:
    """A job that is done. path: of its page; state: the cookie of whose it is; shift: how far things moved on the page
    while it was made."""

    path: str
    state: Any
    shift: float


def colourful(picture: np.ndarray) -> float:
    """Share of pixels that are clearly coloured: the page itself is grey, the photo is not."""
    spread = picture.max(axis=2).astype(int) - picture.min(axis=2)
    return float((spread > 40).mean())


def like_the_photo(picture: np.ndarray, photo: Path = SAMPLE) -> float:
    """Mean absolute difference (0 to 255) to the photo in the middle of the stage, where the photo must be seen from its
    own camera; both are blurred, since their sizes differ."""
    height, width = picture.shape[:2]
    original = Image.open(photo).convert("RGB")
    scale = min(width / original.width, height / original.height) / 1.04  # the viewer leaves 4 % of air
    size = round(original.width * scale), round(original.height * scale)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    seen = (
        Image.fromarray(picture).crop((left, top, left + size[0], top + size[1])).resize((48, 32), Image.Resampling.BOX)
    )
    wanted = original.resize((48, 32), Image.Resampling.BOX)
    inner = np.s_[6:-6, 8:-8]  # depth edges and the cut border are elsewhere tested
    return float(np.abs(np.asarray(seen, float) - np.asarray(wanted, float))[inner].mean())
