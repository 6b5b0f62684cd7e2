"""Files: what may be read, and writing that leaves either the whole new file or the old one.

A result is written beside its place under a temporary name and renamed into it, so that an interrupted run, a crash or a
full disk leaves no half file. A missing folder is made. A link is followed: what it points to is replaced.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from recon.errors import BadInput, Unwritable
from recon.messages import Message, note

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LEFTOVER = re.compile(r"\.unflat-(\d+)-[0-9a-f]{16}")
"""The temporary name of a file that a process writes, without its ending."""


def named_file(what: Message, path: Path) -> Message:
    """What a file is and where it lies, to be told."""
    return note("thing.file", "{what} {path!r}", what=what, path=str(path))


def checked_file(path: Path, what: Message, max_bytes: int) -> Path:
    """`path` if it is a regular file of 1 to `max_bytes` bytes, else BadInput. Opens nothing, follows links."""
    named = named_file(what, path)
    try:
        status = path.stat()
    except FileNotFoundError:
        raise BadInput("file.missing", "{named} does not exist; give the path of a file.", named=named) from None
    except OSError as error:
        raise BadInput(
            "file.no_access", "{named} cannot be read ({reason}); give the path of a file.",
            named=named, reason=error.strerror,
        ) from None  # fmt: skip
    except ValueError:
        raise BadInput("file.no_name", "{named} is no file name; give the path of a file.", named=named) from None
    if stat.S_ISDIR(status.st_mode):
        raise BadInput("file.folder", "{named} is a folder; give the path of a file.", named=named)
    if not stat.S_ISREG(status.st_mode):
        raise BadInput(
            "file.special",
            "{named} is no regular file (a pipe, socket or device); give the path of a file.",
            named=named,
        )
    if status.st_size == 0:
        raise BadInput("file.empty", "{named} is empty (0 bytes); give a file with a picture in it.", named=named)
    if status.st_size > max_bytes:
        raise BadInput(
            "file.too_large",
            "{named} has {came:.1f} MiB, at most {most:.0f} MiB are allowed; make it smaller or raise the limit with"
            " <max_mib>.",
            named=named, came=status.st_size / 2**20, most=max_bytes / 2**20,
        )  # fmt: skip
    if not os.access(path, os.R_OK):
        raise BadInput("file.forbidden", "{named} may not be read; change its permissions.", named=named)
    return path


def check_writable(path: Path) -> bool:
    """Make sure, before work begins, that `path` can be written; True if its folder is missing and will be made."""
    try:
        real = Path(os.path.realpath(path))
        if real.is_dir():
            raise Unwritable(
                "output.folder", "cannot write {path!r}: it is a folder; give a file name.", path=str(path)
            )
        if real.exists() and not real.is_file():
            raise Unwritable(
                "output.special", "cannot write {path!r}: it is no regular file; give another name.", path=str(path)
            )
        if real.exists() and not os.access(real, os.W_OK):
            raise Unwritable(
                "output.protected", "cannot write {path!r}: the file there is write-protected; give another name.",
                path=str(path),
            )  # fmt: skip
        folder = next(parent for parent in real.parents if os.path.lexists(parent))
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".unflat-", suffix=real.suffix):
            return not real.parent.is_dir()
    except (OSError, ValueError) as error:
        raise Unwritable(
            "output.no_place", "cannot write {path!r}: {reason}; choose a place that you may write to.",
            path=str(path), reason=getattr(error, "strerror", None) or str(error),
        ) from None  # fmt: skip


def same_place(path: Path) -> object:
    """A key that two paths share when they lead to the same file, through links and `..` too."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return os.path.realpath(path)
    return status.st_dev, status.st_ino


@contextmanager
def replaced_whole(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` with the same ending; renamed to `path` on success, removed on any failure.

    Raises Unwritable when the disk is full or the folder is gone; the old file then stands as it was.
    """
    real = Path(os.path.realpath(path))
    temporary = real.with_name(f".unflat-{os.getpid()}-{secrets.token_hex(8)}{real.suffix}")
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        temporary.open("xb").close()
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        os.replace(temporary, real)
    except OSError as error:
        raise Unwritable(
            "output.failed", "cannot write {path!r}: {reason}; the old file, if any, stands as it was.",
            path=str(path), reason=error.strerror or str(error),
        ) from error  # fmt: skip
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of processes that were killed while they wrote into a folder."""
    for left in folder.glob(".unflat-*-*"):
        found = LEFTOVER.fullmatch(left.stem)
        if found and not _is_alive(int(found[1])):
            left.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    if os.name == "nt":  # signal 0 is Ctrl-C there
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is somebody else's
        return True
    return True


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Within, no other run that asks the same writes into the folder, which is there. Raises Unwritable where one does."""
    if fcntl is None:
        yield
        return
    place = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(place)
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):  # a disk that knows no locks
            yield
            return
        raise Unwritable(
            "output.taken", "another run is writing into {path!r}; wait until it has ended, or give another folder.",
            path=str(folder),
        ) from None  # fmt: skip
    try:
        yield
    finally:
        os.close(place)


def write_bytes(path: Path, *chunks: bytes | memoryview) -> None:
    """Write the chunks one after another, atomically."""
    write_together({path: chunks})


def write_together(files: dict[Path, tuple[bytes | memoryview, ...]]) -> None:
    """Write files that belong together: none takes its place before all of them lie on the disk."""
    with ExitStack() as all_or_none:
        for path, chunks in files.items():
            temporary = all_or_none.enter_context(replaced_whole(path))
            with temporary.open("wb") as file:
                for chunk in chunks:
                    file.write(chunk)


def write_with(path: Path, writer: Callable[[Path], object]) -> None:
    """Let a library write to a temporary path with the right ending, then rename. It must raise OSError when it fails."""
    with replaced_whole(path) as temporary:
        writer(temporary)
