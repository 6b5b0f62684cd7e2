"""What an upload's file says about the photo reaches the page and the API, as `gen.py` says it of the same file."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image
from web.conftest import picture, send

from recon.pipeline import reconstruct
from recon.types import RawDepth
from tests.io.test_containers import GDEPTH, GPANO, dng
from web_3d_app.jobs.tables import Job
from web_3d_app.kinds.base import QUICK
from web_3d_app.phrasebook import book
from web_3d_app.services import Services
from web_3d_app.settings import Settings
from web_3d_app.work import models
from web_3d_app.work.worker import KindRunner, Worker

WHOLE = {"mask": "none"}


class Wall:
    """A depth model that sees a wall, and says nothing of the camera."""

    name = "wall"

    def load(self) -> Wall:
        return self

    def estimate(self, rgb: np.ndarray, inside: np.ndarray | None = None) -> RawDepth:
        return RawDepth(np.full((48, 64), 2.0, np.float32), "metric", self.name)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, max_megapixels=120, max_mib=32)


@pytest.fixture
def worked(parts: Services, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The quick worker goes through all first views."""
    monkeypatch.setattr(models, "depth_estimator", lambda *_, **__: Wall())

    def run() -> None:
        worker = Worker("quick", QUICK, parts.database, parts.storage, 60.0, KindRunner(parts.settings))
        while worker.once():
            pass

    return run


def tagged(size: tuple[int, int] = (320, 240), xmp: bytes = b"", **said: Any) -> bytes:
    """A JPEG of (width, height) with EXIF tags of the photo's group by their names in TAGS."""
    tags = Image.Exif()
    for name, value in said.items():
        (tags if name in ("make", "model") else tags.get_ifd(0x8769))[TAGS[name]] = value
    return picture("JPEG", size, exif=tags, **({"xmp": xmp} if xmp else {}))


TAGS = {"make": 0x10F, "model": 0x110, "f": 0x920A, "f35": 0xA405, "width": 0xA002, "height": 0xA003}


def ten_bits() -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.linspace(0, 1023, 64 * 48).reshape(48, 64).astype(np.uint16)).save(out, "PNG")
    return out.getvalue()


def raw() -> bytes:
    pytest.importorskip("rawpy", reason="pip install rawpy")
    with tempfile.TemporaryDirectory() as folder:
        dng(Path(folder) / "a.dng")
        return (Path(folder) / "a.dng").read_bytes()


def jpeg_xl() -> bytes:
    pytest.importorskip("pillow_jxl", reason="pip install pillow-jxl-plugin")
    return picture("JXL", (320, 240))


PHOTOS: dict[str, tuple[Callable[[], bytes], list[str]]] = {
    "a panorama by its tag": (
        lambda: tagged(xmp=GPANO, f35=26),
        ["the file says a focal length of 26 mm (35 mm equivalent), which is not a panorama's",
         "looks like a panorama (its file says so: equirectangular)", "cut out a part of at most 90°"],
    ),
    "a panorama by its sides": (lambda: tagged((1300, 500)), ["2.6 to 1"]),
    "a depth map inside": (
        lambda: tagged(xmp=GDEPTH),
        ["has a depth map in it (Google's GDepth), which was not used; only the command line takes one"],
    ),
    "tags that do not fit": (
        lambda: tagged(f35=26, width=4000, height=3000),
        ["for a frame of 4000×3000 pixels and the picture has 320×240", "set it with “Again, with other options”"],
    ),
    "a known sensor": (lambda: tagged(make="Canon", model="Canon EOS 650D", f=50.0), []),
    "35 mm": (lambda: tagged(f35=28), []),
    "no tags": (lambda: tagged(), ["does not say its field of view", "set it with “Again, with other options”"]),
    "10 bits in 16": (ten_bits, ["10-bit numbers in 16 bits: 1023 was taken as white"]),
    "50 megapixels": (
        lambda: tagged((8160, 6144), f35=24, width=8160, height=6144),
        ["has 8160×6144 pixels and was read at 4080×3072"],
    ),
    "raw": (raw, []),
    "JPEG XL": (jpeg_xl, []),
}  # fmt: skip


def camera_of(facts: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(facts[name] for name in ("fov_x_deg", "fov_source", "focal_px", "width", "height"))


@pytest.mark.parametrize("name", PHOTOS)
def test_the_page_says_what_the_command_line_says(
    client: FlaskClient, worked: Callable[[], None], tmp_path: Path, name: str
) -> None:
    data, told = PHOTOS[name][0](), PHOTOS[name][1]
    (tmp_path / "sent").write_bytes(data)
    theirs = reconstruct(tmp_path / "sent", depth_model=Wall(), mask="none")
    first = send(client, data, "photo.jpg", **WHOLE).json
    again = client.post(first["links"]["again"], data={"surface": "poisson"}).json
    worked()
    report = theirs.report()["camera"]
    for job in (first, again):
        facts = client.get(job["links"]["self"]).json["facts"]
        assert camera_of(facts) == (report["fov_x_deg"], report["source"], report["focal_px"], *theirs.photo.size[::-1])
        ours = facts["warnings"]
        assert not any("--" in note for note in ours)
        about = [note.text(book()) for note in theirs.geometry.notes]
        assert [note for note in ours if note in about] == about
        assert all(any(part in note for note in ours) for part in told)


def test_nothing_of_it_is_left_of_a_deleted_job(client: FlaskClient, parts: Services) -> None:
    job = send(client, tagged(xmp=GPANO)).json

    def kept() -> Any:
        with parts.database.read() as session:
            return session.get(Job, job["id"]).photo_facts

    assert kept()["panorama"]
    client.delete(job["links"]["self"])
    assert kept() is None


def test_jobs_of_an_older_database_run_on(client: FlaskClient, parts: Services, worked: Callable[[], None]) -> None:
    """One that the version before left in the queue, and the same photo again."""
    first = send(client, tagged((650, 250)), **WHOLE).json
    with parts.database.engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE jobs DROP COLUMN kind")
        connection.exec_driver_sql("ALTER TABLE workers DROP COLUMN stopped")
        connection.exec_driver_sql("DROP TABLE elections")
        connection.exec_driver_sql("ALTER TABLE jobs DROP COLUMN photo_facts")
        connection.exec_driver_sql("UPDATE jobs SET focal_35mm = 28.5")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0004'")
    parts.database.migrate()
    again = client.post(first["links"]["again"], data={"surface": "poisson"}).json
    worked()
    for job in (first, again):
        facts = client.get(job["links"]["self"]).json["facts"]
        assert facts["fov_source"] == "exif"
        assert any("2.6 to 1" in note for note in facts["warnings"])  # which the stored pixels tell
