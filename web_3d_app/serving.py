"""Bytes to the browser: one artefact with ranges, or all of a job as a zip that is made while it is sent."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import RawIOBase
from typing import Any

from flask import Response, request
from werkzeug.wsgi import wrap_file

from web_3d_app.names import attachment
from web_3d_app.present import download_name
from web_3d_app.problems import not_found
from web_3d_app.services import services
from web_3d_app.tables import Artefact, Job

CHUNK = 1 << 16


def send_artefact(job: Job, name: str) -> Response:
    """The file as an attachment. Raises Problem 404 for one that is not there (yet)."""
    file = next((file for file in services().jobs.artefacts([job])[job.id] if file.name == name), None)
    if file is None:
        raise not_found()
    try:
        data = services().storage.open(file.key)
    except FileNotFoundError:
        raise not_found() from None
    response = Response(wrap_file(request.environ, data, CHUNK), mimetype=file.media_type, direct_passthrough=True)
    response.call_on_close(data.close)
    response.content_length = file.bytes
    response.headers.set("Content-Disposition", "attachment", **attachment(download_name(job, file)))
    response.headers["Cache-Control"] = "private, max-age=0, must-revalidate"
    response.set_etag(file.key.rpartition("/")[2])
    response.make_conditional(request.environ, accept_ranges=True, complete_length=file.bytes)
    return response


def send_zip(job: Job) -> Response:
    """All artefacts that are there now. Models and pictures hardly shrink further, so they are stored as they are."""
    files = services().jobs.artefacts([job])[job.id]
    storage = services().storage
    response = Response(_zipped(storage, job, files), mimetype="application/zip")
    response.headers.set("Content-Disposition", "attachment", **attachment(f"{job.title}.zip"))
    response.headers["Cache-Control"] = "no-store"
    return response


class _Outbox(RawIOBase):
    """A file that only takes; what it took is fetched by `drain`."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def drain(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _zipped(storage: Any, job: Job, files: list[Artefact]) -> Iterator[bytes]:
    out = _Outbox()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            info = zipfile.ZipInfo(download_name(job, file))
            with storage.open(file.key) as data, archive.open(info, "w", force_zip64=True) as entry:
                while chunk := data.read(CHUNK):
                    entry.write(chunk)
                    yield out.drain()
    yield out.drain()
