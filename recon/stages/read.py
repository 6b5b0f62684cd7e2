"""Read photos, masks and depth maps: an allow-list of formats, limits before decoding, upright sRGB out.

EXIF orientation is applied first; the 35 mm focal length is kept; every other tag is dropped.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray
from PIL import ExifTags, Image, UnidentifiedImageError

from recon.errors import BadInput
from recon.settings import Limits
from recon.stages.decoding import decoding
from recon.stages.files import checked_file
from recon.types import DepthKind, Photo, RawDepth

COMMON_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "PPM")
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "AVIF", "JPEG2000", "HEIF")
EXIF_IFD, FOCAL_35MM = 0x8769, 0xA405
_TURNS = {  # EXIF orientation -> what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PICTURES = "a JPEG, PNG, WebP, TIFF, AVIF or HEIC file"
_MAPS = "a .npy file or a 16-bit PNG"
_DEPTHS = (1e-6, 1e6)
"""Depths that are taken for a surface, in metres or in medians: renderers write 1e10 where there is none, and float32
must hold squares of them."""
_SRGB_NAMES = ("srgb", "iec61966-2.1", "iec 61966-2.1")


def read_photo(path: str | Path, limits: Limits = Limits()) -> Photo:
    """An upright sRGB photo from a file.

    Handles CMYK, grey, 16-bit, palette, animated (first frame), ICC profiles and EXIF orientation. Raises BadInput with
    one sentence for anything that is no readable picture within the limits.
    """
    path = Path(path)
    checked_file(path, "the photo", limits.max_bytes)
    what = f"the photo {str(path)!r}"
    with _decoded(path, "the photo", limits) as picture:
        return _photo(*_upright_rgb(picture), what, path.stem)


def photo_from_bytes(data: bytes, limits: Limits = Limits(), formats: Sequence[str] = FORMATS) -> Photo:
    """The same from a file's bytes, which may hold one of `formats` only.

    Raises BadInput; its cause is Pillow's UnidentifiedImageError where the bytes are in none of these formats.
    """
    with _opened(data, "the photo", limits, _PICTURES, tuple(formats)) as picture:
        return _photo(*_upright_rgb(picture), "the photo", "photo")


def _photo(rgba: UInt8[ndarray, "h w c"], focal: float | None, what: str, name: str) -> Photo:
    alpha = rgba[..., 3] if rgba.shape[2] == 4 else None
    if alpha is not None and not alpha.any():
        raise BadInput(f"{what} is fully transparent; give one with something in it.")
    if alpha is not None and alpha.min() == 255:
        alpha = None
    rgb = np.ascontiguousarray(rgba[..., :3])
    return Photo(rgb, None if alpha is None else np.ascontiguousarray(alpha), _focal_length(focal), name)


def photo_from_array(rgb: UInt8[ndarray, "h w c"], name: str = "photo") -> Photo:
    """A Photo from an h×w×3 (RGB) or h×w×4 (RGBA) uint8 array that is already upright."""
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] not in (3, 4):
        raise BadInput(f"a photo array has shape h×w×3 or h×w×4 and type uint8, not {rgb.shape} {rgb.dtype}.")
    alpha = rgb[..., 3] if rgb.shape[2] == 4 and rgb[..., 3].min() < 255 else None
    return Photo(np.ascontiguousarray(rgb[..., :3]), alpha, None, name)


def read_mask(path: str | Path, size: tuple[int, int], limits: Limits = Limits()) -> Bool[ndarray, "h w"]:
    """A mask file of the upright photo's size (height, width): its alpha if it has one, else its brightness; > 127 is
    inside."""
    path = Path(path)
    checked_file(path, "the mask", limits.max_bytes)
    with _decoded(path, "the mask", limits) as picture:
        values, _ = _upright_rgb(picture)
    _check_size("the mask", path, values.shape[:2], size)
    has_alpha = values.shape[2] == 4 and values[..., 3].min() < 255
    inside: Bool[ndarray, "h w"] = (values[..., 3] if has_alpha else values[..., :3].max(axis=2)) > 127
    return inside


def read_depth(
    path: str | Path, kind: DepthKind, size: tuple[int, int], scale: float = 1000.0, limits: Limits = Limits()
) -> RawDepth:
    """A depth map of the upright photo's size from .npy (float or integer) or a 16-bit or 8-bit picture.

    Zero, negative and non-finite values mean "no surface" (in a disparity map zero is infinitely far), and so do depths
    outside 1e-6 to 1e6 metres or medians. Integer metric depth is divided by `scale` (1000: millimetres). Raises BadInput
    when nothing usable is in it.
    """
    path = Path(path)
    checked_file(path, "the depth map", max(limits.max_bytes, 8 * limits.max_pixels + 4096))
    values = _load_npy(path) if path.suffix.lower() == ".npy" else _load_depth_picture(path, limits)
    _check_size("the depth map", path, values.shape, size)
    depth = _surface_only(values, kind, scale)
    _check_usable(depth, path)
    return RawDepth(depth, kind, "given")


def _surface_only(values: ndarray, kind: DepthKind, scale: float) -> Float32[ndarray, "h w"]:
    """float32, NaN where there is no surface."""
    with np.errstate(over="ignore", under="ignore"):
        if kind == "metric" and values.dtype.kind in "ui":
            values = values / np.float64(scale)
        depth = values.astype(np.float32)
    depth[~(np.isfinite(depth) & (depth > 0))] = np.nan
    if kind == "disparity" or np.isnan(depth).all():
        return depth
    unit = float(np.nanmedian(depth)) if kind == "scale" else 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        depth[~((depth >= _DEPTHS[0] * unit) & (depth <= _DEPTHS[1] * unit))] = np.nan
    return depth


def _check_usable(depth: Float32[ndarray, "h w"], path: Path) -> None:
    valid = depth[~np.isnan(depth)]
    if valid.size < 16:
        raise BadInput(
            f"the depth map {str(path)!r} has {valid.size} usable values (finite and above 0); give a map with a surface."
        )
    if valid.min() == valid.max():
        raise BadInput(
            f"the depth map {str(path)!r} is constant ({valid[0]:g} everywhere); give one with relief in it."
        )


def _check_size(what: str, path: Path, came: tuple[int, ...], size: tuple[int, int]) -> None:
    if tuple(came) != tuple(size):
        shown = "×".join(str(n) for n in came[::-1])
        raise BadInput(
            f"{what} {str(path)!r} is {shown} pixels and the upright photo {size[1]}×{size[0]}; give one of the same size."
        )


def _load_npy(path: Path) -> ndarray:
    """An h×w array of numbers; never unpickles, and believes the file's size more than its header."""
    complaint = f"the depth map {str(path)!r} is no array of numbers with one value per pixel"
    with decoding(complaint, "save one with numpy.save"), path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file)
        if dtype.kind not in "fiu" or dtype.hasobject:
            raise ValueError(f"it holds {dtype}")
        shape = shape[:2] if len(shape) == 3 and shape[2] == 1 else shape
        if len(shape) != 2 or min(shape) < 1:
            raise ValueError(f"its shape is {shape}")
        promised, there = shape[0] * shape[1] * dtype.itemsize, path.stat().st_size - file.tell()
        if promised > there:
            raise ValueError(f"its header promises {promised} bytes and {there} are there")
        values = np.fromfile(file, dtype, count=shape[0] * shape[1])
        return values.reshape(shape, order="F" if fortran else "C")


def _load_depth_picture(path: Path, limits: Limits) -> ndarray:
    with _decoded(path, "the depth map", limits, _MAPS) as picture:
        values = np.asarray(picture)
    if picture.mode == "P" or values.ndim == 3:
        came = "palette colours" if picture.mode == "P" else f"{values.shape[2]} channels"
        raise BadInput(f"the depth map {str(path)!r} has {came}; give one with a single channel: {_MAPS}.")
    return values


@contextmanager
def _decoded(path: Path, what: str, limits: Limits, wanted: str = _PICTURES) -> Iterator[Image.Image]:
    """The picture of a file, see `_opened`."""
    named = f"{what} {str(path)!r}"
    with decoding(f"{named} cannot be read", "check the file"):
        data = path.read_bytes()
    with _opened(data, named, limits, wanted) as picture:
        yield picture


@contextmanager
def _opened(
    data: bytes, named: str, limits: Limits, wanted: str, formats: tuple[str, ...] = FORMATS
) -> Iterator[Image.Image]:
    """The picture, its header checked before anything is decoded. What goes wrong inside is told as damage."""
    with decoding(f"{named} breaks off or is damaged", "save or download it again"):
        try:
            picture = _identified(data, formats)
        except Exception as error:
            raise BadInput(f"{named} is no picture that can be read; give {wanted}.") from error
        with picture:
            _check_extent(named, picture.size, limits)
            picture.load()
            yield picture


def _check_extent(named: str, size: tuple[int, int], limits: Limits) -> None:
    """Raise BadInput for a picture that is too large to decode, or too small to be one."""
    if size[0] * size[1] > limits.max_pixels:
        raise BadInput(
            f"{named} is {size[0]}×{size[1]} pixels, at most {limits.max_pixels / 1e6:g} megapixels are"
            " allowed; make it smaller or raise the limit with --max-megapixels."
        )
    if min(size) < limits.min_side:
        raise BadInput(
            f"{named} is {size[0]}×{size[1]} pixels, at least {limits.min_side} on each side are needed;"
            " give a larger one."
        )


def _identified(data: bytes, formats: tuple[str, ...] = FORMATS) -> Image.Image:
    """Opened by one of the allowed codecs; the rarer ones are imported only when the common ones do not know it."""
    try:
        return Image.open(io.BytesIO(data), formats=[name for name in COMMON_FORMATS if name in formats])
    except UnidentifiedImageError:
        Image.init()
        _register_heif()
        return Image.open(io.BytesIO(data), formats=[name for name in formats if name in Image.OPEN])


def _register_heif() -> None:
    """HEIC photos are read where the extra package pillow-heif is installed."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return
    register_heif_opener()


def _upright_rgb(picture: Image.Image) -> tuple[UInt8[ndarray, "h w c"], float | None]:
    """A decoded picture turned upright and converted to sRGB, h×w×3, or h×w×4 where the file has transparency; and its
    35 mm focal length."""
    profile = picture.info.get("icc_profile")
    turn, focal = _from_exif(picture)
    transparent = picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info
    alpha = picture.convert("RGBA").getchannel("A") if transparent else None
    rgb = _eight_bit(picture)
    rgb = _to_srgb(rgb, profile) if profile else rgb.convert("RGB")
    if alpha is not None:
        rgb.putalpha(alpha)
    return np.asarray(rgb if turn is None else rgb.transpose(turn)), focal


def _from_exif(picture: Image.Image) -> tuple[Image.Transpose | None, float | None]:
    """What makes the picture upright, and its 35 mm focal length; nothing where the tags are damaged."""
    try:
        exif = picture.getexif()
        turn = _TURNS.get(exif.get(ExifTags.Base.Orientation, 1))
        return turn, _focal_length(exif.get_ifd(EXIF_IFD).get(FOCAL_35MM))
    except Exception:  # the parser raises many classes on damaged tags, and a picture without tags is a picture
        return None, None


def _eight_bit(picture: Image.Image) -> Image.Image:
    """16- and 32-bit grey scaled to 8 bits; other modes as they are."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    values = np.nan_to_num(np.asarray(picture).astype(np.float32), posinf=0, neginf=0)
    top = 65535.0 if picture.mode.startswith("I") else max(float(values.max()), 1.0)
    return Image.fromarray(np.clip(values * (255.0 / top), 0, 255).round().astype(np.uint8))


def _to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Colours taken from the embedded profile to sRGB, without alpha; a broken profile is ignored, as browsers do."""
    from PIL import ImageCms

    mode = {"LA": "L", "La": "L", "1": "L", "CMYK": "CMYK", "L": "L", "LAB": "LAB"}.get(picture.mode, "RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if mode == "RGB" and any(name in ImageCms.getProfileDescription(source).lower() for name in _SRGB_NAMES):
            return picture.convert("RGB")
        out = ImageCms.profileToProfile(picture.convert(mode), source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        out = None
    return out or picture.convert("RGB")


def _focal_length(value: object) -> float | None:
    """EXIF's 35 mm focal length in millimetres where it is credible."""
    try:
        focal = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return focal if 5 <= focal <= 1500 else None
