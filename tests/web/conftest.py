"""A server without workers, its visitors, and pictures of every kind."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from web_3d_app import create_app
from web_3d_app.engines.base import NoEngine
from web_3d_app.jobs.decoders import Decoders
from web_3d_app.services import Services
from web_3d_app.settings import Settings


class Bell(NoEngine):
    """An engine that remembers who rang."""

    def __init__(self) -> None:
        self.rung: list[str] = []
        self.killed: list[str] = []

    def notify(self, job_id: str) -> None:
        self.rung.append(job_id)

    def kill(self, job_id: str) -> None:
        self.killed.append(job_id)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=str(tmp_path / "data"), min_free_mib=0, create_rate="none", max_megapixels=2, max_mib=2,
                    max_streams=2, stream_seconds=0.5)  # fmt: skip


@pytest.fixture(scope="session")
def decoders() -> Iterator[Decoders]:
    """The processes that decode photos, the same ones for all applications."""
    made = Decoders(count=2, seconds=60)
    yield made
    made.close()


@pytest.fixture
def make(settings: Settings, decoders: Decoders) -> Iterator[Callable[[Settings], Flask]]:
    """Build applications that are closed in the end."""
    made = []

    def build(changed: Settings = settings) -> Flask:
        made.append(create_app(changed, Bell(), decoders))
        made[-1].testing = True
        made[-1].config["PROPAGATE_EXCEPTIONS"] = False
        return made[-1]

    yield build
    for app in made:
        app.extensions["unflat"].keeper.stop()
        app.extensions["unflat"].database.close()


@pytest.fixture
def app(make: Callable[[], Flask]) -> Flask:
    return make()


@pytest.fixture
def parts(app: Flask) -> Services:
    return app.extensions["unflat"]


def program(app: Flask) -> FlaskClient:
    """A new visitor who comes with a token."""
    client = app.test_client(use_cookies=False)
    token = client.post("/api/v1/visitors").json["token"]
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return program(app)


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    return program(app)


def picture(format: str = "PNG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 90 if mode in ("L", "I;16", "P") else None).save(out, format, **options)
    return out.getvalue()


def send(client: FlaskClient, data: bytes | None = None, name: str = "photo.png", **fields: object) -> object:
    """POST a photo to the API."""
    headers = fields.pop("headers", {})
    form = {"photo": FileStorage(io.BytesIO(picture() if data is None else data), name), **fields}
    boundary, body = encode_multipart(form)  # the client's own way leaves large bodies in open temporary files
    content_type = f"multipart/form-data; boundary={boundary}"
    return client.post("/api/v1/jobs", data=body, headers=headers, content_type=content_type, buffered=True)
