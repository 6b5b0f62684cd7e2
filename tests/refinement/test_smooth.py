"""A fit leaves no pattern of the lattice on the surface."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch.nn import functional as F

from recon.refinement.run import Refinement
from recon.refinement.smooth import smoothed
from recon.render.dmtet import tetrahedral_lattice
from recon.render.raster import face_normals
from tests.refinement import toy
from tests.refinement.toy import TOY


def test_a_fitted_ball_has_no_terraces() -> None:
    stages = replace(toy.FIELD, steps=20, rays=512), replace(toy.MESH, steps=30, resolution=32)
    run = Refinement(toy.subject(), replace(TOY, stages=stages), 0)
    for _ in run.steps():
        pass
    vertices, faces = run.surface()
    normals = face_normals(vertices, faces)
    corners = vertices[faces]
    area = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).norm(dim=1)
    cosine = (normals * F.normalize(corners.mean(1), dim=1)).sum(1).clamp(-1, 1)
    assert (area * torch.rad2deg(cosine.arccos())).sum() / area.sum() < 9


def test_smoothing_leaves_what_is_linear_and_takes_away_what_alternates() -> None:
    points, cell = tetrahedral_lattice(12), 2 / 12
    inner = points.abs().amax(1) < 1 - 3.1 * cell
    linear = points @ torch.tensor([0.3, -0.5, 0.8])
    torch.testing.assert_close(smoothed(linear, 12)[inner], linear[inner], atol=1e-5, rtol=0)
    stripes = torch.cos(torch.pi * points[:, 0] / cell)
    assert smoothed(stripes, 12)[inner].abs().max() < 0.2
