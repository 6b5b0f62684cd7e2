"""A better model: asked for, watched, there beside the first one; or stopped."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import trimesh

from tests.browser.browser import Begin, Visit, colourful
from tests.browser.test_browser_access import CONTRASTS, NAMES
from tests.web.pictures import small_object

LONG = 300_000  # milliseconds: a refinement at the lowest priority, beside the browser that draws


@pytest.fixture(scope="session")
def ball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo of one thing, cut out."""
    path = tmp_path_factory.mktemp("photo") / "ball.png"
    path.write_bytes(small_object())
    return path


def begun(seen: Visit, ball: Path) -> Visit:
    """The button was pressed."""
    seen.upload(ball).until_ready().page.click("#better-start")
    seen.page.wait_for_selector("#better-run", state="visible")
    return seen


def test_from_the_button_to_the_better_model(visit: Begin, ball: Path) -> None:
    seen = visit()
    page = seen.upload(ball).until_ready().page
    assert page.is_visible("#better-offer") and page.is_hidden("#better-shown")
    page.focus("#better-start")
    page.keyboard.press("Enter")
    page.wait_for_selector("#better-stop:focus")  # the keyboard's place goes to what has taken over
    assert page.inner_text("#status") == "Ready" and page.is_hidden("#cancel") and page.is_enabled("#download-main")
    page.wait_for_selector("#better-steps:text-matches('[0-9]+ of 40')", timeout=LONG)
    page.wait_for_selector("#better-figure", state="visible", timeout=LONG)
    page.wait_for_selector('#better-sketch[src*="sketch"]', timeout=LONG)
    assert "from the photo" in page.get_attribute("#better-curve", "aria-label")
    first = seen.picture()

    seen.open(page.url.removeprefix(seen.address)).until_ready()  # a reload finds it as it was
    assert page.is_visible("#better-run") and page.is_visible("#better-figure")
    page.wait_for_selector('#better[data-state="done"]', timeout=LONG)
    page.wait_for_selector('#better-shown [data-mode="better"][aria-checked="true"]')
    assert page.input_value("#surface") == "refined" and "triangles" in page.inner_text("#better-told")
    assert page.is_hidden("#better-run") and page.is_visible("#better-figure")
    assert page.inner_text("#better-notes") and "--" not in page.inner_text("main")
    assert [ratio for _, ratio in page.evaluate(CONTRASTS) if ratio < 4.5] == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    assert seen.shift() < 0.02
    better = seen.picture()
    assert colourful(better) > 0.02 and np.abs(better.astype(int) - first).mean() > 0.5

    for selector, name in (("#download-main", "ball-refined.glb"), ('a[download="ball-mesh.glb"]', "ball-mesh.glb")):
        with page.expect_download() as download:
            page.click(selector)
        assert download.value.suggested_filename == name
        scene = trimesh.load(io.BytesIO(download.value.path().read_bytes()), file_type="glb")
        assert sum(len(mesh.faces) for mesh in scene.geometry.values()) > 500
    for ending in ("refined.ply", "refined.stl", "refined-obj.zip"):
        assert page.is_visible(f'#downloads a[download="ball-{ending}"]')

    page.click('#better-shown [data-mode="both"]')
    assert (page.input_value("#pair-left"), page.input_value("#pair-right")) == ("mesh", "refined")
    assert page.is_visible("#divider") and page.get_attribute("#act-compare", "aria-pressed") == "true"
    page.keyboard.press("ArrowLeft")  # from "both" back to "better"
    assert page.is_hidden("#divider") and page.input_value("#surface") == "refined"
    page.click('#better-shown [data-mode="first"]')
    assert page.input_value("#surface") == "mesh"
    assert np.abs(seen.picture().astype(int) - better).mean() > 0.5


def test_stopping_keeps_the_first_model(visit: Begin, ball: Path) -> None:
    seen = begun(visit(), ball)
    page = seen.page
    page.wait_for_selector("#better-steps:not(:empty)", timeout=LONG)
    page.click("#better-stop")
    page.wait_for_selector('#better[data-state="cancelled"]')
    assert "Stopped" in page.inner_text("#better-told") and page.inner_text("#status") == "Ready"
    assert page.is_enabled("#better-start") and page.is_hidden("#better-shown")
    assert page.locator("#downloads a[href]").count() > 5 and page.is_hidden("#retry")
    page.click("#better-start")  # and it can be asked for again
    page.wait_for_selector("#better-run", state="visible")
    page.click("#better-stop")
    page.wait_for_selector('#better[data-state="cancelled"]')


def test_asked_for_with_the_photo_on_a_phone(visit: Begin, ball: Path) -> None:
    seen = visit(phone=True, dark=True)
    page = seen.open().page
    page.click("#options > summary")
    page.select_option("#refine", "quick")
    page.set_input_files("#photo", ball)
    page.wait_for_url("**/jobs/*")
    seen.until_ready()
    page.wait_for_selector("#better-run", state="visible")
    assert seen.shift() < 0.02
    found = page.evaluate(NAMES)
    assert [what for what, name, _ in found if not name] == []
    assert [(what, size) for what, _, size in found if size < 24] == []
    assert [ratio for _, ratio in page.evaluate(CONTRASTS) if ratio < 4.5] == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.tap("#better-stop")
    page.wait_for_selector('#better[data-state="cancelled"]')


def test_a_scene_is_not_offered_one(visit: Begin, finished: object) -> None:
    seen = visit(state=finished.state).open(finished.path).until_ready()
    assert "scene" in seen.page.inner_text("#better-told") and seen.page.is_hidden("#better-offer")
