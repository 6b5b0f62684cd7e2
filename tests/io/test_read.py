"""Pictures that must simply work, and files that must be refused in one sentence."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, features

from recon.errors import BadInput, UnflatError
from recon.io.read import read_mask, read_photo
from recon.io.read_depth import read_depth
from recon.settings import Limits

UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}
"""EXIF orientation (CIPA DC-008, 4.6.5.1.6) -> stored picture turned upright."""
HALF_TURN, ORIENTATION, EXIF_IFD, FOCAL_35MM = 3, 0x112, 0x8769, 0xA405


def saved(picture: Image.Image | np.ndarray, path: Path, **options: Any) -> Path:
    picture = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    picture.save(path, **options)
    return path


def exif(orientation: int = 1, focal: float | None = None) -> Image.Exif:
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    if focal is not None:
        tags.get_ifd(EXIF_IFD)[FOCAL_35MM] = focal
    return tags


def grey16(rgb: np.ndarray) -> np.ndarray:
    return np.linspace(0, 65535, rgb.shape[0] * rgb.shape[1]).reshape(rgb.shape[:2]).astype(np.uint16)


@pytest.mark.parametrize("ending", [".png", ".tif", ".webp", ".jpg", ".avif"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_every_exif_orientation_is_turned_upright_exactly(
    rgb: np.ndarray, tmp_path: Path, orientation: int, ending: str
) -> None:
    if ending == ".avif" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF codec")
    lossless = {".webp": {"lossless": True}}.get(ending, {})
    turned = read_photo(saved(rgb, tmp_path / f"a{ending}", exif=exif(orientation), **lossless)).rgb
    stored = rgb if ending not in (".jpg", ".avif") else read_photo(saved(rgb, tmp_path / f"b{ending}")).rgb
    if ending != ".avif":  # its codec turns while it decodes, which changes a few values by one
        assert np.array_equal(turned, UPRIGHT[orientation](stored))
    else:
        assert np.abs(turned.astype(int) - UPRIGHT[orientation](stored)).max() <= 8


def test_16_bit_grey_is_turned_and_scaled(rgb: np.ndarray, tmp_path: Path) -> None:
    values = grey16(rgb)
    photo = read_photo(saved(values, tmp_path / "a.png", exif=exif(6)))
    expected = np.rot90((values / 257).round(), -1)
    assert np.abs(photo.rgb.astype(int) - expected[..., None]).max() <= 1


def test_cmyk_jpegs_keep_their_colours_inverted_by_adobe_or_not(rgb: np.ndarray, tmp_path: Path) -> None:
    cmyk = Image.fromarray(rgb).convert("CMYK")
    adobe = read_photo(saved(cmyk, tmp_path / "a.jpg", quality=100)).rgb
    tiff = read_photo(saved(cmyk, tmp_path / "a.tif")).rgb
    assert np.array_equal(tiff, rgb)
    assert np.abs(adobe.astype(int) - rgb).mean() < 3


def test_palette_grey_and_bilevel_pictures(rgb: np.ndarray, tmp_path: Path) -> None:
    palette = Image.fromarray(rgb).quantize(64)
    assert np.array_equal(read_photo(saved(palette, tmp_path / "p.png")).rgb, np.asarray(palette.convert("RGB")))
    bilevel = Image.fromarray(rgb).convert("1")
    assert set(np.unique(read_photo(saved(bilevel, tmp_path / "b.png")).rgb)) == {0, 255}
    grey = Image.fromarray(rgb).convert("L")
    assert np.array_equal(read_photo(saved(grey, tmp_path / "l.png")).rgb[..., 1], np.asarray(grey))


@pytest.mark.parametrize("with_profile", [False, True])
@pytest.mark.parametrize("mode", ["P", "LA", "RGBA"])
def test_transparency_in_every_mode(rgb: np.ndarray, tmp_path: Path, mode: str, with_profile: bool) -> None:
    alpha = np.full(rgb.shape[:2], 255, np.uint8)
    alpha[:12, :16] = 0
    picture = Image.fromarray(np.dstack([rgb, alpha]))
    if mode == "P":
        picture = Image.fromarray(rgb).quantize(16)
        picture.info["transparency"] = picture.getpixel((0, 0))
        alpha = (np.asarray(picture) != picture.getpixel((0, 0))) * np.uint8(255)
    extra = {"icc_profile": swapped_primaries()} if with_profile else {}
    photo = read_photo(saved(picture.convert(mode), tmp_path / "a.png", **extra))
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha, alpha)


def test_opaque_alpha_is_no_alpha(rgb: np.ndarray, tmp_path: Path) -> None:
    assert read_photo(saved(Image.fromarray(rgb).convert("RGBA"), tmp_path / "a.png")).alpha is None


@pytest.mark.parametrize("ending", [".gif", ".webp", ".png"])
def test_of_an_animation_the_first_frame_is_taken(rgb: np.ndarray, tmp_path: Path, ending: str) -> None:
    frames = [Image.fromarray(rgb), Image.fromarray(rgb[::-1, ::-1])]
    path = saved(frames[0], tmp_path / f"a{ending}", save_all=True, append_images=frames[1:])
    assert np.abs(read_photo(path).rgb.astype(int) - rgb).mean() < 6


@pytest.mark.parametrize("ending", [".bmp", ".ppm", ".jp2", ".tif", ".mpo", ".heic"])
def test_rarer_formats(rgb: np.ndarray, tmp_path: Path, ending: str) -> None:
    if ending == ".heic":
        pytest.importorskip("pillow_heif").register_heif_opener()
    extra = {"save_all": True, "append_images": [Image.fromarray(rgb)]} if ending == ".mpo" else {}
    assert np.abs(read_photo(saved(rgb, tmp_path / f"a{ending}", **extra)).rgb.astype(int) - rgb).mean() < 4


def test_16_bit_rgb_png(rgb: np.ndarray, tmp_path: Path) -> None:
    import cv2

    path = tmp_path / "a.png"
    cv2.imwrite(str(path), rgb[..., ::-1].astype(np.uint16) * 257)
    assert np.array_equal(read_photo(path).rgb, rgb)
    cv2.imwrite(str(path.with_suffix(".tif")), rgb[..., ::-1].astype(np.uint16) * 257)
    assert np.array_equal(read_photo(path.with_suffix(".tif")).rgb, rgb)


def test_float_tiff_with_infinities(rgb: np.ndarray, tmp_path: Path) -> None:
    values = rgb[..., 0].astype(np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    out = read_photo(saved(values, tmp_path / "a.tif")).rgb
    assert out[0, :3].max() == 0
    assert out[20, 63, 0] == 255  # the brightest value is white


def swapped_primaries() -> bytes:
    """sRGB's profile with the red and the blue primary exchanged, under another name."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {bytes(profile[i : i + 4]): i for i in range(132, 132 + 12 * int.from_bytes(profile[128:132], "big"), 12)}
    red, blue = tags[b"rXYZ"], tags[b"bXYZ"]
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be")).replace(b"sRGB", b"test")


def test_a_profile_changes_colours_in_its_own_direction(tmp_path: Path) -> None:
    red = np.zeros((20, 20, 3), np.uint8)
    red[..., 0] = 200
    out = read_photo(saved(red, tmp_path / "a.png", icc_profile=swapped_primaries())).rgb
    assert np.abs(out[0, 0].astype(int) - [0, 0, 200]).max() <= 3


@pytest.mark.parametrize("profile", [b"", b"no profile", swapped_primaries()[:200]])
def test_a_broken_profile_is_ignored(rgb: np.ndarray, tmp_path: Path, profile: bytes) -> None:
    assert np.array_equal(read_photo(saved(rgb, tmp_path / "a.png", icc_profile=profile)).rgb, rgb)


def test_damaged_exif_is_ignored(rgb: np.ndarray, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    tags = exif(HALF_TURN, 28).tobytes()
    for i in range(40):
        torn = bytearray(tags[: len(tags) if i % 2 else int(rng.integers(7, len(tags)))])
        for at in rng.integers(6, len(torn), 6):
            torn[at] = int(rng.integers(256))
        photo = read_photo(saved(rgb, tmp_path / "a.jpg", exif=bytes(torn) + b"\xff" * 60_000 * (i % 3 == 0)))
        assert sorted(photo.size) == [48, 64]


@pytest.mark.parametrize(("value", "kept"), [(28, 28.0), (0, None), (4000, None), (24.5, 24.5)])
def test_focal_length_is_kept_where_it_is_credible(
    rgb: np.ndarray, tmp_path: Path, value: float, kept: float | None
) -> None:
    assert read_photo(saved(rgb, tmp_path / "a.jpg", exif=exif(1, value))).focal_35mm == kept


def test_names_with_spaces_umlauts_dashes_and_newlines(rgb: np.ndarray, tmp_path: Path) -> None:
    for name in ("a b.png", "Käthe Ω.png", "🫖.png", "-dash.png", "line\nbreak.png", "no-ending"):
        assert np.array_equal(read_photo(saved(rgb, tmp_path / name, format="PNG")).rgb, rgb)
    (tmp_path / "link").symlink_to(tmp_path / "a b.png")
    assert np.array_equal(read_photo(tmp_path / "link").rgb, rgb)


def test_the_pixel_limit_is_ours_and_can_be_raised(tmp_path: Path) -> None:
    path = saved(Image.new("1", (14_000, 14_000)), tmp_path / "a.png")  # 196 MP: beyond Pillow's own limit of 179
    with pytest.raises(BadInput, match=r"14000×14000 pixels, at most 120 megapixels"):
        read_photo(path)
    with pytest.raises(BadInput, match=r"at most 195 megapixels"):
        read_photo(path, Limits(max_pixels=195_000_000))
    assert Image.MAX_IMAGE_PIXELS is not None


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    made = (struct.pack(">I", len(d)) + name + d + struct.pack(">I", zlib.crc32(name + d)) for name, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(made)


def tiff_of_strips(count: int) -> bytes:
    """A 64×48 TIFF that says it has `count` strips."""
    tags = {256: (4, 1, 64), 257: (4, 1, 48), 258: (3, 1, 8), 262: (3, 1, 1), 273: (4, count, 8), 278: (4, 1, 1),
            279: (4, count, 8)}  # fmt: skip
    body = b"".join(struct.pack("<HHII", tag, *value) for tag, value in tags.items())
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + body + b"\0" * 4


HEADER = (b"IHDR", struct.pack(">IIBBBBB", 64, 48, 8, 0, 0, 0, 0))
BOMB = zlib.compress(b"\0" * 30_000_000)
HOSTILE = {
    "text": b"not a picture at all",
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\n(hello) print\n",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='64' height='48'/>",
    "png without data": png(HEADER, (b"IEND", b"")),
    "png with a text bomb": png(HEADER, (b"zTXt", b"a\0\0" + BOMB), (b"IDAT", zlib.compress(b"\0" * 65 * 48))),
    "png with a profile bomb": png(HEADER, (b"iCCP", b"a\0\0" + BOMB), (b"IDAT", zlib.compress(b"\0" * 48)[:20])),
    "png of zero size": png((b"IHDR", struct.pack(">IIBBBBB", 0, 0, 8, 0, 0, 0, 0)), (b"IEND", b"")),
    "gif without a frame": b"GIF89a\x40\0\x30\0\0\0\0;",
    "tiff of 2^31 strips": tiff_of_strips(2**31),
    "tiff of 2^32-1 strips": tiff_of_strips(2**32 - 1),
    "ppm that ends": b"P6 64 48 255\n123",
    "ppm of huge size": b"P6 999999 999999 255\n123",
    "bmp header alone": b"BM" + b"\0" * 60,
    "jpeg start alone": b"\xff\xd8\xff\xe0",
    "webp riff alone": b"RIFF\xff\xff\xff\xffWEBPVP8 ",
    "heif box alone": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "avif box alone": b"\0\0\0\x18ftypavif\0\0\0\0mif1avif",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_refused_in_silence(data: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    for read in (read_photo, lambda p: read_mask(p, (48, 64)), lambda p: read_depth(p, "metric", (48, 64))):
        with pytest.raises(BadInput) as caught:
            read(path)
        assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def seeds(rgb: np.ndarray) -> dict[str, bytes]:
    """A small file of every format there is a codec for."""
    picture, out = Image.fromarray(rgb), {}
    todo: list[tuple[str, Image.Image, dict[str, Any]]] = [
        ("JPEG", picture, {"exif": exif(6, 28)}), ("PNG", picture, {"exif": exif(6)}),
        ("GIF", picture.quantize(), {}), ("BMP", picture, {}), ("PPM", picture, {}), ("WEBP", picture, {}),
        ("TIFF", picture, {"compression": "tiff_lzw"}), ("TIFF", picture, {"compression": "jpeg"}),
        ("TIFF", picture.convert("1"), {"compression": "group4"}), ("JPEG2000", picture, {}), ("AVIF", picture, {}),
        ("MPO", picture, {"save_all": True, "append_images": [picture]}),
    ]  # fmt: skip
    for i, (name, image, options) in enumerate(todo):
        if name in Image.SAVE:
            buffer = io.BytesIO()
            image.save(buffer, name, **options)
            out[f"{name}{i}"] = buffer.getvalue()
    return out


def test_torn_and_flipped_bytes_never_escape(
    rgb: np.ndarray, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Either a picture or one sentence, and nothing printed by the codecs: 12 formats × 24 damages."""
    Image.init()
    rng, path, refused = np.random.default_rng(7), tmp_path / "a", 0
    for data in seeds(rgb).values():
        for i in range(24):
            torn = bytearray(data[: int(rng.integers(1, len(data)))] if i % 3 == 0 else data)
            for at in rng.integers(0, min(len(torn), 400), (i % 3) * 4):
                torn[at] = int(rng.integers(256))
            path.write_bytes(torn)
            for read in (read_photo, lambda p: read_depth(p, "scale", (48, 64))):
                try:
                    read(path)
                except UnflatError as error:
                    refused += 1
                    assert "\n" not in str(error)
    assert refused > 200
    assert capfd.readouterr() == ("", "")


def test_a_mask_is_measured_after_it_was_turned_upright(rgb: np.ndarray, tmp_path: Path) -> None:
    white = np.full((48, 64), 255, np.uint8)
    path = saved(white, tmp_path / "a.png", exif=exif(6))
    assert read_mask(path, (64, 48)).all()
    with pytest.raises(BadInput, match="is 48×64 pixels and the upright photo 64×48"):
        read_mask(path, (48, 64))


def test_a_mask_is_its_alpha_or_its_brightness(rgb: np.ndarray, tmp_path: Path) -> None:
    inside = np.zeros((48, 64), bool)
    inside[10:30, 5:50] = True
    values = (inside * 255).astype(np.uint8)
    for picture in (values, inside, np.dstack([rgb, values]), values.astype(np.uint16) * 257):
        assert np.array_equal(read_mask(saved(picture, tmp_path / "a.png"), (48, 64)), inside)
    assert not read_mask(saved(0 * values, tmp_path / "a.png"), (48, 64)).any()  # what that means the subject says


def test_a_fully_transparent_photo_is_refused(rgb: np.ndarray, tmp_path: Path) -> None:
    path = saved(np.dstack([rgb, np.zeros((48, 64), np.uint8)]), tmp_path / "a.png")
    with pytest.raises(BadInput, match="fully transparent"):
        read_photo(path)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_truncated_jpeg_is_refused(rgb: np.ndarray, tmp_path: Path, share: float) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.tile(rgb, (4, 4, 1))).save(buffer, "JPEG")
    (tmp_path / "a.jpg").write_bytes(buffer.getvalue()[: int(share * len(buffer.getvalue()))])
    with pytest.raises(BadInput, match=r"breaks off or is damaged|no picture"):
        read_photo(tmp_path / "a.jpg")
