"""A person with a photo: from the first page to the file on disk, on a desktop."""

from __future__ import annotations

import io
import re

import numpy as np
import trimesh

from tests.browser.browser import Begin, Finished, colourful, like_the_photo


def test_photo_to_model_in_every_mode_and_on_disk(visit: Begin) -> None:
    seen = visit()
    page = seen.upload().until_model().page
    assert colourful(seen.picture()) > 0.2  # something of the photo is there long before the end
    seen.until_ready()
    assert like_the_photo(seen.picture()) < 12  # a scene begins as the photo
    page.click("#act-reset")
    aside = seen.picture()
    page.click("#act-camera")
    textured = seen.picture()
    assert like_the_photo(textured) < 12  # from the photo's own camera one sees the photo
    assert np.abs(aside.astype(int) - textured).mean() > 4

    pictures = {"textured": textured}
    for mode in ("points", "wireframe", "normals", "clay"):
        page.click(f'[data-mode="{mode}"]')
        pictures[mode] = seen.picture()
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
    assert download.value.suggested_filename == "chelsea-mesh.glb"
    scene = trimesh.load(io.BytesIO(download.value.path().read_bytes()), file_type="glb")
    assert sum(len(mesh.faces) for mesh in scene.geometry.values()) > 1000


def test_nothing_moves_when_results_come_in(finished: Finished) -> None:
    assert finished.shift < 0.02


def test_turn_and_come_back(visit: Begin, finished: Finished) -> None:
    seen = visit(state=finished.state).open(finished.path).until_ready()
    page = seen.page
    page.click("#act-reset")
    first = seen.picture()
    page.focus("#canvas")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    turned = seen.picture()
    assert np.abs(turned.astype(int) - first).mean() > 4
    page.keyboard.press("c")
    assert like_the_photo(seen.picture()) < 12
    page.click("#act-reset")
    assert np.abs(seen.picture().astype(int) - first).mean() < 2  # the view aside, framed anew


def test_measure_between_two_points(visit: Begin, finished: Finished) -> None:
    seen = visit(state=finished.state).open(finished.path).until_ready()
    page = seen.page
    page.click("#act-camera")
    page.click("#act-ruler")
    seen.click_stage(0.4, 0.5)
    seen.click_stage(0.6, 0.5)
    page.wait_for_selector("#measure", state="visible")
    told = page.inner_text("#measure")
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


def test_compare_two_meshes_with_one_camera(visit: Begin, finished: Finished) -> None:
    seen = visit(state=finished.state).open(finished.path).until_ready()
    page = seen.page
    page.select_option("#surface", "grid")
    seen.until(lambda: page.input_value("#surface") == "grid" and page.is_hidden("#hint"))
    instant = seen.picture()
    page.select_option("#surface", "mesh")
    final = seen.picture()
    page.click("#act-compare")
    assert page.input_value("#pair-left") == "grid"
    assert page.input_value("#pair-right") == "mesh"
    both = seen.picture().astype(int)
    half, top = both.shape[1] // 2, 60  # the choices are above, the handle in the middle
    left, right = np.s_[top:, : half - 30], np.s_[top:, half + 30 :]
    assert np.abs(both[left] - instant[left]).mean() < 1
    assert np.abs(both[right] - final[right]).mean() < 1

    page.focus("#divider")
    page.keyboard.press("Home")
    assert np.abs(seen.picture()[top:, 30:].astype(int) - final[top:, 30:]).mean() < 1
    page.click("#act-compare")
    assert page.is_hidden("#divider")


def test_photo_and_depth_lie_over_the_stage(visit: Begin, finished: Finished) -> None:
    seen = visit(state=finished.state).open(finished.path).until_ready()
    page = seen.page
    page.click('.picture[data-kind="depth_view"]')
    seen.until(lambda: page.evaluate("document.getElementById('picture-over').complete"))
    assert colourful(seen.picture()) > 0.4
    page.keyboard.press("Escape")
    assert page.is_hidden("#picture-over")
    page.click('.picture[data-kind="photo"]')
    assert page.is_visible("#picture-over")
    page.click("#act-reset")  # who turns the model wants to see it
    assert page.is_hidden("#picture-over")
