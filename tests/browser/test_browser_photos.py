"""Ways to hand over a photo, and what is said of what is no photo."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.photo import phone_photo
from tests.browser.browser import SAMPLE, Begin
from web_3d_app.jobs.uploads import readable_sentence

CARRY = """async ([kind, url]) => {
    const photo = new File([await (await fetch(url)).blob()], "coffee.jpg", { type: "image/jpeg" });
    const carried = new DataTransfer();
    carried.items.add(photo);
    const event = kind === "drop"
        ? new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true })
        : new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true });
    document.body.dispatchEvent(event);
}"""


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_dropped_and_pasted_photos_are_taken(visit: Begin, kind: str) -> None:
    seen = visit()
    seen.open().page.evaluate(CARRY, [kind, "/samples/coffee.jpg"])
    seen.page.wait_for_url("**/jobs/*")
    assert seen.stop().page.inner_text("#title") == "coffee"


@pytest.mark.parametrize("made", [(85, 6, 1.2e6), (98, 52, 12e6), (100, 127, 17e6)], ids=["200 kB", "12 MB", "31 MB"])
def test_photos_of_every_size_are_taken_and_keep_their_name(
    visit: Begin, tmp_path: Path, made: tuple[int, int, float]
) -> None:
    seen = visit()
    (tmp_path / "海辺の写真.jpg").write_bytes(phone_photo(SAMPLE, *made))
    page = seen.upload(tmp_path / "海辺の写真.jpg").stop().page
    assert page.inner_text("#title") == "海辺の写真"
    job = page.request.get(page.url.replace("/jobs/", "/api/v1/jobs/")).json()
    with page.expect_download() as download:
        page.evaluate("(url) => { location.href = url; }", job["artefacts"][0]["url"])
    assert download.value.suggested_filename == job["artefacts"][0]["download"] == "海辺の写真-photo.jpg"


def test_a_sample_and_an_option_are_taken(visit: Begin) -> None:
    seen = visit()
    page = seen.open().page
    page.click("#options > summary")
    assert not any("<" in text for text in page.locator("code").all_inner_texts())  # commands, no Python objects
    page.check('[name="surface"][value="grid"]', force=True)
    assert "Sharp" in page.inner_text("#options-summary")
    low, high = page.get_attribute("#fov", "min"), page.get_attribute("#fov", "max")
    assert 0 < float(low) < float(high) <= 179
    page.fill("#fov", "50")
    page.click("button.sample >> nth=0")
    page.wait_for_url("**/jobs/*")
    seen.until(lambda: "50°, as you said" in page.inner_text("#facts"))
    seen.stop()


def test_an_option_out_of_bounds_is_shown_where_it_is(visit: Begin) -> None:
    page = visit().open().page
    page.click("#options > summary")
    page.fill("#faces", "7")
    page.click("#options > summary")
    page.click("button.sample >> nth=0")
    assert page.get_attribute("#options", "open") is not None
    assert page.evaluate("document.activeElement.id") == "faces"


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("photo.jpg", b"no photo", f"give a {readable_sentence()} file"),  # the server looked into it
        ("notes.txt", b"no photo", "“notes.txt” is not a photo: choose a JPEG"),
        ("empty.png", b"", "“empty.png” is empty: choose another photo"),
        ("cut.jpg", SAMPLE.read_bytes()[:5000], "damaged"),
        ("huge.jpg", SAMPLE.read_bytes() + bytes(40 << 20), "has 41 MB: choose a photo of at most 32 MB"),
    ],
)
def test_what_is_no_photo_is_explained(visit: Begin, tmp_path: Path, name: str, data: bytes, told: str) -> None:
    seen = visit(watched=False)  # the browser logs a 415 by itself
    (tmp_path / name).write_bytes(data)
    page = seen.open().page
    page.set_input_files("#photo", tmp_path / name)
    page.wait_for_selector("#problem", state="visible")
    assert told in page.inner_text("#problem")
    assert page.url == f"{seen.address}/"
    page.wait_for_selector("#sending", state="hidden")  # and one can go on
