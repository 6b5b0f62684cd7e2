"""Hostile and strange uploads, each with its code. What is kept is upright, re-encoded and without metadata."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image, PngImagePlugin
from web.conftest import picture, send

from web_3d_app.jobs import uploads
from web_3d_app.jobs.decoders import Decoders
from web_3d_app.services import Services


def bomb(side: int) -> bytes:
    """A PNG of side² grey pixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def long_text() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("a", "x" * 2_000_000, zip=True)
    return picture(pnginfo=info)


REFUSED = {
    "empty": (b"", 415, "not_a_photo"),
    "text": (b"hello, I am no photo", 415, "not_a_photo"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", 415, "not_a_photo"),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n", 415, "not_a_photo"),
    "gif": (picture("GIF", mode="P"), 415, "not_a_photo"),
    "gif+html": (b"GIF89a;<html><script>alert(1)</script>", 415, "not_a_photo"),
    "tiff": (picture("TIFF"), 415, "not_a_photo"),
    "bomb 30000": (bomb(30_000), 422, "bad_photo"),
    "bomb 12000": (bomb(12_000), 422, "bad_photo"),
    "over our limit": (bomb(1_500), 422, "bad_photo"),
    "too small": (picture(size=(15, 400)), 422, "bad_photo"),
    "truncated png": (picture(size=(200, 200))[:150], 422, "bad_photo"),
    "truncated jpeg": (picture("JPEG", size=(200, 200))[:700], 422, "bad_photo"),
    "long text": (long_text(), 422, "bad_photo"),
    "transparent": (picture(mode="RGBA"), 422, "bad_photo"),
    "too many bytes": (b"\xff" * (2 * 2**20 + 1), 413, "too_large"),
    "far too many bytes": (b"\xff" * (4 * 2**20), 413, "too_large"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(client: FlaskClient, parts: Services, name: str) -> None:
    data, status, code = REFUSED[name]
    answer = send(client, data, "photo.jpg")
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    assert answer.json["error"]["message"].endswith(".")
    assert parts.storage.names() == [] and client.get("/api/v1/jobs").json["jobs"] == []


ACCEPTED = {
    "jpeg": (picture("JPEG"), "image/jpeg"),
    "png": (picture(), "image/jpeg"),
    "webp": (picture("WEBP"), "image/jpeg"),
    "avif": (picture("AVIF"), "image/jpeg"),
    "cmyk": (picture("JPEG", mode="CMYK"), "image/jpeg"),
    "16 bit": (picture(mode="I;16"), "image/jpeg"),
    "palette": (picture(mode="P"), "image/jpeg"),
    "animated": (picture("WEBP", save_all=True, append_images=[Image.new("RGB", (64, 48), 9)]), "image/jpeg"),
    "jpeg+html": (picture("JPEG") + b"<html><script>alert(1)</script>", "image/jpeg"),
    "jpeg+zip": (picture("JPEG") + b"PK\x03\x04 and more", "image/jpeg"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_is_taken_is_encoded_anew(client: FlaskClient, name: str) -> None:
    data, media = ACCEPTED[name]
    answer = send(client, data, "a.jpg")
    assert answer.status_code == 202
    (photo,) = answer.json["artefacts"]
    kept = client.get(photo["url"])
    assert (kept.status_code, kept.mimetype, photo["bytes"]) == (200, media, len(kept.data))
    assert b"<html>" not in kept.data and b"PK\x03" not in kept.data
    assert Image.open(io.BytesIO(kept.data)).size == (64, 48)


def heic() -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif", reason="pip install pillow-heif")
    out = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), (200, 30, 30))).save(out)
    return out.getvalue()


def test_heic_is_taken_where_its_decoder_is(client: FlaskClient) -> None:
    answer = send(client, heic(), "IMG_1.HEIC")
    assert (answer.status_code, answer.json["photo"]["width"]) == (202, 64)
    assert "image/heic" in client.get("/api/v1/options").json["photo"]["types"]


def test_heic_is_refused_with_a_sentence_where_it_is_not(
    client: FlaskClient, parts: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = heic()
    (tmp_path / "pillow_heif.py").write_text("raise ImportError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("web_3d_app.jobs.uploads.find_spec", lambda name: None)
    parts.decoders = Decoders(count=1, seconds=60)
    answer = send(client, data, "IMG_1.HEIC")
    parts.decoders.close()
    assert (answer.status_code, answer.json["error"]["code"]) == (415, "not_a_photo")
    assert answer.json["error"]["message"] == (
        "HEIC photos cannot be read on this server; give a JPEG, PNG, WebP or AVIF file."
    )
    assert "image/heic" not in client.get("/api/v1/options").json["photo"]["types"] and parts.storage.names() == []


@pytest.fixture
def without(parts: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """A server on which a package is not installed."""

    def hide(package: str) -> None:
        (tmp_path / f"{package}.py").write_text("raise ImportError")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        real = uploads.find_spec
        monkeypatch.setattr(uploads, "find_spec", lambda name: None if name == package else real(name))
        parts.decoders = Decoders(count=1, seconds=60)
        made.append(parts.decoders)

    made: list[Decoders] = []
    yield hide
    for decoders in made:
        decoders.close()


def test_raw_and_jpeg_xl_are_refused_with_a_way_out_where_their_packages_are_not(
    client: FlaskClient, without: Callable[[str], None]
) -> None:
    raw, jxl = b"FUJIFILMCCD-RAW 0201" + b"\0" * 64, b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0" * 64
    told = {
        "rawpy": (
            raw,
            "DSCF1.RAF",
            "image/x-adobe-dng",
            "Raw photos cannot be read on this server; export the photo as a",
        ),
        "pillow_jxl": (
            jxl,
            "a.jxl",
            "image/jxl",
            "JPEG XL photos cannot be read on this server; give a JPEG, PNG, WebP,",
        ),
    }
    for package, (data, name, media, sentence) in told.items():
        without(package)
        answer = send(client, data, name)
        assert (answer.status_code, answer.json["error"]["code"]) == (415, "not_a_photo")
        message = answer.json["error"]["message"]
        assert message.startswith(sentence) and "pip" not in message
        photo = client.get("/api/v1/options").json["photo"]
        assert media not in photo["types"] and Path(name).suffix.lower() not in photo["endings"]
        assert f".{name[-3:].lower()}" not in client.get("/").text.split('id="photo"')[1].split(">")[0]


@pytest.mark.parametrize("package", ["rawpy", "pillow_jxl", "pillow_heif"])
def test_what_can_be_read_can_be_chosen(client: FlaskClient, package: str) -> None:
    pytest.importorskip(package, reason=f"pip install {package.replace('pillow_jxl', 'pillow-jxl-plugin')}")
    (kind,) = (kind for kind in uploads.PHOTO_FORMATS if kind.package == package)
    page, photo = client.get("/").text, client.get("/api/v1/options").json["photo"]
    accepted = page.split('id="photo"')[1].split('accept="')[1].split('"')[0].split(",")
    assert {kind.media_type, *kind.endings} <= set(accepted) == {*photo["types"], *photo["endings"], "video/*", ".mkv"}
    assert (
        f"{photo['kinds']}, up to" in page and f'data-kinds="{photo["kinds"]}"' in page and kind.name in photo["kinds"]
    )


def test_the_page_lets_every_kind_of_photo_through() -> None:
    """Dropped files are known by their names; what the server cannot read it refuses itself, and says what to do."""
    script = (Path(uploads.__file__).parents[2] / "static/js/carried.js").read_text()
    names = re.search(r"NAMES = /(.+)/i;", script)[1]
    for kind in uploads.PHOTO_FORMATS:
        for ending in kind.endings:
            assert re.search(names, f"photo{ending}"), ending
    assert not re.search(names, "photo.txt")


def test_a_picture_longer_than_any_jpeg_is_no_fault_of_the_server(client: FlaskClient) -> None:
    answer = send(client, picture(size=(66_000, 30)), "long.png")
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "bad_photo")
    assert answer.json["error"]["message"].endswith("too long and thin to be read; cut out a part of it.")


def test_transparency_is_kept(client: FlaskClient) -> None:
    out = io.BytesIO()
    half = Image.new("RGBA", (64, 48), (200, 0, 0, 255))
    half.paste((0, 0, 0, 0), (0, 0, 32, 48))
    half.save(out, "PNG")
    (photo,) = send(client, out.getvalue()).json["artefacts"]
    kept = Image.open(io.BytesIO(client.get(photo["url"]).data))
    assert photo["media_type"] == "image/png"
    assert kept.getpixel((0, 0))[3] == 0 and kept.getpixel((63, 0)) == (200, 0, 0, 255)


def test_the_photo_is_upright_and_tells_nothing_but_its_focal_length(client: FlaskClient) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "SecretMaker"
    exif.get_ifd(0x8769)[0xA405] = 28
    exif.get_ifd(0x8825)[2] = (48.0, 12.0, 0.0)
    answer = send(client, picture("JPEG", exif=exif), "../../etc/pass<b>wd</b>.jpg")
    job = answer.json
    assert job["photo"] == {"width": 48, "height": 64, "focal_35mm": 28.0}
    kept = client.get(job["artefacts"][0]["url"]).data
    assert b"SecretMaker" not in kept and b"Exif" not in kept
    assert not set(job["title"]) & set("<>/.") and "etc" not in job["title"]


def test_a_disk_that_fills_leaves_nothing(
    client: FlaskClient, parts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("web_3d_app.jobs.storage.os.fsync", full)
    answer = send(client)
    assert (answer.status_code, answer.json["error"]["code"]) == (507, "disk_full")
    assert client.get("/api/v1/jobs").json["jobs"] == []
    assert parts.storage.names() == []
