"""What a newcomer tries first."""

from __future__ import annotations

from pathlib import Path

import trimesh
from PIL import Image

import gen
from web_3d_app.options import SAMPLES, sample_names


def test_the_first_sample_shows_one_thing_that_is_cut_out_and_closed_by_itself(tmp_path: Path) -> None:
    first = SAMPLES / f"{sample_names()[0]}.jpg"
    assert gen.main(["--rgb", str(first), "--out", str(tmp_path / "m.stl"), "--offline", "--quiet"]) == 0
    model = trimesh.load(tmp_path / "m.stl")
    assert model.is_watertight and model.body_count == 1


def test_every_sample_has_its_credit_and_nothing_else_in_the_file() -> None:
    credits = (SAMPLES / "CREDITS.md").read_text()
    assert len(sample_names()) >= 4
    for name in sample_names():
        assert f"`{name}.jpg`" in credits
        with Image.open(SAMPLES / f"{name}.jpg") as picture:
            assert not {"exif", "xmp", "photoshop"} & set(picture.info)
