"""Toy models: the published architectures at a tiny size with random weights, on disk in the published format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

VIT = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 64}
NECK = {"neck_hidden_sizes": [8, 16, 24, 32], "fusion_hidden_size": 16}
STAGES = ["stage1", "stage2", "stage3", "stage4"]
MEAN = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}


def _dpt(side: int, multiple: int = 1, keep_aspect: bool = False) -> Any:
    from transformers import DPTImageProcessor

    size = {"height": side, "width": side}
    return DPTImageProcessor(size=size, keep_aspect_ratio=keep_aspect, ensure_multiple_of=multiple, **MEAN)


def _dpt_vit() -> tuple[Any, Any]:
    from transformers import DPTConfig

    return DPTConfig(image_size=64, patch_size=16, backbone_out_indices=[0, 1, 2, 3], **VIT, **NECK), _dpt(64)


def _dpt_hybrid() -> tuple[Any, Any]:
    from transformers import DPTConfig

    backbone = {
        "model_type": "bit",
        "global_padding": "same",
        "layer_type": "bottleneck",
        "depths": [1, 1, 1],
        "hidden_sizes": [16, 32, 64],
        "embedding_size": 16,
        "num_groups": 4,
        "out_features": ["stage1", "stage2", "stage3"],
        "embedding_dynamic_padding": True,
    }
    config = DPTConfig(
        is_hybrid=True,
        backbone_config=backbone,
        backbone_featmap_shape=[1, 64, 4, 4],
        image_size=64,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[16, 32, 32, 32],
        fusion_hidden_size=16,
        reassemble_factors=[1, 1, 1, 0.5],
        **VIT,
    )
    return config, _dpt(64)


def _beit() -> Any:
    from transformers import BeitConfig

    return BeitConfig(
        image_size=64,
        patch_size=16,
        use_relative_position_bias=True,
        reshape_hidden_states=False,
        out_features=STAGES,
        **VIT,
    )


def _dpt_beit() -> tuple[Any, Any]:
    from transformers import DPTConfig

    return DPTConfig(backbone_config=_beit(), **NECK), _dpt(64, 16, keep_aspect=True)


def _dpt_swin2() -> tuple[Any, Any]:
    from transformers import DPTConfig, Swinv2Config

    backbone = Swinv2Config(
        image_size=64, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 2, 2, 2], window_size=4, out_features=STAGES
    )
    config = DPTConfig(
        backbone_config=backbone,
        neck_hidden_sizes=[8, 16, 32, 64],
        fusion_hidden_size=16,
        reassemble_factors=[1, 1, 1, 1],
        hidden_size=64,
    )
    return config, _dpt(64)


def _glpn() -> tuple[Any, Any]:
    from transformers import GLPNConfig, GLPNImageProcessor

    config = GLPNConfig(
        depths=[1, 1, 1, 1],
        hidden_sizes=[8, 8, 16, 16],
        num_attention_heads=[1, 1, 2, 2],
        mlp_ratios=[2, 2, 2, 2],
        decoder_hidden_size=8,
    )
    return config, GLPNImageProcessor()


def _zoedepth() -> tuple[Any, Any]:
    from transformers import ZoeDepthConfig, ZoeDepthImageProcessor

    config = ZoeDepthConfig(
        backbone_config=_beit(),
        bottleneck_features=16,
        num_relative_features=8,
        bin_embedding_dim=8,
        num_attractors=[4, 2, 2, 1],
        bin_configurations=[{"n_bins": 8, "min_depth": 0.001, "max_depth": 10.0}],
        **NECK,
    )
    return config, ZoeDepthImageProcessor(size={"height": 64, "width": 96}, ensure_multiple_of=32)


def _depth_anything(kind: str, **more: int) -> tuple[Any, Any]:
    from transformers import DepthAnythingConfig, Dinov2Config

    backbone = Dinov2Config(
        image_size=56,
        patch_size=14,
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        mlp_ratio=2,
        out_features=STAGES,
        reshape_hidden_states=False,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=32,
        head_hidden_size=8,
        depth_estimation_type=kind,
        **NECK,
        **more,
    )
    return config, _dpt(56, 14, keep_aspect=True)


def _depth_pro() -> tuple[Any, Any]:
    from transformers import DepthProConfig, DepthProImageProcessor

    vit = {
        "model_type": "dinov2",
        "image_size": 32,
        "patch_size": 8,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "mlp_ratio": 2,
    }
    config = DepthProConfig(
        patch_size=32,
        fusion_hidden_size=16,
        intermediate_hook_ids=[1, 0],
        intermediate_feature_dims=[16, 16],
        scaled_images_ratios=[0.25, 0.5, 1],
        scaled_images_overlap_ratios=[0.0, 0.5, 0.25],
        scaled_images_feature_dims=[16, 16, 16],
        merge_padding_value=1,
        use_fov_model=True,
        num_fov_head_layers=0,
        image_model_config=dict(vit),
        patch_model_config=dict(vit),
        fov_model_config=dict(vit),
    )
    return config, DepthProImageProcessor(size={"height": 128, "width": 128}, **MEAN)


ARCHITECTURES: dict[str, Callable[[], tuple[Any, Any]]] = {
    "dpt-vit": _dpt_vit,
    "dpt-hybrid": _dpt_hybrid,
    "dpt-beit": _dpt_beit,
    "dpt-swin2": _dpt_swin2,
    "glpn": _glpn,
    "zoedepth": _zoedepth,
    "depth-anything": lambda: _depth_anything("relative"),
    "depth-anything-metric": lambda: _depth_anything("metric", max_depth=20),
    "depth-pro": _depth_pro,
}


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """toy("glpn") is a folder with that architecture; built once per session. Copy it before changing it."""
    built: dict[str, Path] = {}

    def folder(architecture: str) -> Path:
        if architecture not in built:
            built[architecture] = _write(tmp_path_factory.mktemp(architecture), *ARCHITECTURES[architecture]())
        return built[architecture]

    return folder


def _write(folder: Path, config: Any, processor: Any) -> Path:
    import torch
    from transformers import AutoModelForDepthEstimation

    torch.manual_seed(0)
    model = AutoModelForDepthEstimation.from_config(config)
    with torch.no_grad():  # default weights leave everything near zero: spread them, so that values differ
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.2)
        if config.model_type == "depth_pro":  # inverse depth that is positive somewhere, and a sensible field of view
            [layer for layer in model.head.modules() if isinstance(layer, torch.nn.Conv2d)][-1].bias += 20
            [layer for layer in model.fov_model.head.modules() if isinstance(layer, torch.nn.Conv2d)][-1].bias += 50
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture
def photo() -> np.ndarray:
    """120 x 200, different in every corner and channel, read-only."""
    y, x = np.mgrid[:120, :200]
    rgb = np.stack([x * 255 / 199, y * 255 / 119, 128 + 0 * x], axis=-1).astype(np.uint8)
    rgb.flags.writeable = False
    return rgb


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without weights, and none of the variables that say where weights are."""
    import os

    from recon.models import weights

    for name in list(os.environ):
        if name.startswith(("UNFLAT_", "HF_", "TRANSFORMERS_OFFLINE", "HUGGINGFACE_", "XDG_CACHE", "U2NET")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(weights, "_silent_since", {})
    return tmp_path / "home"
