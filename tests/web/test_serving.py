"""Files as they travel: small for the page, compressed, kept by browsers, and nothing twice in the zip."""

from __future__ import annotations

import gzip
import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import trimesh
from flask.testing import FlaskClient
from PIL import Image

from recon.io.write import write_splats
from recon.types import RawDepth, Splats
from tests.splats import covariances, read_ply, read_splat
from tests.web.conftest import send
from web_3d_app.http.options import DEFAULTS
from web_3d_app.jobs.tables import for_page_only
from web_3d_app.kinds.photo import FILES, MESH, PHOTO, VIEW
from web_3d_app.kinds.refinement import REFINEMENT
from web_3d_app.services import Services
from web_3d_app.settings import Settings
from web_3d_app.work import models
from web_3d_app.work import photo as work
from web_3d_app.work.context import Context

ARTEFACTS = PHOTO.artefacts | REFINEMENT.artefacts


@pytest.fixture
def kept(client: FlaskClient, parts: Services, tmp_path: Path) -> dict[str, Any]:
    """A job with a file of text that shrinks, a picture, and a copy for the page; by name."""
    job_id = send(client).json["id"]
    job = parts.claims.claim("w", [VIEW.name])
    contents = {
        "mesh.ply": b"ply of many words " * 5000,
        "preview.png": b"\x89PNG" * 500,
        "points_view.ply": b"x" * 9000,
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
        parts.claims.add(parts.storage, job, [(name, *ARTEFACTS[name], tmp_path / name)])
    listed = client.get(f"/api/v1/jobs/{job_id}").json
    files = {file["name"]: file for file in listed["artefacts"]}
    return {"zip": listed["links"]["zip"], "files": files, "contents": contents}


def test_what_shrinks_travels_gzipped_to_who_takes_it(client: FlaskClient, kept: dict[str, Any]) -> None:
    file, data = kept["files"]["mesh.ply"], kept["contents"]["mesh.ply"]
    assert file["bytes"] == len(data)
    plain = client.get(file["url"])
    assert plain.data == data and "Content-Encoding" not in plain.headers
    zipped = client.get(file["url"], headers={"Accept-Encoding": "gzip, br"})
    assert zipped.headers["Content-Encoding"] == "gzip" and gzip.decompress(zipped.data) == data
    assert len(zipped.data) == zipped.content_length < len(data) / 20
    assert zipped.headers["X-File-Size"] == str(len(data))
    for answer in (plain, zipped):
        assert "Accept-Encoding" in answer.headers["Vary"]
    assert plain.headers["ETag"] != zipped.headers["ETag"]
    part = client.get(file["url"], headers={"Range": "bytes=70000-70019"})
    assert (part.status_code, part.data) == (206, data[70000:70020])
    part = client.get(file["url"], headers={"Range": "bytes=10-19", "Accept-Encoding": "gzip"})
    assert (part.status_code, part.data) == (206, zipped.data[10:20])
    refused = client.get(file["url"], headers={"Accept-Encoding": "gzip;q=0"})
    assert refused.data == data
    assert client.head(file["url"]).content_length == len(data)
    picture = client.get(kept["files"]["preview.png"]["url"], headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in picture.headers and picture.data == kept["contents"]["preview.png"]


def test_the_splat_ply_is_made_of_the_small_file_when_it_is_asked_for(
    client: FlaskClient, parts: Services, tmp_path: Path
) -> None:
    job_id = send(client).json["id"]
    name, random = "splats_view.splat", np.random.default_rng(0)
    places, sizes, turns = (random.uniform(0.1, 1, (200, n)).astype(np.float32) for n in (3, 3, 4))
    seen = np.linspace(0, 1, 200, dtype=np.float32)
    write_splats(Splats(places, sizes, turns, seen, (255 * places).astype(np.uint8)), tmp_path / name)
    parts.claims.add(parts.storage, parts.claims.claim("w", [VIEW.name]), [(name, *ARTEFACTS[name], tmp_path / name)])
    listed = client.get(f"/api/v1/jobs/{job_id}").json
    file = {each["name"]: each for each in listed["artefacts"]}["splats.ply"]
    answer = client.get(file["url"], headers={"Accept-Encoding": "gzip"})
    assert (len(answer.data), answer.content_length) == (file["bytes"], file["bytes"])
    (tmp_path / "made.ply").write_bytes(answer.data)
    made, wanted = read_ply(tmp_path / "made.ply"), read_splat(tmp_path / name)
    np.testing.assert_array_equal(made.centres, wanted.centres)
    np.testing.assert_allclose(covariances(made), covariances(wanted), atol=1e-6)
    np.testing.assert_allclose(made.opacity, np.clip(wanted.opacity, 1e-3, 1 - 1e-3), atol=1e-5)
    assert (made.colors == wanted.colors).all()
    with zipfile.ZipFile(io.BytesIO(client.get(listed["links"]["zip"]).data)) as archive:
        assert [archive.read(each) for each in archive.namelist() if each.endswith("splats.ply")] == [answer.data]


def test_a_version_is_kept_and_a_name_is_asked_for_again(client: FlaskClient, kept: dict[str, Any]) -> None:
    url = kept["files"]["mesh.ply"]["url"]
    assert client.get(url).headers["Cache-Control"] == "private, max-age=86400, immutable"
    for other in (url.partition("?")[0], url + "9"):
        answer = client.get(other)
        assert "must-revalidate" in answer.headers["Cache-Control"]
        again = client.get(other, headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304 and not again.data


def test_the_zip_holds_what_is_to_be_kept_and_nothing_twice(client: FlaskClient, kept: dict[str, Any]) -> None:
    data = client.get(kept["zip"]).data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert sorted(name.rpartition("-")[2] for name in names) == ["mesh.ply", "photo.jpg", "preview.png"]
        assert archive.read(next(name for name in names if name.endswith("mesh.ply"))) == kept["contents"]["mesh.ply"]
    assert len(data) < 20_000
    assert {kind for kind, _ in ARTEFACTS.values() if for_page_only(kind)} >= {
        "points_view", "grid_view", "mesh_view", "refined_view",
        "photo_thumb", "depth_thumb", "mask_thumb", "preview_thumb",
    }  # fmt: skip


def test_the_zip_of_a_job_that_is_deleted_meanwhile_is_gone(
    client: FlaskClient, parts: Services, kept: dict[str, Any]
) -> None:
    for job_id in parts.storage.names():
        parts.storage.delete(job_id)
    assert client.get(kept["zip"]).status_code == 410


class Waves:
    """A depth model that sees waves."""

    name = "waves"

    def load(self) -> object:
        return self

    def estimate(self, rgb: np.ndarray, inside: np.ndarray | None = None) -> RawDepth:
        rows, columns = np.mgrid[:90, :120]
        z = 2 + 0.3 * np.sin(columns / 9) * np.cos(rows / 7)
        return RawDepth(z.astype(np.float32), "metric", self.name)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder and the facts of a job on a photo of 4200×3000 pixels and some 5 MB, with grain as phones have it."""
    folder, facts = tmp_path_factory.mktemp("large"), {}
    rng = np.random.default_rng(0)
    coarse = cv2.resize(rng.integers(0, 256, (30, 42, 3), np.uint8), (4200, 3000), interpolation=cv2.INTER_CUBIC)
    grain = cv2.resize(rng.integers(0, 24, (1500, 2100, 3), np.uint8), (4200, 3000))
    Image.fromarray(cv2.add(coarse, grain)).save(folder / "photo.jpg", quality=95)
    assert 3e6 < (folder / "photo.jpg").stat().st_size < 9e6
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "depth_estimator", lambda *_, **__: Waves())
        given: Path | None = None
        for lane in (VIEW, MESH):
            context = Context(lane.name, DEFAULTS | {"mask": "none"}, folder, models.Models("cpu"), Settings(),
                              folder / "photo.jpg", 28.0, checkpoint=given)  # fmt: skip
            patch.setattr(context, "tell", facts.update)
            lane_after = work.run(context)
            assert lane_after is not None
            given = lane_after[1]
        job = work.PhotoRun(replace(context, checkpoint=given))
        job._print(job._loaded(), folder / "mesh.stl")
        facts["print_mm"] = job.print_mm
    assert lane_after[0] == FILES.name
    return folder, facts


def travels(path: Path) -> int:
    """Bytes on the wire."""
    return len(gzip.compress(path.read_bytes(), 1))


def test_a_large_photo_s_page_is_small(large: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = large
    thumbs = ("photo_thumb.jpg", "depth_thumb.jpg")
    for name in thumbs:
        with Image.open(folder / name) as picture:
            assert max(picture.size) == 480
        assert (folder / name).stat().st_size < 80_000
    with Image.open(folder / "depth_view.jpg") as picture:
        assert max(picture.size) == 1600
    full, view = travels(folder / "mesh.glb"), travels(folder / "mesh_view.glb")
    assert view < 0.75 * full  # the texture's grain is most of it
    assert travels(folder / "instant_view.glb") < 10e6


def test_a_view_is_the_model_but_for_its_bits(large: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = large
    scenes = [trimesh.load(folder / name, process=False) for name in ("mesh.glb", "mesh_view.glb")]
    assert len({tuple(scene.geometry) for scene in scenes}) == 1
    full, view = (next(iter(scene.geometry.values())) for scene in scenes)  # what the photo shows comes first
    np.testing.assert_array_equal(view.faces, full.faces)
    off = np.abs(view.vertices - full.vertices).max(axis=1) / -full.vertices[:, 2]
    assert off.max() < 2**-15
    assert max(view.visual.material.baseColorTexture.size) == 4096
    assert max(full.visual.material.baseColorTexture.size) == 4200  # what is downloaded is whole


def test_what_is_printed_is_closed_whatever_the_surface(large: tuple[Path, dict[str, Any]]) -> None:
    folder, facts = large
    read = trimesh.load(folder / "mesh.stl")
    assert read.is_watertight and read.body_count == 1
    np.testing.assert_allclose(read.extents, facts["print_mm"], atol=0.06)
    assert max(facts["print_mm"]) == 100
