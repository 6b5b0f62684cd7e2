"""The surface that is chosen for a photo, and another model of the same photo beside the first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.browser.browser import Begin, Finished, Visit, context_of
from web_3d_app.http.options import classes_of, offered
from web_3d_app.kinds.photo import PHOTO

Flower = tuple[str, Any]
"""The path of a finished model of one thing, and the cookie of whose it is."""


@pytest.fixture(scope="module")
def flower(chromium: Any, server: str) -> Iterator[Flower]:
    """Made of the first sample: no photo is needed to try everything."""
    context = context_of(chromium)
    seen = Visit(context.new_page(), server).open()
    seen.page.click("button.sample >> nth=0")
    seen.page.wait_for_url("**/jobs/*")
    seen.until_ready()
    seen.page.wait_for_selector('#surface option[value="smooth"]', state="attached")
    yield seen.page.url.removeprefix(server), context.storage_state()
    context.close()


def where(picture: np.ndarray) -> tuple[float, float, float, float]:
    """left, top, right, bottom of what is coloured on the stage, but for the focus around it, in parts of its sides."""
    picture = picture[8:-8, 8:-8]
    spread = picture.max(axis=2).astype(int) - picture.min(axis=2)
    rows, columns = np.nonzero(spread > 60)
    high, wide = spread.shape
    return columns.min() / wide, rows.min() / high, columns.max() / wide, rows.max() / high


def turn_a_quarter(seen: Visit) -> None:
    """With the mouse: the stage's height is a whole turn."""
    box = seen.page.locator("#canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    seen.page.mouse.move(x, y)
    seen.page.mouse.down()
    seen.page.mouse.move(x + box["height"] / 4, y)
    seen.page.mouse.up()


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_one_thing_is_closed_seen_whole_and_turns_round_its_own_middle(
    visit: Begin, flower: Flower, phone: bool
) -> None:
    path, state = flower
    seen = visit(phone=phone, state=state).open(path).until_ready()
    page = seen.page
    assert page.input_value("#surface") == "mesh"
    assert page.is_enabled("#better-start")  # which is for one thing only
    assert page.locator("#surface option").all_inner_texts() == ["Smooth", "Sharp", "Solid"]
    assert "Solid, as it is one thing" in page.inner_text("#facts")
    assert "closed all round; another surface can be chosen with “Again, with other options”" in page.inner_text(
        "#warnings"
    )
    page.click('[data-mode="normals"]')
    for _ in range(2 if phone else 4):
        left, top, right, bottom = where(seen.picture())
        assert left > 0.01 and right < 0.99 and top > 0.01 and bottom < 0.99  # whole from every side
        assert abs((left + right) / 2 - 0.5) < 0.12 and abs((top + bottom) / 2 - 0.5) < 0.12
        assert bottom - top > 0.4 or right - left > 0.4  # and not far away
        turn_a_quarter(seen)


def test_the_smooth_mesh_is_fetched_when_it_is_chosen(visit: Begin, flower: Flower) -> None:
    path, state = flower
    seen = visit(state=state)
    asked: list[str] = []
    seen.page.on("request", lambda request: asked.append(request.url))
    page = seen.open(path).until_ready().page
    solid = seen.picture()
    assert not any("smooth_view.glb" in url for url in asked)
    page.select_option("#surface", "smooth")
    seen.until(lambda: any("smooth_view.glb" in url for url in asked) and page.is_hidden("#hint"))
    assert np.abs(seen.picture().astype(int) - solid).mean() > 0.3
    loads = page.locator("#downloads a[href]").all_inner_texts()
    assert sum("Smooth mesh" in text for text in loads) == 2


def test_again_with_other_options_and_both_compared(visit: Begin, flower: Flower) -> None:
    path, state = flower
    seen = visit(state=state)
    page = seen.open(path).until_ready().page
    page.click("#again-open")
    page.wait_for_selector("#again-box[open]")
    assert page.is_disabled("#again-send") and "Nothing is changed" in page.inner_text("#again-changes")
    page.select_option("#again #mask", "none")
    assert "relief" not in page.inner_text("#surface-note")
    page.check('#again [name="surface"][value="solid"]', force=True)
    assert "a relief with walls and a flat base" in page.inner_text("#surface-note")  # the choices are told together
    page.select_option("#again #refine", "quick")
    assert "There must be one thing" in page.inner_text("#refine-note")
    page.select_option("#again #refine", "off")
    page.check('#again [name="surface"][value="grid"]', force=True)  # of a whole photo the quickest
    told = "Surface: Automatic → Sharp; Cut out: Automatic → Whole photo."
    assert page.inner_text("#again-changes") == told
    page.click("#again-send")
    page.wait_for_url(lambda url: "/jobs/" in url and not url.endswith(path))
    seen.until_ready()
    assert "the whole photo" in page.inner_text("#facts")
    assert page.inner_text("#again-title") == "2 models of this photo"

    before = seen.picture()
    page.click("#results .compare")
    page.wait_for_selector("#divider", state="visible")
    assert page.input_value("#pair-left") == "other" and page.input_value("#pair-right") == "grid"
    assert page.locator("#pair-left option:checked").inner_text() == "Other: Solid (printable)"
    both = seen.picture().astype(int)
    half, top = both.shape[1] // 2, 60
    assert np.abs(both[top:, half + 30 :] - before[top:, half + 30 :]).mean() < 1  # this one, where it was
    assert np.abs(both[top:, : half - 30] - before[top:, : half - 30]).mean() > 3  # and the other one

    page.click("#results a.result")
    page.wait_for_url(re.compile(re.escape(path) + "$"))  # the first is as it was, and knows the second
    seen.until_ready()
    assert page.locator("#results li").count() == 2
    assert page.locator("#results .this").inner_text().startswith("Solid (printable)")


def test_every_option_of_the_box_is_a_change(visit: Begin, flower: Flower) -> None:
    path, state = flower
    page = visit(state=state).open(path).until_ready().page
    page.click("#again-open")
    page.wait_for_selector("#again-box[open]")
    names = page.locator("#again [name]").evaluate_all("all => [...new Set(all.map((one) => one.name))]")
    assert sorted(names) == sorted(about.web_name for about in offered(*classes_of(PHOTO)))
    for name in names:
        field = page.locator(f'#again [name="{name}"]')
        kind = field.first.evaluate("one => one.type")
        other = field.nth(1) if kind == "radio" else field
        before = "" if kind == "radio" else field.input_value()
        if kind == "radio":
            other.check(force=True)
        elif kind == "select-one":
            options = field.locator("option:enabled").evaluate_all("all => all.map((one) => one.value)")
            field.select_option(next(value for value in options if value != before))
        else:
            field.fill(field.get_attribute("min"))
        assert page.is_enabled("#again-send") and " → " in page.inner_text("#again-changes"), name
        if kind == "radio":
            field.first.check(force=True)
        elif kind == "select-one":
            field.select_option(before)
        else:
            field.fill("")  # which is what it was, be it written out or not
        assert page.is_disabled("#again-send"), name
    page.fill("#again #size_mm", "80")
    page.select_option("#again #base", "true")
    assert page.inner_text("#again-changes") == "Print, longest side in mm: 100 → 80; Stand under the print: No → Yes."


def test_again_from_a_job_that_was_stopped(visit: Begin) -> None:
    seen = visit(phone=True)
    page = seen.upload().stop().page
    first = page.url
    page.click("#again-open")
    page.wait_for_selector("#again-box[open]")
    page.check('#again [name="surface"][value="poisson"]', force=True)
    page.click("#again-send")
    page.wait_for_url(lambda url: "/jobs/" in url and url != first)
    seen.stop()


def test_a_model_that_is_gone_meanwhile_is_told(visit: Begin, flower: Flower) -> None:
    path, state = flower
    seen = visit(state=state)
    page = seen.open(path).until_ready().page
    headers = {"X-CSRFToken": page.get_attribute('meta[name="csrf-token"]', "content"), "Referer": seen.address}
    api = f"{seen.address}/api/v1"
    more = page.request.post(f"{api}{path}/again", headers=headers, form={"fov": "50"}).json()
    seen.open(path).until_ready()
    page.request.delete(f"{seen.address}{more['links']['self']}", headers=headers)
    page.click("#results li:last-child .compare")
    page.wait_for_selector(".toast")
    assert "was deleted or has expired" in page.inner_text(".toast")


def test_a_scene_is_layered(visit: Begin, finished: Finished) -> None:
    page = visit(state=finished.state).open(finished.path).until_ready().page
    assert "Layered, as it is a scene" in page.inner_text("#facts")
    assert page.input_value("#surface") == "mesh"
    assert page.locator("#surface option").all_inner_texts() == ["Smooth", "Sharp", "Layered"]
