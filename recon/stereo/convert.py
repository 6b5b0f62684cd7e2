"""One photo to a stereo pair: depth, disparity within what is comfortable, both views. Or a given pair, made to fit."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from recon.errors import BadInput, BadOption
from recon.geometry.cutout import GROUND
from recon.io.read import PHOTO
from recon.io.values import as_path, is_path
from recon.messages import Message, note
from recon.options import PhotoOptions, changed
from recon.pipeline import reconstruct
from recon.progress import Stopwatch
from recon.registry import Where, segmenters
from recon.results import Reconstruction
from recon.settings import Limits
from recon.stages.subject import find_subject
from recon.stereo.comfort import (
    BEHIND,
    FRONT,
    Comfort,
    comfort_of,
    cut_share,
    drawn_back,
    limited_disparity,
)
from recon.stereo.disparity import FULL_DEPTH, Nearness, disparity_of, grown, middle_plane, nearness_of, subject_plane
from recon.stereo.pair import Source, StereoPair, pair_from
from recon.stereo.read import fitted_pair, input_of, read_pair
from recon.stereo_options import StereoOptions
from recon.types import Photo

STRENGTH = 2.0
"""Percent of the width from the farthest to the nearest, unless somebody asks for another."""
SUBJECT_SIDE = 1024
"""Pixels of the longer side at which a subject is looked for."""
ABOUT_LENSES = ("camera.",)
"""Codes of notes that matter for true disparity only."""


def stereo_pair(
    photo: Any,
    options: StereoOptions = StereoOptions(),
    *,
    depth: Any = None,
    limits: Limits = Limits(),
    watch: Stopwatch | None = None,
    **changes: Any,
) -> StereoPair:
    """The pair of pictures that both eyes see of what a photo shows.

    photo, depth: as for `recon.reconstruct`; a file may also hold a pair, which is then aligned. options, or `changes` of
    single ones by their names: see StereoOptions. Raises BadInput or MissingModel, with one sentence.
    """
    asked, watch = changed(StereoOptions, options, changes), watch or Stopwatch()
    given = input_of(as_path(photo, PHOTO), asked.input) if is_path(photo) else "photo"
    if given != "photo":
        return _given_pair(as_path(photo, PHOTO), given, asked, limits, watch)
    found = reconstruct(photo, _photo_options(asked), depth=depth, limits=limits, watch=watch)
    with watch.stage("disparity"):
        source, comfort, facts = _source(found, asked)
    with watch.stage("views"):
        left, right = pair_from(source, asked.eyes, asked.crop)
    notes = tuple(told for told in found.geometry.notes if asked.baseline or not told.code.startswith(ABOUT_LENSES))
    facts = {"input": "photo", "depth_model": found.depth.model, **facts}
    return StereoPair(left, right, comfort, notes, source, facts, found.photo.name)


def _photo_options(asked: StereoOptions) -> PhotoOptions:
    """What is asked of the reconstruction: the whole photo, depth as it is."""
    known = {each.name for each in fields(PhotoOptions)}
    same = {each.name: getattr(asked, each.name) for each in fields(asked) if each.name in known}
    return PhotoOptions(**same, mask="none", sharpen="off", surface="grid")


def _given_pair(path: Path, layout: str, asked: StereoOptions, limits: Limits, watch: Stopwatch) -> StereoPair:
    if asked.strength is not None or asked.baseline is not None or asked.depth_in is not None:
        raise BadOption(
            "stereo.given_pair",
            "{path!r} is a pair of pictures already, whose depth cannot be changed; leave <strength>, <baseline> and"
            " <depth_in> out, or give <input> photo to take its first picture alone.",
            path=str(path),
        )
    with watch.stage("read"):
        pair = read_pair(path, layout, limits)
    if asked.align == "off":
        return pair
    with watch.stage("align"):
        return fitted_pair(pair, asked.screen)


def _source(found: Reconstruction, asked: StereoOptions) -> tuple[Source, Comfort, dict[str, Any]]:
    """What the pair is made of, how it will be seen, and how it came about."""
    near = nearness_of(found.depth)
    rgb, width = on_ground(found.photo), found.photo.size[1]
    strength, limits = _strength(found, near, asked, width)
    plane, where = _plane(found, near, asked, strength / width)
    values = grown(near.values)
    disparity, more = _limited(disparity_of(values, strength, plane), asked.limit)
    facts = {"strength_percent": round(100 * strength / width, 3), "screen": round(plane, 3), "screen_by": where,
             "eyes": asked.eyes, "limit": asked.limit}  # fmt: skip
    comfort = comfort_of(disparity, (*limits, *more))
    return Source(rgb, disparity, values), comfort, facts


def on_ground(photo: Photo) -> UInt8[ndarray, "h w 3"]:
    """The photo's colours; what is transparent shows plain light grey, for eyes see no transparency."""
    if photo.alpha is None:
        return photo.rgb
    weight = photo.alpha[..., None].astype(np.float32) / 255
    return (photo.rgb * weight + GROUND * (1 - weight)).round().astype(np.uint8)


def _strength(
    found: Reconstruction, near: Nearness, asked: StereoOptions, width: int
) -> tuple[float, tuple[Message, ...]]:
    """Pixels of disparity from the farthest to the nearest, and what was limited."""
    if asked.baseline is not None:
        return _true_strength(found, near, asked, width)
    if asked.strength is not None:
        return asked.strength / 100 * width, ()
    part = min(1.0, near.depth / FULL_DEPTH)
    flat = note(
        "stereo.shallow", "what the photo shows is shallow: its strength is {part:.0f} % of the usual; set <strength>",
        part=100 * part,
    )  # fmt: skip
    return STRENGTH / 100 * width * part, () if part > 0.95 else (flat,)


def _true_strength(
    found: Reconstruction, near: Nearness, asked: StereoOptions, width: int
) -> tuple[float, tuple[Message, ...]]:
    """D = f·b·(1/Z_near − 1/Z_far); within the limits as by eyes that are nearer to each other."""
    if not found.depth.metric or found.camera.source == "default":
        raise BadInput(
            "stereo.no_metres",
            "<baseline> needs depth in metres and a known field of view; give a metric <depth_in> or <depth_model>, and"
            " <fov>, or give <strength> instead.",
        )
    assert asked.baseline is not None
    strength = found.camera.focal * asked.baseline / 1000 * near.span
    most = (FRONT + BEHIND) * width
    if asked.limit == "off" or strength <= most:
        return strength, ()
    smaller = asked.baseline * most / strength
    told = note(
        "stereo.smaller_baseline", "disparity was limited to what is comfortable: it is what eyes {smaller:.0f} mm apart"
        " see, not {asked:.0f} mm; see <limit>", smaller=smaller, asked=asked.baseline,
    )  # fmt: skip
    return most, (told,)


def _plane(found: Reconstruction, near: Nearness, asked: StereoOptions, strength: float) -> tuple[float, str]:
    """The nearness that lies in the screen, and by what; strength: in parts of the width."""
    if asked.screen == "subject":
        return _subject(found, near), "subject"
    return calm_plane(middle_plane(near.values), asked, strength), asked.screen


def calm_plane(middle: float, asked: StereoOptions, strength: float) -> float:
    """The nearness that lies in the screen. middle: what is in the picture's middle, which is it unless something else is
    asked for or it would have to be squeezed; strength: in parts of the width."""
    words = {"near": 1.0, "far": 0.0}
    if asked.screen not in ("auto", "subject"):
        return words[asked.screen] if asked.screen in words else float(asked.screen)
    if asked.limit == "on" and FRONT + BEHIND >= strength > 0:
        middle = min(max(middle, 1 - FRONT / strength), BEHIND / strength)
    return min(max(middle, 0.0), 1.0)


def _subject(found: Reconstruction, near: Nearness) -> float:
    """The nearness of the one thing in the photo. Raises BadInput where none is found."""
    photo = found.photo
    scale = min(1.0, SUBJECT_SIDE / max(photo.size))
    small = Photo(cv2.resize(photo.rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    inside = find_subject(small, "auto", segmenters(Where(found.options.device, found.options.offline))).inside
    if inside is None:
        raise BadInput(
            "stereo.no_subject",
            "no single subject is found in the photo to put in the plane of the screen; give <screen> auto, near, far or a"
            " number from 0 to 1.",
        )
    values = cv2.resize(near.values, small.size[::-1], interpolation=cv2.INTER_NEAREST)
    return subject_plane(values, inside)


def _limited(disparity: Float32[ndarray, "h w"], limit: str) -> tuple[Float32[ndarray, "h w"], tuple[Message, ...]]:
    """Disparity as comfort allows it, and what was changed for that."""
    if limit == "off":
        return disparity, ()
    width, notes = disparity.shape[1], []
    out = limited_disparity(disparity)
    reached = [100 * float(end) / width for end in (disparity.min(), disparity.max())]
    if reached[0] < -100 * BEHIND or reached[1] > 100 * FRONT:
        notes.append(
            note(
                "stereo.limited", "disparity was limited: it would have reached from {behind:+.2f} % to {front:+.2f} % of"
                " the width; see <limit>", behind=reached[0], front=reached[1],
            )
        )  # fmt: skip
    share = cut_share(out)
    if share:
        out = drawn_back(out)
        notes.append(
            note(
                "stereo.drawn_back", "what stands in front of the screen was drawn back at the left and right border, which"
                " would cut it along {share:.0f} % of the height; see <limit>", share=100 * share,
            )
        )  # fmt: skip
    return out, tuple(notes)
