"""The same on a phone, in the dark, by keyboard, for weak eyes and for a reader of the page."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from tests.browser.browser import Begin, Finished, colourful, like_the_photo

NAMES = """() => [...document.querySelectorAll("main button, main a, header a, main input, main select")]
    .filter((one) => one.checkVisibility() && one.type !== "file")  // of a file its label is pressed
    .map((one) => {
        const box = (one.closest("label") ?? one).getBoundingClientRect();
        const labels = [...(one.labels ?? [])].map((label) => label.textContent).join("");
        const name = one.getAttribute("aria-label") || one.textContent.trim() || labels;
        return [one.id || one.className, name.trim(), Math.min(box.width, box.height)];
    })"""

# The contrast of every text against what lies under it, after WCAG 2.2; disabled controls are exempt there too.
CONTRASTS = """() => {
    const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = (colour) => {
        paint.clearRect(0, 0, 1, 1);
        paint.fillStyle = colour;
        paint.fillRect(0, 0, 1, 1);
        return paint.getImageData(0, 0, 1, 1).data;
    };
    const luminance = ([r, g, b]) => [r, g, b]
        .map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = (one) => {
        const colour = rgba(getComputedStyle(one).backgroundColor);
        return colour[3] > 200 || !one.parentElement ? colour : ground(one.parentElement);
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
        const one = text.parentElement;
        if (!text.data.trim() || !one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
        if (one.closest(":disabled, [aria-disabled=true], [aria-hidden=true], .offscreen, .skip, noscript")) continue;
        const [dark, light] = [luminance(rgba(getComputedStyle(one).color)), luminance(ground(one))].sort((a, b) => a - b);
        found.push([text.data.trim().slice(0, 40), (light + 0.05) / (dark + 0.05)]);
    }
    return found;
}"""


def test_phone_from_photo_to_model(visit: Begin) -> None:
    seen = visit(phone=True, dark=True)
    page = seen.open().page
    assert page.is_visible("label[for=camera]")
    seen.upload().until_ready()
    page.tap("#act-camera")
    assert like_the_photo(seen.picture()) < 14
    page.tap('[data-mode="clay"]')
    assert colourful(seen.picture()) < 0.05
    page.tap("#act-compare")
    assert page.is_visible("#divider")
    too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert too_wide <= 0
    assert seen.shift() < 0.02


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_no_card_stands_alone_in_its_row(visit: Begin, phone: bool) -> None:
    page = visit(phone=phone).open().page
    page.click("#options > summary")
    for cards in (".sample", "#new .choice"):
        boxes = [card.bounding_box() for card in page.locator(cards).all()]
        rows = [[box for box in boxes if round(box["y"]) == top] for top in {round(box["y"]) for box in boxes}]
        ends = {(min(box["x"] for box in row), max(box["x"] + box["width"] for box in row)) for row in rows}
        assert np.ptp(np.array(list(ends)), axis=0).max() < 1, (cards, ends)


def test_everything_that_can_be_pressed_has_a_name_and_is_large_enough(visit: Begin, finished: Finished) -> None:
    seen = visit(phone=True, state=finished.state)
    for path in ("/", "/history", finished.path):
        found = seen.open(path).page.evaluate(NAMES)
        assert [what for what, name, _ in found if not name] == []
        assert [(what, size) for what, _, size in found if size < 24] == []  # WCAG 2.2, 2.5.8


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_has_contrast_aa(visit: Begin, finished: Finished, dark: bool) -> None:
    seen = visit(dark=dark, state=finished.state)
    for path in ("/", "/history", finished.path):
        page = seen.open(path).page
        if path == "/":
            page.click("#options > summary")
        found = page.evaluate(CONTRASTS)
        assert len(found) > 8
        assert [(text, round(ratio, 1)) for text, ratio in found if ratio < 4.5] == []


def test_everything_is_reached_by_keyboard_and_seen_to_be(visit: Begin, finished: Finished) -> None:
    seen = visit(state=finished.state).open(finished.path).until_ready()
    page = seen.page
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        what, outline = page.evaluate(
            "[document.activeElement.id || document.activeElement.dataset.mode || '',"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        reached.append(what)
        assert outline != "none" or not what, what
    acts = ["reset", "camera", "turn", "ruler", "compare", "shot", "full"]
    others = ["canvas", "textured", "surface", "share", "delete", "download-main"]
    assert {f"act-{act}" for act in acts} | set(others) <= set(reached)
    page.focus('[data-mode="textured"]')
    page.keyboard.press("ArrowRight")
    assert page.get_attribute('[data-mode="wireframe"]', "aria-checked") == "true"


def test_the_page_weighs_under_250_kb_compressed(visit: Begin, finished: Finished) -> None:
    """First page and model page with the viewer: all that is text. Photos and models are not the page."""
    seen = visit(state=finished.state)
    loaded = set()
    seen.page.on("request", lambda request: loaded.add(request.url.removeprefix(seen.address)))
    seen.open().open(finished.path).until_model()
    text = [path for path in loaded if path in ("/", finished.path) or "/static/" in path]
    assert any("/vendor/three-" in path for path in text)
    answers = [seen.page.request.get(seen.address + path).body() for path in text]
    assert sum(len(gzip.compress(answer)) for answer in answers) < 250_000
