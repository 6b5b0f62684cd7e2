"""Bytes to the browser: one artefact with ranges, or those of one or several jobs as a zip that is made while it is sent.

An artefact's address names its version, so a browser keeps it and does not ask again.
"""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterator, Sequence
from io import BytesIO, RawIOBase, UnsupportedOperation
from itertools import chain, count
from os import SEEK_END
from typing import Any, BinaryIO, cast

from flask import Response, request
from werkzeug.wsgi import wrap_file

from web_3d_app.http.job_json import download_name, version
from web_3d_app.jobs.derived import maker_of
from web_3d_app.jobs.storage import Storage
from web_3d_app.jobs.tables import Artefact, Job, for_page_only
from web_3d_app.jobs.transport import LEVEL, PACKED, is_packed
from web_3d_app.names import attachment
from web_3d_app.phrasebook import sentence_of
from web_3d_app.problems import Problem, gone, not_found
from web_3d_app.services import services

CHUNK = 1 << 16
BEST_MODELS = ("refined", "mesh", "grid")
"""Kinds of artefacts, the best first: what somebody wants who wants one file of a job."""
KEPT = "max-age=86400, immutable"
"""A day, which is as long as jobs are kept; a new version has another address."""


def send_artefact(job: Job, name: str) -> Response:
    """The file as an attachment. Raises Problem 404 for one that is not there (yet)."""
    file = next((file for file in services().jobs.artefacts([job])[job.id] if file.name == name), None)
    if file is None:
        raise not_found()
    try:
        data = services().storage.open(file.key)
    except FileNotFoundError:
        raise not_found() from None
    data, size, packed = _form(file, data)
    response = Response(wrap_file(request.environ, data, CHUNK), mimetype=file.media_type, direct_passthrough=True)
    response.call_on_close(data.close)
    response.content_length = size
    if is_packed(file.key) and maker_of(file) is None:
        response.vary.add("Accept-Encoding")
    if packed:
        response.headers["Content-Encoding"] = "gzip"
        response.headers["X-File-Size"] = str(file.bytes)  # what three.js measures its progress by
    response.headers.set("Content-Disposition", "attachment", **attachment(download_name(job, file)))
    lasting = request.args.get("v") == version(file)
    response.headers["Cache-Control"] = f"private, {KEPT}" if lasting else "private, max-age=0, must-revalidate"
    response.set_etag(file.key.rpartition("/")[2] if packed else file.key.rpartition("/")[2].removesuffix(PACKED))
    response.make_conditional(request.environ, accept_ranges=True, complete_length=size)
    return response


def _form(file: Artefact, data: BinaryIO) -> tuple[BinaryIO, int, bool]:
    """The bytes to send, how many they are, and whether they are gzipped: as they lie, if the client takes that."""
    if maker_of(file) is not None:
        return _made(file, data), file.bytes, False
    if not is_packed(file.key):
        return data, file.bytes, False
    if request.accept_encodings["gzip"] > 0:
        size = data.seek(0, SEEK_END)
        data.seek(0)
        return data, size, True
    return cast(BinaryIO, _Unpacked(data)), file.bytes, False


class _Unpacked(gzip.GzipFile):
    """A gzipped file's content, which closes the file."""

    def __init__(self, data: BinaryIO) -> None:
        super().__init__(fileobj=data, mode="rb")
        self._data = data

    def fileno(self) -> int:
        """None: a server that sends files by their number would send the gzipped one."""
        raise UnsupportedOperation("fileno")

    def close(self) -> None:
        super().close()
        self._data.close()


def send_zip(job: Job) -> Response:
    """All artefacts that are there now, but for those that the page alone needs: they are smaller copies of the others.
    What gzip made smaller is so in the zip, too. Raises Problem 410."""
    return _sent_zip(f"{job.title}.zip", [(download_name(job, file), file) for file in _files(job)])


def send_zip_of_several(jobs: Sequence[Job], everything: bool) -> Response:
    """The best model of each job that has one by now, or everything, in a folder for each. Raises Problem 404 where there
    is nothing yet."""
    named: list[tuple[str, Artefact]] = []
    taken: set[str] = set()
    for job in jobs:
        if everything:
            folder = _untaken(job.title, taken)
            named += [(f"{folder}/{download_name(job, file)}", file) for file in _files(job)]
        else:
            named += [(_untaken(download_name(job, file), taken), file) for file in _best_model(_files(job))]
    if not named:
        raise Problem(404, "not_found", sentence_of("server.no_models"))
    return _sent_zip("unflat-models.zip", named)


def _files(job: Job) -> list[Artefact]:
    return [file for file in services().jobs.artefacts([job])[job.id] if not for_page_only(file.kind)]


def _best_model(files: list[Artefact]) -> list[Artefact]:
    """What the page's first button downloads, as a list of one or none."""
    of_kind = {file.kind: file for file in files}
    return [of_kind[kind] for kind in BEST_MODELS if kind in of_kind][:1]


def _untaken(name: str, taken: set[str]) -> str:
    """A name that is not taken, which it is from then on: cup.glb, cup (2).glb. Some disks know no capitals."""
    stem, dot, ending = name.rpartition(".")
    others = (f"{stem} ({number}).{ending}" if dot else f"{name} ({number})" for number in count(2))
    found = next(each for each in chain([name], others) if each.casefold() not in taken)
    taken.add(found.casefold())
    return found


def _sent_zip(file_name: str, named: Sequence[tuple[str, Artefact]]) -> Response:
    body = _zipped(services().storage, named)
    try:
        beginning = next(body)
    except FileNotFoundError:  # deleted just now
        raise gone() from None
    response = Response(chain([beginning], body), mimetype="application/zip")
    response.headers.set("Content-Disposition", "attachment", **attachment(file_name))
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


def _zipped(storage: Storage, named: Sequence[tuple[str, Artefact]]) -> Iterator[bytes]:
    out = _Outbox()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED, compresslevel=LEVEL) as archive:
        for name, file in named:
            info = zipfile.ZipInfo(name)
            if is_packed(file.key):
                info.compress_type = zipfile.ZIP_DEFLATED
            with _whole(storage, file) as data, archive.open(info, "w", force_zip64=True) as entry:
                while chunk := data.read(CHUNK):
                    entry.write(chunk)
                    yield out.drain()
    yield out.drain()


def _whole(storage: Storage, file: Artefact) -> BinaryIO:
    data = storage.open(file.key)
    if maker_of(file) is not None:
        return _made(file, data)
    return cast(BinaryIO, _Unpacked(data)) if is_packed(file.key) else data


def _made(file: Artefact, data: BinaryIO) -> BinaryIO:
    """A file that is made of what lies under its key, which is closed."""
    make = maker_of(file)
    assert make is not None, "asked of those that are made"
    with cast(BinaryIO, _Unpacked(data)) if is_packed(file.key) else data as source:
        return BytesIO(make(source.read()))
