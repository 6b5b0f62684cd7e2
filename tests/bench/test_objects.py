"""Laws of the scores of bench.objects: perfect is 1, a known error costs what it must, fits undo what they may."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from bench import contact, masks, objects, shapes, views
from bench.score import f_between
from recon.geometry.camera import centred_camera, focal_from_fov
from recon.types import Camera


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> views.ModelView:
    """A textured egg, read from a file, before a random camera."""
    ball = trimesh.creation.uv_sphere(radius=1.0, count=[32, 32])
    ball.vertices *= (0.6, 1.0, 0.8)
    angle = np.arctan2(ball.vertices[:, 1], ball.vertices[:, 0])
    uv = np.stack([angle / (2 * np.pi) % 1, 0.5 + ball.vertices[:, 2] / 2], 1)
    picture = Image.fromarray(np.tile(np.array([[[200, 40, 40]]], np.uint8), (8, 8, 1)))
    ball.visual = trimesh.visual.TextureVisuals(uv, trimesh.visual.material.PBRMaterial(baseColorTexture=picture))
    path = tmp_path_factory.mktemp("egg") / "egg.glb"
    ball.export(path)
    return views.seen_from(views.read_model(path), np.random.default_rng(4))


@pytest.fixture(scope="module")
def true(view: views.ModelView) -> shapes.Truth:
    return shapes.truth_of(view)


@pytest.fixture(scope="module")
def itself(view: views.ModelView) -> shapes.TriangleMesh:
    return shapes.TriangleMesh(view.vertices, view.model.faces)


def test_f_of_a_cloud_against_itself_is_one_and_far_away_nought() -> None:
    cloud = np.random.default_rng(0).random((500, 3))
    assert f_between(cloud, cloud, 1e-9) == pytest.approx((1, 1, 1))
    assert f_between(cloud + 5, cloud, 0.1)[0] == 0
    assert f_between(cloud[:0], cloud, 0.1) == (0, 0, 0)


def test_f_of_half_of_a_cloud_has_precision_one_and_recall_a_half() -> None:
    cloud = np.random.default_rng(0).random((500, 3))
    assert f_between(cloud[:250], cloud, 1e-9) == pytest.approx((2 / 3, 1, 1 / 2))


@pytest.mark.parametrize(("kind", "a", "b"), [("ray", 2.5, -1.0), ("shape", 0.4, 2.0)])
def test_a_fit_finds_the_two_numbers_through_outliers(kind: str, a: float, b: float) -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform(1, 3, (2000, 3))
    true = shapes.Fit(kind, a, b)(points)
    true[:100] += 5 * rng.random((100, 3))
    fit = shapes.fitted(kind, points, true)
    assert (fit.a, fit.b) == pytest.approx((a, b), abs=0.02)


def test_a_front_turned_inside_out_is_fitted_flat_not_mirrored() -> None:
    z = np.random.default_rng(1).uniform(1, 3, (500, 1))
    fit = shapes.fitted("ray", z * (0.1, 0.1, 1), (4 - z) * (0.1, 0.1, 1))
    assert 0 < fit.a < 1e-2
    assert fit.b == pytest.approx(2, abs=0.1)


def test_the_true_front_with_another_scale_and_shift_scores_one(view: views.ModelView, true: shapes.Truth) -> None:
    points = shapes.lifted(view.z, view.camera)
    assert shapes.front_f(points, true) > 0.999
    warped = (0.5 * view.z + 0.7).astype(np.float32)
    row, _ = shapes.scores(
        warped, view.camera, shapes.TriangleMesh(np.zeros((0, 3)), np.zeros((0, 3), int)), true, "ray"
    )
    assert row[0] > 0.999
    assert row[1] == row[4] == 0


def test_a_wrong_field_of_view_costs_along_the_rays_and_not_in_shape(
    view: views.ModelView, true: shapes.Truth, itself: shapes.TriangleMesh
) -> None:
    wrong = Camera(view.camera.width, view.camera.height, view.camera.focal / 1.6, view.camera.cx, view.camera.cy)
    z0 = float(np.nanmedian(view.z))
    relief = (z0 + 1.6 * (view.z - z0)).astype(np.float32)  # the same shape, 1.6 times as large
    row = {kind: shapes.scores(relief, wrong, itself, true, kind)[0] for kind in shapes.ALIGNMENTS}
    assert row["shape"][0] > 0.95
    assert row["ray"][0] < 0.7


def test_the_truth_is_a_perfect_solid(view: views.ModelView, true: shapes.Truth, itself: shapes.TriangleMesh) -> None:
    assert shapes.solid_f(itself, true) > 0.999
    assert shapes.outline_iou(itself, true) == 1
    row = dict(zip(shapes.ORACLE_COLUMNS, shapes.oracle(true), strict=True))
    assert row["card"] < row["front"] < 0.9
    assert row["whole F"] < 0.9


def test_the_floors_are_closed_and_as_deep_as_they_are_wide() -> None:
    camera = centred_camera(96, 96, 200.0, "user")
    z = np.full((96, 96), np.nan, np.float32)
    z[20:70, 10:82] = 2.0
    block = shapes.extruded(shapes.lifted(z, camera))
    assert trimesh.Trimesh(block.vertices, block.faces).is_watertight
    assert np.ptp(block.vertices[:, 2]) == pytest.approx(np.ptp(block.vertices[: len(block.vertices) // 2, 0]), 1e-4)
    z[20:70, 10:82] += np.linspace(-0.2, 0.2, 72, dtype=np.float32)
    points = shapes.lifted(z, camera)
    both = shapes.mirrored(points)
    assert trimesh.Trimesh(both.vertices, both.faces, process=False).is_watertight
    front, back = np.split(both.vertices[:, 2], 2)
    assert front + back == pytest.approx(2 * np.median(front))


def test_a_view_keeps_to_its_promises(view: views.ModelView) -> None:
    inside = view.rgba[..., 3] > 127
    rows, columns = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
    longer = max(np.ptp(rows), np.ptp(columns)) / views.SIDE
    assert 0.48 < longer < 0.87
    assert not inside[[0, -1]].any() | inside[:, [0, -1]].any()
    assert masks.iou(~np.isnan(view.z), inside) > 0.98
    assert view.camera.focal == pytest.approx(focal_from_fov(view.fov, views.SIDE))
    assert (view.rgba[inside, 0] > 2 * view.rgba[inside, 1].astype(int)).mean() > 0.95  # its texture is red


def test_unseen_cameras_see_all_of_the_object(view: views.ModelView, true: shapes.Truth) -> None:
    assert true.outlines.any((1, 2)).all()
    assert not true.outlines[:, [0, -1]].any() | true.outlines[:, :, [0, -1]].any()
    for rotation, position in views.unseen_poses(view):
        assert rotation @ rotation.T == pytest.approx(np.eye(3), abs=1e-9)
        seen = rotation @ (view.centre - position)
        assert seen == pytest.approx([0, 0, 2 * view.model.diameter], abs=1e-6)


def test_iou_counts_what_is_shared() -> None:
    a, b = np.zeros((2, 4, 4), bool)
    a[:2], b[1:3] = True, True
    assert masks.iou(a, b) == pytest.approx(1 / 3)
    assert masks.iou(None, b) == 0
    assert masks.iou(b, b) == 1


def test_a_cut_out_lies_whole_inside_its_ground() -> None:
    rgba = np.zeros((60, 40, 4), np.uint8)
    rgba[5:55, 5:35] = (250, 10, 10, 255)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        rgb, inside = masks.composited(rgba, np.full((120, 90, 3), 60, np.uint8), rng)
        assert (rgb[inside, 0] > 150).all()
        assert (rgb[~inside, 0] <= 155).all()
        assert inside.any()


def test_the_field_of_view_along_the_longer_side() -> None:
    assert objects.longer_fov(50, 640, 480) == pytest.approx(50)
    assert objects.longer_fov(objects.longer_fov_of(500, 480), 480, 640) == pytest.approx(
        objects.longer_fov_of(500, 640)
    )


def test_contact_sheets_are_written_only_where_asked(
    tmp_path: Path, view: views.ModelView, itself: shapes.TriangleMesh
) -> None:
    picture = objects.on_grey(view.rgba)
    for folder in (None, tmp_path / "sheets"):
        sheets = contact.Sheets(folder)
        sheets.add("one", picture, *contact.around(itself, itself, view))
        sheets.write()
    assert [path.name for path in tmp_path.rglob("*.png")] == ["one.png"]
