"""How the form of a request is read: with limits that do not depend on where the network happens to cut its bytes, each
with its own sentence.

Werkzeug's limit on the memory of a form is one on its parser's buffer too: with a limit of a read's size, one byte kept
back refuses a photo. So its decoder runs without, and what it finds is measured here.
"""

from __future__ import annotations

import io
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import flask
from flask import current_app
from gunicorn.http.errors import ParseException
from werkzeug.datastructures import FileStorage, Headers, ImmutableMultiDict
from werkzeug.exceptions import ClientDisconnected
from werkzeug.formparser import FormDataParser
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData, State

from web_3d_app.phrasebook import sentence_of
from web_3d_app.problems import Problem

CHUNK = 1 << 16
PHOTO_FIELD = "photo"
"""The name of the form's file."""
FILM_FIELD = "film"
LONGEST_NAME = 1000
"""Characters of a file's name; file systems have at most 255 bytes."""
LONGEST_HEADERS = 1 << 14
"""Bytes of one part's headers."""

OLD_SECONDS = 7200.0


class Request(flask.Request):
    """A request whose form is read by `FormParser`; its files lie in the folder of the setting SPOOL, under a name."""

    @property
    def form_data_parser_class(self) -> type[FormDataParser]:  # type: ignore[override]
        """Ours."""
        return FormParser

    def _get_file_stream(self, *_: Any, **__: Any) -> IO[bytes]:
        return spooled(Path(current_app.config["SPOOL"]))

    def _load_form_data(self) -> None:
        try:
            super()._load_form_data()
        except Exception:  # told once; whoever asks again, as a page about the error does, finds an empty form
            nothing: Any = ImmutableMultiDict()
            self.__dict__.update(form=nothing, files=nothing, stream=io.BytesIO())
            raise


def spooled(folder: Path) -> Any:
    """A new file in a folder, gone when it is closed."""
    folder.mkdir(exist_ok=True)
    return tempfile.NamedTemporaryFile(dir=folder, prefix="upload-")


def tidy_spool(folder: Path) -> None:
    """Remove what a crash left; young files may belong to another server's uploads."""
    for path in folder.glob("*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > OLD_SECONDS:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


class FormParser(FormDataParser):
    """Forms of both kinds. max_form_memory_size: bytes of a text field, or of a form without files; max_form_parts: of
    fields and files together. Raises Problem 400, 408 or 413."""

    def parse(self, stream: Any, mimetype: str, content_length: int | None, options: Any = None) -> Any:
        """(stream, fields, files) of a request's body."""
        try:
            if mimetype == "multipart/form-data":
                fields, files = self._multipart(stream, (options or {}).get("boundary", ""))
                return stream, self.cls(fields), self.cls(files)
            if mimetype == "application/x-www-form-urlencoded":
                return super().parse(self._short(stream), mimetype, content_length, options)
        except ClientDisconnected as error:
            if isinstance(error.__context__, TimeoutError):
                raise too_slow() from None
            raise
        except ParseException:  # gunicorn's, of a body in chunks that are none
            raise bad_form() from None
        return super().parse(stream, mimetype, content_length, options)

    def _short(self, stream: Any) -> IO[bytes]:
        most = self.max_form_memory_size
        data = stream.read() if most is None else _exactly(stream, most + 1)
        if most is not None and len(data) > most:
            raise Problem(413, "field_too_long", sentence_of("server.form_too_long", most=most // 1024))
        return io.BytesIO(data)

    def _multipart(self, stream: Any, boundary: str) -> tuple[list[tuple[str, str]], list[tuple[str, FileStorage]]]:
        parts = _Parts(self)
        try:
            if not boundary:
                raise ValueError("no boundary")
            for event in _events(_Decoder(boundary.encode("ascii")), stream):
                if isinstance(event, Data):
                    parts.write(event)
                else:
                    parts.begin(event)
        except BaseException as error:
            parts.close()
            if isinstance(error, ValueError):
                raise bad_form() from None
            raise
        return parts.fields, parts.files


class _Decoder(MultipartDecoder):
    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        """File names of old programs are in no UTF-8; better a strange title than no model."""
        try:
            return super()._parse_headers(data)
        except UnicodeDecodeError:
            return super()._parse_headers(bytes(data).decode("latin-1").encode())


def _events(decoder: MultipartDecoder, stream: Any) -> Iterator[Field | File | Data]:
    """What a stream holds, piece by piece. Raises ValueError for what is no form."""
    ended = False
    while not ended:
        data = stream.read(CHUNK)
        ended = not data
        decoder.receive_data(data or None)
        event = decoder.next_event()
        while not isinstance(event, NeedData | Epilogue):
            if isinstance(event, Field | File | Data):
                yield event
            event = decoder.next_event()
        if len(decoder.buffer) > 2 * CHUNK:  # a photo's bytes are passed on at once: these are headers without end
            if decoder.state in (State.PREAMBLE, State.EPILOGUE):
                raise ValueError("no boundary comes, or something comes after the last one")
            raise too_long(sentence_of("server.header_without_end"))


class _Parts:
    """The fields and files of a form, as they come in."""

    def __init__(self, limits: FormParser) -> None:
        self.fields: list[tuple[str, str]] = []
        self.files: list[tuple[str, FileStorage]] = []
        self._limits, self._count, self._length = limits, 0, 0
        self._part: Field | File | None = None
        self._into: Any = None

    def begin(self, part: Field | File) -> None:
        """Another field or file. Raises Problem 413, or ValueError for one without a name."""
        self._count += 1
        most = self._limits.max_form_parts
        if most is not None and self._count > most:
            raise Problem(413, "too_many_parts", sentence_of("server.too_many_parts", most=most))
        if not part.name:
            raise ValueError("a part without a name")
        _check_headers(part)
        self._part, self._length = part, 0
        self._into = self._file(part) if isinstance(part, File) else io.BytesIO()

    def write(self, data: Data) -> None:
        """More of the newest part, maybe its end. Raises Problem 413."""
        part, most = self._part, self._limits.max_form_memory_size
        assert part is not None
        self._length += len(data.data)
        if isinstance(part, Field) and most is not None and self._length > most:
            if part.name in (PHOTO_FIELD, FILM_FIELD):
                raise no_file_name()
            told = sentence_of("server.field_too_long", name=part.name[:40], most=most // 1024)
            raise Problem(413, "field_too_long", told)
        self._into.write(data.data)
        if data.more_data:
            return
        if isinstance(part, Field):
            self.fields.append((part.name, self._into.getvalue().decode("utf-8", "replace")))
        else:
            self._into.seek(0)

    def _file(self, part: File) -> IO[bytes]:
        into: Any = self._limits.stream_factory(None, part.headers.get("content-type"), part.filename, None)
        self.files.append((part.name, FileStorage(into, part.filename, part.name, headers=part.headers)))
        return into

    def close(self) -> None:
        """Forget the files."""
        for _, file in self.files:
            file.close()


def _exactly(stream: Any, size: int) -> bytes:
    """So many bytes, or all there are."""
    parts = []
    while size > 0 and (data := stream.read(size)):
        parts.append(data)
        size -= len(data)
    return b"".join(parts)


def _check_headers(part: Field | File) -> None:
    if isinstance(part, File) and len(part.filename) > LONGEST_NAME:
        raise too_long(sentence_of("server.file_name_too_long"))
    if len(part.name) > LONGEST_NAME:
        raise too_long(sentence_of("server.field_name_too_long"))
    if sum(len(name) + len(value) for name, value in part.headers) > LONGEST_HEADERS:
        raise too_long(sentence_of("server.headers_too_long", most=LONGEST_HEADERS // 1024))


def too_long(message: str) -> Problem:
    """Of a part whose name is no name any more."""
    return Problem(413, "name_too_long", message)


def bad_form() -> Problem:
    """Of bytes that are no form, or end too early."""
    return Problem(400, "bad_form", sentence_of("server.bad_form"))


def no_file_name() -> Problem:
    """Of a photo that came as a text field."""
    told = sentence_of("server.no_file_name")
    return Problem(400, "no_file_name", told)


def too_slow() -> Problem:
    """Of bytes that hardly come."""
    return Problem(408, "too_slow", sentence_of("server.too_slow"))
