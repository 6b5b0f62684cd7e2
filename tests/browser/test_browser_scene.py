"""How a scene opens and turns: from the photo's view, swinging until it is touched, up to its cone; and its splats."""

from __future__ import annotations

import math
import re
import struct
from base64 import b64decode
from typing import Any

import numpy as np
import pytest

from tests.browser.browser import SAMPLE, Begin, Finished, Visit, like_the_photo

RED, BLUE, NOTHING = (220, 20, 20), (20, 20, 220), (0, 0, 0)
NEAR, FAR = (0.5, 2.0), (1.0, 3.0)  # half sides and depths of two squares before the camera, red and blue
PITCH = 0.02
DRAW = """async ([places, width, height]) => {
  const { Stage } = await import("/static/js/viewer/stage.js");
  const { Splats } = await import("/static/js/viewer/splats.js");
  const { Vector3 } = await import("/static/js/three.js");
  const canvas = document.createElement("canvas");
  const box = document.createElement("div");
  box.append(canvas);
  document.body.append(box);
  Object.defineProperties(box, { clientWidth: { value: width }, clientHeight: { value: height } });
  const stage = new Stage(canvas);
  const splats = await Splats.load("/squares.splat", stage);
  stage.scene.add(splats.object);
  const pictures = [];
  for (const place of places) {
    stage.place(new Vector3(...place), new Vector3(0, 0, -2.5));
    for (const wait of [0, 1]) {
      splats.sort();
      while (splats.sorting) await new Promise((done) => setTimeout(done, 20));
    }
    stage.redraw();
    const gl = stage.renderer.getContext();
    const pixels = new Uint8Array(4 * canvas.width * canvas.height);
    gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    pictures.push([canvas.width, canvas.height, stage.camera.fov, btoa(String.fromCharCode.apply(null, pixels))]);
  }
  return pictures;
}"""


def square(half: float, depth: float, colour: tuple[int, int, int]) -> bytes:
    """A grid of opaque round splats in the photo camera's frame, as a .splat file."""
    steps = np.arange(-half, half + PITCH / 2, PITCH)
    size = 0.7 * PITCH
    return b"".join(
        struct.pack("<6f8B", x, y, depth, size, size, size / 10, *colour, 250, 255, 128, 128, 128)
        for x in steps for y in steps
    )  # fmt: skip


def seen_there(eye: np.ndarray, x: float, y: float, tan: float, aspect: float) -> tuple[int, int, int] | None:
    """What the ray through a place of the picture (−1 to 1) meets first; None near an outline."""
    ahead = np.array([0, 0, -2.5]) - eye
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, [0, 1, 0])
    right /= np.linalg.norm(right)
    ray = ahead + x * tan * aspect * right + y * tan * np.cross(right, ahead)
    for (half, depth), colour in ((NEAR, RED), (FAR, BLUE)):
        hit = eye + (-depth - eye[2]) / ray[2] * ray
        outside = np.abs(hit[:2]).max() - half
        if abs(outside) < 3 * PITCH:
            return None
        if outside < 0:
            return colour
    return NOTHING


def test_splats_are_where_they_must_be_from_three_sides(visit: Begin) -> None:
    """A red square before a blue one: every pixel has the colour of what its ray meets first."""
    page = visit().open("/").page
    # the far one last, so that its place in the file would draw it over the near one
    page.route("**/squares.splat", lambda route: route.fulfill(body=square(*NEAR, RED) + square(*FAR, BLUE)))
    places = [
        [2.5 * math.sin(math.radians(yaw)), 0.3, -2.5 + 2.5 * math.cos(math.radians(yaw))] for yaw in (-35, 0, 35)
    ]
    checked = dict.fromkeys((RED, BLUE, NOTHING), 0)
    for place, (width, height, fov, data) in zip(places, page.evaluate(DRAW, [places, 160, 120]), strict=True):
        picture = np.frombuffer(b64decode(data), np.uint8).reshape(height, width, 4)
        for row in range(0, height, 3):
            for column in range(0, width, 3):
                x, y = 2 * (column + 0.5) / width - 1, 2 * (row + 0.5) / height - 1  # WebGL's rows go up
                wanted = seen_there(np.array(place), x, y, math.tan(math.radians(fov) / 2), width / height)
                if wanted is not None:
                    came = picture[row, column].astype(int)
                    assert np.abs(came[:3] - wanted).max() < 30, (place, row, column, came, wanted)
                    assert came[3] < 10 if wanted == NOTHING else came[3] > 235
                    checked[wanted] += 1
    assert min(checked.values()) > 200


def test_a_turn_ends_softly_at_the_cone(visit: Begin) -> None:
    """Free towards the photo; outwards never past the cone, never back, and as far in many steps as in one."""
    page = visit().open("/").page
    slowed = """async (turns) => { const { slowed } = await import("/static/js/viewer/cone.js");
      return turns.map(([before, after, cone]) => slowed(before, after, cone)); }"""
    cone = 0.5
    angles = np.linspace(0, 2, 21)
    turns = [[before, after, cone] for before in angles for after in angles]
    came = np.array(page.evaluate(slowed, turns)).reshape(21, 21)
    for before, row in zip(angles, came, strict=True):
        inwards = angles <= before
        np.testing.assert_allclose(row[inwards], angles[inwards])
        assert (row[~inwards] <= max(cone, before) + 1e-12).all() and (row[~inwards] >= before - 1e-12).all()
        assert (np.diff(row) >= -1e-12).all()
    in_steps = 0.0
    for _ in range(10):
        in_steps = page.evaluate(slowed, [[in_steps, in_steps + 0.07, cone]])[0]
    # 0.3 of the way is free, the rest is one exponential, however it is cut
    assert in_steps == pytest.approx(cone - 0.2 * math.exp(-(0.7 - 0.3) / 0.2), abs=0.02)


def with_cone(seen: Visit, finished: Finished, cone: int | None) -> Any:
    """The page of a finished scene that says how far it may be turned."""

    def other(route: Any) -> None:
        answer = route.fetch()
        told = "null" if cone is None else str(cone)
        text, found = re.subn(r"(&#34;facts&#34;: ?\{.*?&#34;cone&#34;: ?)[\w.]+", rf"\g<1>{told}", answer.text())
        assert found == 1
        route.fulfill(response=answer, body=text)

    seen.page.route(f"**{finished.path}", other)
    return seen.open(finished.path).until_ready().page


def test_a_scene_stops_at_its_cone_until_it_is_freed(visit: Begin, finished: Finished) -> None:
    seen = visit(state=finished.state)
    page = with_cone(seen, finished, 20)
    page.focus("#canvas")

    def after(key: str, times: int) -> np.ndarray:
        for _ in range(times):
            page.keyboard.press(key)
        return seen.picture().astype(int)

    start, border = after("c", 1), after("ArrowRight", 25)
    assert np.abs(border - start).mean() > 4
    assert np.abs(after("ArrowRight", 5) - border).mean() < 0.5  # it does not go on
    assert np.abs(after("ArrowLeft", 2) - border).mean() > 2  # but back
    after("ArrowRight", 25)
    page.keyboard.press("l")
    assert page.get_attribute("#act-free", "aria-pressed") == "true"  # by the key of the button
    assert np.abs(after("ArrowRight", 5) - border).mean() > 4
    page.keyboard.press("l")  # whoever is outside comes back
    assert np.abs(seen.picture().astype(int) - start).mean() < 2


def test_without_a_cone_there_is_nothing_to_free(visit: Begin, finished: Finished) -> None:
    page = with_cone(visit(state=finished.state), finished, None)
    assert page.is_hidden("#act-free")


def test_a_scene_opens_as_the_photo_and_swings_until_it_is_touched(visit: Begin, finished: Finished) -> None:
    seen = visit(state=finished.state, moving=True)
    page = seen.open(finished.path).until_ready().page
    moved = seen.picture().astype(int)
    seen.until(lambda: np.abs(seen.picture().astype(int) - moved).mean() > 1)
    page.focus("#canvas")
    page.keyboard.press("c")
    page.wait_for_timeout(1000)  # it glides to the photo
    still = seen.picture()
    assert like_the_photo(still, SAMPLE) < 12
    page.wait_for_timeout(1500)
    assert np.abs(seen.picture().astype(int) - still).mean() < 0.2


def test_a_press_stops_the_swing_where_it_is(visit: Begin, finished: Finished) -> None:
    seen = visit(state=finished.state, moving=True)
    page = seen.open(finished.path).until_ready().page
    page.wait_for_timeout(1500)
    seen.click_stage(0.5, 0.5)
    page.wait_for_timeout(700)  # damping
    stopped = seen.picture().astype(int)
    page.wait_for_timeout(1500)
    assert np.abs(seen.picture().astype(int) - stopped).mean() < 0.2


def test_whoever_wants_no_motion_sees_the_photo_s_view_at_rest(visit: Begin, finished: Finished) -> None:
    seen = visit(state=finished.state)
    page = seen.open(finished.path).until_ready().page
    first = seen.picture()
    assert like_the_photo(first) < 12
    page.wait_for_timeout(1500)
    np.testing.assert_array_equal(seen.picture(), first)


def test_splats_of_a_job_take_the_mesh_s_place_and_give_it_back(visit: Begin, finished: Finished) -> None:
    seen = visit(state=finished.state)
    page = seen.open(finished.path).until_ready().page
    page.click("#act-camera")
    page.click('[data-mode="splats"]')
    seen.until(lambda: page.get_attribute("#viewer", "aria-busy") == "false")
    assert page.get_attribute('[data-mode="splats"]', "aria-checked") == "true"
    assert page.is_hidden("#surface-pick")
    assert like_the_photo(seen.picture()) < 14
    page.click('[data-mode="textured"]')
    assert like_the_photo(seen.picture()) < 12


def test_splats_that_cannot_be_drawn_leave_the_mesh(visit: Begin, finished: Finished) -> None:
    seen = visit(state=finished.state, watched=False)
    seen.page.route("**/splat_worker.js", lambda route: route.abort())
    page = seen.open(finished.path).until_ready().page
    page.click('[data-mode="splats"]')
    seen.until(lambda: page.get_attribute('[data-mode="textured"]', "aria-checked") == "true")
    assert like_the_photo(seen.picture()) < 12
