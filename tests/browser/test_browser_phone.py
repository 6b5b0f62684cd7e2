"""The same on a phone, in the dark; and what a reader of the page finds."""

from __future__ import annotations

from tests.browser.browser import colourful, like_the_photo


def test_phone_from_photo_to_model(visit):
    seen = visit(phone=True, dark=True)
    page = seen.open().page
    seen.keep("phone-empty")
    assert page.is_visible("label[for=camera]")
    seen.upload().until_ready()
    assert like_the_photo(seen.picture("phone")) < 14
    for mode in ("points", "clay"):
        page.tap(f'[data-mode="{mode}"]')
    assert colourful(seen.picture("phone-clay")) < 0.05
    page.tap("#act-compare")
    assert page.is_visible("#divider")
    too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert too_wide <= 0


def test_everything_that_can_be_pressed_has_a_name_and_is_large_enough(visit):
    seen = visit(phone=True)
    seen.upload().until_ready()
    found = seen.page.evaluate(
        """() => [...document.querySelectorAll("main button, main a, header a, main input, main select")]
            .filter((one) => one.offsetParent)
            .map((one) => {
                const box = one.getBoundingClientRect();
                const labels = [...(one.labels ?? [])].map((label) => label.textContent).join("");
                const name = one.getAttribute("aria-label") || one.textContent.trim() || labels;
                return [one.id || one.className, name.trim(), Math.min(box.width, box.height)];
            })"""
    )
    assert [what for what, name, _ in found if not name] == []
    assert [(what, size) for what, _, size in found if size < 24] == []  # WCAG 2.2, 2.5.8


def test_options_explain_themselves(visit):
    page = visit().open().page
    page.click("#options > summary")
    page.check('[name="surface"][value="grid"]', force=True)
    assert "Sharp" in page.inner_text("#options-summary")
    low, high = page.get_attribute("#fov", "min"), page.get_attribute("#fov", "max")
    assert 0 < float(low) < float(high) <= 179
