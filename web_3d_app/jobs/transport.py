"""Files as they travel: what shrinks is gzipped once, when it is stored, and sent to browsers as it lies.

The keys of such files end with .gz; an artefact's `bytes` are those of the file itself. None of them holds a secret beside
what a visitor typed (see docs/server.md, "Compression").
"""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

from web_3d_app.jobs.storage import Storage

PACKED = ".gz"
SHRINK = (".glb", ".json", ".npy", ".ply", ".splat", ".stl", ".vtk")
"""Endings of files that gzip makes smaller. Pictures and archives are compressed already."""
LEVEL = 1  # of a mesh, higher ones take up to nine times as long and gain nothing
SMALLEST = 1000
"""Bytes below which it is not worth a header."""


def store(storage: Storage, key: str, file: Path) -> tuple[str, int]:
    """Store a file, packed where that helps; returns the key that it has then and the file's own size."""
    size = file.stat().st_size
    if file.suffix not in SHRINK or size < SMALLEST:
        return key, storage.put(key, file)
    packed = file.with_name(file.name + PACKED)
    with file.open("rb") as data, gzip.open(packed, "wb", compresslevel=LEVEL) as out:
        shutil.copyfileobj(data, out, 1 << 20)
    try:
        storage.put(key + PACKED, packed)
    finally:
        packed.unlink()
    return key + PACKED, size


def is_packed(key: str) -> bool:
    """Whether what lies under a key is gzipped."""
    return key.endswith(PACKED)
