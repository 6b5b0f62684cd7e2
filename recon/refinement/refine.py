"""From a photo's subject and its depth map to a refined mesh: the whole way, one step after the other.

a back, where none is known   augmented_views
relief -> solid, reference    subject_from_depth (thin_parts, reference, solid_prior)
solid -> model                run, through the recipe's stages
model -> textured mesh        texture
first and refined mesh -> which one is better    verdict
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from numpy import ndarray

from recon.messages import Message
from recon.models.device import Where, pick_device
from recon.protocols import ShapeEstimator
from recon.refinement.augmented_views import averaged_relief
from recon.refinement.checkpoint import kept
from recon.refinement.progress import Reporter, cut_out
from recon.refinement.protocols import Subject
from recon.refinement.recipes import RefinementRecipe
from recon.refinement.reference import frame_of, reference_of
from recon.refinement.run import Refinement, memory_told
from recon.refinement.solid_prior import SolidPrior
from recon.refinement.texture import PARTS, textured
from recon.refinement.thin_parts import linked
from recon.refinement.verdict import Verdict, verdict
from recon.settings import SolidSettings
from recon.stages.surface_solid import subject_solid
from recon.threads import limited
from recon.types import Camera, DepthMap, Mask, Mesh, MirrorSymmetry, Photo, PointCloud

TIMED = ("looks", "target", "refine", "texture")
"""The parts whose seconds are taken."""


@dataclass(frozen=True)
class RefinedModel:
    """What a refinement gave. mesh: textured, in the photo's camera frame; first: what it was compared with; cloud: its
    points, where it is made of points; depth: what it began with; verdict: whether the mesh is better than the first one;
    steps, losses: of each stage; notes: what a person should know; seconds: of this run of it; device: cpu or cuda."""

    mesh: Mesh
    first: Mesh
    cloud: PointCloud | None
    depth: DepthMap
    verdict: Verdict
    steps: dict[str, int]
    losses: dict[str, float]
    notes: list[Message]
    seconds: float
    device: str


def refined(
    photo: Photo,
    mask: Mask,
    camera: Camera,
    depth: DepthMap,
    first: Callable[[], Mesh],
    networks: Sequence[ShapeEstimator],
    recipe: RefinementRecipe,
    *,
    seed: int = 0,
    folder: Path | None = None,
    where: Where = Where(),
    threads: int = 1,
    report: Reporter | None = None,
) -> RefinedModel:
    """Refine a photo's subject. first: makes the closed mesh that the result is compared with; networks: who looks at the
    subject anew, nobody where `depth` has a back and is to stay.

    Raises BadOption for a device that is not here, Unwritable where the state cannot be kept, Diverged where a loss is not
    finite, OutOfMemory where a GPU is too small, and what the listener raises.
    """
    report, device = report or Reporter(), pick_device(where.device)
    with limited(threads), kept(folder):
        with report.timed("looks"):
            depth = _averaged(photo, mask, camera, depth, networks, recipe.turns, report)
        with report.timed("target"):
            subject = subject_from_depth(photo, mask, camera, depth, recipe).to(device)
            run = Refinement(subject, recipe, seed, folder, report, replace(where, device=device))
        with report.timed("refine"), closing(run.steps()) as every:
            for step in every:
                report.tell(step)
        with report.timed("texture"):
            mesh, compared = textured_mesh(run), first()
            said = verdict(photo, mask, camera, compared, mesh, report.heartbeat)
    seconds = sum(report.watch.seconds.get(part, 0.0) for part in TIMED)
    return RefinedModel(
        mesh, compared, run.cloud, depth, said, run.planned, run.losses, run.notes, round(seconds, 3), device
    )


def _averaged(
    photo: Photo,
    mask: Mask,
    camera: Camera,
    depth: DepthMap,
    networks: Sequence[ShapeEstimator],
    turns: tuple[float, ...],
    report: Reporter,
) -> DepthMap:
    """The depth map after all looks of all networks; as it is where there are none."""
    report.begin("looks", max(1, 2 * len(turns) * len(networks)), partial(cut_out, photo, mask))
    if not networks:
        report.part_done()
    for averaged in averaged_relief(networks, photo, mask, camera, depth, turns):
        depth = averaged
        report.part_done()
    return depth


def subject_from_depth(photo: Photo, mask: Mask, camera: Camera, depth: DepthMap, recipe: RefinementRecipe) -> Subject:
    """What a recipe is to refine: the reference view, and the solid of a depth map that has a back."""
    assert depth.back is not None, "the model or the looks have found one"
    shaped = SolidSettings(recipe.samples)
    linked_mask, depth = linked(mask, depth, recipe.samples)
    assert depth.back is not None
    radius = frame_of(subject_solid(linked_mask, depth, camera, shaped).vertices).radius
    least = np.float32(recipe.plate * radius)
    plate = replace(depth, back=np.maximum(depth.back, depth.z + least))
    solid = subject_solid(linked_mask, plate, camera, shaped)
    return subject_from_solid(photo, mask, camera, solid, recipe, depth.back_colour, depth.mirror)


def subject_from_solid(
    photo: Photo,
    mask: Mask,
    camera: Camera,
    solid: Mesh,
    recipe: RefinementRecipe,
    behind: UInt8[ndarray, "h w 3"] | None = None,
    mirror: MirrorSymmetry | None = None,
) -> Subject:
    """The same with a solid that is there already, in the photo's camera frame. behind: the far side's colours by a
    network, at the photo's size; mirror: where the photo shows mirror images of it."""
    solid = solid.welded()
    frame, texture = frame_of(solid.vertices), recipe.texture
    reference = reference_of(photo, mask, camera, frame, recipe.photo, behind, mirror)
    corners, faces = frame.to_world(solid.vertices), solid.faces.astype(np.int64)
    weights = texture.photo_weight, texture.guess_weight
    prior = SolidPrior(torch.from_numpy(corners), torch.from_numpy(faces), reference, *weights)
    return Subject(prior, reference, frame)


def textured_mesh(run: Refinement) -> Mesh:
    """A run's model as a textured mesh in the photo's camera frame, as far as it has come."""
    run.report.begin("texture", PARTS, run.preview)
    subject, texture = run.subject, run.recipe.texture
    painted = any(guidance.paints for guidance in run.guidances)
    with memory_told():
        surface = run.surface()
        return textured(subject.reference, subject.frame, run.stage.colours, *surface, texture, run.report, painted)
