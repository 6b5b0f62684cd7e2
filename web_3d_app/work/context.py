"""What the work of a kind is given, and whom it tells."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recon import Limits, read_photo
from recon.progress import Stopwatch
from recon.types import Photo
from web_3d_app.jobs.claims import Made
from web_3d_app.jobs.database import DatabaseBusy
from web_3d_app.jobs.photo_facts import PhotoFacts, with_facts
from web_3d_app.jobs.storage import Storage
from web_3d_app.jobs.tables import PART, Job
from web_3d_app.jobs.transport import is_packed
from web_3d_app.kinds import kind_at, lanes, lanes_of
from web_3d_app.kinds.base import BYTES, Facts, Kind
from web_3d_app.settings import Settings
from web_3d_app.work.models import Models

if TYPE_CHECKING:
    from web_3d_app.work.worker import Worker

NO_LIMITS = Limits(max_bytes=2**40, max_pixels=10**12, min_side=1, read_pixels=10**12)
"""The upload was checked when it came, and reduced if it was large."""
Next = tuple[str, Path | None]
"""The lane that a job goes to, and the checkpoint for it, where that needs one."""


@dataclass
class Context:
    """One lane's work on one job; it keeps everything to itself, as for warming up.

    folder: empty, for files; settings: of the server; photo_file, focal_35mm, photo_facts: of the upload, None of a kind
    that has no photo; checkpoint: what the lane before left, or an earlier try kept; told: what the job's facts say of this
    kind so far. Whatever tells something may raise Stopped, Lost or Cancelled, which is to be let through.
    """

    lane: str
    params: Mapping[str, Any]
    folder: Path
    models: Models
    settings: Settings
    photo_file: Path | None = None
    focal_35mm: float | None = None
    photo_facts: PhotoFacts | None = None
    checkpoint: Path | None = None
    told: Facts = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """The kind whose work this is."""
        return kind_at(self.lane)

    @cached_property
    def watch(self) -> Stopwatch:
        """Times stages, and tells each as it begins; goes on from the lanes before."""
        return Stopwatch(self._begins, dict(self.told.get("seconds", {})))

    def _begins(self, stage: str) -> None:
        self.stage(stage, self.kind.begins[stage])

    @cached_property
    def photo(self) -> Photo:
        """The photo, which was checked when it came, with what its own file said."""
        assert self.photo_file is not None, "asked for by kinds that have one"
        given = self.focal_35mm
        focal = None if given is None else float(given)  # SQLite's RETURNING gives whole numbers as int
        photo = with_facts(read_photo(self.photo_file, NO_LIMITS), self.photo_facts)
        return replace(photo, focal_35mm=focal, name="photo")

    def stage(self, name: str, share: float) -> None:
        """A stage begins, at such a share of the whole."""

    def check_stop(self) -> None:
        """Raises Stopped, if this worker is to end."""

    def tell(self, facts: Facts) -> None:
        """What is known of the result."""

    def progress(self, stage: str, share: float, facts: Facts) -> None:
        """How far a stage has come, and what is known; nobody minds if one such news is lost."""

    def add(self, *names: str) -> None:
        """Files of the folder, all artefacts of the kind, become visible together, in place of earlier ones."""

    def keep(self, checkpoint: Path) -> None:
        """How far the work came, for a next try."""

    def add_parts(self, *files: Path) -> None:
        """Pieces of what is being made are kept together for a next try; they are gone when the work has ended."""

    def fetch_parts(self, folder: Path) -> None:
        """The pieces that earlier tries have kept, into a folder that is made for them."""

    def hurry(self) -> bool:
        """Whether somebody waits for something that matters more than a finishing touch."""
        return False


class JobContext(Context):
    """Of a job that a worker has claimed: what is told goes to the table, files go to the store. Raises Lost if the photo
    was deleted."""

    def __init__(self, worker: Worker, job: Job, folder: Path, models: Models, settings: Settings) -> None:
        self._worker, self._job = worker, job
        photo, kept = None, None
        if job.photo_name is not None:
            photo = _fetched(worker.storage, worker.claims.photo_key(job), folder / job.photo_name)
        if job.checkpoint_key is not None:
            kept = _fetched(worker.storage, job.checkpoint_key, folder / "checkpoint")
        told = kind_at(job.lane).told(job.facts)
        super().__init__(
            job.lane, job.params, folder, models, settings, photo, job.focal_35mm, job.photo_facts, kept, told
        )

    def stage(self, name: str, share: float) -> None:
        """Told to the table, with a look whether this worker is to end."""
        self._worker.stage(name, share)

    def check_stop(self) -> None:
        """Raises Stopped, if this worker is to end."""
        self._worker.check_stop()

    def tell(self, facts: Facts) -> None:
        """Told to the table."""
        self._worker.claims.facts(self._job, self._with(facts))

    def progress(self, stage: str, share: float, facts: Facts) -> None:
        """Told to the table, unless that is locked."""
        with suppress(DatabaseBusy):
            self._worker.claims.progress(self._job, stage, share, self._with(facts))

    def _with(self, facts: Facts) -> Facts:
        """All that the job's facts are to say: a kind that follows leaves those of the one before."""
        return (self._job.facts or {}) | {self.kind.name: facts} if self.kind.follows else facts

    def add(self, *names: str) -> None:
        """Stored, with rows in the table."""
        files: list[Made] = [(name, *self.kind.artefacts[name], self.folder / name) for name in names]
        self._worker.claims.add(self._worker.storage, self._job, files)

    def keep(self, checkpoint: Path) -> None:
        """Stored, in place of what was kept before."""
        self._worker.claims.keep(self._worker.storage, self._job, checkpoint)

    def add_parts(self, *files: Path) -> None:
        """Stored, with rows in the table that nobody is shown."""
        made: list[Made] = [(file.name, PART, BYTES, file) for file in files]
        self._worker.claims.add(self._worker.storage, self._job, made)

    def fetch_parts(self, folder: Path) -> None:
        """Copied from the store."""
        for name, key in self._worker.claims.parts(self._job).items():
            folder.mkdir(exist_ok=True)
            _fetched(self._worker.storage, key, folder / name)
            if is_packed(key):
                (folder / name).write_bytes(gzip.decompress((folder / name).read_bytes()))

    def hurry(self) -> bool:
        """Whether this worker is to end, or a job waits in a more urgent lane of its crew."""
        lane = lanes()[self.lane]
        sooner = [name for name in lanes_of(lane.crew) if lanes()[name].urgency < lane.urgency]
        return self._worker.ending.is_set() or self._worker.claims.waiting(sooner)


def _fetched(storage: Storage, key: str, path: Path) -> Path:
    """A stored file, copied to a path."""
    with storage.open(key) as data, path.open("wb") as file:
        shutil.copyfileobj(data, file, 1 << 20)
    return path
