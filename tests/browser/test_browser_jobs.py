"""What else a person does with a job: cancel it, try again, share it, delete it; and mistakes."""

from __future__ import annotations

from tests.browser.browser import SAMPLE, colourful


def test_cancel_and_try_again(visit):
    seen = visit()
    page = seen.upload().page
    page.click("#cancel:enabled")
    page.wait_for_selector("#retry", state="visible")
    assert "Stopped" in page.inner_text("#status")
    page.click("#retry")
    seen.until_ready()
    assert page.is_hidden("#retry") and page.is_hidden("#cancel")


def test_share_withdraw_and_delete(visit):
    owner, friend = visit(), visit(watched=False)  # a withdrawn link answers 404, which the console tells
    page = owner.upload().until_ready().page
    job = page.url
    page.click("#share")
    page.wait_for_selector("#share-box[open]")
    link = page.input_value("#share-url")
    friend.page.goto(link)
    friend.until_model()
    assert colourful(friend.picture()) > 0.2
    assert friend.page.locator("#delete").count() == 0
    page.click("#share-withdraw")
    page.wait_for_selector("#share-box", state="hidden")
    assert friend.page.goto(link).status == 404
    assert friend.page.goto(job).status == 404

    page.click("#delete")
    page.click("#delete-yes")
    page.wait_for_url("**/history")
    assert page.locator(f'a[href="{job.removeprefix(owner.address)}"]').count() == 0


def test_a_job_is_found_again(visit):
    seen = visit()
    page = seen.upload().until_ready().page
    job = page.url.removeprefix(seen.address)
    seen.open("/history")
    seen.keep("history")
    page.click(f'a[href="{job}"]')
    seen.until_model()
    assert colourful(seen.picture()) > 0.2


def test_dropped_and_pasted_photos_are_taken(visit):
    seen = visit()
    for kind in ("drop", "paste"):
        page = seen.open().page
        page.evaluate(
            """async ([kind, url]) => {
                const photo = new File([await (await fetch(url)).blob()], "coffee.jpg", { type: "image/jpeg" });
                const carried = new DataTransfer();
                carried.items.add(photo);
                const event = kind === "drop"
                    ? new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true })
                    : new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true });
                document.body.dispatchEvent(event);
            }""",
            [kind, "/samples/coffee.jpg"],
        )
        page.wait_for_url("**/jobs/*")
        page.wait_for_selector("#cancel:enabled, #cancel[hidden]", state="attached")


def test_what_is_no_photo_is_explained(visit, tiny_text):
    seen = visit(watched=False)  # the browser logs the 415 by itself
    page = seen.open().page
    page.set_input_files("#photo", tiny_text)
    page.wait_for_selector("#problem", state="visible")
    assert "JPEG" in page.inner_text("#problem")
    assert page.url == f"{seen.address}/"
    page.set_input_files("#photo", SAMPLE)  # and one can go on
    page.wait_for_url("**/jobs/*")
