"""What the photo is of: one subject, cut out, or a scene, taken whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from jaxtyping import Bool, UInt8
from numpy import ndarray

from recon.errors import BadInput
from recon.geometry.cutout import on_plain_ground
from recon.protocols import Segmenter
from recon.stages.read import read_mask
from recon.types import Mask, Photo

SMALLEST = 1e-3
"""A mask under this share of the photo gives no model worth having."""


def find_subject(photo: Photo, how: str | Path, segmenters: Sequence[Callable[[], Segmenter]]) -> Mask:
    """The subject's mask at the photo's size.

    how: `auto` (alpha, else the first segmenter that finds a subject, else the whole photo), `none`, `alpha`, or a mask
    file. segmenters: builders in order of preference; for `auto` each is asked until one finds a subject.
    Raises BadInput when an alpha channel is asked for and absent, or nearly nothing is inside.
    """
    if how == "none":
        return Mask(None, "none", "asked for the whole photo")
    if how == "alpha" or (how == "auto" and photo.alpha is not None):
        if photo.alpha is None:
            raise BadInput(
                "--mask alpha was asked for and the photo has no transparency; use --mask auto or a mask file."
            )
        return Mask(_checked(photo.alpha > 127), "alpha")
    if how != "auto":
        return Mask(_checked(read_mask(how, photo.size)), "file")
    asked = []
    for build in segmenters:
        segmenter = build()
        asked.append(segmenter.name)
        inside = segmenter.segment(photo.rgb)
        if inside is not None and inside.mean() >= SMALLEST:
            return Mask(inside, segmenter.name)
    return Mask(None, "none", f"no single subject found by {', '.join(asked) or 'any segmenter'}: taken as a scene")


def segmented_subject(photo: Photo, segmenter: Segmenter) -> Mask:
    """The subject's mask by the one segmenter that was asked for. Raises BadInput when it finds none."""
    inside = segmenter.segment(photo.rgb)
    if inside is None or inside.mean() < SMALLEST:
        raise BadInput(f"{segmenter.name} finds no single subject in this photo; give a mask file or use --mask none.")
    return Mask(inside, segmenter.name)


def _checked(inside: Bool[ndarray, "h w"]) -> Bool[ndarray, "h w"]:
    if inside.mean() < SMALLEST:
        raise BadInput(
            f"the mask covers {100 * inside.mean():.3f} % of the photo, at least {100 * SMALLEST:g} % are needed;"
            " give a larger subject."
        )
    return inside


def opaque(photo: Photo) -> UInt8[ndarray, "h w 3"]:
    """The photo's colours, those of transparent pixels (they are arbitrary) replaced by plain ground."""
    return photo.rgb if photo.alpha is None else on_plain_ground(photo.rgb, photo.alpha > 127)
