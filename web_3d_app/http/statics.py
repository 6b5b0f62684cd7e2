"""Static files, gzipped where that helps. Nothing else is: pages and job JSON hold tokens beside what a person typed, and
compressed together, over TLS, their length could tell the tokens (BREACH); they are small anyway."""

from __future__ import annotations

import gzip
import mimetypes
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, request, send_from_directory
from werkzeug.security import safe_join

from web_3d_app.problems import not_found

ENDINGS = (".css", ".html", ".js", ".json", ".svg", ".txt")
LEVEL = 9  # once per file


@dataclass(frozen=True)
class _Form:
    """A file's bytes as they are sent, and their validator."""

    data: bytes
    encoding: str

    @cached_property
    def etag(self) -> str:
        return sha256(self.data).hexdigest()[:32]


class Statics:
    """The files of one folder; a text is read when it is first asked for, and again after a change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, tuple[tuple[int, int], _Form, _Form]] = {}

    def send(self, filename: str) -> Response:
        """A file, or 304, with a validator for each of its two forms. Raises Problem 404."""
        found = safe_join(str(self._folder), filename)
        if found is None or not Path(found).is_file():
            raise not_found()
        if not filename.endswith(ENDINGS):
            return send_from_directory(self._folder, filename)
        plain, zipped = self._forms(Path(found))
        form = zipped if request.accept_encodings["gzip"] > 0 else plain
        response = Response(form.data, mimetype=mimetypes.guess_type(filename)[0])
        if form.encoding:
            response.headers["Content-Encoding"] = form.encoding
        response.headers["Cache-Control"] = "no-cache"
        response.vary.add("Accept-Encoding")
        response.set_etag(form.etag)
        response.make_conditional(request.environ)
        return response

    def _forms(self, path: Path) -> tuple[_Form, _Form]:
        now = path.stat()
        stamp = (now.st_mtime_ns, now.st_size)
        known = self._read.get(path)
        if known is None or known[0] != stamp:
            data = path.read_bytes()
            known = (stamp, _Form(data, ""), _Form(gzip.compress(data, LEVEL, mtime=0), "gzip"))
            self._read[path] = known
        return known[1:]


def set_up_statics(app: Flask, folder: Path) -> None:
    """Serve a folder under /static as Flask would."""
    app.add_url_rule("/static/<path:filename>", "static", Statics(folder).send)
