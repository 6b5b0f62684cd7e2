"""Raw files of cameras, by the optional package rawpy. Without it they are refused: what else is in them is a thumbnail."""

from __future__ import annotations

import io

from PIL import Image

from recon.errors import MissingCodec
from recon.io.checks import check_extent
from recon.io.tiff import pages_of
from recon.messages import Message
from recon.settings import Limits

NAME = "RAW"
"""As it stands in a list of allowed formats, beside Pillow's names."""
STARTS = (b"FUJIFILMCCD-RAW", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FOVb", b"\0MRM")
"""How raw files begin that are no TIFF: Fujifilm, Panasonic, Olympus, Sigma, Minolta."""


def is_raw(data: bytes) -> bool:
    """Whether a file holds a camera's sensor values (DNG, NEF, ARW, CR2, CR3, RAF, RW2, ORF, …)."""
    if data.startswith(STARTS) or data[4:12] == b"ftypcrx " or (data[:2] in (b"II", b"MM") and data[8:10] == b"CR"):
        return True
    return any(page.sensor for page in pages_of(data))


def raw_picture(data: bytes, named: Message, limits: Limits) -> tuple[Image.Image, tuple[int, int], Image.Exif]:
    """The developed picture, upright, sRGB, at half size beyond `limits.read_pixels`; the sensor's (width, height); tags.

    Raises MissingCodec where rawpy is not installed, and what LibRaw raises.
    """
    try:
        import rawpy
    except ImportError:
        raise MissingCodec(
            "picture.no_raw_codec",
            "{named} is a camera's raw file and the package that reads these is not here; run pip install rawpy, or"
            " export the photo as a JPEG.",
            named=named,
            kind="Raw",
        ) from None
    with rawpy.imread(io.BytesIO(data)) as raw:
        size = raw.sizes.width, raw.sizes.height
        check_extent(named, size, limits)
        exif = _exif(data, raw)
        half = size[0] * size[1] > limits.read_pixels
        pixels = raw.postprocess(use_camera_wb=True, output_bps=8, half_size=half)
    return Image.fromarray(pixels), size, exif


def _exif(data: bytes, raw: object) -> Image.Exif:
    """The tags of the file itself where it is a TIFF, else those of the preview in it; none where there are none."""
    try:
        return Image.open(io.BytesIO(data), formats=["TIFF"]).getexif()
    except Exception:  # no TIFF: the preview is a JPEG with the same tags
        try:
            preview = raw.extract_thumb().data  # type: ignore[attr-defined]
            return Image.open(io.BytesIO(preview), formats=["JPEG"]).getexif()
        except Exception:  # the tags are damaged, or there are none
            return Image.Exif()
