"""Writing is all or nothing; what cannot be read or written is told before work begins."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from recon.errors import BadInput, Unwritable
from recon.io.files import (
    check_writable,
    checked_file,
    replaced_whole,
    same_place,
    write_bytes,
    write_together,
    write_with,
)
from recon.io.read import PHOTO
from tests.command_line import full_disk


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_written_file_is_whole_and_has_the_usual_rights(tmp_path: Path) -> None:
    write_bytes(tmp_path / "deep/er/a.bin", b"one", memoryview(b"two"))
    made = tmp_path / "deep/er/a.bin"
    umask = os.umask(0)
    os.umask(umask)
    assert contents(made.parent) == {"a.bin": b"onetwo"}
    assert stat.S_IMODE(made.stat().st_mode) == 0o666 & ~umask


def test_a_full_disk_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")
    with full_disk(100), pytest.raises(Unwritable, match=r"a\.bin.*the old file, if any, stands as it was"):
        write_bytes(tmp_path / "a.bin", b"n" * 101)
    assert contents(tmp_path) == {"a.bin": b"old"}


def test_files_that_belong_together_change_together(tmp_path: Path) -> None:
    names = [tmp_path / name for name in "abc"]
    write_together(dict.fromkeys(names, (b"old",)))
    with full_disk(100), pytest.raises(Unwritable, match="'.*c'"):
        write_together({path: (b"n" * 60 * (i + 1) if i == 2 else b"new",) for i, path in enumerate(names)})
    assert set(contents(tmp_path).values()) == {b"old"}
    assert len(contents(tmp_path)) == 3


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, MemoryError])
def test_any_failure_of_a_library_leaves_no_trace(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "a.bin").write_bytes(b"old")

    def fails(temporary: Path) -> None:
        assert temporary.suffix == ".bin"
        temporary.write_bytes(b"half")
        raise error

    with pytest.raises(error):
        write_with(tmp_path / "a.bin", fails)
    assert contents(tmp_path) == {"a.bin": b"old"}


def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store/real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("store/real")
    write_bytes(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert contents(tmp_path / "store") == {"real": b"new"}


def test_two_paths_to_one_file_are_the_same_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "link").symlink_to("a")
    os.link("a", "hard")
    (tmp_path / "down").mkdir()
    (tmp_path / "folder").symlink_to("down")
    for other in ("link", "hard", "down/../a", "./a", str(tmp_path / "a")):
        assert same_place(Path("a")) == same_place(Path(other))
    assert same_place(Path("down/new")) == same_place(Path("folder/new"))
    assert same_place(Path("a")) != same_place(Path("b"))


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "null").symlink_to("/dev/null")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nowhere").symlink_to("missing/folder/target")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.iterdir())
    for name in ("", "file/x.ply", "null", "pipe", "loop/x.ply", "x" * 300 + ".ply", "a\0b.ply"):
        with pytest.raises(Unwritable, match="cannot write"):
            check_writable(tmp_path / name)
    with pytest.raises(Unwritable):
        check_writable(Path("/proc/model.ply"))
    assert check_writable(tmp_path / "new/folder/x.ply")
    assert not check_writable(tmp_path / "x.ply")
    assert not check_writable(tmp_path / "file")
    assert sorted(tmp_path.iterdir()) == before


RIGHTS = """
import os, sys
from pathlib import Path
from recon.errors import UnflatError
from recon.io.files import check_writable, checked_file
from recon.io.read import PHOTO
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
for test, name in ((check_writable, "closed/x.ply"), (check_writable, "closed/folder/x.ply"), (check_writable, "mine"),
                   (check_writable, "hidden/x.ply"), (lambda p: checked_file(p, PHOTO, 99), "secret"),
                   (lambda p: checked_file(p, PHOTO, 99), "hidden/photo")):
    try:
        test(Path(name)); print("no error for", name)
    except UnflatError as error:
        print(error)
"""


def test_rights_are_respected_by_people_who_are_not_root() -> None:
    """In a child without privileges: root may write everywhere."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for name, rights in (("closed", 0o555), ("hidden", 0o000)):
            (folder / name).mkdir()
            (folder / name).chmod(rights)
        for name, rights in (("mine", 0o444), ("secret", 0o000)):
            (folder / name).write_bytes(b"x")
            (folder / name).chmod(rights)
        folder.chmod(0o777)
        paths = [os.getcwd(), *filter(None, sys.path)]
        code = f"import sys; sys.path[:0] = {paths!r}\n{RIGHTS}"
        done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=60)
        for name in ("closed", "hidden"):
            (folder / name).chmod(0o755)
    lines = done.stdout.splitlines()
    assert len(lines) == 6, done.stderr
    assert all(line.startswith("cannot write") for line in lines[:4])
    assert "write-protected" in lines[2]
    assert "may not be read" in lines[4]
    assert "cannot be read (Permission denied)" in lines[5]


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    (tmp_path / "big").write_bytes(b"x" * 2_000_000)
    (tmp_path / "gone").symlink_to("nothing")
    for name, complaint in {
        "missing": "does not exist", "gone": "does not exist", ".": "is a folder", "pipe": "no regular file",
        "/dev/zero": "no regular file", "empty": "0 bytes", "big": r"1\.9 MiB, at most 1 MiB", "big/x": "cannot be read",
        "a\0b": "is no file name", "x" * 300: "File name too long",
    }.items():  # fmt: skip
        with pytest.raises(BadInput, match=complaint):
            checked_file(tmp_path / name, PHOTO, 2**20)


def test_an_interrupted_replacement_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    for call in ("fsync", "replace"):
        with (
            monkeypatch.context() as patch,
            pytest.raises(KeyboardInterrupt),
            replaced_whole(tmp_path / "a") as temporary,
        ):
            temporary.write_bytes(b"new")
            patch.setattr(f"recon.io.files.os.{call}", interrupted)
        assert contents(tmp_path) == {}
