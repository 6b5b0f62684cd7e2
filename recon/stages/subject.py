"""What the photo is of: one subject, cut out, or a scene, taken whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from jaxtyping import Bool, UInt8
from numpy import ndarray

from recon.geometry.cutout import on_plain_ground
from recon.io.files import named_file
from recon.io.formats import MASK
from recon.io.read import read_mask
from recon.messages import Message, note
from recon.protocols import Segmenter
from recon.types import Mask, Photo

SMALLEST = 1e-3
"""A mask under this share of the photo gives no model worth having."""


def find_subject(photo: Photo, how: str | Path, segmenters: Sequence[Callable[[], Segmenter]]) -> Mask:
    """The subject's mask at the photo's size; the whole photo, with a note, where nearly nothing would be cut out.

    how: `auto` (alpha, else the first segmenter that finds a subject, else the whole photo), `none`, `alpha`, or a mask
    file. segmenters: builders in order of preference; for `auto` each is asked until one finds a subject.
    Raises BadInput for a mask file that cannot be read.
    """
    if how == "none":
        return Mask(None, "none", note("subject.unasked", "asked for the whole photo"))
    if how == "alpha" and photo.alpha is None:
        return _whole(
            note("subject.opaque", "the photo has no transparency to cut it out by: the whole photo was taken")
        )
    if how in ("alpha", "auto") and photo.alpha is not None:
        return _cut_out(photo.alpha > 127, "alpha", note("thing.transparency", "the photo's transparency"))
    if how != "auto":
        kept = note("thing.kept_by_mask", "{named} (white is kept)", named=named_file(MASK, Path(how)))
        return _cut_out(read_mask(how, photo.size), "file", kept)
    asked = []
    for build in segmenters:
        segmenter = build()
        asked.append(segmenter.name)
        inside = segmenter.segment(photo.rgb)
        if inside is not None and inside.mean() >= SMALLEST:
            return Mask(inside, segmenter.name)
    return _whole(
        note("subject.none", "no single subject found by {models}: the whole photo was taken", models=", ".join(asked))
    )


def segmented_subject(photo: Photo, segmenter: Segmenter) -> Mask:
    """The subject's mask by the one segmenter that was asked for; the whole photo, with a note, where it finds none."""
    inside = segmenter.segment(photo.rgb)
    if inside is None or inside.mean() < SMALLEST:
        return _whole(
            note(
                "subject.none_by", "{model} finds no single subject in this photo: the whole photo was taken",
                model=segmenter.name,
            )
        )  # fmt: skip
    return Mask(inside, segmenter.name)


def _cut_out(inside: Bool[ndarray, "h w"], method: str, what: Message) -> Mask:
    share = inside.mean()
    if share >= SMALLEST:
        return Mask(inside, method)
    if not share:
        return _whole(
            note("mask.empty", "{what} leaves nothing of the photo to be seen: the whole photo was taken", what=what)
        )
    return _whole(
        note(
            "mask.too_small",
            "{what} leaves {share:.3f} % of the photo to be seen, at least {least:g} % are needed: the whole photo was"
            " taken",
            what=what, share=100 * float(share), least=100 * SMALLEST,
        )
    )  # fmt: skip


def _whole(why: Message) -> Mask:
    return Mask(None, "none", why, fell_back=True)


def on_opaque_ground(photo: Photo) -> UInt8[ndarray, "h w 3"]:
    """The photo's colours, those of transparent pixels (they are arbitrary) replaced by plain ground."""
    return photo.rgb if photo.alpha is None else on_plain_ground(photo.rgb, photo.alpha > 127)


def visible_colours(photo: Photo, mask: Mask) -> UInt8[ndarray, "h w 3"]:
    """What a depth model sees of the photo: behind a transparency that shows nothing there may be a photo all the same."""
    return photo.rgb if mask.fell_back else on_opaque_ground(photo)
