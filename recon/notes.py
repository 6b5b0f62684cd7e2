"""What a person should know of a reconstruction, beside the model itself."""

from __future__ import annotations

from collections.abc import Sequence

from recon.messages import Message, note
from recon.models.catalogue import PRETRAINED
from recon.stages.camera import DEFAULT_FOV
from recon.stages.depth import distance_for
from recon.types import Camera, DepthMap, Mask, Photo, RawDepth

BACK_NOTE = {
    True: note(
        "surface.back_guessed",
        "the unseen back is the network's guess; its colours are guessed from the photo's",
    ),
    False: note(
        "surface.back_inflated",
        "the unseen back is the silhouette inflated; its colours are guessed from the photo's",
    ),
}
"""By whether a network knows a back."""
NO_OBJECT_NOTE = note(
    "surface.no_object_model",
    "the closed model is the built-in solid; an object model, which knows all sides, can be named as <object> once its"
    " weights are here",
)


def object_note(model: str) -> Message:
    """Of a closed model that an object model made."""
    return note(
        "surface.whole_object",
        "the whole object is {model}'s, its unseen sides a guess; the built-in solid is <object> solid",
        model=model,
    )


def object_empty(model: str) -> Message:
    """Of an object model that saw nothing where `auto` had chosen it."""
    return note(
        "surface.object_empty",
        "{model} saw no surface in this photo; the closed model is the built-in solid",
        model=model,
    )


AUTO_NOTE = {
    True: note(
        "surface.auto_solid",
        "the photo shows one thing, so the model is closed all round (solid); choose another with <surface>",
    ),
    False: note(
        "surface.auto_layered",
        "of a scene the model is what the photo shows, over invented sheets that carry on what it hides (layered); choose"
        " another with <surface>",
    ),
}
"""By whether the photo shows one thing."""
SYMMETRY_NOTE = note(
    "surface.symmetric",
    "the subject looks mirror-symmetric, and what the photo shows of one side completes the other; <symmetry> off leaves"
    " that out",
)
REFINED_NOTE = note(
    "refined.back", "the unseen back is the network's guess; its colours are the photo's, mirrored and blurred"
)


def model_splats_note(model: str) -> Message:
    """Whose splats they are; where a catalogue knows the model, its licence is told with it."""
    card = PRETRAINED.get(model)
    return note(
        "splats.of_model", "splats are made by {model}, apart from the mesh; its licence: {licence}",
        model=model, licence="see where its weights came from" if card is None else card.licence,
    )  # fmt: skip


def notes_of(
    photo: Photo, raw: RawDepth, camera: Camera, subject: Mask, placed: bool, found: DepthMap
) -> tuple[Message, ...]:
    """What a person should know of a photo's geometry; placed: the nearest or the farthest distance was given; found: the
    depth that the raw one has led to."""
    notes = []
    if camera.source in ("default", "model"):
        reason = photo.doubt or note("camera.unsaid", "the photo does not say its field of view")
        notes.append(
            note("camera.guessed", "{reason}: {found}; set <fov>", reason=reason, found=_fov_found(raw, camera))
        )
    if photo.panorama:
        notes.append(
            note(
                "photo.panorama",
                "the photo looks like a panorama ({reason}): it was taken for a flat picture of {fov:.0f}° from side to"
                " side, which bends what it shows; cut out a part of at most 90° and give that",
                reason=photo.panorama, fov=camera.fov_x,
            )
        )  # fmt: skip
    notes += [*photo.notes, *raw.notes]
    if raw.model == "builtin":
        notes.append(
            note("depth.builtin", "depth by the small built-in network; larger ones can be named as <depth_model>")
        )
    distance = distance_for(raw, camera)
    if distance is not None and raw.distance_error is not None and subject.inside is None and not placed:
        notes.append(
            note(
                "depth.metres_seen",
                "lengths are in metres as {model} sees them: about {distance:.1f} m away (± {error:.0f} %);"
                " <near> and <far> set them",
                model=raw.model, distance=distance, error=100 * raw.distance_error,
            )
        )  # fmt: skip
    if raw.canonical_focal is not None and camera.source == "default":
        notes.append(
            note(
                "depth.focal_unknown",
                "{model} gives metres for a known focal length; without one its depth is in parts of the median",
                model=raw.model,
            )
        )  # fmt: skip
    if placed and raw.kind != "disparity":
        notes.append(
            note(
                "depth.not_placed",
                "<near> and <far> place disparity; the depth of {model} is {kind} and was left as it is",
                model=raw.model, kind=raw.kind,
            )
        )  # fmt: skip
    if found.mirror is not None:
        notes.append(SYMMETRY_NOTE)
    if subject.fell_back and subject.note is not None:
        notes.append(subject.note)
    return tuple(notes)


def _fov_found(raw: RawDepth, camera: Camera) -> Message:
    """The field of view, where it came from and how sure that is."""
    error = raw.fov_error
    if camera.source == "model" and error is None:
        return note(
            "camera.seen", "{model} sees {fov:.0f}° along the longer side", model=raw.model, fov=camera.fov_long
        )
    if camera.source == "model":
        return note(
            "camera.seen_about", "{model} sees {fov:.0f}° ± {error:.0f}° along the longer side",
            model=raw.model, fov=camera.fov_long, error=error,
        )  # fmt: skip
    if error is None:
        return note("camera.assumed", "{fov:g}° along the longer side was assumed", fov=DEFAULT_FOV)
    return note(
        "camera.assumed_unsure", "{fov:g}° along the longer side was assumed ({model} is unsure: ± {error:.0f}°)",
        fov=DEFAULT_FOV, model=raw.model, error=error,
    )  # fmt: skip


def kept_first(reasons: Sequence[Message]) -> Message:
    """Of a refinement that came out worse."""
    return note(
        "refined.kept", "the refined model is no better than the first one, which was kept: {reasons}",
        reasons=list(reasons),
    )  # fmt: skip
