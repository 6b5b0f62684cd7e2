"""Parts that are too thin for a lattice stay there."""

from __future__ import annotations

from dataclasses import replace

import torch

from recon.refinement.reference import Reference
from recon.refinement.smooth import smoothed
from recon.refinement.stages.tetrahedral_mesh import TetrahedralMesh
from recon.refinement.thin_parts import thickened
from recon.render.dmtet import tetrahedral_lattice
from tests.refinement import toy

RESOLUTION = 32
CELL = 2 / RESOLUTION


def on_a_stalk() -> tuple[Reference, torch.Tensor, torch.Tensor]:
    """A ball on a stalk a third of a cell wide: the photo, the lattice's points, and the signed distance there."""
    reference, points = toy.reference(128), tetrahedral_lattice(RESOLUTION)
    x, y, z = points.T
    ball = 0.4 - (x**2 + (y + 0.4) ** 2 + z**2).sqrt()
    stalk = torch.minimum(CELL / 6 - ((x - 0.3 * CELL) ** 2 + (z - 0.3 * CELL) ** 2).sqrt(), 0.4 - (y - 0.4).abs())
    v, u = torch.meshgrid(torch.arange(128) + 0.5, torch.arange(128) + 0.5, indexing="ij")
    scale = reference.camera.focal / float(reference.camera.position.norm())
    across, down = (u - 64) / scale, (v - 64) / scale
    mask = (across**2 + (down + 0.4) ** 2 < 0.16) | ((across.abs() < 0.5 * CELL) & (down > -0.4) & (down < 0.8))
    return replace(reference, mask=mask.float()), points, torch.maximum(ball, stalk)


def test_a_stalk_thinner_than_a_cell_is_lost_unless_it_is_thickened() -> None:
    reference, points, distance = on_a_stalk()
    thicker, least = thickened(reference, distance, smoothed(distance, RESOLUTION), points, CELL)
    lost, kept = TetrahedralMesh(distance, RESOLUTION).surface(), TetrahedralMesh(thicker, RESOLUTION, least).surface()
    assert lost.vertices[:, 1].max() < 0.2
    assert kept.vertices[:, 1].max() > 0.7
    stalk = kept.vertices[(kept.vertices[:, 1] > 0.2) & (kept.vertices[:, 1] < 0.7)]
    assert stalk[:, [0, 2]].abs().max() < 2 * CELL


def test_what_is_not_thin_stays_as_it_is() -> None:
    reference, points, distance = on_a_stalk()
    thicker, least = thickened(reference, distance, distance, points, CELL)
    ball = points[:, 1] < -0.3
    torch.testing.assert_close(thicker[ball], distance[ball], atol=0.01 * CELL, rtol=0)
    assert torch.isinf(least[ball]).all()


def test_a_thin_part_stays_whatever_a_fit_wants() -> None:
    reference, points, distance = on_a_stalk()
    thicker, least = thickened(reference, distance, smoothed(distance, RESOLUTION), points, CELL)
    fine = TetrahedralMesh(thicker, RESOLUTION, least)
    with torch.no_grad():
        fine.distance -= 0.3 * CELL
    for surface in (fine.surface(), fine.final()):
        assert surface.vertices[:, 1].max() > 0.7
    assert fine.state_dict().keys() == {"distance", "offset", "least"}
