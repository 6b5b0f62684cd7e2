"""Points as the second stage: the renderer learns, a run is taken up again, the cloud and the mesh come out whole."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from recon.io.write import write_cloud
from recon.refinement.recipes import recipe
from recon.refinement.refine import textured_mesh
from recon.refinement.run import Diverged, Refinement
from recon.refinement.settings import PointCloudSettings
from recon.refinement.stages.point_cloud import PointCloudStage
from recon.refinement.stages.textured_points import TexturedPoints
from recon.render.cameras import orbit
from tests.refinement import toy
from tests.refinement.toy import FIELD, POINTS
from tests.refinement.toy import TOY_POINTS as TOY


def finished(run: Refinement) -> TexturedPoints:
    """Do the rest."""
    for _ in run.steps():
        pass
    assert isinstance(run.stage, PointCloudStage)
    return run.stage.model


def decibels(seen: torch.Tensor, wanted: torch.Tensor) -> float:
    """Peak signal-to-noise ratio of colours in 0..1."""
    return float(-10 * (seen - wanted).square().mean().log10())


def test_the_renderer_begins_as_the_bare_points_and_comes_to_show_the_photo_better() -> None:
    settings = replace(POINTS, steps=80, side=64, widths=(8, 16, 32))
    asked = replace(TOY, photo=128, stages=(replace(FIELD, steps=0), settings))
    small = toy.reference(128).at(64)
    wanted = small.over_white()
    first = Refinement(
        toy.subject(128), replace(asked, stages=(replace(FIELD, steps=0), replace(settings, steps=0))), 0
    )
    begun = finished(first)
    bare = begun.bare(small.camera)
    torch.testing.assert_close(begun.view(small.camera), bare)
    points = finished(Refinement(toy.subject(128), asked, 0))
    assert decibels(points.view(small.camera), wanted) > decibels(bare, wanted) + 1.5  # measured: 23.6 to 26.3 dB
    drift = (points.rgb - points.first).detach().abs().mean(1)
    assert drift[points.reference].mean() < 0.01  # the photo's colours are held


@pytest.mark.parametrize("first", [1, 2, 4])
def test_a_run_taken_up_again_ends_bit_for_bit_like_one_never_left(first: int, tmp_path: Path) -> None:
    subject = toy.subject()
    whole = finished(Refinement(subject, TOY, 3)).state_dict()
    steps = Refinement(subject, TOY, 3, tmp_path).steps()
    assert [step.stage for step in islice(steps, first)] == ["coarse", "points", "points", "points"][:first]
    steps.close()
    parts = finished(Refinement(subject, TOY, 3, tmp_path)).state_dict()
    assert parts.keys() == whole.keys()
    for name, values in whole.items():
        assert torch.equal(values, parts[name]), name


def test_a_loss_that_is_no_number_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Refinement(toy.subject(), TOY, 0)
    monkeypatch.setattr(PointCloudStage, "loss", lambda self, *_: self.model.rgb.sum() * torch.nan)
    with pytest.raises(Diverged, match="step 1 of the points stage"):
        finished(run)


def test_features_of_a_network_are_asked_about_the_guide_s_view() -> None:
    asked = []

    def features(pictures: torch.Tensor) -> torch.Tensor:
        asked.append(tuple(pictures.shape))
        return torch.nn.functional.avg_pool2d(pictures, 4)

    run = Refinement(replace(toy.subject(), features=features), TOY, 0)
    points = finished(run)
    assert asked == [(1, 3, 32, 32)] * 2 * POINTS.steps
    asked.clear()
    loss = run.stage.loss(0, torch.Generator().manual_seed(0))
    points.zero_grad()
    loss.backward()
    assert asked == [(1, 3, 32, 32)] * 2
    assert torch.isfinite(loss)
    assert points.rgb.grad is not None
    assert (points.rgb.grad.abs().sum(1) > 0).float().mean() > 0.3


def test_a_view_is_a_picture_of_any_side_and_the_coarse_scales_have_no_holes() -> None:
    points = finished(Refinement(toy.subject(), TOY, 0))
    for azimuth in (0.0, 90.0, 180.0):
        sight = points.sight(orbit(azimuth, 10.0, 4.0, 30.0, 64))
        for splats in sight.splats:
            cover = torch.zeros(splats.size).flatten().index_add(0, splats.pixel, splats.weight).view(splats.size)
            rows, columns = splats.size
            middle = cover[rows * 3 // 8 : rows * 5 // 8, columns * 3 // 8 : columns * 5 // 8]
            if splats is sight.splats[0]:  # where two views' points meet there may be a gap of a pixel
                assert (middle > 0.5).float().mean() > 0.9
            else:
                assert middle.min() > 0.5
    assert points.view(orbit(45.0, 0.0, 4.0, 30.0, 40)).shape == (40, 40, 3)


def test_cloud_and_mesh_are_the_ball_in_the_photo_s_frame(tmp_path: Path) -> None:
    run = Refinement(toy.subject(), TOY, 0)
    assert run.cloud is None
    points = finished(run)
    cloud = run.cloud
    assert cloud is not None
    assert len(cloud.positions) == len(points.points)
    from_centre = cloud.positions - np.float32(toy.CENTRE)
    assert abs(np.linalg.norm(from_centre, axis=1) / toy.RADIUS - 1).mean() < 0.06
    assert cloud.normals is not None
    np.testing.assert_allclose(np.linalg.norm(cloud.normals, axis=1), 1, atol=1e-4)
    assert ((cloud.normals * from_centre).sum(1) > 0).mean() > 0.99
    mesh = textured_mesh(run)
    whole = trimesh.Trimesh(mesh.vertices, mesh.faces)
    assert whole.is_watertight
    assert abs(whole.volume / (4 / 3 * np.pi * toy.RADIUS**3) - 1) < 0.15
    assert mesh.texture is not None
    read = trimesh.load(write_cloud(cloud, tmp_path / "cloud.ply")[0])
    np.testing.assert_allclose(read.vertices, cloud.positions * [1, -1, -1], atol=1e-6)
    assert np.array_equal(np.asarray(read.colors)[:, :3], cloud.colors)


def test_colours_between_points_are_the_nearest_ones() -> None:
    points = finished(Refinement(toy.subject(), TOY, 0))
    found = points.colours(points.points)
    assert (found - points.rgb.detach().clamp(0, 1)).abs().mean() < 0.02


def test_what_a_recipe_leads_to_can_be_chosen() -> None:
    assert [stage.stage for stage in recipe("quick").stages] == ["fine"]
    *_, last = recipe("full", 5, refine_to="points").stages
    assert isinstance(last, PointCloudSettings)
    assert last.steps == 5
