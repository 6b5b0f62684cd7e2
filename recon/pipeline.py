"""One photo to a reconstruction: choose the models, call the stages in order. No arithmetic here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recon.errors import BadInput, BadOption
from recon.io.read import PHOTO, photo_of, read_photo
from recon.io.read_depth import check_kind, read_depth
from recon.io.values import as_path, is_path
from recon.messages import Message
from recon.notes import BACK_NOTE, REFINED_NOTE, kept_first, notes_of, object_note
from recon.options import PhotoOptions, RefineOptions, changed
from recon.progress import Stopwatch
from recon.protocols import DepthEstimator, ObjectReconstructor, ShapeEstimator, SplatEstimator
from recon.registry import (
    SOLID,
    Where,
    check_object,
    depth_estimator,
    segmenter,
    segmenters,
    shape_estimators,
    splat_estimator,
)
from recon.results import Model, PhotoGeometry, Provenance, Reconstruction
from recon.settings import DepthKind, Limits, SplatSettings
from recon.stages.camera import find_camera
from recon.stages.depth import to_depth_map
from recon.stages.sharpen import sharpen_edges
from recon.stages.subject import find_subject, segmented_subject, visible_colours
from recon.stages.symmetry import completed_by_symmetry
from recon.types import Mask, Photo

if TYPE_CHECKING:
    from recon.refinement.progress import Step


def reconstruct(
    photo: Any,
    options: PhotoOptions = PhotoOptions(),
    *,
    depth: Any = None,
    limits: Limits = Limits(),
    watch: Stopwatch | None = None,
    **changes: Any,
) -> Reconstruction:
    """Reconstruct what one photo shows.

    photo: a file, its bytes, a Pillow image, an upright array or tensor (h×w×3 RGB, h×w×4 RGBA, uint8, or floats from 0 to
    1), or a Photo. options, or `changes` of single ones by their names: see PhotoOptions. depth: a depth map of the photo's
    shape to use instead of a model, as an array, tensor, Pillow image or file; `depth_kind` says what it holds,
    `depth_scale` how many units a metre has (else whole numbers are millimetres, floats metres). Raises BadInput or
    MissingModel, with one sentence.
    """
    asked, watch = changed(PhotoOptions, options, changes), watch or Stopwatch()
    if not isinstance(limits, Limits):
        came = type(limits).__name__
        raise BadOption("option.limits", "limits is of type {kind}; give recon.Limits.", kind=came)
    where, placed = Where(asked.device, asked.offline), asked.near is not None or asked.far is not None
    measured = _depth_given(depth, asked, placed)
    _check_object(asked.object, where)
    asked = _with_splat_model(asked, where, watch)
    with watch.stage("read"):
        picture = _picture(photo, limits)
        # a wrong value is told before anything slow begins
        camera = find_camera(picture, asked.fov, asked.focal_px, None, None, asked.focal_mm, asked.centre)
        given = estimator = None
        if measured is not None and asked.depth_kind is not None:
            given = read_depth(measured, asked.depth_kind, picture.size, asked.depth_scale, limits)
    if given is None:
        with watch.stage("model"):
            estimator = _estimator(asked.depth_model, where, asked.depth_kind)
    with watch.stage("subject"):
        subject = _subject(picture, asked.mask, given is not None, where)
        if given is not None:
            raw, found = given, to_depth_map(given, picture, subject, camera, asked.near, asked.far)
            found = sharpen_edges(found, picture, asked.sharpen)
    if estimator is not None:
        with watch.stage("depth"):
            raw = estimator.estimate(visible_colours(picture, subject), subject.inside)
            camera = find_camera(
                picture, asked.fov, asked.focal_px, raw.fov_x, raw.fov_error, asked.focal_mm, asked.centre
            )
            found = to_depth_map(raw, picture, subject, camera, asked.near, asked.far)
            found = sharpen_edges(found, picture, asked.sharpen)
            found = completed_by_symmetry(found, picture, subject, camera, asked.symmetry)
    notes = notes_of(picture, raw, camera, subject, placed, found)
    return Reconstruction(PhotoGeometry(picture, subject, camera, found, notes), asked)


def _picture(photo: Any, limits: Limits) -> Photo:
    return read_photo(as_path(photo, PHOTO), limits) if is_path(photo) else photo_of(photo, limits)


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
        raise BadOption(
            "depth_model.type", "<depth_model> is of type {kind}; give a model's name or a DepthEstimator.",
            kind=type(model).__name__,
        )  # fmt: skip
    model.load()
    return model


def _check_object(model: Any, where: Where) -> None:
    """Raise BadOption or MissingModel for an object model that is none, or not to be had."""
    if isinstance(model, str):
        check_object(model, where)
    elif not isinstance(model, ObjectReconstructor):
        raise BadOption(
            "object.type", "<object> is of type {kind}; give a model's name or an ObjectReconstructor.",
            kind=type(model).__name__,
        )  # fmt: skip


def _with_splat_model(asked: PhotoOptions, where: Where, watch: Stopwatch) -> PhotoOptions:
    """The options with their splat model loaded, if one is asked for: a missing one is told before anything slow begins."""
    model = asked.splat_model
    if model == SplatSettings.model:
        return asked
    if isinstance(model, str):
        model = splat_estimator(model, where)
    if not isinstance(model, SplatEstimator):
        raise BadOption(
            "splat_model.type", "<splat_model> is of type {kind}; give a model's name or a SplatEstimator.",
            kind=type(model).__name__,
        )  # fmt: skip
    with watch.stage("model"):
        model.load()
    return replace(asked, splat_model=model)


def _depth_given(depth: Any, asked: PhotoOptions, placed: bool) -> Any:
    """The depth map that was given in one of two ways, or None. Raises BadOption where what is said of it does not fit."""
    kind = asked.depth_kind
    if depth is not None and asked.depth_in is not None:
        raise BadOption("depth.twice", "two depth maps were given, depth and depth_in; give one of them.")
    given = asked.depth_in if depth is None else depth
    if given is not None and kind is None:
        raise BadOption(
            "depth.no_kind",
            "a depth map was given without its kind; add <depth_kind> metric, scale or disparity.",
        )
    if kind is not None:
        check_kind(kind, asked.depth_scale)
    if kind in ("metric", "scale") and placed:
        raise BadOption(
            "depth.placed", "<near> and <far> place a disparity map and the depth is {kind}; leave them out.", kind=kind
        )
    return given


def refine(
    found: Reconstruction,
    options: RefineOptions | str = RefineOptions(),
    *,
    folder: str | Path | None = None,
    networks: Sequence[ShapeEstimator] | None = None,
    judged: bool = True,
    tell: Callable[[Step], None] | None = None,
    watch: Stopwatch | None = None,
    **changes: Any,
) -> Reconstruction:
    """The same reconstruction with a better closed, textured mesh of its subject; with its first closed one, `solid`, where
    the refined one is no better, which a note then tells.

    options, or the name of a preset, and `changes` of single ones by their names: see RefineOptions; folder: where the
    run's state is kept and found again; networks: look at the subject anew, plain and mirrored; unless given, nobody does
    where its back is known, else the shipped one; judged: whether the two are compared, else the refined mesh is taken;
    tell: is called after every step and, where one takes long, within it; what it raises stops the run. Raises BadInput
    where there is no subject, BadOption for a value out of range, Unwritable where the state cannot be kept, Diverged
    where a loss is not finite, OutOfMemory where a GPU is too small.
    """
    from recon.refinement.progress import Reporter, no_report
    from recon.refinement.recipes import recipe
    from recon.refinement.refine import refined

    _check_refinable(found)
    given = RefineOptions(options) if isinstance(options, str) else options
    asked = changed(RefineOptions, given, changes)
    closed = found if found.model is None and found.surface == "solid" else found.with_options(surface="solid")
    chosen = recipe(asked.preset, asked.steps, found.options.faces, asked.guidance, asked.refine_to)
    if networks is None:
        networks = shape_estimators() if found.depth.back is None else ()
    made = refined(
        found.photo, found.mask, found.camera, found.depth, lambda: closed.mesh, networks, chosen,
        seed=asked.seed, folder=None if folder is None else Path(folder), where=Where(asked.device), threads=asked.threads,
        report=Reporter(tell or no_report, watch or Stopwatch()),
    )  # fmt: skip
    facts = Provenance(asked.preset, asked.seed, made.steps, made.seconds, made.losses, chosen.guidance, made.device,
                       made.verdict)  # fmt: skip
    if made.verdict.better or not judged:
        model = Model(made.mesh, made.cloud, found.camera, (REFINED_NOTE, *made.notes), facts)
        return Reconstruction(replace(found.geometry, depth=made.depth), found.options, model)
    notes = (_whose(closed), kept_first(made.verdict.reasons))
    model = Model(made.first, made.cloud, found.camera, notes, facts)
    return Reconstruction(found.geometry, found.options, model, kept=True)


def _whose(closed: Reconstruction) -> Message:
    """Who made the first closed mesh."""
    made_by = closed.object_model
    return BACK_NOTE[closed.depth.back is not None] if made_by == SOLID else object_note(made_by)


def _check_refinable(found: Any) -> None:
    """Raise BadInput for what no refinement can begin with."""
    if not isinstance(found, Reconstruction):
        raise BadInput(
            "refine.type", "a refinement begins with what reconstruct gives, and not with a {kind}.",
            kind=type(found).__name__,
        )  # fmt: skip
    if found.mask.inside is None:
        raise BadInput(
            "refine.no_subject", "there is no single subject in the photo to refine; cut one out with <mask>."
        )
