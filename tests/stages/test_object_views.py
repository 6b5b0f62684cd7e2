"""Novel views of an object's own field: the same sides and sizes as those of its mesh, and the field itself on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from jaxtyping import UInt8
from numpy import ndarray

from recon.geometry.axes import to_gltf
from recon.io.views import draw_views
from recon.pipeline import reconstruct
from recon.settings import ObjectSettings, OrbitSettings
from recon.stages.object_views import draw_field_views
from recon.stages.whole_object import WholeObject, find_object
from recon.types import Mesh
from tests.objects import KNOBS, Knower, photo_of_object

ROUND = OrbitSettings(count=4, elevation=20.0, transparent=True, side=64)


@pytest.fixture(scope="module")
def whole() -> WholeObject:
    photo, mask, _, _ = photo_of_object()
    return find_object(Knower(), photo, mask, ObjectSettings(resolution=32))


@pytest.fixture(scope="module")
def seen(whole: WholeObject) -> list[UInt8[ndarray, "h w c"]]:
    return list(draw_field_views(whole, ROUND))


def test_each_side_is_where_the_mesh_has_it(whole: WholeObject, seen: list[UInt8[ndarray, "h w c"]]) -> None:
    mesh = Mesh(whole.vertices, whole.faces)
    assert (to_gltf(to_gltf(mesh.vertices)) == mesh.vertices).all(), "the field's frame is a camera's"
    for field, drawn in zip(seen, draw_views(mesh, ROUND), strict=True):
        there, wanted = field[..., 3] > 127, drawn[..., 3] > 127
        assert np.count_nonzero(there & wanted) / np.count_nonzero(there | wanted) > 0.95


@pytest.mark.parametrize(("view", "knob"), enumerate(("front", "right", "back")))
def test_each_side_has_its_knob_s_colour_and_the_ground_has_none(
    seen: list[UInt8[ndarray, "h w c"]], view: int, knob: str
) -> None:
    picture = seen[view].astype(int)
    there = picture[..., 3] > 60
    near = there & (np.abs(picture[..., :3] - 255 * np.array(KNOBS[knob][2])).max(2) < 6)
    assert near.sum() > 25, knob
    places = np.argwhere(near)[:, 1].mean()
    assert places == pytest.approx(32, abs=9), "a knob on this side is in the middle"
    known = np.array([(0.6, 0.6, 0.6), *(colour for *_, colour in KNOBS.values())]) * 255
    rim = there & (picture[..., 3] < 250)
    off = np.abs(picture[rim][:, None, :3] - known).max(2).min(1)
    assert np.median(off) < 6, "no ground in the rim's colours"


def test_a_result_of_a_field_is_drawn_from_it_and_one_of_a_mesh_is_not(whole: WholeObject) -> None:
    photo, mask, depth, _ = photo_of_object()
    assert mask.inside is not None
    rgba = np.dstack([photo.rgb, mask.inside.astype(np.uint8) * 255])
    found = reconstruct(rgba, object=Knower(), depth=depth.z, depth_kind="scale", fov=40.0, surface="solid", faces=900)
    vars(found)["whole"] = whole  # coarse, and quickly made
    one = OrbitSettings(count=1, side=64)
    (drawn,) = found.draw_views(one)
    (alone,) = draw_field_views(whole, one)
    assert (drawn == alone).all() and drawn[0, 0].tolist() == [242, 242, 240]
    vars(found)["whole"] = replace(whole, seen=replace(whole.seen, shape=Mesh(whole.vertices, whole.faces)))
    (drawn,) = found.draw_views(one)
    assert drawn.shape == alone.shape and (drawn != alone).any(), "the mesh has no colours"
