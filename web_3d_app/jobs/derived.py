"""Files that are not kept: they are made of another one when somebody asks for them, and listed with the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import inspect

from recon import ply_of_splat, ply_size
from web_3d_app.jobs.tables import Artefact
from web_3d_app.kinds.base import PLY


@dataclass(frozen=True)
class Derived:
    """source: the file that it is made of; size: its bytes, of the source's; make: it, of the source."""

    name: str
    kind: str
    media_type: str
    source: str
    size: Callable[[int], int]
    make: Callable[[bytes], bytes]


SPLATS_PLY = Derived("splats.ply", "splats_ply", PLY, "splats_view.splat", ply_size, ply_of_splat)
DERIVED = {each.source: each for each in (SPLATS_PLY,)}


def with_derived(files: Sequence[Artefact]) -> list[Artefact]:
    """The files, and after each what is made of it, unless that is kept too, as an earlier program did."""
    kept, out = {file.name for file in files}, []
    for file in files:
        out.append(file)
        made = DERIVED.get(file.name)
        if made is not None and made.name not in kept:
            out.append(Artefact(job_id=file.job_id, name=made.name, kind=made.kind, media_type=made.media_type,
                                bytes=made.size(file.bytes), key=file.key, attempt=file.attempt,
                                position=file.position))  # fmt: skip
    return out


def maker_of(file: Artefact) -> Callable[[bytes], bytes] | None:
    """What makes it of the bytes under its key; None of a file that lies there itself, which has a row of its own."""
    made = next((each for each in DERIVED.values() if each.name == file.name), None)
    return made.make if made is not None and inspect(file).transient else None
