"""Files: what may be read, and writing that leaves either the whole new file or the old one.

A result is written beside its place under a temporary name and renamed into it, so that an interrupted run, a crash or a
full disk leaves no half file. A missing folder is made.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from recon.errors import BadInput, Unwritable


def checked_file(path: Path, what: str, max_bytes: int) -> Path:
    """`path` if it is a regular file of 1 to `max_bytes` bytes, else BadInput. Opens nothing, follows links."""
    try:
        status = path.stat()
    except OSError as error:
        reason = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise BadInput(f"{what} {str(path)!r} {reason}; give the path of a file.") from None
    except ValueError:
        raise BadInput(f"{what} {str(path)!r} is no file name; give the path of a file.") from None
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "no regular file (a pipe, socket or device)"
        raise BadInput(f"{what} {str(path)!r} is {kind}; give the path of a file.")
    if status.st_size == 0:
        raise BadInput(f"{what} {str(path)!r} is empty (0 bytes); give a file with a picture in it.")
    if status.st_size > max_bytes:
        raise BadInput(
            f"{what} {str(path)!r} has {status.st_size / 2**20:.1f} MiB, at most {max_bytes / 2**20:.0f} MiB are allowed;"
            " make it smaller or raise the limit with --max-mib."
        )
    if not os.access(path, os.R_OK):
        raise BadInput(f"{what} {str(path)!r} may not be read; change its permissions.")
    return path


def check_writable(path: Path) -> bool:
    """Make sure, before work begins, that `path` can be written; True if its folder is missing and will be made."""
    if path.is_dir():
        raise Unwritable(f"cannot write {str(path)!r}: it is a folder; give a file name.")
    if path.exists() and not path.is_file():
        raise Unwritable(f"cannot write {str(path)!r}: it is no regular file; give another name.")
    folder = next((parent for parent in path.absolute().parents if parent.exists()), Path("/"))
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".unflat-"):
            pass
    except OSError as error:
        raise Unwritable(
            f"cannot write {str(path)!r}: {error.strerror or error}; choose a folder that you may write to."
        ) from None
    return not path.parent.is_dir()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` with the same ending; renamed to `path` on success, removed on any failure.

    Raises Unwritable when the disk is full or the folder is gone; the old file then stands as it was.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".unflat-", suffix=path.suffix)
        os.close(descriptor)
        temporary = Path(name)
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise Unwritable(
            f"cannot write {str(path)!r}: {error.strerror or error}; the old file, if any, stands as it was."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, *chunks: bytes | memoryview) -> None:
    """Write the chunks one after another, atomically."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)


def write_with(path: Path, writer: Callable[[Path], object]) -> None:
    """Let a library write to a temporary path with the right ending, then rename."""
    with replacing(path) as temporary:
        writer(temporary)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
