"""A run without a photo: from a soft ball of matter to a mesh of what guides it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from torch import Tensor

from recon.errors import BadOption
from recon.refinement.guidance import GUIDANCES
from recon.refinement.protocols import InitialShape, Rendering, State, Subject, ViewBudget, ViewRequest
from recon.refinement.recipes import RefinementRecipe
from recon.refinement.refine import textured_mesh
from recon.refinement.run import Refinement
from recon.render.cameras import Orbits, Pinhole, random_orbits
from tests.refinement.toy import FIELD, MESH, TEXTURE, TOY, TOY_POINTS

SIZE = (0.6, 0.3, 0.3)
COLOUR = (0.9, 0.2, 0.1)
EVERYWHERE = Orbits(elevation=(-60.0, 60.0), fov=(30.0, 30.0))


@dataclass(frozen=True)
class RedEgg:
    """Wants a red ellipsoid, whose outline it knows in closed form."""

    paints = True

    def request(self, budget: ViewBudget, progress: float, generator: torch.Generator) -> ViewRequest | None:
        """Two views at a time from anywhere."""
        return ViewRequest(tuple(random_orbits(2, budget.side, EVERYWHERE, generator)))

    def loss(self, seen: Rendering, progress: float, generator: torch.Generator) -> Tensor:
        """Outline and colour."""
        assert seen.colour is not None
        mask = torch.stack([outline(camera) for camera in seen.cameras])
        wanted = mask[..., None] * seen.colour.new_tensor(COLOUR) + (1 - mask[..., None]) * seen.background[:, None]
        return (seen.opacity - mask).square().mean() + (seen.colour - wanted).square().mean()

    def state_dict(self) -> State:
        """Nothing."""
        return {}

    def load_state_dict(self, state: State) -> None:
        """Nothing."""


def outline(camera: Pinhole) -> Tensor:
    """1 where a ray meets the ellipsoid."""
    rays, size = camera.rays(), torch.tensor(SIZE)
    origin, way = rays.origins / size, rays.directions / size
    a, b, c = (way * way).sum(1), (origin * way).sum(1), (origin * origin).sum(1) - 1
    return (b * b > a * c).float()


def asked() -> RefinementRecipe:
    """From a blob to an egg."""
    fitted = replace(FIELD, steps=120, rate=5e-2, cells=32, levels=4, hidden=16, opacity=1e-3, orientation=1e-2)
    mesh = replace(MESH, steps=60, resolution=24, rate=3e-3)
    return replace(TOY, guidance=("egg",), stages=(fitted, mesh), texture=TEXTURE)


def test_a_blob_becomes_what_its_guidance_wants(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(GUIDANCES, "egg", lambda plan: RedEgg())
    subject = Subject()
    assert isinstance(subject.shape, InitialShape)
    run = Refinement(subject, asked(), 0, tmp_path)
    assert run.preview().shape == (192, 192, 3)
    for step in run.steps():
        assert np.isfinite(step.loss)
    again = Refinement(subject, asked(), 0, tmp_path)
    assert again.finished
    mesh = textured_mesh(again)
    whole = trimesh.Trimesh(mesh.vertices, mesh.faces)
    whole.merge_vertices(merge_tex=True, merge_norm=True)
    assert whole.is_watertight
    np.testing.assert_allclose(np.ptp(mesh.vertices, axis=0) / 2, SIZE, atol=0.08)
    assert abs(whole.volume / (4 / 3 * np.pi * np.prod(SIZE)) - 1) < 0.25
    assert mesh.texture is not None and mesh.colors is not None
    np.testing.assert_allclose(mesh.colors.mean(0) / 255, COLOUR, atol=0.15)


def test_opacity_and_orientation_are_weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the field's own weights add to its loss moves its density."""
    monkeypatch.setitem(GUIDANCES, "egg", lambda plan: RedEgg())
    found = {}
    for name, weight in (("opacity", 0.0), ("opacity", 1.0), ("orientation", 1.0)):
        field = replace(FIELD, steps=1, **{name: weight})
        run = Refinement(Subject(), replace(TOY, guidance=("egg",), stages=(field,)), 0)
        found[name, weight] = float(run.stage.loss(0, torch.Generator().manual_seed(0)).detach())
    less = found["opacity", 0.0]
    assert less + 0.1 < found["opacity", 1.0] < less + 1.01  # of an opacity of 0 to 1
    assert less + 1e-3 < found["orientation", 1.0] < less + 0.01  # a young field has few normals that look away


def test_what_cannot_be_without_a_photo_is_told() -> None:
    subject = Subject()
    with pytest.raises(BadOption, match="something has to guide a refinement"):
        Refinement(subject, replace(TOY, guidance=()))
    with pytest.raises(BadOption, match="guidance is builtin and there is no photo's solid"):
        Refinement(subject, TOY)


def test_points_need_a_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GUIDANCES, "egg", lambda plan: RedEgg())
    run = Refinement(Subject(), replace(TOY_POINTS, guidance=("egg",)))
    with pytest.raises(BadOption, match="points take their colours from a photo"):
        list(run.steps())
