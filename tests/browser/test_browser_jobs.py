"""What else a person does with a job: cancel it, try again, share it, delete it, go away and come back."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from tests.browser.browser import SAMPLE, Begin, Finished, colourful


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


def test_a_job_of_before_there_were_copies_shows_its_models(visit: Begin, finished: Finished) -> None:
    """Full files and no small ones: no *_view of a model, no thumbnail."""
    seen, fetched = visit(state=finished.state), []

    def older(route: Any) -> None:
        def without_copies(found: re.Match[str]) -> str:
            job = json.loads(html.unescape(found[1]))
            job["artefacts"] = [
                one
                for one in job["artefacts"]
                if not one["name"].endswith(("_view.glb", "_view.ply", "_thumb.jpg", "_thumb.png"))
            ]
            return f'data-job="{html.escape(json.dumps(job))}"'

        answer = route.fetch()
        route.fulfill(response=answer, body=re.sub(r'data-job="([^"]*)"', without_copies, answer.text()))

    seen.page.route(f"**{finished.path}", older)
    seen.page.on("request", lambda request: fetched.append(request.url))
    page = seen.open(finished.path).until_ready().page
    assert colourful(seen.picture()) > 0.2
    page.click('[data-mode="points"]')
    seen.until_fetched()
    assert colourful(seen.picture()) > 0.1
    names = [url.partition("?")[0].rpartition("/")[2] for url in fetched]
    assert "points.ply" in names and {"mesh.glb", "grid.glb"} & set(names)
    assert not any("_view." in name for name in names if name.endswith(("glb", "ply")))
    assert page.locator("#pictures img:visible").count() >= 2  # in full, where there is no thumbnail
