"""What else a person does with a job: cancel it, try again, share it, delete it, go away and come back."""

from __future__ import annotations

import re

from tests.browser.browser import SAMPLE, Begin, colourful


def test_cancel_and_try_again(visit: Begin) -> None:
    seen = visit()
    page = seen.upload().stop().page
    assert "Stopped" in page.inner_text("#status")
    page.click("#retry")
    seen.until_ready()
    assert page.is_hidden("#retry") and page.is_hidden("#cancel")


def test_share_withdraw_and_delete(visit: Begin) -> None:
    owner, friend = visit(), visit(watched=False)  # a withdrawn link answers 404, which the console tells
    page = owner.upload().until_model().page
    job = page.url
    page.click("#share")
    page.wait_for_selector("#share-box[open]")
    link = page.input_value("#share-url")
    friend.page.goto(link)
    friend.until_model()
    assert colourful(friend.picture()) > 0.2
    assert friend.page.locator("#delete, #cancel, #share").count() == 0
    page.click("#share-withdraw")
    page.wait_for_selector("#share-box", state="hidden")
    assert friend.page.goto(link).status == 404
    assert friend.page.goto(job).status == 404

    page.click("#delete")
    page.click("#delete-yes")
    page.wait_for_url("**/history")
    assert page.is_visible("#empty")


def test_leaving_and_coming_back_while_it_is_made(visit: Begin) -> None:
    seen = visit()
    page = seen.upload(SAMPLE).page
    job = page.url.removeprefix(seen.address)
    seen.open("/history")
    page.click(f'a[href="{job}"]')
    seen.until_ready()
    assert colourful(seen.picture()) > 0.2


def test_a_server_that_is_gone_for_a_while_is_told_and_awaited(visit: Begin) -> None:
    seen = visit(watched=False)  # the browser logs every question that was not answered
    state, events = re.compile(r"/api/v1/jobs/[^/]+$"), re.compile(r"/events$")
    for address in (state, events):
        seen.page.route(address, lambda route: route.abort())
    seen.upload(SAMPLE).until(lambda: "does not answer" in seen.page.inner_text("#status"))
    seen.page.unroute(state)  # the stream stays lost: the page asks for the state instead
    seen.until_ready()
    assert "Ready" in seen.page.inner_text("#status")


def test_history_deletes_after_a_second_press(visit: Begin) -> None:
    seen = visit()
    seen.upload().stop()
    page = seen.open("/history").page
    page.click(".remove")
    assert page.locator(".card").count() == 1
    page.click(".remove")
    page.wait_for_selector("#empty", state="visible")
