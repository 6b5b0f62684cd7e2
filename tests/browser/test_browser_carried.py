"""Several photos, folders, links and words, dropped or pasted: taken, or told."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

import pytest

from tests.browser.browser import SAMPLE, Begin, Visit

CARRY = """([kind, data]) => {
    const carried = new DataTransfer();
    for (const [type, text] of Object.entries(data)) carried.setData(type, text);
    const event = kind === "drop"
        ? new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true })
        : new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true });
    (document.activeElement ?? document.body).dispatchEvent(event);
}"""
LINK = {"text/uri-list": "https://example.org/a.jpg", "text/plain": "https://example.org/a.jpg"}


def drop(seen: Visit, *paths: Path) -> None:
    """Files and folders as the desktop hands them over."""
    session = seen.page.context.new_cdp_session(seen.page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 300, "y": 300, "data": data})


def stop_all(seen: Visit) -> None:
    """So that the next tests need not wait."""
    token = seen.page.get_attribute('meta[name="csrf-token"]', "content")
    for card in seen.page.locator(".card a").all():
        address = f"{seen.address}/api/v1{card.get_attribute('href')}/cancel"
        seen.page.request.post(address, headers={"X-CSRFToken": token, "Referer": seen.address})


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder: two photos, one of them deeper, a text, and what a desktop hides there."""
    folder = tmp_path / "holiday"
    (folder / "day 2").mkdir(parents=True)
    shutil.copy(SAMPLE, folder / "one.jpg")
    shutil.copy(SAMPLE, folder / "day 2" / "two.jpg")
    (folder / "notes.txt").write_text("no photo")
    (folder / ".hidden").write_text("nothing")
    return folder


def test_two_photos_become_two_models(visit: Begin, photos: Path) -> None:
    seen = visit()
    drop(seen.open(), photos / "one.jpg", photos / "day 2" / "two.jpg")
    seen.page.wait_for_url("**/history")
    assert "2 of 2 photos were taken" in seen.page.inner_text(".toast span")
    assert seen.page.locator(".card strong").all_inner_texts() == ["two", "one"]
    stop_all(seen)
    seen.page.click(".toast button")
    assert seen.page.locator(".toast").count() == 0


def test_a_folder_s_photos_are_taken_and_the_rest_is_told(visit: Begin, photos: Path) -> None:
    seen = visit()
    drop(seen.open("/history"), photos)
    seen.page.wait_for_selector(".card >> nth=1")
    told = "2 of 2 photos were taken, each for a model of its own. 1 other file is no photo."
    assert seen.page.inner_text(".toast span") == told
    stop_all(seen)


def test_bad_photos_among_others_keep_none_out(visit: Begin, photos: Path) -> None:
    seen = visit(watched=False)  # the browser logs a 415 by itself
    (photos / "broken.jpg").write_text("no photo")
    drop(seen.open(), photos / "notes.txt", photos / "broken.jpg", photos / "one.jpg")
    seen.page.wait_for_url("**/jobs/*")
    told = seen.page.inner_text(".toast span")
    assert "1 of 3 photos were taken" in told and "“notes.txt” is not a photo" in told and "“broken.jpg”: " in told
    seen.stop()


@pytest.mark.parametrize(
    ("names", "said"), [([], "That folder is empty"), (["a.txt"], "There is no photo in that folder")]
)
def test_a_folder_without_photos_is_told(visit: Begin, tmp_path: Path, names: list[str], said: str) -> None:
    (tmp_path / "folder").mkdir()
    for name in names:
        (tmp_path / "folder" / name).write_text("no photo")
    seen = visit()
    drop(seen.open(), tmp_path / "folder")
    seen.page.wait_for_selector("#problem", state="visible")
    assert said in seen.page.inner_text("#problem")


@pytest.mark.parametrize("kind", ["drop", "paste"])
@pytest.mark.parametrize(("data", "said"), [
    (LINK, "fetches nothing from the internet: save the picture first"),
    ({"text/plain": "a few words"}, "That is text, not a photo"),
])  # fmt: skip
def test_links_and_words_are_told_on_every_page(visit: Begin, kind: str, data: dict[str, str], said: str) -> None:
    seen = visit()
    page = seen.open().page
    page.evaluate(CARRY, [kind, data])
    page.wait_for_selector("#problem", state="visible")  # and it stays
    assert said in page.inner_text("#problem")
    page.clock.install()
    page = seen.open("/history").page
    page.evaluate(CARRY, [kind, data])
    page.wait_for_selector(".toast")
    page.clock.fast_forward(8500)
    assert said in page.inner_text(".toast span")  # long enough to be read
    page.clock.fast_forward(20_000)
    seen.until(lambda: page.locator(".toast").count() == 0)


def test_a_picture_that_comes_within_a_page_s_text_is_taken(visit: Begin) -> None:
    seen = visit()
    text = f'<img src="data:image/jpeg;base64,{base64.b64encode(SAMPLE.read_bytes()).decode()}">'
    seen.open().page.evaluate(CARRY, ["paste", {"text/html": text}])
    seen.page.wait_for_url("**/jobs/*")
    seen.stop()


def test_words_pasted_into_a_field_are_the_field_s(visit: Begin) -> None:
    page = visit().open().page
    page.click("#options > summary")
    page.focus("#fov")
    page.evaluate(CARRY, ["paste", {"text/plain": "50"}])
    assert page.is_hidden("#problem") and page.is_hidden("#dropveil")


def test_several_photos_can_be_chosen_with_the_button(visit: Begin, photos: Path) -> None:
    seen = visit()
    seen.open().page.set_input_files("#photo", [photos / "one.jpg", photos / "day 2" / "two.jpg"])
    seen.page.wait_for_url("**/history")
    assert seen.page.locator(".card").count() == 2
    stop_all(seen)
