"""Several photos, folders, links and words, dropped or pasted: taken, or told."""

from __future__ import annotations

import base64
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.browser.browser import SAMPLE, Begin, Finished, Visit

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
    for card in seen.page.locator('.card a[href^="/jobs/"]').all():
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


def titles(seen: Visit) -> list[str]:
    return [title.strip() for title in seen.page.locator("#gallery .tiletitle").all_inner_texts()]


def test_two_photos_become_two_models_shown_together(visit: Begin, photos: Path) -> None:
    seen = visit()
    drop(seen.open(), photos / "one.jpg", photos / "day 2" / "two.jpg")
    page = seen.page
    page.wait_for_url("**/gallery?ids=*")
    assert titles(seen) == ["one", "two"] and "2 in work" in page.inner_text("#gallery .sum")
    page.reload()
    assert titles(seen) == ["one", "two"], "the address says which they are"
    page.click(".tilelink >> nth=1")
    page.wait_for_url("**/jobs/*")
    assert page.inner_text("#title") == "two"
    page.go_back()
    stop_all(seen)
    seen.until(lambda: "2 " in page.inner_text(".sum") and "work" not in page.inner_text(".sum"))


def test_what_is_ready_is_downloaded_together_or_alone(visit: Begin, finished: Finished) -> None:
    page = visit(state=finished.state).open(f"/gallery?ids={finished.path.rpartition('/')[2]},gone").page
    assert page.inner_text("#gallery .sum") == "1 ready"
    names = {}
    for what in ('[data-files="models"]', '[data-files="all"]', ".tileload"):
        with page.expect_download() as download:
            page.click(f"{what}:not([aria-disabled])")
        names[what] = download.value.suggested_filename
        if what != ".tileload":
            with zipfile.ZipFile(download.value.path()) as archive:
                assert archive.testzip() is None
                assert (len(archive.namelist()) == 1) == ("models" in what)
    assert list(names.values()) == ["unflat-models.zip"] * 2 + ["chelsea-mesh.glb"]


def test_a_folder_s_photos_are_taken_and_the_rest_is_told(visit: Begin, photos: Path) -> None:
    seen = visit()
    drop(seen.open("/history"), photos)
    seen.page.wait_for_selector("#gallery .tile >> nth=1")
    assert seen.page.inner_text(".toast span") == "1 other file is no photo."
    stop_all(seen)
    seen.page.click(".toast button")
    assert seen.page.locator(".toast").count() == 0


def test_bad_photos_among_others_keep_none_out(visit: Begin, photos: Path) -> None:
    seen = visit(watched=False)  # the browser logs a 415 by itself
    (photos / "broken.jpg").write_text("no photo")
    drop(seen.open(), photos / "notes.txt", photos / "broken.jpg", photos / "one.jpg")
    seen.page.wait_for_url("**/gallery?ids=*")
    told = dict(zip(titles(seen), seen.page.locator("#gallery .tilestatus").all_inner_texts(), strict=True))
    assert list(told) == ["one", "notes.txt", "broken.jpg"]
    assert "“notes.txt” is not a photo" in told["notes.txt"] and "no photo that can be read" in told["broken.jpg"]
    assert "1 in work, 2 not taken" in seen.page.inner_text(".sum")
    stop_all(seen)


def test_where_none_is_taken_each_says_why_and_one_stays(visit: Begin, photos: Path) -> None:
    seen = visit(phone=True)
    (photos / "empty.png").touch()
    page = seen.open().page
    page.set_input_files("#photo", [photos / "notes.txt", photos / "empty.png"])
    page.wait_for_selector('#together .tile[data-state="untaken"] >> nth=1')
    told = page.locator("#together .tilestatus").all_inner_texts()
    assert "is not a photo" in told[0] and "is empty" in told[1]
    page.click('#together-stop:has-text("Close")')
    assert page.is_hidden("#together") and page.url == f"{seen.address}/"


def answer(route: Any, status: int, message: str, **headers: str) -> None:
    body = json.dumps({"error": {"code": "quota", "message": message, "status": status}})
    route.fulfill(status=status, headers=headers, content_type="application/json", body=body)


def test_a_full_server_is_waited_for_and_a_full_disk_is_not(visit: Begin, photos: Path) -> None:
    seen, keys = visit(watched=False), []  # the browser logs each 429
    page = seen.open().page

    def full(route: Any) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 2:
            answer(route, 429, "20 of your jobs are under way.", **{"Retry-After": "1"})
        elif len(keys) == 4:
            answer(route, 507, "The server's disk is nearly full; try again later.")
        else:
            route.continue_()

    page.route("**/api/v1/jobs", full)
    names = [photos / f"{i}.jpg" for i in range(4)]
    for name in names:
        shutil.copy(SAMPLE, name)
    page.set_input_files("#photo", names)
    page.wait_for_selector(
        '#together .tile[data-state="waiting"]:has-text("20 of your jobs are under way. It is sent again")'
    )
    page.wait_for_url("**/gallery?ids=*")
    assert len(keys) == 4 and keys[1] == keys[2] and len(set(keys)) == 3, (
        "the same photo again, and none after the full disk"
    )
    assert titles(seen) == ["0", "1", "2.jpg", "3.jpg"]
    assert (
        seen.page.locator("#gallery .tilestatus").all_inner_texts()[2:]
        == ["The server's disk is nearly full; try again later."] * 2
    )
    stop_all(seen)


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


def test_several_photos_can_be_chosen_with_the_button_and_stopped(visit: Begin, photos: Path) -> None:
    seen = visit(phone=True)
    page = seen.open().page
    page.route(
        "**/api/v1/jobs",
        lambda route: route.continue_() if not page.locator(".tile[data-state=queued]").count() else None,
    )
    page.set_input_files("#photo", [photos / "one.jpg", photos / "day 2" / "two.jpg"])
    page.wait_for_selector('#together .tile[data-state="sending"] >> nth=0')
    page.wait_for_selector('#together .tilelink[href*="/jobs/"]')
    page.click("#together-stop")
    page.wait_for_url("**/gallery?ids=*")
    assert titles(seen) == ["one", "two.jpg"]
    assert "You stopped it" in page.locator("#gallery .tilestatus").all_inner_texts()[1]
    stop_all(seen)
