"""When a person sees a model: the real server and the real page in the system's Chromium, drawing in software.

    python -m bench.first_view [--photo FILE] [--megapixels N] [--repeats N]

Seconds from the end of the upload to the first picture of a model on the stage, and what of it that was; then to the
surface that stays. Server, workers and browser share the cores.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from bench.photo import PIXELS, phone_photo
from bench.server import ROOT, Server, until

FLAGS = ["--no-sandbox", "--disable-gpu", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
WATCH = """
const seen = (window.seen = {});
const note = (name) => { seen[name] ??= performance.timeOrigin + performance.now(); };
const send = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function (...given) {
  this.upload.addEventListener("load", () => sessionStorage.setItem("sent", performance.timeOrigin + performance.now()));
  return send.apply(this, given);
};
document.addEventListener("DOMContentLoaded", () => {
  const waiting = document.getElementById("waiting");
  const surface = document.getElementById("surface");
  const look = () => {
    if (waiting.hidden) requestAnimationFrame(() => requestAnimationFrame(() => {
      note("model");
      note(surface.value && !surface.closest("[hidden]") ? surface.value : "points");
    }));
  };
  if (waiting) new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
});
"""


def main() -> None:
    """Print a line for every upload, and the medians."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--photo", type=Path, default=ROOT / "samples" / "coffee.jpg")
    options.add_argument(
        "--megapixels", type=float, help=f"of the photo (a phone's has {PIXELS / 1e6:g}); else as it is"
    )
    options.add_argument("--repeats", type=int, default=5)
    args = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.jpg"
        whole = args.photo.read_bytes()
        photo.write_bytes(whole if args.megapixels is None else phone_photo(args.photo, pixels=1e6 * args.megapixels))
        size = photo.stat().st_size
        server = Server(Path(folder) / "data", UNFLAT_FILM_SECONDS="0", UNFLAT_MAX_QUEUED_EACH="1000")
        try:
            server.wait_until_ready()
            rows = seen_times(f"http://127.0.0.1:{server.port}", photo, args.repeats)
        finally:
            server.stop()
    print(f"{args.photo.name}, {size / 1e6:.1f} MB: seconds from the upload's end")
    for row in rows:
        print("  " + ", ".join(f"{name} {value:.2f}" for name, value in row.items()))
    for name in rows[0]:
        print(f"{name:>10} {median(row[name] for row in rows if name in row):6.2f}")


def seen_times(address: str, photo: Path, repeats: int) -> list[dict[str, float]]:
    """For each upload, when what was seen first."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    rows = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=FLAGS)
        for _ in range(repeats):
            context = browser.new_context(viewport={"width": 1280, "height": 800})
            rows.append(_one_visit(context.new_page(), address, photo))
            context.close()
        browser.close()
    return rows


def _one_visit(page: Any, address: str, photo: Path) -> dict[str, float]:
    page.add_init_script(WATCH)
    page.goto(address)
    page.set_input_files("#photo", photo)
    page.wait_for_url("**/jobs/*")
    until(lambda: "mesh" in page.evaluate("window.seen"))
    found, sent = page.evaluate("window.seen"), float(page.evaluate("sessionStorage.getItem('sent')"))
    page.wait_for_selector('#job[data-state="done"]', state="attached", timeout=180_000)
    time.sleep(0.5)
    return {name: (at - sent) / 1000 for name, at in sorted(found.items(), key=lambda each: float(each[1]))}


if __name__ == "__main__":
    main()
