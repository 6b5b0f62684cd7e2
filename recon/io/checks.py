"""How large a picture may be."""

from __future__ import annotations

from recon.errors import BadInput
from recon.messages import Message
from recon.settings import Limits


def check_extent(named: Message, size: tuple[int, int], limits: Limits) -> None:
    """Raise BadInput for a picture of (width, height) that is too large to decode, or too small to be one."""
    if size[0] * size[1] > limits.max_pixels:
        raise BadInput(
            "picture.too_large",
            "{named} is {width}×{height} pixels, at most {most:g} megapixels are allowed; make it smaller or raise the"
            " limit with <max_megapixels>.",
            named=named, width=size[0], height=size[1], most=limits.max_pixels / 1e6,
        )  # fmt: skip
    if min(size) < limits.min_side:
        raise BadInput(
            "picture.too_small",
            "{named} is {width}×{height} pixels, at least {least} on each side are needed; give a larger one.",
            named=named, width=size[0], height=size[1], least=limits.min_side,
        )  # fmt: skip
    if max(size) > limits.max_side * reduction_factor(size, limits):
        raise BadInput(
            "picture.too_thin",
            "{named} is {width}×{height} pixels, too long and thin to be read; cut out a part of it.",
            named=named, width=size[0], height=size[1],
        )  # fmt: skip


def reduction_factor(size: tuple[int, int], limits: Limits) -> int:
    """By what power of two a picture's sides are divided while it is read: its result has at most `read_pixels` and
    `max_side`, as long as its shorter side stays allowed."""
    factor = 1
    while _too_much(size, factor, limits) and min(size) >= 2 * factor * limits.min_side:
        factor *= 2
    return factor


def _too_much(size: tuple[int, int], factor: int, limits: Limits) -> bool:
    return size[0] * size[1] > limits.read_pixels * factor**2 or max(size) > limits.max_side * factor
