"""`--mask NAME` asks one segmenter; where it finds nothing the whole photo is taken, and that is said."""

from pathlib import Path

import numpy as np
from PIL import Image

from recon.pipeline import reconstruct


def _photo(folder: Path, disc: bool) -> Path:
    v, u = np.mgrid[:120, :160]
    rgb = np.full((120, 160, 3), 235, np.uint8)
    rgb[(u - 80) ** 2 + (v - 60) ** 2 < 35**2] = (180, 40, 30) if disc else 235
    if not disc:
        rgb = np.random.default_rng(0).integers(0, 256, rgb.shape, dtype=np.uint8)
    Image.fromarray(rgb).save(folder / "photo.png")
    return folder / "photo.png"


def test_a_segmenter_by_name_cuts_the_subject_out(tmp_path: Path) -> None:
    mask = reconstruct(_photo(tmp_path, disc=True), mask="grabcut").mask
    assert mask.method == "grabcut"
    assert mask.inside is not None
    assert abs(mask.inside.sum() / (np.pi * 35**2) - 1) < 0.05


def test_a_segmenter_that_finds_no_subject_leaves_the_whole_photo_and_a_note(tmp_path: Path) -> None:
    found = reconstruct(_photo(tmp_path, disc=False), mask="grabcut")
    assert found.mask.inside is None
    told = "grabcut finds no single subject in this photo: the whole photo was taken"
    assert told in map(str, found.notes)
    assert np.isfinite(found.depth.z).all()
