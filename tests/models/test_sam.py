"""SAM by both packages: the same toy network, once as an original checkpoint, once in transformers' format."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recon.errors import MissingDependency, MissingWeights
from recon.geometry import silhouette
from recon.models import prompts
from recon.models.catalogue import SUBJECT
from recon.models.grabcut import GrabCut
from recon.models.sam import Sam, empty_network
from recon.models.sam_hf import SamHf
from recon.models.weights import WeightsSpec
from recon.protocols import Segmenter

DIM, SIDE = 32, 128


def toy_network() -> Any:
    """Segment Anything at a tiny size with random weights, spread so that masks have both signs."""
    from functools import partial

    import torch
    from segment_anything import modeling

    torch.manual_seed(23)  # one whose three masks differ, and differ with the prompt
    network = modeling.Sam(
        image_encoder=modeling.ImageEncoderViT(
            img_size=SIDE,
            embed_dim=16,
            depth=3,
            num_heads=2,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
            out_chans=DIM,
            use_rel_pos=True,
            window_size=3,
            global_attn_indexes=(1,),
        ),
        prompt_encoder=modeling.PromptEncoder(
            embed_dim=DIM,
            image_embedding_size=(SIDE // 16, SIDE // 16),
            input_image_size=(SIDE, SIDE),
            mask_in_chans=16,
        ),
        mask_decoder=modeling.MaskDecoder(
            transformer_dim=DIM,
            transformer=modeling.TwoWayTransformer(depth=2, embedding_dim=DIM, mlp_dim=48, num_heads=8),
            iou_head_hidden_dim=24,
        ),
        pixel_mean=[123.675, 116.28, 103.53],
        pixel_std=[58.395, 57.12, 57.375],
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3)
    return network.eval()


RENAMED = [  # original key -> transformers' key, in this order
    (r"^image_encoder\.", "vision_encoder."),
    (r"\.blocks\.", ".layers."),
    (r"patch_embed\.proj\.", "patch_embed.projection."),
    (r"neck\.0\.", "neck.conv1."),
    (r"neck\.1\.", "neck.layer_norm1."),
    (r"neck\.2\.", "neck.conv2."),
    (r"neck\.3\.", "neck.layer_norm2."),
    (r"\.norm(\d|_final_attn)?\.", r".layer_norm\1."),
    (r"mask_downscaling\.0\.", "mask_embed.conv1."),
    (r"mask_downscaling\.1\.", "mask_embed.layer_norm1."),
    (r"mask_downscaling\.3\.", "mask_embed.conv2."),
    (r"mask_downscaling\.4\.", "mask_embed.layer_norm2."),
    (r"mask_downscaling\.6\.", "mask_embed.conv3."),
    (r"point_embeddings\.", "point_embed."),
    (r"pe_layer\.positional_encoding_gaussian_matrix", "shared_embedding.positional_embedding"),
    (r"output_upscaling\.0\.", "upscale_conv1."),
    (r"output_upscaling\.1\.", "upscale_layer_norm."),
    (r"output_upscaling\.3\.", "upscale_conv2."),
    (r"((?:iou_prediction_head|output_hypernetworks_mlps\.\d))\.layers\.0\.", r"\1.proj_in."),
    (r"((?:iou_prediction_head|output_hypernetworks_mlps\.\d))\.layers\.2\.", r"\1.proj_out."),
    (r"((?:iou_prediction_head|output_hypernetworks_mlps\.\d))\.layers\.1\.", r"\1.layers.0."),
]


def write_transformers(state: dict[str, Any], folder: Path) -> Path:
    from transformers import (
        SamConfig,
        SamImageProcessor,
        SamMaskDecoderConfig,
        SamModel,
        SamProcessor,
        SamPromptEncoderConfig,
        SamVisionConfig,
    )

    vision = SamVisionConfig(
        hidden_size=16,
        output_channels=DIM,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=SIDE,
        window_size=3,
        global_attn_indexes=[1],
        num_pos_feats=DIM // 2,
    )
    prompt = SamPromptEncoderConfig(hidden_size=DIM, image_size=SIDE, patch_size=16)
    decoder = SamMaskDecoderConfig(hidden_size=DIM, mlp_dim=48, iou_head_hidden_dim=24)
    model = SamModel(SamConfig(vision_config=vision, prompt_encoder_config=prompt, mask_decoder_config=decoder))
    renamed = {}
    for key, value in state.items():
        for pattern, to in RENAMED:
            key = re.sub(pattern, to, key)
        renamed[key] = value
    renamed["shared_image_embedding.positional_embedding"] = renamed[
        "prompt_encoder.shared_embedding.positional_embedding"
    ]
    model.load_state_dict(renamed, strict=True)
    model.save_pretrained(folder)
    sizes = {"size": {"longest_edge": SIDE}, "pad_size": {"height": SIDE, "width": SIDE}}
    mask_sizes = {"mask_size": {"longest_edge": SIDE // 4}, "mask_pad_size": {"height": SIDE // 4, "width": SIDE // 4}}
    SamProcessor(SamImageProcessor(**sizes, **mask_sizes)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    file = tmp_path_factory.mktemp("sam") / "sam_toy.pth"
    torch.save(toy_network().state_dict(), file)
    return file


@pytest.fixture(scope="module")
def folder(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    return write_transformers(torch.load(checkpoint, weights_only=True), tmp_path_factory.mktemp("sam-hf"))


def original(file: Path, **more: Any) -> Sam:
    spec = WeightsSpec("sam-toy", files=("sam_toy.pth",), url="https://example.org/x.pth", given=str(file))
    return Sam(spec, device="cpu", offline=True, **more)


def hf(folder: Path, **more: Any) -> SamHf:
    return SamHf(WeightsSpec("sam-toy", "org/sam", given=str(folder)), device="cpu", offline=True, **more)


@pytest.fixture
def thing() -> np.ndarray:
    """A bright disc on a plain ground, off the middle."""
    y, x = np.mgrid[:90, :140]
    rgb = np.full((90, 140, 3), 40, np.uint8)
    rgb[(x - 90) ** 2 + (y - 40) ** 2 < 25**2] = (200, 120, 60)
    return rgb


def test_the_published_sizes_are_read_off_their_tensors() -> None:
    """`empty_network` on the state of the package's own ViT-B gives every tensor the same name and shape."""
    import torch
    from segment_anything import sam_model_registry

    with torch.device("meta"):
        state = sam_model_registry["vit_b"]().state_dict()
        mine = empty_network(state)
    assert {k: v.shape for k, v in mine.state_dict().items()} == {k: v.shape for k, v in state.items()}
    encoder = mine.image_encoder
    assert encoder.img_size == 1024 and encoder.blocks[0].attn.num_heads == 12
    assert [i for i, block in enumerate(encoder.blocks) if block.window_size == 0] == [2, 5, 8, 11]
    assert {block.window_size for block in encoder.blocks} == {0, 14}


@pytest.mark.parametrize("box", [None, (60, 10, 120, 70)])
def test_both_packages_give_the_same_masks(checkpoint: Path, folder: Path, thing: np.ndarray, box: Any) -> None:
    """Parity under equal weights: no pixel differs, predicted IoU to 1e-5 (measured 2026-11-20, transformers 5.23)."""
    asked = prompts.prompt(thing, box, None)
    predictor = original(checkpoint).load()
    predictor.set_image(thing)
    corners = None if box is None else np.array(box)
    masks, scores, _ = predictor.predict(np.array([asked.point]), np.array([1]), corners)
    theirs, their_scores = hf(folder).predict(thing, asked)
    assert masks.shape == theirs.shape == (3, 90, 140) and masks.any() and not masks.all()
    np.testing.assert_allclose(scores, their_scores, atol=1e-4)
    assert (masks == theirs).mean() > 0.999


@pytest.mark.parametrize("make", ["original", "hf"])
def test_segment_gives_the_best_credible_mask(
    make: str, checkpoint: Path, folder: Path, thing: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    segmenter: Any = original(checkpoint, prior=GrabCut()) if make == "original" else hf(folder, prior=GrabCut())
    assert isinstance(segmenter, Segmenter)
    assert segmenter.segment(thing) is None, "random weights predict an IoU below the least that is believed"
    module = "recon.models.sam" if make == "original" else "recon.models.sam_hf"
    monkeypatch.setattr(f"{module}.LEAST_IOU", -1.0)
    monkeypatch.setattr(silhouette, "MAX_TOUCH", 1.0)
    masks, scores = hf(folder).predict(thing, prompts.prompt(thing, None, GrabCut()))
    mask = segmenter.segment(thing)
    assert all(silhouette.is_credible(each) for each in masks)
    np.testing.assert_array_equal(mask, masks[int(np.argmax(scores))])
    assert not any((mask == masks[i]).all() for i in range(3) if i != np.argmax(scores))
    assert segmenter.load() is segmenter.load()


def test_the_prior_points_into_the_thing(thing: np.ndarray) -> None:
    asked = prompts.prompt(thing, None, GrabCut())
    assert np.hypot(asked.point[0] - 90, asked.point[1] - 40) < 3
    assert asked.box is not None and np.abs(np.subtract(asked.box, (65, 15, 116, 66))).max() <= 4
    noise = np.random.default_rng(0).integers(0, 256, (90, 140, 3), dtype=np.uint8)
    assert prompts.prompt(noise, None, GrabCut()) == prompts.Prompt((70.0, 45.0), None)
    assert prompts.prompt(thing, (10, 20, 30, 60), GrabCut()) == prompts.Prompt((20.0, 40.0), (10, 20, 30, 60))


def test_what_is_credible() -> None:
    def block(rows: slice, columns: slice) -> np.ndarray:
        mask = np.zeros((100, 100), bool)
        mask[rows, columns] = True
        return mask

    good, small = block(slice(20, 70), slice(20, 70)), block(slice(50, 55), slice(50, 55))
    all_of_it, frame = np.ones((100, 100), bool), ~block(slice(10, 90), slice(10, 90))
    cut_below = block(slice(40, 100), slice(10, 90))
    assert [silhouette.is_credible(mask) for mask in (good, small, all_of_it, frame, cut_below)] == [1, 0, 0, 0, 1]
    assert prompts.best_mask([all_of_it, good, cut_below], [0.99, 0.9, 0.95], 0.8) is cut_below
    assert prompts.best_mask([good, cut_below], [0.7, 0.6], 0.8) is None


def test_a_wrong_checkpoint_is_an_error(checkpoint: Path, folder: Path, tmp_path: Path) -> None:
    import torch

    state = torch.load(checkpoint, weights_only=True)
    wrong: list[Any] = [
        {key: value for key, value in state.items() if key != "mask_decoder.iou_token.weight"},
        state | {"foreign": torch.zeros(1)},
        {"weights": torch.zeros(3)},
        {"code": Path("an object, not a tensor")},
    ]
    for content in wrong:
        torch.save(content, tmp_path / "sam_toy.pth")
        with pytest.raises(MissingWeights, match="do not fit"):
            original(tmp_path / "sam_toy.pth").load()
    (tmp_path / "sam_toy.pth").write_bytes(checkpoint.read_bytes()[:500])
    with pytest.raises(MissingWeights, match="do not fit"):
        original(tmp_path / "sam_toy.pth").load()


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [
        ("sam-vit-b", "segment_anything", "segment-anything"),
        ("sam-hf-base", "transformers", "transformers"),
        ("rembg-u2net", "rembg", "rembg"),
    ],
)
def test_an_absent_package_is_one_sentence(
    name: str, module: str, package: str, monkeypatch: pytest.MonkeyPatch, thing: np.ndarray
) -> None:
    import sys

    from recon.registry import Where, segmenter

    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependency) as raised:
        segmenter(name, Where("cpu", offline=True)).segment(thing)
    assert str(raised.value).endswith(f"pip install {package}") and SUBJECT[name].package == package


def test_rembg_reads_our_file_and_fetches_nothing(
    tmp_path: Path, thing: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A one-layer stand-in for U2-Net in its own format; runs where rembg is installed."""
    pytest.importorskip("rembg", reason="rembg is not installed")
    import os
    import socket

    import onnx
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info
    nodes = [helper.make_node("ReduceMean", ["in", "axes"], ["out"], keepdims=1)]
    ends = [value("in", TensorProto.FLOAT, [1, 3, 320, 320])], [value("out", TensorProto.FLOAT, [1, 1, 320, 320])]
    graph = helper.make_graph(nodes, "mean", *ends, [helper.make_tensor("axes", TensorProto.INT64, [1], [1])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    (tmp_path / "rembg-u2net").mkdir()
    onnx.save(model, str(tmp_path / "rembg-u2net/u2net.onnx"))
    monkeypatch.setenv("UNFLAT_MODELS", str(tmp_path))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("the network was touched"))
    from recon.registry import Where, segmenter

    mask = segmenter("rembg-u2net", Where("cpu", offline=True)).segment(thing)
    assert mask is not None and "U2NET_HOME" not in os.environ
    disc = thing[..., 0] == 200
    assert (mask & disc).sum() / (mask | disc).sum() > 0.97
