"""Read photos, masks and depth maps: an allow-list of formats, limits before decoding, upright sRGB out.

EXIF orientation is applied first; the 35 mm focal length is kept; every other tag is dropped.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray
from PIL import Image, ImageOps, UnidentifiedImageError

from recon.errors import BadInput
from recon.settings import Limits
from recon.stages.files import checked_file
from recon.types import DepthKind, Photo, RawDepth

COMMON_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "PPM")
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "AVIF", "JPEG2000", "HEIF")
EXIF_IFD, FOCAL_35MM = 0x8769, 0xA405
_SRGB_NAMES = ("srgb", "iec61966-2.1", "iec 61966-2.1")


def read_photo(path: str | Path, limits: Limits = Limits()) -> Photo:
    """An upright sRGB photo from a file.

    Handles CMYK, grey, 16-bit, palette, animated (first frame), ICC profiles and EXIF orientation. Raises BadInput with
    one sentence for anything that is no readable picture within the limits.
    """
    path = Path(path)
    checked_file(path, "the photo", limits.max_bytes)
    with _opened(path, "the photo", limits) as picture:
        focal = picture.getexif().get_ifd(EXIF_IFD).get(FOCAL_35MM)
        rgba = _upright_rgb(picture, f"the photo {str(path)!r}")
    alpha = rgba[..., 3] if rgba.shape[2] == 4 else None
    if alpha is not None and not alpha.any():
        raise BadInput(f"the photo {str(path)!r} is fully transparent; give one with something in it.")
    if alpha is not None and alpha.min() == 255:
        alpha = None
    rgb = np.ascontiguousarray(rgba[..., :3])
    return Photo(rgb, None if alpha is None else np.ascontiguousarray(alpha), _focal_length(focal), path.stem)


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
    with _opened(path, "the mask", limits) as picture:
        _check_size("the mask", path, (picture.height, picture.width), size)
        values = _upright_rgb(picture, f"the mask {str(path)!r}")
    has_alpha = values.shape[2] == 4 and values[..., 3].min() < 255
    inside: Bool[ndarray, "h w"] = (values[..., 3] if has_alpha else values[..., :3].max(axis=2)) > 127
    if not inside.any():
        raise BadInput(f"the mask {str(path)!r} is empty; paint the subject white.")
    return inside


def read_depth(
    path: str | Path, kind: DepthKind, size: tuple[int, int], scale: float = 1000.0, limits: Limits = Limits()
) -> RawDepth:
    """A depth map of the upright photo's size from .npy (float or integer) or a 16-bit or 8-bit picture.

    Zero, negative and non-finite values mean "no surface" (in a disparity map zero is infinitely far). Integer pictures
    of metric depth are divided by `scale` (1000: millimetres). Raises BadInput when nothing usable is in it.
    """
    path = Path(path)
    checked_file(path, "the depth map", max(limits.max_bytes, 8 * limits.max_pixels + 4096))
    values = _load_npy(path) if path.suffix.lower() == ".npy" else _load_depth_picture(path, limits)
    _check_size("the depth map", path, values.shape, size)
    if kind != "disparity" and path.suffix.lower() != ".npy" and values.dtype.kind in "ui":
        values = values / np.float32(scale)
    depth = values.astype(np.float32, copy=values.dtype != np.float32)
    depth = np.where(np.isfinite(depth) & (depth > 0), depth, np.float32(np.nan))
    _check_usable(depth, path)
    return RawDepth(depth, kind, "given")


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
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = read(file)
            if dtype.kind not in "fiu" or dtype.hasobject:
                raise ValueError(f"it holds {dtype}")
            shape = shape[:2] if len(shape) == 3 and shape[2] == 1 else shape
            if len(shape) != 2:
                raise ValueError(f"its shape is {shape}")
            promised = int(np.prod(shape, dtype=np.float64)) * dtype.itemsize
            if promised > path.stat().st_size:
                raise ValueError(f"its header promises {promised / 2**20:.0f} MiB and the file is shorter")
            values = np.fromfile(file, dtype, count=shape[0] * shape[1])
    except (ValueError, EOFError, OSError, SyntaxError, OverflowError) as error:
        raise BadInput(
            f"the depth map {str(path)!r} is no array of numbers with one value per pixel ({error}); "
            "save one with numpy.save."
        ) from None
    return values.reshape(shape, order="F" if fortran else "C")


def _load_depth_picture(path: Path, limits: Limits) -> ndarray:
    with _opened(path, "the depth map", limits) as picture:
        try:
            values = np.asarray(picture)
        except (OSError, SyntaxError, ValueError) as error:
            raise BadInput(f"the depth map {str(path)!r} cannot be decoded ({error}); save it again.") from None
    if values.ndim == 3:
        raise BadInput(
            f"the depth map {str(path)!r} has {values.shape[2]} channels; give a single-channel one (16-bit PNG or .npy)."
        )
    return values


def _opened(path: Path, what: str, limits: Limits) -> Image.Image:
    """The picture with its header checked and nothing decoded yet."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own pixel limit stands below; Pillow's would only repeat it
            picture = _identified(path.read_bytes())
    except Image.DecompressionBombError:
        raise BadInput(_too_many(what, path, None, limits)) from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise BadInput(
            f"{what} {str(path)!r} is no picture that can be read; give a JPEG, PNG, WebP, TIFF, AVIF or HEIC file."
        ) from None
    width, height = picture.size
    if width * height > limits.max_pixels:
        raise BadInput(_too_many(what, path, (width, height), limits))
    if min(width, height) < limits.min_side:
        raise BadInput(
            f"{what} {str(path)!r} is {width}×{height} pixels, at least {limits.min_side} on each side are needed;"
            " give a larger one."
        )
    return picture


def _identified(data: bytes) -> Image.Image:
    """Opened by one of the allowed codecs; the rarer ones are imported only when the common ones do not know it."""
    try:
        return Image.open(io.BytesIO(data), formats=COMMON_FORMATS)
    except UnidentifiedImageError:
        Image.init()
        _register_heif()
        return Image.open(io.BytesIO(data), formats=[name for name in FORMATS if name in Image.OPEN])


def _too_many(what: str, path: Path, size: tuple[int, int] | None, limits: Limits) -> str:
    came = f"is {size[0]}×{size[1]} pixels" if size else "has far too many pixels"
    return (
        f"{what} {str(path)!r} {came}, at most {limits.max_pixels / 1e6:g} megapixels are allowed;"
        " make it smaller or raise the limit with --max-megapixels."
    )


def _register_heif() -> None:
    """HEIC photos are read where the extra package pillow-heif is installed."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return
    register_heif_opener()


def _upright_rgb(picture: Image.Image, what: str) -> UInt8[ndarray, "h w c"]:
    """Decoded, turned upright, converted to sRGB: h×w×3, or h×w×4 where the file has transparency."""
    try:
        picture.load()
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError) as error:
        raise BadInput(f"{what} breaks off or is damaged ({error}); save or download it again.") from None
    profile = picture.info.get("icc_profile")
    upright = ImageOps.exif_transpose(picture)
    picture = _eight_bit(upright if upright is not None else picture)
    if profile:
        picture = _to_srgb(picture, profile)
    transparent = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    return np.asarray(picture.convert("RGBA" if transparent else "RGB"))


def _eight_bit(picture: Image.Image) -> Image.Image:
    """16- and 32-bit grey scaled to 8 bits; other modes as they are."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    values = np.asarray(picture).astype(np.float32)
    top = 65535.0 if picture.mode.startswith("I") else max(float(np.nanmax(values)), 1.0)
    return Image.fromarray(np.clip(np.nan_to_num(values) * (255.0 / top), 0, 255).round().astype(np.uint8))


def _to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Colours taken from the embedded profile to sRGB; a broken profile is ignored, as browsers do."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if any(name in ImageCms.getProfileDescription(source).lower() for name in _SRGB_NAMES):
            return picture
        mode = {"LA": "L", "PA": "RGB", "P": "RGB", "RGBA": "RGB", "1": "L"}.get(picture.mode, picture.mode)
        alpha = picture.convert("RGBA").getchannel("A") if picture.mode in ("RGBA", "LA", "PA") else None
        out = ImageCms.profileToProfile(picture.convert(mode), source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    if out is None:
        return picture
    if alpha is not None:
        out.putalpha(alpha)
    return out


def _focal_length(value: object) -> float | None:
    """EXIF's 35 mm focal length in millimetres where it is credible."""
    try:
        focal = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return focal if 5 <= focal <= 1500 else None
