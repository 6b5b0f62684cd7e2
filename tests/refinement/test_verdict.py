"""The first model stays unless the refined one is no worse, on eight objects made here: the numbers agree with what was
done to the mesh."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh

from recon.pipeline import refine
from recon.refinement.verdict import look_of, verdict, worse
from recon.stages.photo_texture import textured_by_photo
from recon.stages.surface_solid import subject_solid
from recon.types import Camera, DepthMap, Mask, Mesh, Photo
from tests.refinement import toy

SIDE = 160
OBJECTS = ("disc", "egg", "crate", "cross", "ring", "star", "chair", "lollipop")


def outline(name: str) -> np.ndarray:
    """A silhouette on SIDE² pixels."""
    out = np.zeros((SIDE, SIDE), np.uint8)
    c, white = SIDE // 2, 255
    if name == "disc":
        cv2.circle(out, (c, c), 50, white, -1)
    elif name == "egg":
        cv2.ellipse(out, (c, c), (60, 38), 20, 0, 360, white, -1)
    elif name == "crate":
        cv2.rectangle(out, (30, 45), (125, 120), white, -1)
    elif name == "cross":
        cv2.rectangle(out, (65, 25), (95, 135), white, -1)
        cv2.rectangle(out, (25, 60), (135, 90), white, -1)
    elif name == "ring":
        cv2.circle(out, (c, c), 45, white, 26)
    elif name == "star":
        angle, radius = np.arange(10) * np.pi / 5, np.where(np.arange(10) % 2, 32, 68)
        corners = c + radius[:, None] * np.stack([np.sin(angle), -np.cos(angle)], 1)
        cv2.fillPoly(out, [corners.round().astype(np.int32)], white)
    elif name == "chair":
        cv2.rectangle(out, (50, 20), (110, 90), white, -1)
        for x in (50, 98):
            cv2.rectangle(out, (x, 90), (x + 12, 140), white, -1)
    else:
        cv2.circle(out, (c, 50), 32, white, -1)
        cv2.rectangle(out, (c - 5, 50), (c + 5, 145), white, -1)
    return out > 0


def made(name: str) -> tuple[Photo, Mask, Camera, Mesh]:
    """A cushion of an outline before a camera off its axis, in bands of two colours, and its model."""
    inside = outline(name)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    rgb = np.where((x // 12 + y // 12)[..., None] % 2, (200, 90, 40), (60, 120, 60)).astype(np.uint8)
    camera = Camera(SIDE, SIDE, 200.0, 74.0, 86.0)
    half = 0.006 * np.sqrt(40 * cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5))
    z, back = (np.where(inside, 1.5 + sign * half, np.nan).astype(np.float32) for sign in (-1, 1))
    photo, mask = Photo(rgb), Mask(inside, "file")
    shape = subject_solid(mask, DepthMap(z, False, back=back), camera)
    return photo, mask, camera, textured_by_photo(shape, photo, mask, camera)


def smooth(mesh: Mesh) -> Mesh:
    """What a fit may do to it: a little smoother."""
    whole = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    return mesh.with_(vertices=trimesh.smoothing.filter_taubin(whole, iterations=4).vertices.astype(np.float32))


def terraced(mesh: Mesh) -> Mesh:
    """Everything on the planes of a lattice of 40 cells."""
    cell = np.ptp(mesh.vertices, axis=0).max() / 40
    return mesh.with_(vertices=(np.round(mesh.vertices / cell) * cell).astype(np.float32))


def swollen(mesh: Mesh) -> Mesh:
    """Thicker by a twentieth of its size."""
    normals = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).vertex_normals
    return mesh.with_(
        vertices=(mesh.vertices + 0.05 * np.ptp(mesh.vertices, axis=0).max() * normals).astype(np.float32)
    )


def torn(mesh: Mesh) -> Mesh:
    """Without its uppermost fifth."""
    height = mesh.vertices[mesh.faces][..., 1].max(1)
    low, high = height.min(), height.max()
    return mesh.with_(faces=mesh.faces[height > low + 0.2 * (high - low)])


def blank(mesh: Mesh) -> Mesh:
    """Fogged all over."""
    assert mesh.texture is not None
    return mesh.with_(texture=np.full_like(mesh.texture, 230))


def fogged(mesh: Mesh) -> Mesh:
    """With a far side that wears the same colours without their details."""
    assert mesh.texture is not None
    assert mesh.uv is not None
    corners = mesh.vertices[mesh.faces]
    away = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2] > 0
    blurred = cv2.GaussianBlur(mesh.texture, (0, 0), 10)
    place = np.arange(len(mesh.vertices)) if mesh.source is None else mesh.source
    uv = mesh.uv[mesh.faces] * (0.5, 1) + np.where(away[:, None, None], (0.5, 0.0), 0.0)
    return mesh.with_(
        vertices=corners.reshape(-1, 3), faces=np.arange(corners.size // 3, dtype=np.int32).reshape(-1, 3),
        uv=uv.reshape(-1, 2).astype(np.float32), texture=np.concatenate([mesh.texture, blurred], 1), colors=None,
        source=place[mesh.faces].flatten().astype(np.int32),
    )  # fmt: skip


def crossed(mesh: Mesh) -> Mesh:
    """With a far side that stands out before the near one in its upper half."""
    corners = mesh.vertices[mesh.faces]
    away = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2] > 0
    far = np.setdiff1d(mesh.faces[away], mesh.faces[~away])
    upper = far[mesh.vertices[far, 1] < np.median(mesh.vertices[:, 1])]
    vertices = mesh.vertices.copy()
    vertices[upper, 2] -= 1.5 * np.ptp(mesh.vertices[:, 2])
    return mesh.with_(vertices=vertices)


def pieces(mesh: Mesh) -> Mesh:
    """With a crumb beside it."""
    crumb = trimesh.creation.icosphere(1, 0.01).apply_translation(mesh.vertices.mean(0))
    count = len(mesh.vertices)
    assert mesh.uv is not None
    return mesh.with_(
        vertices=np.concatenate([mesh.vertices, crumb.vertices]).astype(np.float32), colors=None,
        faces=np.concatenate([mesh.faces, crumb.faces + count]).astype(np.int32),
        uv=np.concatenate([mesh.uv, np.full((len(crumb.vertices), 2), 0.5)]).astype(np.float32),
    )  # fmt: skip


CHANGES = {terraced: "bumpy", swollen: "outline is farther", torn: "not closed", blank: "colours", pieces: "in pieces",
           fogged: "far side", crossed: "cuts through itself"}  # fmt: skip
"""What makes a mesh worse, and a word of the reason that is to be told."""


@pytest.mark.parametrize(("name", "number"), [(name, i) for i, name in enumerate(OBJECTS)])
def test_the_verdict_is_what_was_done_to_the_mesh(name: str, number: int) -> None:
    """One change to each object; all to all are the next test."""
    changes = list(CHANGES)
    judge(name, [changes[number % len(changes)]])


@pytest.mark.slow
@pytest.mark.parametrize("name", OBJECTS)
def test_the_verdict_is_whatever_was_done_to_the_mesh(name: str) -> None:
    judge(name, list(CHANGES))


def judge(name: str, changes: Sequence[Callable[[Mesh], Mesh]]) -> None:
    """The first model is good, a smoother one no worse, and each change is found out."""
    photo, mask, camera, first = made(name)
    look = look_of(photo, mask, camera, first)
    assert (look.closed, look.parts) == (True, 1)
    assert look.overlap > 0.95 and look.missed < 0.1 and look.colour < 0.1
    assert worse(look, look_of(photo, mask, camera, smooth(first))) == ()
    for change in changes:
        said = [str(reason) for reason in worse(look, look_of(photo, mask, camera, change(first)))]
        assert any(CHANGES[change] in one for one in said), (change.__name__, said)
        assert change != fogged or said == ["its far side is a blur"]


def test_a_mesh_is_no_worse_than_itself_and_its_report_is_plain() -> None:
    photo, mask, camera, first = made("egg")
    said = verdict(photo, mask, camera, first, first)
    assert said.better and said.first == said.refined
    assert said.report()["reasons"] == []


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the one refinement of this module is kept, so that only its first use takes its steps."""
    return tmp_path_factory.mktemp("state")


@pytest.mark.parametrize("spoilt", [False, True])
def test_a_refinement_keeps_the_first_model_where_its_own_is_worse(
    spoilt: bool, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recon.refinement import recipes
    from recon.refinement import refine as journey

    finer = replace(toy.TOY, photo=128, stages=(replace(toy.MESH, steps=25),))
    monkeypatch.setitem(recipes.RECIPES, "quick", {"mesh": finer})
    if spoilt:
        mesh = journey.textured_mesh
        monkeypatch.setattr(journey, "textured_mesh", lambda run: torn(mesh(run)))
    found = toy.found()
    done = refine(found, "quick", networks=[toy.Inflating()], folder=state)
    assert done.refinement is not None
    kept = [note for note in done.notes if note.code == "refined.kept"]
    assert done.refinement.verdict.better == (not spoilt), done.refinement.verdict
    assert (done.refined is None) == spoilt == bool(kept)
    assert done.surface == "solid"
    assert done.report()["refined"] is not spoilt
    assert done.report()["refinement"]["verdict"]["better"] is not spoilt
    if spoilt:
        np.testing.assert_array_equal(done.mesh.vertices, found.mesh.vertices)
        taken = refine(found, "quick", networks=[toy.Inflating()], folder=state, judged=False)
        assert taken.refined is not None and not taken.refinement.verdict.better  # type: ignore[union-attr]
