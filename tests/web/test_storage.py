"""Files under keys: whole or not at all, inside the store or nowhere."""

from __future__ import annotations

import errno
import io
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from web.conftest import send

from web_3d_app.jobs.storage import Storage
from web_3d_app.services import Services


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Somebody's folder with a file."""
    (tmp_path / "outside" / "1").mkdir(parents=True)
    (tmp_path / "outside" / "1" / "secret").write_bytes(b"secret")
    return tmp_path / "outside"


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(f"file://{tmp_path / 'files'}")


@pytest.mark.parametrize("key", ["../x", "/etc/passwd", "a//b", "a/../b", "a\\b", "", "."])
def test_keys_stay_inside(storage: Storage, key: str) -> None:
    for use in (storage.open, storage.delete, lambda key: storage.put(key, io.BytesIO(b"x"))):
        with pytest.raises(ValueError, match="no storage key"):
            use(key)


def test_links_are_not_followed(storage: Storage, outside: Path, tmp_path: Path) -> None:
    files = tmp_path / "files"
    (files / "folder").symlink_to(outside)
    storage.put("job/1/real", io.BytesIO(b"x"))
    (files / "job" / "1" / "file").symlink_to(outside / "1" / "secret")
    for key in ("folder/1/secret", "job/1/file"):
        with pytest.raises(FileNotFoundError):
            storage.open(key)
    with pytest.raises(FileNotFoundError):
        storage.put("folder/1/new", io.BytesIO(b"x"))
    storage.delete("folder/1/secret")
    storage.delete("job")
    storage.delete("folder")
    assert storage.names() == []
    assert [path.name for path in (outside / "1").iterdir()] == ["secret"]


def test_the_store_itself_may_be_a_link(tmp_path: Path, outside: Path) -> None:
    (tmp_path / "files").symlink_to(outside)
    storage = Storage(f"file://{tmp_path / 'files'}")
    with storage.open("1/secret") as file:
        assert file.read() == b"secret"


def test_a_linked_artefact_is_not_served(client: FlaskClient, parts: Services, outside: Path) -> None:
    job = send(client).json
    key = parts.jobs.artefacts([parts.claims.claim("w", ["view"])])[job["id"]][0].key
    kept = Path(parts.settings.folder, "files", key)
    kept.unlink()
    kept.symlink_to(outside / "1" / "secret")
    answer = client.get(job["artefacts"][0]["url"])
    assert answer.status_code == 404 and b"secret" not in answer.data


def test_half_a_file_is_no_file(storage: Storage) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        storage.put("job/1/file", Broken())
    assert storage.names("job/1") == []


def test_what_is_deleted_while_files_are_put_there_goes_without_an_error(storage: Storage) -> None:
    """A person deletes a job whose worker does not know yet; what it puts afterwards is swept by the keeper."""
    over = threading.Event()

    def work() -> None:
        for number in itertools.count():
            if over.is_set():
                return
            with suppress(FileNotFoundError):  # the folder went away beneath it
                storage.put(f"job/1/{number}", io.BytesIO(b"model"))

    with ThreadPoolExecutor(1) as pool:
        worker = pool.submit(work)
        try:
            for _ in range(300):
                storage.delete("job")
        finally:
            over.set()
        worker.result()
    storage.delete("job")
    assert storage.names() == []
