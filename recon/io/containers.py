"""From a file's bytes to the picture that a person means by it: an allow-list of formats, limits before decoding, and the
real picture where the first one in the file is a thumbnail.

Large pictures are read at a half, a quarter or an eighth of their size (`Limits.read_pixels`): a JPEG's decoder does that
itself and never holds the whole picture.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt16
from numpy import ndarray
from PIL import Image, ImageFile, UnidentifiedImageError

from recon.errors import BadInput, MissingCodec
from recon.io.checks import check_extent, reduction_factor
from recon.io.decoding import decoding, decoding_picture
from recon.io.embedded import depth_inside, panorama_by_tag
from recon.io.raw import NAME as RAW
from recon.io.raw import is_raw, raw_picture
from recon.io.tiff import pages_of
from recon.messages import Message, note
from recon.settings import Limits

COMMON_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "PPM")
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "AVIF", "JPEG2000", "HEIF", "JXL", RAW)
PICTURES = note("wanted.picture", "a JPEG, PNG, WebP, TIFF, AVIF or HEIC file")
JXL_STARTS = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
BITS = (8, 10, 12, 14)
"""Of sensors and their files, where their values are kept in 16."""
SAME_SHAPE = 0.02
"""Relative difference of aspect up to which a page is the same picture at another size."""


@dataclass(frozen=True)
class Opened:
    """A decoded picture. size: (width, height) in the file, before anything was reduced; factor: by which its sides have
    still to be divided; exif: its tags; raw: a developed raw file, upright already; deep: the 16-bit values of a colour
    picture of which Pillow keeps the upper half; panorama, depth: what else the file says (see `embedded`)."""

    picture: Image.Image
    size: tuple[int, int]
    factor: int
    exif: Image.Exif
    raw: bool = False
    deep: UInt16[ndarray, "h w c"] | None = None
    panorama: Message | None = None
    depth: str = ""


def file_bytes(path: Path, named: Message) -> bytes:
    """A file's bytes. Raises BadInput."""
    with decoding("file.unreadable", "{named} cannot be read ({reason}); check the file.", named=named):
        return path.read_bytes()


def open_picture(
    data: bytes,
    named: Message,
    limits: Limits,
    wanted: Message = PICTURES,
    formats: tuple[str, ...] = FORMATS,
    whole: bool = False,
) -> Opened:
    """The picture, its header checked before anything is decoded. What goes wrong is told as damage.

    whole: at its own size, however large it is. Raises BadInput; its cause is Pillow's UnidentifiedImageError where the
    bytes are in none of the formats.
    """
    with decoding_picture(named):
        if RAW in formats and is_raw(data):
            picture, size, exif = raw_picture(data, named, limits)
            return Opened(picture, size, reduction_factor(picture.size, limits), exif, raw=True)
        try:
            picture = _identified(data, formats, named)
        except BadInput:
            raise
        except Exception as error:
            raise BadInput(
                "picture.unknown", "{named} is no picture that can be read; give {wanted}.", named=named, wanted=wanted
            ) from error
        check_extent(named, picture.size, limits)
        if picture.format == "TIFF":
            _turn_to_photo(picture, data, named)
            check_extent(named, picture.size, limits)
        size, factor = picture.size, 1 if whole else reduction_factor(picture.size, limits)
        if factor > 1 and picture.format in ("JPEG", "MPO"):
            picture.draft(picture.mode, (size[0] // factor, size[1] // factor))
            factor //= round(size[0] / picture.size[0])
        keeps_half = picture.mode in ("RGB", "RGBA") and any(";16" in str(tile[3]) for tile in picture.tile)
        picture.load()
        deep = _sixteen_bit(data, picture) if keeps_half else None
        return Opened(picture, size, factor, _exif(picture), deep=deep, panorama=panorama_by_tag(picture),
                      depth=depth_inside(data, picture))  # fmt: skip


def _exif(picture: Image.Image) -> Image.Exif:
    try:
        return picture.getexif()
    except Exception:  # the parser raises many classes on damaged tags
        return Image.Exif()


def _identified(data: bytes, formats: tuple[str, ...], named: Message) -> ImageFile.ImageFile:
    """Opened by one of the allowed codecs; the rarer ones are imported only when the common ones do not know it."""
    try:
        return Image.open(io.BytesIO(data), formats=[name for name in COMMON_FORMATS if name in formats])
    except UnidentifiedImageError:
        Image.init()
        _register_heif()
        if "JXL" in formats and data.startswith(JXL_STARTS):
            _register_jxl(named)
        return Image.open(io.BytesIO(data), formats=[name for name in formats if name in Image.OPEN])


def _register_heif() -> None:
    """HEIC photos are read where the extra package pillow-heif is installed."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return
    register_heif_opener()


def _register_jxl(named: Message) -> None:
    try:
        import pillow_jxl  # noqa: F401
    except ImportError:
        raise MissingCodec(
            "picture.no_jxl_codec",
            "{named} is a JPEG XL picture and the package that reads these is not here; run pip install"
            " pillow-jxl-plugin, or give a JPEG.",
            named=named,
            kind="JPEG XL",
        ) from None


def _turn_to_photo(picture: Image.Image, data: bytes, named: Message) -> None:
    """Seek the page of a TIFF that is the photo: the largest of the first one's shape.

    Raises BadInput where the first page is called a smaller copy of one that cannot be read.
    """
    pages = pages_of(data)
    if not pages:
        return
    first, chain = pages[0], [page for page in pages if not page.sub]

    def like_the_first(i: int) -> bool:
        page = chain[i]
        sides = page.width * first.height, page.height * first.width
        return min(page.width, page.height) > 0 and abs(sides[0] - sides[1]) <= SAME_SHAPE * max(sides)

    best = max(filter(like_the_first, range(len(chain))), key=lambda i: chain[i].width * chain[i].height, default=0)
    if best:
        picture.seek(best)
    elif first.reduced:
        raise BadInput(
            "picture.thumbnail",
            "the first picture in {named} is a thumbnail of another that cannot be read; save the photo as a JPEG or PNG.",
            named=named,
        )


def _sixteen_bit(data: bytes, picture: Image.Image) -> UInt16[ndarray, "h w c"] | None:
    """A 16-bit colour picture's own values, where its upper bytes hold so little that they matter; else None."""
    if max(high for _, high in picture.getextrema()[:3]) >= 1 << (BITS[-1] - 8):  # type: ignore[misc]
        return None
    import cv2

    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 3 or values.shape[1::-1] != picture.size:
        return None
    order = (2, 1, 0, 3)[: values.shape[2]]
    for top in range(0, len(values), 256):  # in place: a copy of a large picture is as large again
        strip = values[top : top + 256]
        strip[...] = strip[..., order]
    return values
