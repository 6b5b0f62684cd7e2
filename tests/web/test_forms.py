"""Forms of real size, however their bytes are cut; and what is refused is refused for its true reason."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from web.conftest import picture, program

from bench.photo import phone_photo
from bench.server import ROOT
from web_3d_app.settings import Settings

SIZES = (200_000, 2_000_000, 12_000_000, 31_000_000)
SAMPLE = ROOT / "samples" / "chelsea.jpg"


@pytest.fixture(scope="module")
def payloads() -> dict[str, bytes]:
    """Noise and JPEG data of each size; noise has every byte, line breaks and dashes among them."""
    noise = np.random.default_rng(5).bytes(SIZES[-1])
    jpeg = phone_photo(SAMPLE)
    dashes = (b"\r\n--" + b"-" * 60) * (SIZES[1] // 64)
    return {f"noise {n}": noise[:n] for n in SIZES} | {
        f"jpeg {n}": (jpeg * (n // len(jpeg) + 1))[:n] for n in SIZES
    } | {"dashes": dashes, "breaks": b"\r\n" * (SIZES[0] // 2), "returns": b"\r" * SIZES[0]}  # fmt: skip


def multipart(photo: bytes, boundary: str, name: str, fields: dict[str, str], before: bool) -> bytes:
    """A form with its fields before or after the photo."""
    line = f"--{boundary}\r\n"
    words = "".join(f'{line}Content-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in
                    fields.items())  # fmt: skip
    head = f'{line}Content-Disposition: form-data; name="photo"; filename="{name}"\r\nContent-Type: image/jpeg\r\n\r\n'
    parts = [words.encode()] if before else []
    parts += [head.encode(), photo, b"\r\n"] + ([] if before else [words.encode()])
    return b"".join([*parts, f"--{boundary}--\r\n".encode()])


class Pieces(io.BytesIO):
    """A body that comes in pieces of any size, as from a network."""

    def __init__(self, data: bytes, seed: int) -> None:
        super().__init__(data)
        self._rng = np.random.default_rng(seed)

    def read(self, size: int | None = -1) -> bytes:
        most = self._rng.integers(1, 70_000)
        return super().read(most if size is None or size < 0 else min(size, most))

    def readinto(self, buffer: memoryview) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@pytest.fixture
def big(make: Callable[[Settings], Flask], settings: Settings) -> Flask:
    return make(replace(settings, max_mib=32, max_megapixels=120))


def read(app: Flask, body: bytes, boundary: str, seed: int | None) -> tuple[str, str, dict[str, str]]:
    """(file name, SHA-256, fields) as the application reads them."""
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/jobs", "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": f"multipart/form-data; boundary={boundary}", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body) if seed is None else Pieces(body, seed),
    }  # fmt: skip
    with app.request_context(environ):
        file = request.files["photo"]
        found = file.filename, sha256(file.stream.read()).hexdigest(), request.form.to_dict()
        request.close()
    return found


def alignments(count: int) -> Iterator[tuple[str, str, dict[str, str], bool, int | None]]:
    """(boundary, file name, fields, whether they come before, seed of the pieces)."""
    for i in range(count):
        boundary = "-" * (i % 5) + "b" * (1 + 7 * i % 60)
        yield (
            boundary,
            "n" * (1 + 11 * i % 250),
            {"surface": "grid", "x": "y" * (i % 17)},
            i % 2 == 0,
            i if i % 3 else None,
        )


def test_every_photo_comes_in_however_it_is_framed(big: Flask, payloads: dict[str, bytes]) -> None:
    for kind, photo in payloads.items():
        wanted = sha256(photo).hexdigest()
        for boundary, name, fields, before, seed in alignments(40 if len(photo) < 3_000_000 else 3):
            body = multipart(photo, boundary, name, fields, before)
            assert read(big, body, boundary, seed) == (name, wanted, fields), (kind, boundary, name, before, seed)


def post(client: FlaskClient, body: bytes, boundary: str = "b") -> tuple[int, str, str]:
    answer = client.post("/api/v1/jobs", data=body, content_type=f"multipart/form-data; boundary={boundary}")
    error = answer.json["error"]
    return answer.status_code, error["code"], error["message"]


def test_refusals_name_their_true_reason_wherever_the_bytes_are_cut(big: Flask) -> None:
    client, small = program(big), picture()
    fields = {f"f{i}": "" for i in range(60)}
    for filler in (0, 30_000, 65_500, 65_536, 100_000):  # bytes of other fields: where the reads fall
        more = {f"z{i}": "z" * (filler // 2) for i in range(2)}
        for before in (True, False):

            def told(
                name: str = "a.png", before: bool = before, more: dict = more, **given: str
            ) -> tuple[int, str, str]:
                return post(client, multipart(small, "b", name, more | given, before))

            assert told(**fields) == (413, "too_many_parts", "The form has more than 50 fields and files; send fewer.")
            long = (413, "field_too_long", "The field “fov” has more than 64 kB; shorten it.")
            assert told(fov="1" * 65_537) == told(fov="1" * 900_000) == long
            for length in (1001, 20_000, 60_000):
                name_too_long = "The photo's file name is too long; rename the file."
                assert told(name="n" * length) == (413, "name_too_long", name_too_long)
            assert told(**{"k" * 2000: ""})[1:] == (
                "name_too_long",
                "A field of the form has too long a name; shorten it.",
            )
    assert post(client, multipart(small, "b", "n" * 400_000, {}, True))[1] == "name_too_long"
    assert post(client, multipart(b"x" * (32 * 2**20 + 1), "b", "a.png", {}, True)) == (
        413, "too_large", "The photo is too large; at most 32 MB are allowed.",
    )  # fmt: skip
    assert post(client, b"x" * (41 * 10**6)) == (
        413, "too_large", "The upload has 39 MB; at most 32 MB are allowed for a photo.",
    )  # fmt: skip
    broken = (400, "bad_form", "The form that came is broken; reload the page and try again.")
    assert post(client, multipart(small, "b", "a.png", {}, True)[:-20]) == broken
    assert post(client, b"no form at all" * 99_999) == broken
    assert post(client, multipart(small, "b", "a.png", {}, True) + b"x" * 1_000_000) == broken


@pytest.mark.parametrize("size", [200, 2_000_000])
def test_a_photo_without_a_file_name_is_told_so(big: Flask, size: int) -> None:
    body = multipart(b"\xff" * size, "b", "a.png", {}, True).replace(b'; filename="a.png"', b"")
    assert post(program(big), body)[:2] == (400, "no_file_name")


def test_two_photos_are_told_and_none_is_taken(big: Flask) -> None:
    client, one = program(big), multipart(picture(), "b", "a.png", {}, True)
    told = (400, "many_photos", "2 photos came; send one at a time.")
    assert post(client, one.removesuffix(b"--b--\r\n") + one) == told
    assert client.get("/api/v1/jobs").json["jobs"] == []


def test_a_field_of_the_longest_allowed_length_passes(big: Flask) -> None:
    """Refused for what it says, not for its length."""
    body = multipart(picture(), "b", "n" * 1000, {"fov": "1" * 65_536}, True)
    assert post(program(big), body)[1] == "invalid"


def test_other_addresses_take_a_few_words_only(big: Flask) -> None:
    client = program(big)
    job = client.post("/api/v1/jobs", data={"sample": "coffee"}).json
    answer = client.post(job["links"]["refine"], data={"preset": "q" * 2_000_000})
    assert (answer.status_code, answer.json["error"]["code"]) == (413, "too_large")
    assert "photo" not in answer.json["error"]["message"]
    answer = client.post(job["links"]["refine"], data={"preset": "q" * 200_000})
    assert (answer.status_code, answer.json["error"]["code"]) == (413, "field_too_long")


def test_a_page_without_script_says_the_same(big: Flask) -> None:
    """The page that shows the error asks for the form once more."""
    client = program(big)
    body = multipart(picture(), "b", "n" * 5000, {}, True)
    answer = client.post("/jobs", data=body, content_type="multipart/form-data; boundary=b")
    assert answer.status_code == 413 and "file name is too long" in answer.text


NAMES = {
    "лето.jpg": "лето", "海辺の写真.jpg": "海辺の写真", "שלום.jpg": "שלום", "हिन्दी में.jpg": "हिन्दी में", "กำแพง.jpg": "กำแพง",
    "cafe\u0301.jpg": "café", "می\u200cخواهم.jpg": "می\u200cخواهم", "Zoë’s cat.jpg": "Zoë s cat", "a\u202egpj.jpg": "a gpj",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_in_every_script_come_in_and_go_out(big: Flask, name: str) -> None:
    from werkzeug.http import parse_options_header

    client = program(big)
    answer = client.post(
        "/api/v1/jobs", data=multipart(picture(), "b", name, {}, True), content_type="multipart/form-data; boundary=b"
    )
    assert (answer.status_code, answer.json["title"]) == (202, NAMES[name])
    file = answer.json["artefacts"][0]
    for address, wanted in ((file["url"], file["download"]), (answer.json["links"]["zip"], f"{NAMES[name]}.zip")):
        header = client.get(address).headers["Content-Disposition"]
        assert header.isascii()  # else old programs are lost
        parsed = parse_options_header(header)[1]
        assert parsed["filename"] == wanted and wanted.startswith(NAMES[name])
        assert "filename=" in header


def test_a_name_in_an_old_encoding_is_no_reason_to_lose_the_photo(big: Flask) -> None:
    body = multipart(picture(), "b", "NAME", {}, True).replace(b"NAME", "été.png".encode("cp1252"))
    answer = program(big).post("/api/v1/jobs", data=body, content_type="multipart/form-data; boundary=b")
    assert (answer.status_code, answer.json["title"]) == (202, "été")


def test_nothing_of_an_upload_is_left_over(big: Flask, settings: Settings) -> None:
    client = program(big)
    assert client.post("/api/v1/jobs", data={"photo": (io.BytesIO(picture()), "a.png")}).status_code == 202
    assert client.post("/api/v1/jobs", data={"photo": (io.BytesIO(b"none"), "a.png")}).status_code == 415
    post(client, multipart(picture(), "b", "a.png", {f"f{i}": "" for i in range(60)}, False))
    assert list((Path(settings.data) / "spool").iterdir()) == []
