"""One photo to a reconstruction: choose the models, call the stages in order. No arithmetic here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recon.errors import BadInput, BadOption
from recon.progress import Stopwatch
from recon.protocols import DepthEstimator, ShapeEstimator
from recon.registry import depth_estimator, segmenter, segmenters, shape_estimators
from recon.result import Reconstruction, Refined
from recon.settings import FEWEST_FACES, POISSON_DEPTHS, Limits, PoissonSettings, SolidSettings
from recon.stages.camera import DEFAULT_FOV, find_camera
from recon.stages.depth import to_depth_map
from recon.stages.read import photo_from_array, read_depth, read_photo
from recon.stages.subject import find_subject, opaque, segmented_subject
from recon.types import Camera, DepthKind, DepthMap, Photo, RawDepth, Surface

if TYPE_CHECKING:
    from recon.refine.settings import Settings as RefineSettings
    from recon.refine.steps import Step
    from recon.refine.target import Target

REFINED_NOTE = "the unseen back is the network's guess; its colours are the photo's, mirrored and blurred"
KEPT_NOTE = "the refined model is no better than the first one, which was kept: "
SMALLEST, LARGEST = 1e-6, 1e6
"""Lengths whose squares and ratios float32 holds."""
BACK_NOTE = {
    True: "the unseen back is the network's guess; it is coloured with the photo seen through from the front",
    False: "the unseen back is the silhouette inflated; it is coloured with the photo seen through from the front",
}


def reconstruct(
    photo: str | Path | np.ndarray | Photo,
    *,
    surface: Surface = "poisson",
    depth_model: str | DepthEstimator = "auto",
    depth_in: str | Path | None = None,
    depth_kind: DepthKind | None = None,
    depth_scale: float = 1000.0,
    mask: str | Path = "auto",
    fov: float | None = None,
    focal_px: float | None = None,
    near: float | None = None,
    far: float | None = None,
    faces: int | None = None,
    poisson_depth: int = PoissonSettings.depth,
    voxel: float | None = None,
    device: str = "auto",
    offline: bool = False,
    limits: Limits = Limits(),
    watch: Stopwatch | None = None,
) -> Reconstruction:
    """Reconstruct what one photo shows.

    photo: a file, an upright uint8 array h×w×3 (RGB) or h×w×4 (RGBA), or a Photo. depth_model: a name, or an
    estimator that is kept warm. depth_in: a depth map of the photo's size to use
    instead of a model; depth_kind says what it holds. mask: auto, none, alpha, a segmenter's name or a file. fov:
    horizontal, in degrees. near, far: where a disparity map's extremes lie. voxel: edge of the thinning voxels of the
    point cloud, in the depth's unit. Raises UnflatError with one sentence for bad input (BadInput) or a missing model
    (MissingModel).
    """
    watch = watch or Stopwatch()
    check_values(faces, poisson_depth, voxel, depth_scale, near, far)
    if depth_in is not None and depth_kind is None:
        raise BadOption("a depth map was given without its kind; add --depth-kind metric, scale or disparity.")
    if depth_kind in ("metric", "scale") and not (near is None and far is None):
        raise BadOption(f"--near and --far place a disparity map and the depth is {depth_kind}; leave them out.")
    with watch.stage("read"):
        picture = _picture(photo, limits)
        find_camera(picture, fov, focal_px)  # a wrong value is told before anything slow begins
        given = estimator = None
        if depth_in is not None and depth_kind is not None:
            given = read_depth(depth_in, depth_kind, picture.size, depth_scale, limits)
    if given is None:
        with watch.stage("model"):
            estimator = (
                depth_estimator(depth_model, device, offline, depth_kind)
                if isinstance(depth_model, str)
                else depth_model
            )
            estimator.load()  # a missing model is told before anything slow begins
    with watch.stage("subject"):
        # a given depth map is of the whole photo: nothing is cut out of it unasked
        how = "none" if given is not None and mask == "auto" and picture.alpha is None else mask
        asked = segmenter(str(mask), device, offline)
        subject = (
            segmented_subject(picture, asked) if asked else find_subject(picture, how, segmenters(device, offline))
        )
        if given is not None:
            raw, camera = given, find_camera(picture, fov, focal_px)
            depth = to_depth_map(raw, picture, subject, camera, near, far)
    if estimator is not None:
        with watch.stage("depth"):
            raw = estimator.estimate(opaque(picture), subject.inside)
            camera = find_camera(picture, fov, focal_px, raw.fov_x, raw.fov_error)
            depth = to_depth_map(raw, picture, subject, camera, near, far)
    notes = _warnings(raw, camera, placed=near is not None or far is not None)
    if surface == "solid" and subject.inside is not None:
        notes.append(BACK_NOTE[depth.back is not None])
    return Reconstruction(picture, subject, camera, depth, surface, faces, poisson_depth, voxel, notes)


def _picture(photo: str | Path | np.ndarray | Photo, limits: Limits) -> Photo:
    if isinstance(photo, Photo):
        return photo
    return photo_from_array(photo) if isinstance(photo, np.ndarray) else read_photo(photo, limits)


def check_values(
    faces: int | None,
    poisson_depth: int,
    voxel: float | None,
    depth_scale: float,
    near: float | None,
    far: float | None,
) -> None:
    """Raise BadOption for a number out of its range."""
    if faces is not None and faces < FEWEST_FACES:
        raise BadOption(f"--faces is {faces}; give a number of triangles, at least {FEWEST_FACES}.")
    if not POISSON_DEPTHS[0] <= poisson_depth <= POISSON_DEPTHS[1]:
        raise BadOption(
            f"--poisson-depth is {poisson_depth}; give a number from {POISSON_DEPTHS[0]} to {POISSON_DEPTHS[1]}."
        )
    for name, value in (("--voxel", voxel), ("--depth-scale", depth_scale), ("--near", near), ("--far", far)):
        if value is not None and not SMALLEST <= value <= LARGEST:
            raise BadOption(f"{name} is {value:g}; give a number above 0, from {SMALLEST:g} to {LARGEST:g}.")
    if near is not None and far is not None and near >= far:
        raise BadOption(f"--near {near:g} is not nearer than --far {far:g}; swap them.")


def _warnings(raw: RawDepth, camera: Camera, placed: bool) -> list[str]:
    """What a person should know; `placed`: --near or --far was given."""
    notes = []
    if camera.source in ("default", "model"):
        notes.append(f"the photo does not say its field of view: {_fov_found(raw, camera)}; set --fov")
    if raw.model == "builtin":
        notes.append("depth by the small built-in network; see --models for larger ones")
    if placed and raw.kind != "disparity":
        notes.append(f"--near and --far place disparity; the depth of {raw.model} is {raw.kind} and was left as it is")
    return notes


def _fov_found(raw: RawDepth, camera: Camera) -> str:
    """The field of view, where it came from and how sure that is."""
    sure = "" if raw.fov_error is None else f" ± {raw.fov_error:.0f}°"
    if camera.source == "model":
        return f"{raw.model} sees {camera.fov_long:.0f}°{sure} along the longer side"
    unsure = f" ({raw.model} is unsure:{sure})" if sure else ""
    return f"{DEFAULT_FOV:g}° along the longer side was assumed{unsure}"


def refine(
    found: Reconstruction,
    preset: str = "quick",
    *,
    steps: int | None = None,
    seed: int = 0,
    guidance: str = "builtin",
    second: str = "mesh",
    folder: str | Path | None = None,
    networks: Sequence[ShapeEstimator] | None = None,
    device: str = "auto",
    threads: int = 1,
    judged: bool = True,
    tell: Callable[[Step], None] | None = None,
    watch: Stopwatch | None = None,
) -> Reconstruction:
    """The same reconstruction with a better closed, textured mesh of its subject; with its first closed one, `solid`, where
    the refined one is no better, which a warning then tells.

    preset: quick or full; steps: of each stage at most; guidance: names with commas, or none; second: mesh refines a mesh
    after the coarse field, points makes a cloud with learnt features instead, which becomes the reconstruction's points,
    and the mesh around it; folder: where the run's state is kept and found again; networks: take several looks at the
    subject, the shipped ones unless given; threads: of the processor, more than one are faster on an idle machine only;
    judged: whether the two are compared, else the refined mesh is taken; tell: is called after every step and, where one
    takes long, within it; what it raises stops the run. Raises BadInput where there is no subject, BadOption for a value
    out of range, Unwritable where the state cannot be kept, Diverged where a loss is not finite, OutOfMemory where a GPU
    is too small.
    """
    from recon.models.device import pick
    from recon.refine.checkpoint import kept
    from recon.refine.run import Refinement
    from recon.refine.settings import preset as settings_of
    from recon.refine.steps import Parts, silent
    from recon.refine.texture import PARTS
    from recon.refine.verdict import verdict
    from recon.threads import limited

    tell, watch = tell or silent, watch or Stopwatch()
    settings = settings_of(preset, steps, found.faces, guidance, second)
    if found.mask.inside is None:
        raise BadInput("there is no single subject in the photo to refine; cut one out with --mask.")
    place, where = None if folder is None else Path(folder), pick(device)
    first = replace(found, surface="solid", refined=None, refined_points=None, refinement=None)
    with limited(threads), kept(place):
        with watch.stage("looks"):
            depth = _looked(found, networks or shape_estimators(), settings.turns, tell)
        with watch.stage("target"):
            target = _target(found, depth, settings)
            run = Refinement(target.to(where), settings, seed, place, tell)
        with watch.stage("refine"), closing(run.steps()) as every:
            for step in every:
                tell(step)
        with watch.stage("texture"):
            mesh = run.mesh
            last = Parts("texture", PARTS, tell, run.preview, PARTS)  # the texture is there; nothing goes back
            said = verdict(found.photo, found.mask, found.camera, first.mesh, mesh, last.beat)
    seconds = sum(watch.seconds.get(stage, 0.0) for stage in ("looks", "target", "refine", "texture"))
    facts = Refined(preset, seed, run.planned, round(seconds, 3),
                    run.losses, settings.guidance, where, said)  # fmt: skip
    notes = [note for note in found.warnings if note not in BACK_NOTE.values()]
    if judged and not said.better:
        first.warnings = [*notes, BACK_NOTE[found.depth.back is not None], KEPT_NOTE + "; ".join(said.reasons)]
        first.refinement, first.refined_points = facts, run.cloud
        return first
    notes += [REFINED_NOTE, *run.notes]
    return replace(found, surface="solid", depth=depth, refined=mesh, refined_points=run.cloud, refinement=facts,
                   warnings=notes)  # fmt: skip


def _looked(
    found: Reconstruction, networks: Sequence[ShapeEstimator], turns: tuple[float, ...], tell: Callable[[Step], None]
) -> DepthMap:
    """The depth map after several looks at the subject."""
    from recon.refine.looks import looks_of
    from recon.refine.steps import Parts, cut_out

    parts = Parts("looks", 2 * len(turns) * len(networks), tell, partial(cut_out, found.photo, found.mask))
    depths = [found.depth]
    for depth in looks_of(networks, found.photo, found.mask, found.camera, found.depth, turns):
        depths = [depth]
        parts.done()
    return depths[0]


def _target(found: Reconstruction, depth: DepthMap, settings: RefineSettings) -> Target:
    """What a refinement is fitted to."""
    from recon.refine.target import frame_of, target_of
    from recon.refine.thin import PLATE, linked
    from recon.stages.surface_solid import make_solid

    assert depth.back is not None, "the looks have found one"
    shaped = SolidSettings(settings.samples)
    mask, depth = linked(found.mask, depth, settings.samples)
    assert depth.back is not None
    radius = frame_of(make_solid(found.photo, mask, depth, found.camera, shaped).vertices).radius
    least = np.float32(PLATE * 2 / settings.fine.resolution * radius)
    plate = replace(depth, back=np.maximum(depth.back, depth.z + least))
    solid = make_solid(found.photo, mask, plate, found.camera, shaped)
    return target_of(found.photo, found.mask, found.camera, solid, settings.photo)
