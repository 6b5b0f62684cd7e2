"""Read photos and masks: an allow-list of formats, limits before decoding, upright sRGB out.

EXIF orientation is applied first; the focal length and what else concerns the model is kept; every other tag is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8
from numpy import ndarray
from PIL import Image

from recon.errors import BadInput
from recon.io.checks import check_extent, reduction_factor
from recon.io.colours import shrunk_by_blocks, upright_srgb
from recon.io.containers import FORMATS, PICTURES, Opened, file_bytes, open_picture
from recon.io.decoding import decoding, decoding_picture
from recon.io.embedded import PANORAMA_SAID, panorama_by_shape, panorama_by_tag
from recon.io.exif import Lens, lens_of
from recon.io.files import checked_file, named_file
from recon.io.formats import MASK
from recon.io.values import PHOTOS, as_array, as_colours, as_path, is_path
from recon.messages import Message, note
from recon.settings import Limits
from recon.types import Photo

PHOTO = note("thing.photo", "the photo")


def read_photo(path: str | Path, limits: Limits = Limits()) -> Photo:
    """An upright sRGB photo from a file.

    Handles CMYK, grey, 16-bit, palette, animated (first frame), ICC profiles and EXIF orientation, raw files and JPEG XL
    where their packages are installed. Raises BadInput with one sentence for anything that is no readable picture within
    the limits.
    """
    path = Path(path)
    checked_file(path, PHOTO, limits.max_bytes)
    named = named_file(PHOTO, path)
    return _photo(open_picture(file_bytes(path, named), named, limits), named, path.stem)


def photo_from_bytes(data: bytes, limits: Limits = Limits(), formats: Sequence[str] = FORMATS) -> Photo:
    """The same from a file's bytes, which may hold one of `formats` only.

    Raises BadInput; its cause is Pillow's UnidentifiedImageError where the bytes are in none of these formats.
    """
    return _photo(open_picture(data, PHOTO, limits, PICTURES, tuple(formats)), PHOTO, "photo")


def photo_of(given: Any, limits: Limits = Limits()) -> Photo:
    """The photo that a program hands over: a file's path or bytes, a Pillow image, an upright array or tensor (see
    `values.as_colours`), or a Photo, which is taken as it is. Raises BadInput for anything else."""
    if isinstance(given, Photo):
        return given
    if isinstance(given, bytes | bytearray):
        return photo_from_bytes(bytes(given), limits)
    if isinstance(given, Image.Image):
        return _photo_of_image(given, limits)
    return read_photo(as_path(given, PHOTO), limits) if is_path(given) else photo_from_array(given, limits=limits)


def photo_from_array(values: Any, name: str = "photo", limits: Limits = Limits()) -> Photo:
    """A Photo from an upright array or tensor, see `values.as_colours`. Raises BadInput."""
    rgb = as_colours(as_array(values, PHOTO, PHOTOS), note("thing.a_photo", "a photo"))
    check_extent(note("thing.photo_array", "the photo's array"), rgb.shape[1::-1], limits)
    size, factor = rgb.shape[:2], reduction_factor(rgb.shape[1::-1], limits)
    if factor > 1:
        rgb = np.asarray(shrunk_by_blocks(Image.fromarray(rgb), factor, False))
    shape = panorama_by_shape(size[1], size[0])
    return _of_pixels(
        rgb, PHOTO, Photo(rgb[..., :3], name=name, full_size=size if factor > 1 else None, panorama=shape)
    )


def _photo_of_image(picture: Image.Image, limits: Limits) -> Photo:
    named = note("thing.photo_image", "the photo's image")
    with decoding("picture.unreadable", "{named} cannot be read ({reason}); give another one.", named=named):
        picture.load()
        check_extent(named, picture.size, limits)
        found = Opened(picture, picture.size, reduction_factor(picture.size, limits), picture.getexif(),
                       panorama=panorama_by_tag(picture))  # fmt: skip
    return _photo(found, PHOTO, "photo")


def _photo(found: Opened, named: Message, name: str) -> Photo:
    """The photo of an opened picture, with what its file says about it."""
    panorama = found.panorama or panorama_by_shape(*found.size)
    lens = lens_of(found.exif, None if found.raw else found.size, bool(panorama))
    if lens.stitched and not panorama:
        panorama = PANORAMA_SAID
    with decoding_picture(named):
        seen = upright_srgb(found, None if found.raw else lens.turn)
    notes = [] if seen.note is None else [seen.note]
    if found.depth:
        notes.append(
            note(
                "photo.depth_inside",
                "the photo's file has a depth map in it ({whose}), which was not used; export it and give it as the depth"
                " map",
                whose=found.depth,
            )
        )
    facts = Photo(seen.values[..., :3], None, lens.focal_35mm, name, None, lens.doubt, panorama)
    full = _upright_size(found, lens)
    if full[0] * full[1] > 2 * seen.values.shape[0] * seen.values.shape[1]:
        height, width = seen.values.shape[:2]
        notes.append(
            note(
                "photo.reduced", "the photo has {whole_width}×{whole_height} pixels and was read at {width}×{height}",
                whole_width=full[1], whole_height=full[0], width=width, height=height,
            )
        )  # fmt: skip
        facts = replace(facts, full_size=full)
    return _of_pixels(seen.values, named, replace(facts, notes=tuple(notes)))


def _upright_size(found: Opened, lens: Lens) -> tuple[int, int]:
    """(height, width) of the whole picture as it is seen."""
    width, height = found.size
    if found.raw:  # developed, and turned by LibRaw
        turned = (width > height) != (found.picture.size[0] > found.picture.size[1])
    else:
        turned = lens.turn in (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270, Image.Transpose.TRANSPOSE,
                               Image.Transpose.TRANSVERSE)  # fmt: skip
    return (width, height) if turned else (height, width)


def _of_pixels(rgba: UInt8[ndarray, "h w c"], named: Message, facts: Photo) -> Photo:
    """The photo of these values, h×w×3 or h×w×4, and facts; alpha that hides nothing is none. Raises BadInput where it
    hides everything."""
    alpha = rgba[..., 3] if rgba.shape[2] == 4 else None
    if alpha is not None and not alpha.any():
        raise BadInput(
            "picture.transparent", "{named} is fully transparent; give one with something in it.", named=named
        )
    if alpha is not None and alpha.min() == 255:
        alpha = None
    rgb = np.ascontiguousarray(rgba[..., :3])
    return replace(facts, rgb=rgb, alpha=None if alpha is None else np.ascontiguousarray(alpha))


def read_mask(path: str | Path, size: tuple[int, int], limits: Limits = Limits()) -> Bool[ndarray, "h w"]:
    """A mask file of the upright photo's size (height, width): its alpha if it has one, else its brightness; > 127 is
    inside. One as large as a photo that was read at a reduced size is reduced like it."""
    path = Path(path)
    checked_file(path, MASK, limits.max_bytes)
    named = named_file(MASK, path)
    found = open_picture(file_bytes(path, named), named, limits)
    with decoding_picture(named):
        values = upright_srgb(found, None if found.raw else lens_of(found.exif, found.size).turn).values
    if values.shape[:2] != tuple(size):
        raise BadInput(
            "mask.size",
            "{named} is {width}×{height} pixels and the upright photo {photo_width}×{photo_height}; give one of the same"
            " size.",
            named=named, width=values.shape[1], height=values.shape[0], photo_width=size[1], photo_height=size[0],
        )  # fmt: skip
    has_alpha = values.shape[2] == 4 and values[..., 3].min() < 255
    inside: Bool[ndarray, "h w"] = (values[..., 3] if has_alpha else values[..., :3].max(axis=2)) > 127
    return inside
