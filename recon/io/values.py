"""Arrays, tensors and Pillow images that a program hands over in place of files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped, UInt8
from numpy import ndarray

from recon.errors import BadInput
from recon.messages import Message, note

PHOTOS = note(
    "wanted.photo",
    "the path of a file, its bytes, a Pillow image, or an array or tensor h×w, h×w×3 or h×w×4 (also 3×h×w)",
)


def is_path(value: object) -> bool:
    """Whether it names a file."""
    return isinstance(value, str | os.PathLike)


def as_path(value: Any, what: Message) -> Path:
    """The path that a string or path-like object means. Raises BadInput."""
    name = os.fspath(value) if is_path(value) else value
    if not isinstance(name, str):
        raise BadInput(
            "path.type", "the path of {what} is {given}; give text or a pathlib.Path.", what=what, given=repr(name)
        )
    return Path(name)


def as_array(value: Any, named: Message, wanted: Message) -> Shaped[ndarray, " ..."]:
    """The numbers of an array, of a tensor on any device, or of anything that numpy understands as an array of numbers.

    Raises BadInput for everything else.
    """
    came = type(value).__name__
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        value = value.detach().cpu()
        if str(getattr(value, "dtype", "")) == "torch.bfloat16":  # numpy has none
            value = value.float()
    if not (hasattr(value, "__array__") or hasattr(value, "__array_interface__")):
        raise BadInput("array.type", "{named} is of type {came}; give {wanted}.", named=named, came=came, wanted=wanted)
    try:
        out = np.asarray(value)
    except Exception as error:  # whatever somebody else's __array__ raises
        raise BadInput(
            "array.refused", "{named} of type {came} is no array ({reason}); give {wanted}.",
            named=named, came=came, reason=str(error), wanted=wanted,
        ) from None  # fmt: skip
    if out.dtype.kind not in "biuf" or out.size == 0:
        raise BadInput(
            "array.numbers", "{named} has shape {shape} and type {dtype}; give {wanted}.",
            named=named, shape=shape_words(out.shape), dtype=str(out.dtype), wanted=wanted,
        )  # fmt: skip
    return out


def shape_words(shape: tuple[int, ...]) -> str:
    """A shape as people write it."""
    return "×".join(map(str, shape)) or "()"


def as_colours(values: Shaped[ndarray, " ..."], named: Message) -> UInt8[ndarray, "h w c"]:
    """An array of colours as uint8, h×w×3 or h×w×4.

    Takes h×w, h×w×1, 3 or 4 channels, the same with channels first, a batch of one; bool, uint8, uint16 (65535 is white),
    and floats from 0 to 1. Raises BadInput.
    """
    came = f"{shape_words(values.shape)} {values.dtype}"
    if values.ndim == 4 and values.shape[0] == 1:
        values = values[0]
    if values.ndim == 3 and values.shape[2] not in (1, 3, 4) and values.shape[0] in (1, 3, 4):
        values = np.moveaxis(values, 0, 2)
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3 or values.shape[2] not in (1, 3, 4):
        raise _no_colours(named, came)
    values = _eight_bit(values, named, came)
    return np.ascontiguousarray(np.repeat(values, 3, axis=2) if values.shape[2] == 1 else values)


def _no_colours(named: Message, came: str) -> BadInput:
    return BadInput(
        "array.colours", "{named} array has shape h×w×3 or h×w×4 and type uint8, not {came}.", named=named, came=came
    )


def _eight_bit(values: Shaped[ndarray, "h w c"], named: Message, came: str) -> UInt8[ndarray, "h w c"]:
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values * np.uint8(255)
    if values.dtype == np.uint16:
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if values.dtype.kind != "f":
        raise _no_colours(named, came)
    low, high = float(np.min(values)), float(np.max(values))
    if not (low >= -1e-3 and high <= 1 + 1e-3):  # also where either is NaN
        raise BadInput(
            "array.range",
            "{named} array of floats has values from {low:g} to {high:g}; give floats from 0 to 1, or uint8 from 0 to 255.",
            named=named, low=low, high=high,
        )  # fmt: skip
    return (np.clip(values.astype(np.float32), 0, 1) * 255).round().astype(np.uint8)
