"""The catalogue and the registry agree, name everything that `--models` must show, and cost nothing to look at."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recon import registry
from recon.errors import BadOption, MissingWeights
from recon.models import catalogue
from recon.protocols import DepthEstimator, Segmenter

HERE = registry.Where("cpu", offline=True)
HEAVY = ("torch", "transformers", "huggingface_hub", "cv2", "onnxruntime", "segment_anything", "rembg", "diffusers")


def test_looking_at_the_list_imports_nothing_heavy() -> None:
    code = (
        "import sys, json; import recon.models; from recon.registry import listing; rows = listing();"
        f"print(json.dumps([len(rows), [m for m in {HEAVY} if m in sys.modules]]))"
    )
    root = Path(registry.__file__).parents[1]
    told = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert json.loads(told.stdout) == [len(catalogue.PRETRAINED) + 1, []]


def test_every_model_of_the_issue_is_there_and_builds() -> None:
    kinds = {
        "dpt-large": "disparity",
        "dpt-hybrid": "disparity",
        "dpt-beit-large-512": "disparity",
        "dpt-swin2-tiny-256": "disparity",
        "glpn-nyu": "metric",
        "zoedepth": "metric",
        "depth-anything-v2-small": "disparity",
        "depth-anything-v2-metric-indoor-small": "metric",
        "depth-anything-v2-metric-outdoor-small": "metric",
        "depth-pro": "metric",
        "moge-2-vits": "metric",
        "moge-2-vitb": "metric",
        "moge-2-vitl": "metric",
        "da3-small": "scale",
        "da3-base": "scale",
        "da3-large": "scale",
        "da3-mono-large": "scale",
        "da3-metric-large": "metric",
    }
    assert kinds.items() <= {name: card.kind for name, card in catalogue.DEPTH.items()}.items()
    assert set(registry.cards("depth")) == {"builtin", *catalogue.DEPTH}
    assert set(registry.cards("subject")) == {"builtin", "grabcut", *catalogue.SUBJECT}
    assert set(registry.cards("splats")) == set(catalogue.SPLATS) == {"sharp"}
    for name in registry.cards("depth"):
        estimator = registry.depth_estimator(name, HERE)
        assert isinstance(estimator, DepthEstimator) and estimator.name == name
    for name in registry.cards("subject"):
        segmenter = registry.segmenter(name, HERE)
        assert isinstance(segmenter, Segmenter) and segmenter.name == name


def test_every_card_can_be_shown_and_auto_takes_only_free_licences() -> None:
    own, *others = registry.listing()
    assert own.card.name == "builtin" and own.here and own.get == "" and own.card.megabytes > 0
    assert own.card.gives == "disparity, mask" and {row.card.gives for row in others} == {
        "disparity",
        "scale",
        "metric",
        "mask",
        "splats",
        "object",
    }
    for row in others:
        assert not row.here and row.card.licence and row.card.megabytes > 0 and row.card.about
        assert row.get.startswith(("hf download ", "curl -L "))
        restricted = any(word in row.card.licence for word in ("NC", "research"))
        assert row.card.opt_in == restricted
    for names in catalogue.BEST_FOR.values():
        assert all(not catalogue.DEPTH[name].opt_in for name in names)
    assert {*catalogue.BEST_FOR["cpu"]} == {*catalogue.BEST_FOR["cuda"]}


def test_the_list_says_what_is_here(
    toy: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNFLAT_MODELS", str(tmp_path))
    shutil.copytree(toy("glpn"), tmp_path / "vinvino02--glpn-nyu")
    assert [row.card.name for row in registry.listing() if row.here] == ["builtin", "glpn-nyu"]
    assert [row.get for row in registry.listing() if row.here] == ["", ""]


def test_by_name_by_folder_and_by_hub_id(
    toy: Callable[[str], Path], photo: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One set of weights, found in three ways, gives one depth map."""
    monkeypatch.setenv("UNFLAT_MODELS", str(tmp_path))
    shutil.copytree(toy("dpt-vit"), tmp_path / "dpt-large")
    shutil.copytree(toy("dpt-vit"), tmp_path / "someone--mine")
    ways = [str(toy("dpt-vit")), "dpt-large", "someone/mine"]
    depths = [registry.depth_estimator(way, HERE).estimate(photo) for way in ways]
    assert {depth.kind for depth in depths} == {"disparity"}
    assert [depth.model for depth in depths] == [toy("dpt-vit").name, "dpt-large", "someone--mine"]
    for depth in depths[1:]:
        np.testing.assert_array_equal(depth.values, depths[0].values)


def test_auto_takes_the_best_that_is_here(
    toy: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As weights come, the better is taken; one whose licence forbids something never is."""
    monkeypatch.setenv("UNFLAT_MODELS", str(tmp_path))
    assert registry.best_here("cpu") == "builtin"
    for files, names in {
        ("config.json", "preprocessor_config.json", "model.safetensors"): ["depth-anything-v2-large", "dpt-hybrid"],
        ("config.json", "model.safetensors"): ["da3-large", "da3-mono-large", "da3-small"],
        ("model.onnx",): ["moge-2-vitl", "moge-2-vitb"],
    }.items():
        for name in names:
            (tmp_path / name).mkdir()
            for file in files:
                (tmp_path / name / file).write_text("{}")
            if catalogue.DEPTH[name].opt_in:
                assert registry.best_here("cpu") != name != registry.best_here("cuda")
            else:
                assert registry.best_here("cpu") == name
    assert registry.best_here("cuda") == "moge-2-vitl"


def test_accuracy_is_shown_with_its_source_or_not_at_all() -> None:
    told = [card.published for card in catalogue.PRETRAINED.values() if card.published]
    assert told and all("(arXiv:" in each and each in registry.models_table() for each in told)


def test_what_is_not_there_says_how_to_get_it(photo: np.ndarray) -> None:
    with pytest.raises(MissingWeights, match="get them with: hf download Intel/dpt-large$"):
        registry.depth_estimator("dpt-large", HERE).estimate(photo)
    with pytest.raises(MissingWeights, match="get them with: hf download some/thing$"):
        registry.depth_estimator("some/thing", HERE).estimate(photo)
    with pytest.raises(MissingWeights, match=r"get them with: curl -L .*sam_vit_b_01ec64.pth$"):
        segmenter = registry.segmenter("sam-vit-b", HERE)
        assert segmenter is not None
        segmenter.segment(photo)


@pytest.mark.parametrize("name", ["midas", "", "~nobody-at-all/x", "a/b/c"])
def test_unknown_names(name: str) -> None:
    """A word that is no segmenter's is told; what may be a mask's file is not the registry's business."""
    with pytest.raises(BadOption, match=f"{re.escape(repr(name))} is unknown; give auto, one of builtin, dpt-large"):
        registry.depth_estimator(name)
    if name == "midas":
        with pytest.raises(BadOption, match=f"{name!r} is unknown; give auto, none, alpha, one of builtin, grabcut"):
            registry.segmenter(name)
    else:
        assert registry.segmenter(name) is None
