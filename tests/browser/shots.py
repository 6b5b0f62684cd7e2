"""The pictures of the documentation, taken anew: `make shots`, or python -m tests.browser.shots photo.jpg

Written to docs/screenshots unless UNFLAT_SHOTS names another folder: the first page, a job that runs, the result in every
mode, the comparison, the dark scheme and a phone.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.browser import ROOT, Visit, context_of, launched, running_server

MODES = ("points", "textured", "wireframe", "normals", "clay")
PHOTO = ROOT / "samples" / "flower.jpg"  # one thing: everything that the page has can be seen
QUALITY = 70  # of JPEG: below 150 kB for a screen full of photo


def take_all(browser: Browser, address: str, photo: Path, folder: Path) -> None:
    """All pictures of one photo's way, as JPEG files in the folder."""
    folder.mkdir(parents=True, exist_ok=True)

    def keep(seen: Visit, name: str) -> None:
        seen.page.screenshot(path=folder / f"{name}.jpg", type="jpeg", quality=QUALITY)

    context = context_of(browser)
    seen = Visit(context.new_page(), address).open()
    seen.page.wait_for_load_state("networkidle")
    keep(seen, "empty")
    seen.upload(photo).until_model()
    keep(seen, "running")
    seen.until_ready()
    for mode in MODES:
        seen.page.click(f'[data-mode="{mode}"]')
        keep(seen, mode)
    seen.page.click("#act-compare")
    keep(seen, "compare")

    path, state = seen.page.url.removeprefix(address), context.storage_state()
    for name, phone, dark in (("dark", False, True), ("phone", True, False)):
        other = Visit(context_of(browser, phone, dark, state).new_page(), address).open(path).until_ready()
        keep(other, name)


def main() -> None:
    """Start a server and a browser of its own, and take the pictures."""
    photo = Path(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1] else PHOTO
    folder = Path(os.environ.get("UNFLAT_SHOTS") or ROOT / "docs" / "screenshots")
    with (
        tempfile.TemporaryDirectory() as data,
        running_server(Path(data)) as address,
        sync_playwright() as driver,
        launched(driver) as browser,
    ):
        take_all(browser, address, photo, folder)
    for path in sorted(folder.glob("*.jpg")):
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
