"""Where files are kept: one small interface over fsspec, a local folder by default.

Keys are `<job id>/<attempt>/<random name>`; nothing of a person's file name is in them. A file takes its place by a rename
after all of it is written, so a key holds the whole file or nothing.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import fsspec
from fsspec.implementations.local import LocalFileSystem

ASIDE = ".aside-"
FULL = (errno.ENOSPC, errno.EDQUOT)
"""What a full disk says."""
ADDED_TO = (errno.ENOTEMPTY, errno.EISDIR)
"""What removing a folder says that somebody adds to."""
DELETE_ATTEMPTS = 10
"""How often a worker may add to what is deleted, of which it does not know yet."""


class Storage:
    """Bytes under keys. Errors are OSErrors; a missing key is FileNotFoundError."""

    def __init__(self, url: str) -> None:
        self._fs, root = fsspec.core.url_to_fs(url)
        self._root = root.rstrip("/")
        self._fs.makedirs(self._root, exist_ok=True)

    def put(self, key: str, source: Path | BinaryIO) -> int:
        """Store a file's bytes under a key, whole or not at all; returns their number."""
        path = self._path(key)
        folder = path.rpartition("/")[0]
        aside = f"{folder}/{ASIDE}{secrets.token_hex(8)}"
        self._check(folder)
        self._fs.makedirs(folder, exist_ok=True)
        try:
            with _opened(source) as data, self._fs.open(aside, "wb") as file:
                shutil.copyfileobj(data, file, 1 << 20)
                written = file.tell()
                file.flush()
                if isinstance(self._fs, LocalFileSystem):
                    os.fsync(file.fileno())
            self._fs.mv(aside, path)
        except BaseException:
            with suppress(OSError):
                self._fs.rm_file(aside)
            raise
        return int(written)

    def open(self, key: str) -> BinaryIO:
        """The file of a key, seekable."""
        path = self._path(key)
        self._check(path)
        file: BinaryIO = self._fs.open(path, "rb")
        return file

    def delete(self, prefix: str) -> None:
        """Remove everything under a prefix, even if files are put there meanwhile; nothing there is no error.
        Of a link, the link."""
        path = self._path(prefix)
        for attempt in range(1, DELETE_ATTEMPTS + 1):
            try:
                self._remove(path)
            except FileNotFoundError:  # all of it, or one file that was just renamed
                if not self._fs.exists(path):
                    return
            except OSError as error:
                if error.errno not in ADDED_TO or attempt == DELETE_ATTEMPTS:
                    raise

    def _remove(self, path: str) -> None:
        self._check(path.rpartition("/")[0])
        if isinstance(self._fs, LocalFileSystem) and os.path.islink(path):
            os.unlink(path)
        else:
            self._fs.rm(path, recursive=True)

    def names(self, prefix: str = "") -> list[str]:
        """What lies directly under a prefix."""
        path = self._path(prefix) if prefix else self._root
        self._fs.invalidate_cache()
        try:
            return sorted(entry.rstrip("/").rpartition("/")[2] for entry in self._fs.ls(path, detail=False))
        except FileNotFoundError:
            return []

    def free_bytes(self) -> int | None:
        """Free space where that can be known."""
        return shutil.disk_usage(self._root).free if isinstance(self._fs, LocalFileSystem) else None

    def _check(self, path: str) -> None:
        """Raise FileNotFoundError for a path that is, or passes through, a link below the root: we make none, so nobody's
        is followed."""
        if isinstance(self._fs, LocalFileSystem):
            inside = os.path.relpath(path, self._root)
            if os.path.realpath(path) != os.path.normpath(os.path.join(os.path.realpath(self._root), inside)):
                raise FileNotFoundError(errno.ENOENT, "a link leads out of the store", path)

    def _path(self, key: str) -> str:
        if not key or key.startswith("/") or "\\" in key or any(part in ("", ".", "..") for part in key.split("/")):
            raise ValueError(f"{key!r} is no storage key")
        return f"{self._root}/{key}"


@contextmanager
def _opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file
    else:
        yield source
