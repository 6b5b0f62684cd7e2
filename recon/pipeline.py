"""One photo to a reconstruction: choose the models, call the stages in order. No arithmetic here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from recon.errors import BadInput, BadOption
from recon.io.read import photo_of, read_photo
from recon.io.read_depth import check_kind, read_depth
from recon.io.values import as_path, is_path
from recon.progress import Stopwatch
from recon.protocols import DepthEstimator, ShapeEstimator
from recon.registry import Where, depth_estimator, segmenter, segmenters, shape_estimators
from recon.results import Reconstruction, Refined
from recon.settings import (
    FEWEST_FACES,
    POISSON_DEPTHS,
    Limits,
    PoissonSettings,
    PrintSettings,
    SolidSettings,
    checked_size,
)
from recon.stages.camera import DEFAULT_FOV, find_camera, number
from recon.stages.depth import to_depth_map
from recon.stages.subject import find_subject, segmented_subject, visible_colours
from recon.types import Camera, DepthKind, DepthMap, Mask, Photo, RawDepth, Surface, SurfaceChoice

if TYPE_CHECKING:
    from recon.refinement.progress import Step
    from recon.refinement.reference import Target
    from recon.refinement.settings import Settings as RefineSettings

REFINED_NOTE = "the unseen back is the network's guess; its colours are the photo's, mirrored and blurred"
KEPT_NOTE = "the refined model is no better than the first one, which was kept: "
SMALLEST, LARGEST = 1e-6, 1e6
"""Lengths whose squares and ratios float32 holds."""
BACK_NOTE = {
    True: "the unseen back is the network's guess; it is coloured with the photo seen through from the front",
    False: "the unseen back is the silhouette inflated; it is coloured with the photo seen through from the front",
}

AUTO_NOTE = {
    True: "the photo shows one thing, so the model is closed all round (solid); choose another with --surface",
    False: "of a scene the model is what the photo shows, cut at its edges (grid); choose another with --surface",
}

MESH_NOTES = (*BACK_NOTE.values(), *AUTO_NOTE.values())
"""What is said of the surface, where one is made."""


def reconstruct(
    photo: Any,
    *,
    surface: SurfaceChoice = "auto",
    depth_model: str | DepthEstimator = "auto",
    depth_in: str | Path | None = None,
    depth: Any = None,
    depth_kind: DepthKind | None = None,
    depth_scale: float | None = None,
    mask: str | Path = "auto",
    fov: float | None = None,
    focal_px: float | None = None,
    focal_mm: float | None = None,
    centre: tuple[float, float] | None = None,
    near: float | None = None,
    far: float | None = None,
    faces: int | None = None,
    poisson_depth: int = PoissonSettings.depth,
    voxel: float | None = None,
    size_mm: float = PrintSettings.size_mm,
    base: bool = False,
    device: str = "auto",
    offline: bool = False,
    limits: Limits = Limits(),
    watch: Stopwatch | None = None,
) -> Reconstruction:
    """Reconstruct what one photo shows.

    photo: a file, its bytes, a Pillow image, an upright array or tensor (h×w×3 RGB, h×w×4 RGBA, uint8, or floats from 0 to
    1), or a Photo. surface: auto is solid where there is one subject, grid where there is none. depth_model: a name, or an
    estimator that is kept warm. depth: a depth map of the photo's shape to use instead of a model, as an array, tensor,
    Pillow image or file (depth_in: a file); depth_kind says what it holds, depth_scale how many units a metre has (else
    whole numbers are millimetres, floats metres). mask: auto, none, alpha, a segmenter's name or a file. fov: horizontal,
    in degrees; or focal_px in pixels of the photo, or focal_mm as a 35 mm equivalent. centre: the principal point in pixels
    of the photo. near, far: where a disparity map's extremes lie. voxel: edge of the thinning voxels of the point cloud, in
    the depth's unit. size_mm, base: an STL's longest side, and a stand for it. Raises BadInput or MissingModel, with one
    sentence.
    """
    watch, where, printed = watch or Stopwatch(), Where(device, offline), PrintSettings(checked_size(size_mm), base)
    check_values(faces, poisson_depth, voxel, depth_scale, near, far)
    _check_words(surface, mask, device, limits)
    measured = _depth_given(depth, depth_in, depth_kind, depth_scale, placed=near is not None or far is not None)
    with watch.stage("read"):
        picture = _picture(photo, limits)
        # a wrong value is told before anything slow begins
        camera = find_camera(picture, fov, focal_px, None, None, focal_mm, centre)
        given = estimator = None
        if measured is not None and depth_kind is not None:
            given = read_depth(measured, depth_kind, picture.size, depth_scale, limits)
    if given is None:
        with watch.stage("model"):
            estimator = _estimator(depth_model, where, depth_kind)
    with watch.stage("subject"):
        subject = _subject(picture, mask, given is not None, where)
        if given is not None:
            raw, found = given, to_depth_map(given, picture, subject, camera, near, far)
    if estimator is not None:
        with watch.stage("depth"):
            raw = estimator.estimate(visible_colours(picture, subject), subject.inside)
            camera = find_camera(picture, fov, focal_px, raw.fov_x, raw.fov_error, focal_mm, centre)
            found = to_depth_map(raw, picture, subject, camera, near, far)
    notes = _warnings(picture, raw, camera, placed=near is not None or far is not None)
    made, told = _surface(surface, subject, found)
    return Reconstruction(picture, subject, camera, found, made, faces, poisson_depth, voxel, notes + told,
                          surface_source="auto" if surface == "auto" else "user", printed=printed)  # fmt: skip


def _surface(asked: SurfaceChoice, subject: Mask, depth: DepthMap) -> tuple[Surface, list[str]]:
    """The surface to make, and what is to be said of it."""
    one = subject.inside is not None
    made: Surface = ("solid" if one else "grid") if asked == "auto" else asked
    notes = [subject.note] if subject.fell_back else []
    if asked == "auto":
        notes.append(AUTO_NOTE[one])
    if made == "solid" and one:
        notes.append(BACK_NOTE[depth.back is not None])
    return made, notes


def _picture(photo: Any, limits: Limits) -> Photo:
    return read_photo(as_path(photo, "the photo"), limits) if is_path(photo) else photo_of(photo, limits)


def _subject(picture: Photo, mask: str | Path, measured: bool, where: Where) -> Mask:
    """The subject's mask. A measured depth map is of the whole photo: nothing is cut out of it unasked."""
    asked = segmenter(str(mask), where)
    if asked:
        return segmented_subject(picture, asked)
    how = "none" if measured and mask == "auto" and picture.alpha is None else mask
    return find_subject(picture, how, segmenters(where))


def _estimator(model: Any, where: Where, kind: DepthKind | None) -> DepthEstimator:
    """The depth model, loaded: a missing one is told before anything slow begins."""
    if isinstance(model, str):
        model = depth_estimator(model, where, kind)
    if not isinstance(model, DepthEstimator):
        raise BadOption(f"--depth-model is of type {type(model).__name__}; give a model's name or a DepthEstimator.")
    model.load()
    return model


def _depth_given(depth: Any, depth_in: Any, kind: Any, scale: Any, placed: bool) -> Any:
    """The depth map that was given in one of two ways, or None. Raises BadOption where what is said of it does not fit."""
    if depth is not None and depth_in is not None:
        raise BadOption("two depth maps were given, depth and depth_in; give one of them.")
    if depth_in is not None and not is_path(depth_in):
        raise BadOption(f"depth_in is of type {type(depth_in).__name__}; give the path of a file, or give it as depth.")
    given = depth_in if depth is None else depth
    if given is not None and kind is None:
        raise BadOption("a depth map was given without its kind; add --depth-kind metric, scale or disparity.")
    if given is not None or kind is not None:
        check_kind(kind, scale)
    if kind in ("metric", "scale") and placed:
        raise BadOption(f"--near and --far place a disparity map and the depth is {kind}; leave them out.")
    return given


def _check_words(surface: Any, mask: Any, device: Any, limits: Any) -> None:
    """Raise BadOption for what is none of the words or paths that it may be."""
    if not isinstance(limits, Limits):
        raise BadOption(f"limits is of type {type(limits).__name__}; give recon.settings.Limits.")
    if surface not in get_args(SurfaceChoice):
        raise BadOption(f"--surface is {surface!r}; give {', '.join(get_args(SurfaceChoice))}.")
    if not is_path(mask):
        raise BadOption(
            f"--mask is of type {type(mask).__name__}; give auto, none, alpha, a segmenter's name or a file (a photo of"
            " four channels has its mask in the last)."
        )
    if not isinstance(device, str):
        raise BadOption(f"--device is {device!r}; give auto, cpu or cuda.")


def check_values(
    faces: int | None,
    poisson_depth: int,
    voxel: float | None,
    depth_scale: float | None,
    near: float | None,
    far: float | None,
) -> None:
    """Raise BadOption for a number out of its range."""
    if faces is not None and not (_is_whole(faces) and faces >= FEWEST_FACES):
        raise BadOption(f"--faces is {faces}; give a number of triangles, at least {FEWEST_FACES}.")
    if not (_is_whole(poisson_depth) and POISSON_DEPTHS[0] <= poisson_depth <= POISSON_DEPTHS[1]):
        raise BadOption(
            f"--poisson-depth is {poisson_depth}; give a number from {POISSON_DEPTHS[0]} to {POISSON_DEPTHS[1]}."
        )
    for name, value in (("--voxel", voxel), ("--depth-scale", depth_scale), ("--near", near), ("--far", far)):
        if value is not None and not SMALLEST <= number(name, value) <= LARGEST:
            raise BadOption(f"{name} is {value:g}; give a number above 0, from {SMALLEST:g} to {LARGEST:g}.")
    if near is not None and far is not None and near >= far:
        raise BadOption(f"--near {near:g} is not nearer than --far {far:g}; swap them.")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _warnings(photo: Photo, raw: RawDepth, camera: Camera, placed: bool) -> list[str]:
    """What a person should know; `placed`: --near or --far was given."""
    notes = []
    if camera.source in ("default", "model"):
        reason = photo.doubt or "the photo does not say its field of view"
        notes.append(f"{reason}: {_fov_found(raw, camera)}; set --fov")
    if photo.panorama:
        notes.append(
            f"the photo looks like a panorama ({photo.panorama}): it was taken for a flat picture of {camera.fov_x:.0f}°"
            " from side to side, which bends what it shows; cut out a part of at most 90° and give that"
        )
    notes += [*photo.notes, *raw.notes]
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
    from recon.refinement.checkpoint import kept
    from recon.refinement.progress import Parts, silent
    from recon.refinement.run import Refinement
    from recon.refinement.settings import preset as settings_of
    from recon.refinement.texture import PARTS
    from recon.refinement.verdict import verdict
    from recon.threads import limited

    _check_refinable(found, steps, seed)
    tell, watch = tell or silent, watch or Stopwatch()
    settings = settings_of(preset, steps, found.faces, guidance, second)
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
    notes = [note for note in found.warnings if note not in MESH_NOTES]
    if judged and not said.better:
        first.warnings = [*notes, BACK_NOTE[found.depth.back is not None], KEPT_NOTE + "; ".join(said.reasons)]
        first.refinement, first.refined_points = facts, run.cloud
        return first
    notes += [REFINED_NOTE, *run.notes]
    return replace(found, surface="solid", depth=depth, refined=mesh, refined_points=run.cloud, refinement=facts,
                   warnings=notes)  # fmt: skip


def _check_refinable(found: Any, steps: Any, seed: Any) -> None:
    """Raise BadInput for what no refinement can begin with, BadOption for a value that is no whole number."""
    if not isinstance(found, Reconstruction):
        raise BadInput(f"a refinement begins with what reconstruct gives, and not with a {type(found).__name__}.")
    for name, value in (("--steps", steps), ("--seed", seed)):
        if value is not None and not _is_whole(value):
            raise BadOption(f"{name} is {value!r}; give a whole number.")
    if found.mask.inside is None:
        raise BadInput("there is no single subject in the photo to refine; cut one out with --mask.")


def _looked(
    found: Reconstruction, networks: Sequence[ShapeEstimator], turns: tuple[float, ...], tell: Callable[[Step], None]
) -> DepthMap:
    """The depth map after several looks at the subject."""
    from recon.refinement.augmented_views import looks_of
    from recon.refinement.progress import Parts, cut_out

    parts = Parts("looks", 2 * len(turns) * len(networks), tell, partial(cut_out, found.photo, found.mask))
    depths = [found.depth]
    for depth in looks_of(networks, found.photo, found.mask, found.camera, found.depth, turns):
        depths = [depth]
        parts.done()
    return depths[0]


def _target(found: Reconstruction, depth: DepthMap, settings: RefineSettings) -> Target:
    """What a refinement is fitted to."""
    from recon.refinement.reference import frame_of, target_of
    from recon.refinement.thin_parts import PLATE, linked
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
