"""Files with one number per pixel: .npy and .npz arrays, OpenEXR, and grey pictures of 8, 16 or 32 bits.

Never unpickles, and believes a file's size more than its header. What comes out may still have an axis too many, see
`read_depth`.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped
from numpy import ndarray

from recon.errors import BadInput
from recon.io.checks import check_extent
from recon.io.containers import file_bytes, open_picture
from recon.io.decoding import decoding
from recon.messages import Message, note
from recon.settings import Limits

MAPS = note("wanted.map", "a .npy file or a 16-bit PNG (.npz and .exr too)")
ARRAYS, CHANNELS = note("thing.arrays", "arrays"), note("thing.channels", "channels")
NAMES = ("depth", "z", "Z", "disparity", "predicted_depth", "pred", "depth_map", "inverse_depth")
"""What depth maps are called among several arrays or channels, the first that is there counts."""


def depth_values(path: Path, named: Message, limits: Limits) -> Shaped[ndarray, " ..."]:
    """The numbers of a file by its ending. Raises BadInput."""
    kinds = {".npy": _npy, ".npz": _npz, ".exr": _exr}
    return kinds.get(path.suffix.lower(), _picture)(path, named, limits)


def palette(named: Message) -> BadInput:
    """Of a map whose numbers are places in a table of colours."""
    return BadInput(
        "depth.palette", "{named} has palette colours; give one with a single channel: {wanted}.",
        named=named, wanted=MAPS,
    )  # fmt: skip


def _npy(path: Path, named: Message, limits: Limits) -> Shaped[ndarray, " ..."]:
    told = decoding(
        "depth.no_array",
        "{named} is no array of numbers with one value per pixel ({reason}); save one with numpy.save.",
        named=named,
    )
    with told, path.open("rb") as file:
        return _array(file, path.stat().st_size, limits)


def _npz(path: Path, named: Message, limits: Limits) -> Shaped[ndarray, " ..."]:
    told = decoding(
        "depth.no_array_inside",
        "{named} holds no array of numbers with one value per pixel ({reason}); save one with numpy.savez.",
        named=named,
    )
    with told, zipfile.ZipFile(path) as file:
        entries = {entry.filename.removesuffix(".npy"): entry for entry in file.infolist()}
        entry = entries[_chosen(list(entries), named, ARRAYS)]
        with file.open(entry) as stream:
            return _array(stream, entry.file_size, limits)


def _array(file: Any, size: int, limits: Limits) -> Shaped[ndarray, " ..."]:
    """The array of an .npy stream of `size` bytes."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(file)
    if dtype.kind not in "fiu" or dtype.hasobject:
        raise ValueError(f"it holds {dtype}")
    if not 2 <= len(shape) <= 4 or min(shape) < 1:
        raise ValueError(f"its shape is {shape}")
    count = int(np.prod(shape, dtype=object))
    promised, there = count * dtype.itemsize, size - file.tell()
    if promised > there:
        raise ValueError(f"its header promises {promised} bytes and {there} are there")
    if count > 4 * limits.max_pixels:
        raise ValueError(f"it holds {count} values")
    values = np.frombuffer(file.read(promised), dtype, count=count)
    return values.reshape(shape, order="F" if fortran else "C")


def _chosen(there: list[str], named: Message, what: Message) -> str:
    """Which of several arrays or channels is the depth. Raises BadInput where none can be told."""
    found = next((name for name in NAMES if name in there), there[0] if len(there) == 1 else None)
    if not there:
        raise BadInput("depth.empty", "{named} has no {what}; give one with a single one.", named=named, what=what)
    if found is None:
        raise BadInput(
            "depth.unnamed",
            "{named} has {count} {what} ({names}) and none is called depth; give one with a single one.",
            named=named, count=len(there), what=what, names=", ".join(there[:8]),
        )  # fmt: skip
    return found


def _exr(path: Path, named: Message, limits: Limits) -> Shaped[ndarray, " ..."]:
    try:
        import OpenEXR
    except ImportError:
        raise BadInput(
            "depth.no_exr_package",
            "{named} is an OpenEXR file and the package that reads these is not here; run pip install OpenEXR, or save the"
            " depth with numpy.save.",
            named=named,
        ) from None
    with decoding(
        "depth.exr_damaged",
        "{named} is no OpenEXR file that can be read ({reason}); save it again, or with numpy.save.",
        named=named,
    ):
        with OpenEXR.File(str(path), header_only=True) as file:
            header = dict(file.header())  # it is emptied with the file
        low, high = header["dataWindow"]
        across, down = (int(b) - int(a) + 1 for a, b in zip(low, high, strict=True))
        check_extent(named, (across, down), limits)
        with OpenEXR.File(str(path), separate_channels=True) as file:
            channels = {name: channel.pixels for name, channel in file.channels().items()}
        return _in_frame(_exr_channel(channels, named), header)


def _exr_channel(channels: dict[str, ndarray], named: Message) -> Shaped[ndarray, "h w"]:
    """The channel that is the depth: by its name or a layer's (`View Layer.Depth.Z`), or R, G and B where they agree."""
    last = {name.rpartition(".")[2]: name for name in channels}
    if set(last) >= {"R", "G", "B"} and not set(last) & {*NAMES, "Y"}:
        colours = np.stack([channels[last[name]] for name in "RGB"], axis=2)
        if all(np.array_equal(colours[..., 0], colours[..., i], equal_nan=True) for i in (1, 2)):
            return np.ascontiguousarray(colours[..., 0])
    if "Y" in last and not set(last) & set(NAMES):
        return channels[last["Y"]]
    return channels[last[_chosen(list(last), named, CHANNELS)]]


def _in_frame(values: Shaped[ndarray, "h w"], header: dict[str, Any]) -> Shaped[ndarray, "h w"]:
    """A data window put into its display window: what a renderer did not draw is no surface."""
    (left, top), (right, bottom) = header["dataWindow"]
    (x0, y0), (x1, y1) = header["displayWindow"]
    inside = x0 <= left and y0 <= top and right <= x1 and bottom <= y1
    if not inside or values.shape == (y1 - y0 + 1, x1 - x0 + 1):
        return values
    if (x1 - x0 + 1) * (y1 - y0 + 1) > 4 * values.size:
        return values
    out = np.full((y1 - y0 + 1, x1 - x0 + 1), np.nan, np.float32)
    out[top - y0 : bottom - y0 + 1, left - x0 : right - x0 + 1] = values
    return out


def _picture(path: Path, named: Message, limits: Limits) -> Shaped[ndarray, " ..."]:
    found = open_picture(file_bytes(path, named), named, limits, MAPS, whole=True)
    if found.raw:
        raise BadInput(
            "depth.raw", "{named} has a camera's sensor values; give one with a single channel: {wanted}.",
            named=named, wanted=MAPS,
        )  # fmt: skip
    if found.picture.mode == "P":
        raise palette(named)
    return np.asarray(found.picture) if found.deep is None else found.deep
