"""A photo of one thing through the whole pipeline, with a network that reads its maps off the colours."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recon.builtin import depth, estimator, object_network, segmenter
from recon.cli.main import main
from recon.pipeline import reconstruct
from tests.builtin.toy import FOV, FOV_ERROR, write_toy

V, U = np.mgrid[:240, :320]
R2 = ((U - 190) ** 2 + (V - 110) ** 2) / 70**2


@pytest.fixture(params=[FOV_ERROR, 40.0], ids=["sure", "unsure"])
def fov_error(request: pytest.FixtureRequest) -> float:
    return float(request.param)


@pytest.fixture
def lens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fov_error: float) -> Path:
    """A photo whose red says where a lens is, green its front and blue its thickness; the toy in the place of
    all networks."""
    toy = write_toy(tmp_path / "toy.onnx", fov_error=fov_error)
    monkeypatch.setattr(object_network, "SHAPES", tmp_path / "none.onnx")
    for module, name in ((depth, "BuiltinDepth"), (segmenter, "BuiltinSegmenter")):
        monkeypatch.setattr(module, name, lambda kind=getattr(module, name): kind(toy))
    height = 0.2 * np.sqrt(np.maximum(1 - R2, 0))  # of L, and the lens is 0.75 L wide
    maps = np.stack([(R2 < 1) * 1.0, 0.5 + (0.25 - height) * (R2 < 1), 0.5 + 2 * height], axis=-1)
    Image.fromarray((maps.clip(0, 1) * 255).round().astype(np.uint8)).save(tmp_path / "lens.png")
    return tmp_path / "lens.png"


@pytest.mark.parametrize("mask", ["auto", "builtin"])
def test_a_lens_comes_out_round_closed_and_with_its_back(lens: Path, fov_error: float, mask: str) -> None:
    found = reconstruct(lens, mask=mask, surface="solid")
    # The lens lies on a plain ground, which is GrabCut's.
    assert found.mask.method == ("grabcut" if mask == "auto" else "builtin")
    assert found.mask.inside is not None
    assert (found.mask.inside == (R2 < 1)).mean() > 0.99
    sure = fov_error == FOV_ERROR
    assert found.camera.source == ("model" if sure else "default")
    assert found.camera.fov_x == pytest.approx(FOV if sure else 60)
    assert found.depth.back is not None
    mesh = found.mesh.welded().to_trimesh()
    assert mesh.is_watertight
    assert mesh.body_count == 1
    wide, high, deep = mesh.extents
    assert wide / high == pytest.approx(1, abs=0.05)
    long_side = 139 / estimator.SUBJECT_FILL  # of the window around the lens, 139 pixels wide
    assert deep == pytest.approx(0.4 * long_side / found.camera.focal, rel=0.02)


def test_the_report_and_the_notes_say_what_was_seen_and_how_sure(
    lens: Path, fov_error: float, capfd: pytest.CaptureFixture[str]
) -> None:
    out, report = lens.with_name("m.ply"), lens.with_name("r.json")
    assert main(["--rgb", str(lens), "--out", str(out), "--surface", "solid", "--report", str(report)]) == 0
    told, facts = capfd.readouterr().err, json.loads(report.read_text())
    assert facts["depth"]["back"] == "builtin"
    assert facts["subject"]["method"] == "grabcut"
    assert "the unseen back is the network's guess; its colours are guessed" in told
    if fov_error == FOV_ERROR:
        assert "builtin sees 50° ± 6° along the longer side; set --fov" in told
        assert facts["camera"]["fov_error_deg"] == FOV_ERROR
    else:
        assert "60° along the longer side was assumed (builtin is unsure: ± 40°); set --fov" in told
        assert facts["camera"]["fov_error_deg"] is None


def test_the_mask_that_was_used_gives_the_same_model_again(lens: Path) -> None:
    used = lens.with_name("used.png")
    common = ["--rgb", str(lens), "--surface", "solid", "--quiet"]
    first, again = lens.with_name("first.ply"), lens.with_name("again.ply")
    assert main([*common, "--out", str(first), "--mask-out", str(used)]) == 0
    with Image.open(used) as drawn:
        assert (drawn.mode, drawn.size) == ("L", (320, 240))
        assert ((np.asarray(drawn) == 255) == (R2 < 1)).mean() > 0.99
    back = lens.with_name("back.png")
    assert main([*common, "--out", str(again), "--mask", str(used), "--mask-out", str(back)]) == 0
    assert back.read_bytes() == used.read_bytes()
    assert again.read_bytes() == first.read_bytes()
