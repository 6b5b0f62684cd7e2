"""3D pictures and films as jobs: from the request to the files, refused, cancelled, given way, taken up again."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select
from web.conftest import picture, send
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from recon.io.video import ffmpeg, frames_of, open_film
from recon.stereo import film as film_module
from tests.scenes import ByBrightness
from web_3d_app.jobs.claims import Stopped
from web_3d_app.jobs.tables import PART, Artefact
from web_3d_app.kinds.base import CREWS
from web_3d_app.kinds.stereo import NAMES
from web_3d_app.services import Services
from web_3d_app.work.models import Models
from web_3d_app.work.worker import KindRunner, Worker


@pytest.fixture
def workers(parts: Services, monkeypatch: pytest.MonkeyPatch) -> list[Worker]:
    """One of each crew, with a depth model that costs nothing."""
    monkeypatch.setattr(Models, "get", lambda self, name: ByBrightness())
    runner = KindRunner(parts.settings)
    return [Worker(crew, crew, parts.database, parts.storage, 60.0, runner) for crew in CREWS]


def work(workers: list[Worker]) -> None:
    while any(worker.once() for worker in workers):
        pass


def film_bytes(path: Path, seconds: float = 2.0, source: str = "testsrc2=s=96x64:r=10") -> bytes:
    subprocess.run([ffmpeg(), "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", f"{source}:d={seconds}", "-metadata",
                    "location=+48.2+16.4/", f"file:{path}"], check=True)  # fmt: skip
    return path.read_bytes()


def send_film(client: FlaskClient, data: bytes, name: str = "My film.mp4") -> object:
    boundary, body = encode_multipart({"film": FileStorage(io.BytesIO(data), name)})
    content_type = f"multipart/form-data; boundary={boundary}"
    return client.post("/api/v1/films", data=body, content_type=content_type, buffered=True)


def files_of(job: dict) -> dict[str, dict]:
    return {file["kind"]: file for file in job["artefacts"]}


def test_a_photo_becomes_a_pair_in_every_layout(client: FlaskClient, workers: list[Worker]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG")
    made = send(client, out.getvalue(), kind="stereo", layout="all", strength="4", screen="0.5").json
    assert (made["kind"], made["lane"]) == ("stereo", "stereo")
    work(workers)
    job = client.get(made["links"]["self"]).json
    assert job["state"] == "done", job["error"]
    assert job["facts"]["strength_percent"] == 4 and job["facts"]["screen"] == 0.5
    files = files_of(job)
    assert {f"stereo_{layout}" for layout in (*NAMES, "left", "right")} <= files.keys()
    both = Image.open(io.BytesIO(client.get(files["stereo_sbs"]["url"]).data))
    assert both.size == (128, 48)
    assert Image.open(io.BytesIO(client.get(files["stereo_mpo"]["url"]).data)).n_frames == 2
    assert files["stereo_sbs"]["download"] == "photo-LRF_Full_SBS.jpg"  # players know the layout by it
    near = np.asarray(Image.open(io.BytesIO(client.get(files["nearness_view"]["url"]).data)))
    assert near.shape == (48, 64) and near.dtype == np.uint8
    page = client.get(job["links"]["page"]).text
    assert 'id="stereo-canvas"' in page and 'id="stereo-make"' in page


def test_a_photos_stored_picture_becomes_a_pair_beside_its_model(client: FlaskClient, workers: list[Worker]) -> None:
    first = send(client).json
    pair = client.post(first["links"]["again"], data={"kind": "stereo", "layout": "anaglyph"}).json
    assert (pair["kind"], pair["origin"], pair["params"]["layout"]) == ("stereo", first["id"], "anaglyph")
    again = client.post(pair["links"]["again"], data={"layout": "mpo"}).json
    assert (again["kind"], again["params"]["layout"]) == ("stereo", "mpo")
    wrong = client.post(first["links"]["again"], data={"kind": "stereo", "strength": "50"})
    assert wrong.status_code == 422 and "5" in wrong.json["error"]["fields"]["strength"][0]
    assert client.post(first["links"]["again"], data={"kind": "film"}).status_code == 422
    shown = client.get(first["links"]["page"]).text
    assert "models of this photo" not in shown  # a pair is no other model
    assert {one["kind"] for one in client.get(first["links"]["results"]).json["jobs"]} == {"photo", "stereo"}


def test_a_film_is_looked_at_and_then_converted(
    client: FlaskClient, workers: list[Worker], tmp_path: Path, parts: Services
) -> None:
    job = send_film(client, film_bytes(tmp_path / "f.mp4")).json
    assert (job["kind"], job["title"], job["photo"]["width"], job["conversion"]) == ("film", "My film", 96, None)
    assert client.post(job["links"]["convert"]).json["error"]["code"] == "not_finished"
    work(workers)
    job = client.get(job["links"]["self"]).json
    assert job["state"] == "done", job["error"]
    assert {f"frame{i}_view" for i in (1, 2, 3)} | {f"near{i}_view" for i in (1, 2, 3)} <= files_of(job).keys()
    assert job["facts"]["frames"] == 20 and job["facts"]["film_seconds"] == 2.0
    assert 'id="frames"' in client.get(job["links"]["page"]).text

    asked = client.post(job["links"]["convert"], data={"layout": "sbs", "strength": "3"}).json
    assert asked["lane"] == "convert" and asked["conversion"]["state"] == "waiting"
    assert client.post(job["links"]["convert"]).json["error"]["code"] == "under_way"
    work(workers)
    done = client.get(job["links"]["self"]).json
    told = done["conversion"]
    assert (done["state"], told["state"], told["frames"], told["all"], told["layout"]) == (
        "done",
        "done",
        20,
        20,
        "sbs",
    )
    assert told["notes"] and done["facts"]["frames"] == 20
    result = tmp_path / "out.mp4"
    result.write_bytes(client.get(files_of(done)["stereo_sbs"]["url"]).data)
    assert open_film(result).width == 192 and len(list(frames_of(open_film(result)))) == 20
    assert b"+48.2" not in result.read_bytes()
    with parts.database.read() as session:  # no piece is left, and the film as it came is nobody's to fetch
        assert session.scalar(select(Artefact.name).where(Artefact.kind == PART)) is None
    assert client.get(f"/api/v1/jobs/{job['id']}/artefacts/film.mp4").status_code == 404
    assert client.delete(job["links"]["self"]).status_code == 204 and parts.storage.names() == []


def test_a_conversion_outlasts_its_worker(
    client: FlaskClient, workers: list[Worker], tmp_path: Path, parts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is stopped in the fourth part leaves three, and the next one goes on behind them; one that sees that a
    refinement waits gives way after a part. The frames are those of a run that nothing stopped."""
    monkeypatch.setattr(film_module, "PART_SECONDS", 0.5)
    data = film_bytes(tmp_path / "f.mp4")
    job = send_film(client, data).json
    work(workers)
    client.post(job["links"]["convert"], data={"layout": "tb"})
    slow = workers[-1]
    looks = iter(range(1000))

    def stop_at_the_seventeenth() -> None:
        if next(looks) == 16:
            raise Stopped

    monkeypatch.setattr(slow, "check_stop", stop_at_the_seventeenth)
    assert slow.once()
    half = client.get(job["links"]["self"]).json
    assert half["conversion"]["state"] == "waiting"
    with parts.database.read() as session:
        kept = sorted(session.scalars(select(Artefact.name).where(Artefact.kind == PART)))
    assert kept == [*(f"00000{i}.{ending}" for i in (1, 2, 3) for ending in ("npz", "nut")), "film.json"]

    seen: list[int] = []
    before = film_module._frame
    monkeypatch.setattr(film_module, "_frame", lambda run, rgb: (seen.append(run.done), before(run, rgb))[1])
    monkeypatch.setattr(slow, "check_stop", lambda: None)
    monkeypatch.setattr(parts.claims, "waiting", lambda lanes: True)
    monkeypatch.setattr(type(parts.claims), "waiting", lambda self, lanes: "refine" in lanes and len(seen) < 10)
    assert slow.once()
    done = client.get(job["links"]["self"]).json
    assert seen[0] == 15 and done["conversion"]["state"] == "done"
    resumed, whole = tmp_path / "resumed.mp4", tmp_path / "whole.mp4"
    resumed.write_bytes(client.get(files_of(done)["stereo_tb"]["url"]).data)
    film_module.stereo_film(tmp_path / "f.mp4", whole, layout="tb", depth_model=ByBrightness())
    frames = [[frame.rgb for frame in frames_of(open_film(file))] for file in (resumed, whole)]
    assert len(frames[0]) == 20 and all(map(np.array_equal, *frames))


def test_a_conversion_is_cancelled_alone(client: FlaskClient, workers: list[Worker], tmp_path: Path) -> None:
    job = send_film(client, film_bytes(tmp_path / "f.mp4", 0.5)).json
    work(workers)
    client.post(job["links"]["convert"])
    told = client.post(job["links"]["cancel"]).json
    assert (told["state"], told["conversion"]["state"]) == ("done", "cancelled")
    assert client.post(job["links"]["convert"], data={"layout": "anaglyph"}).status_code == 202
    work(workers)
    assert "stereo_anaglyph" in files_of(client.get(job["links"]["self"]).json)


@pytest.mark.parametrize(
    ("kind", "status", "code", "words"),
    [
        ("none", 400, "bad_request", "send a file as `film`"),
        ("photo", 415, "not_a_film", "MP4, MOV, MKV or WebM"),
        ("sound", 415, "not_a_film", "with a picture in it"),
        ("list", 415, "not_a_film", "no film that can be read"),
        ("large", 413, "too_large", "at most 1 MB"),
        ("long", 422, "bad_film", "lasts 1 minutes; at most 0.05 are allowed"),
        ("small", 422, "bad_film", "the film is 16×16"),
        ("empty", 422, "bad_film", "the film is empty (0 bytes)"),
    ],
)
def test_a_film_that_cannot_be_taken_is_refused_in_a_sentence(
    make: object, settings: object, tmp_path: Path, kind: str, status: int, code: str, words: str
) -> None:
    from dataclasses import replace

    from web.conftest import program

    client = program(make(replace(settings, max_film_mib=1, max_film_minutes=0.05)))
    film = tmp_path / "f.mp4"
    data = {
        "photo": picture,
        "sound": lambda: film_bytes(film, 1, "sine=440"),
        "list": lambda: b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        "large": lambda: b"\0" * (3 << 20),
        "long": lambda: film_bytes(film, 40, "color=s=64x64:r=1"),
        "small": lambda: film_bytes(film, 1, "testsrc2=s=16x16:r=5"),
        "empty": lambda: b"",
    }
    answer = client.post("/api/v1/films") if kind == "none" else send_film(client, data[kind]())
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    assert words in answer.json["error"]["message"]
