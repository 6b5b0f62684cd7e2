"""A depth map that a person gives: a file, an array, a tensor or an image, of the photo's shape, at its size or another."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float32, Shaped
from numpy import ndarray

from recon.errors import BadInput, BadOption
from recon.geometry.sparse import is_sparse
from recon.io.depth_files import MAPS, depth_values, palette
from recon.io.files import checked_file, named_file
from recon.io.formats import DEPTH
from recon.io.sentinels import surface_only
from recon.io.values import as_array, as_path, is_path, shape_words
from recon.messages import Message, note
from recon.option_fields import check_value
from recon.options import PhotoOptions, option_of
from recon.settings import DepthKind, Limits
from recon.types import GIVEN, RawDepth

WANTED = note("wanted.depth", "an array or tensor h×w of numbers, a Pillow image, or a file: {files}", files=MAPS)
FEWEST = 16
"""Values with which there is a surface."""


def read_depth(
    given: Any, kind: DepthKind, size: tuple[int, int], scale: float | None = None, limits: Limits = Limits()
) -> RawDepth:
    """A depth map of the upright photo's shape from a file (.npy, .npz, .exr, a picture) or a program's array, tensor or
    Pillow image.

    Which values mean "no surface" says `sentinels`. scale: units per metre of a metric map; None: whole numbers are
    millimetres, floats metres. A smaller map keeps its size (`stages.depth` fills the photo's along its edges), a larger
    one gives the photo's pixels their nearest value. Raises BadInput when the shape is another or nothing usable is in it.
    """
    check_kind(kind, scale)
    if is_path(given):
        path = as_path(given, DEPTH)
        checked_file(path, DEPTH, max(limits.max_bytes, 8 * limits.max_pixels + 4096))
        named = named_file(DEPTH, path)
        values = depth_values(path, named, limits)
    else:
        named = DEPTH
        if getattr(given, "mode", None) in ("P", "PA"):
            raise palette(named)
        values = as_array(given, named, WANTED)
        if values.dtype.kind == "b":
            raise BadInput(
                "depth.no_numbers", "{named} holds {dtype}; give one of numbers.", named=named, dtype=str(values.dtype)
            )
    eight_bit = values.dtype == np.uint8
    values = one_channel(values, named)
    _check_shape(named, values.shape, size)
    depth, notes = surface_only(values, kind, scale)
    depth = _at_most(depth, size)
    _check_usable(depth, named, kind)
    if eight_bit:
        notes += (
            note(
                "depth.eight_bits", "the depth map has 8 bits, at most 256 steps of depth: slopes may look like stairs"
            ),
        )
    if depth.shape != tuple(size):
        notes += (
            note(
                "depth.smaller", "the depth map has {width}×{height} values; between them it follows the photo's edges",
                width=depth.shape[1], height=depth.shape[0],
            ),
        )  # fmt: skip
    return RawDepth(depth, kind, GIVEN, notes=notes)


def check_kind(kind: object, scale: float | None) -> None:
    """Raise BadOption for an unknown kind, or a scale that has no meaning for it."""
    check_value(option_of(PhotoOptions, "depth_kind"), kind)
    if scale is not None and kind != "metric":
        raise BadOption(
            "depth.scale",
            "<depth_scale> says how many units a metre has, and a map of the kind {kind} has no metres; leave it out or"
            " give <depth_kind> metric.",
            kind=kind,
        )


def one_channel(values: Shaped[ndarray, " ..."], named: Message) -> Shaped[ndarray, "h w"]:
    """h×w of an array that may have axes of one, or three equal channels and an opaque fourth, first or last. Raises
    BadInput."""
    came = shape_words(values.shape)
    while values.ndim > 2 and 1 in (values.shape[0], values.shape[-1]):
        values = values[0] if values.shape[0] == 1 else values[..., 0]
    if values.ndim == 3 and values.shape[2] not in (3, 4) and values.shape[0] in (3, 4):
        values = np.moveaxis(values, 0, 2)
    if values.ndim == 3 and values.shape[2] in (3, 4) and _is_grey(values):
        values = values[..., 0]
    if values.ndim == 3 and values.shape[2] <= 4:
        raise BadInput(
            "depth.coloured",
            "{named} has {count} channels that differ, as a coloured picture of depth has; give one with a single channel:"
            " {wanted}.",
            named=named, count=values.shape[2], wanted=MAPS,
        )  # fmt: skip
    if values.ndim != 2 or min(values.shape) < 1:
        raise BadInput(
            "depth.shape", "{named} is no array of numbers with one value per pixel (its shape is {came}); give h×w.",
            named=named, came=came,
        )  # fmt: skip
    return np.ascontiguousarray(values)


def _is_grey(values: Shaped[ndarray, "h w c"]) -> bool:
    first = values[..., 0]
    nan = values.dtype.kind == "f"
    opaque = values.shape[2] == 3 or bool(values[..., 3].min() == values[..., 3].max())
    return opaque and all(np.array_equal(first, values[..., i], equal_nan=nan) for i in (1, 2))


def _check_shape(named: Message, came: tuple[int, ...], size: tuple[int, int]) -> None:
    """Raise BadInput where the map's aspect is not the photo's to within one of its own pixels."""
    height, width = came
    across, down = height * size[1] / size[0], width * size[0] / size[1]
    if abs(across - width) <= 1 or abs(down - height) <= 1:
        return
    sides = {"width": width, "height": height, "photo_width": size[1], "photo_height": size[0]}
    if abs(width * size[1] / size[0] - height) <= 1:
        raise BadInput(
            "depth.turned",
            "{named} is {width}×{height} pixels and the upright photo {photo_width}×{photo_height}; turn it upright like"
            " the photo.",
            named=named,
            **sides,
        )
    raise BadInput(
        "depth.size",
        "{named} is {width}×{height} pixels and the upright photo {photo_width}×{photo_height}; give one of the same size,"
        " or of the same shape.",
        named=named,
        **sides,
    )


def _at_most(depth: Float32[ndarray, "h w"], size: tuple[int, int]) -> Float32[ndarray, "a b"]:
    """The map itself where it is smaller than the photo, else at the photo's size with nothing averaged across an edge:
    each pixel takes the sample at its middle. A sparse map's samples are carried over one by one at any size."""
    if depth.shape == tuple(size):
        return depth
    if is_sparse(depth):
        rows, columns = np.nonzero(~np.isnan(depth))
        out = np.full(size, np.nan, np.float32)
        down, across = (new / old for new, old in zip(size, depth.shape, strict=True))
        out[((rows + 0.5) * down).astype(int), ((columns + 0.5) * across).astype(int)] = depth[rows, columns]
        return out
    if depth.size <= size[0] * size[1]:
        return depth
    middle = [((np.arange(new) + 0.5) * old / new).astype(int) for new, old in zip(size, depth.shape, strict=True)]
    return depth[np.ix_(*middle)]


def _check_usable(depth: Float32[ndarray, "h w"], named: Message, kind: DepthKind) -> None:
    valid = depth[~np.isnan(depth)]
    if valid.size < FEWEST or (kind == "disparity" and not valid.any()):
        count = valid.size if valid.any() else 0
        raise BadInput(
            "depth.too_few", "{named} has {count} usable values (finite and above 0); give a map with a surface.",
            named=named, count=count,
        )  # fmt: skip
    if kind == "disparity" and valid.min() == valid.max():
        raise BadInput(
            "depth.constant", "{named} is constant ({value:g} everywhere); give one with relief in it.",
            named=named, value=float(valid[0]),
        )  # fmt: skip
