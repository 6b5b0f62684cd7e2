"""A person with a photo: from the first page to the file on disk, on a desktop."""

from __future__ import annotations

import io
import re

import numpy as np
import trimesh

from tests.browser.browser import SAMPLE, colourful, like_the_photo


def test_photo_to_model_in_every_mode_and_on_disk(visit):
    seen = visit()
    page = seen.upload().page
    seen.keep("running")
    seen.until_model()
    assert colourful(seen.picture()) > 0.2
    seen.until_ready()

    textured = seen.picture("textured")
    assert like_the_photo(textured) < 12  # from the photo's own camera one sees the photo
    pictures = {"textured": textured}
    for mode in ("points", "wireframe", "normals", "clay"):
        page.click(f'[data-mode="{mode}"]')
        pictures[mode] = seen.picture(mode)
        assert page.get_attribute(f'[data-mode="{mode}"]', "aria-checked") == "true"
    assert like_the_photo(pictures["points"]) < 14
    assert colourful(pictures["normals"]) > 0.3
    assert colourful(pictures["clay"]) < 0.05  # clay has no colour of the photo
    modes = list(pictures.values())
    for index, one in enumerate(modes):
        for other in modes[index + 1 :]:
            assert np.abs(one.astype(int) - other).mean() > 1

    with page.expect_download() as download:
        page.click("#download-main")
    assert download.value.suggested_filename.endswith(".glb")
    scene = trimesh.load(io.BytesIO(download.value.path().read_bytes()), file_type="glb")
    assert sum(len(mesh.faces) for mesh in scene.geometry.values()) > 1000


def test_turn_and_come_back(visit):
    seen = visit()
    page = seen.open().page
    page.click("button.sample >> nth=0")
    seen.until_ready()
    before = seen.picture()
    page.focus("#canvas")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    turned = seen.picture("turned")
    assert np.abs(turned.astype(int) - before).mean() > 4
    page.click("#act-camera")
    assert np.abs(seen.picture().astype(int) - before).mean() < 1
    page.click("#act-reset")
    assert np.abs(seen.picture("reset").astype(int) - before).mean() > 4


def test_measure_between_two_points(visit):
    seen = visit()
    page = seen.upload().until_ready().page
    page.click("#act-ruler")
    seen.click_stage(0.4, 0.5)
    seen.click_stage(0.6, 0.5)
    page.wait_for_selector("#measure", state="visible")
    told = page.inner_text("#measure")
    seen.keep("ruler")
    number = re.match(r"([\d.]+) (× median depth|m \(estimated\)|cm \(estimated\))$", told)
    assert number, told
    assert float(number[1]) > 0

    page.focus("#canvas")  # the same without a pointer
    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    seen.until(lambda: page.inner_text("#measure") != told)
    page.click("#act-ruler")
    assert page.is_hidden("#measure")


def test_compare_two_meshes_with_one_camera(visit):
    seen = visit()
    page = seen.upload().until_ready().page
    page.click("#act-reset")
    page.select_option("#surface", "grid")
    instant = seen.picture()
    page.select_option("#surface", "mesh")
    final = seen.picture()
    page.click("#act-compare")
    assert page.input_value("#pair-left") == "grid"
    assert page.input_value("#pair-right") == "mesh"
    both = seen.picture("compare").astype(int)
    half, top = both.shape[1] // 2, 60  # the choices are above, the slider below
    left, right = np.s_[top:-60, : half - 4], np.s_[top:-60, half + 4 :]
    assert np.abs(both[left] - instant[left]).mean() < 1
    assert np.abs(both[right] - final[right]).mean() < 1

    page.focus("#divider")
    page.keyboard.press("Home")
    assert np.abs(seen.picture()[top:-60, 8:].astype(int) - final[top:-60, 8:]).mean() < 1
    page.click("#act-compare")
    assert page.is_hidden("#divider")


def test_nothing_moves_when_results_come_in(visit):
    seen = visit()
    seen.page.add_init_script(
        "window.shift = 0;"
        "new PerformanceObserver((list) => { for (const one of list.getEntries()) window.shift += one.value; })"
        ".observe({ type: 'layout-shift', buffered: true })"
    )
    seen.upload().until_ready()
    assert seen.page.evaluate("window.shift") < 0.02


def test_photo_depth_and_mask_lie_over_the_stage(visit):
    seen = visit()
    page = seen.upload(SAMPLE).until_ready().page
    page.click('.picture[data-kind="depth_view"]')
    seen.until(lambda: page.evaluate("document.getElementById('picture-over').complete"))
    assert page.is_visible("#picture-over")
    seen.keep("depth")
    page.keyboard.press("Escape")
    assert page.is_hidden("#picture-over")
