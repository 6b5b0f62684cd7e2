"""TripoSR at toy size in the published layout, config.yaml and model.ckpt: one of noise, and one that is an object.

The object is an ellipsoid, the same whatever the photo shows, whose colours tell TripoSR's axes: red grows to its right
(y), green upwards (z), blue towards the viewer (x).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from recon.models.triposr.network import TripoSRNetwork
from recon.models.triposr.plan import TripoSRPlan, plan_of

CONFIG: dict[str, Any] = {
    "cond_image_size": 96,
    "image_tokenizer_cls": "tsr.models.tokenizers.image.DINOSingleImageTokenizer",
    "image_tokenizer": {
        "pretrained_model_name_or_path": "toy", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
        "patch_size": 16, "image_size": 64,
    },
    "tokenizer_cls": "tsr.models.tokenizers.triplane.Triplane1DTokenizer",
    "tokenizer": {"plane_size": 8, "num_channels": 64},
    "backbone_cls": "tsr.models.transformer.transformer_1d.Transformer1D",
    "backbone": {
        "in_channels": "${tokenizer.num_channels}", "num_attention_heads": 2, "attention_head_dim": 32, "num_layers": 2,
        "cross_attention_dim": 64,
    },
    "post_processor_cls": "tsr.models.network_utils.TriplaneUpsampleNetwork",
    "post_processor": {"in_channels": 64, "out_channels": 8},
    "decoder_cls": "tsr.models.network_utils.NeRFMLP",
    "decoder": {"in_channels": 24, "n_neurons": 16, "n_hidden_layers": 3, "activation": "silu"},
    "renderer_cls": "tsr.models.nerf_renderer.TriplaneNeRFRenderer",
    "renderer": {
        "radius": 0.87, "feature_reduction": "concat", "density_activation": "exp", "density_bias": -1.0,
        "num_samples_per_ray": 128,
    },
}  # fmt: skip
"""As published, but for the sizes."""
AXES = (0.5, 0.6, 0.7)
"""Half axes of the ellipsoid along TripoSR's x, y and z, in parts of half the cube's side, about."""
STEEP = 8.0


def plan() -> TripoSRPlan:
    return plan_of(CONFIG)


def shapes(of: TripoSRPlan | None = None) -> dict[str, torch.Size]:
    with torch.device("meta"):
        return {name: each.shape for name, each in TripoSRNetwork(of or plan()).state_dict().items()}


def noise(of: TripoSRPlan | None = None, decoder: float = 2.0) -> dict[str, Tensor]:
    """Tensors that any program makes alike, of a size that keeps values near 1: the fractions of a fast sine. decoder: how
    much larger its weights are."""
    state = {}
    for number, (name, shape) in enumerate(sorted(shapes(of).items())):
        count = math.prod(shape)
        fast = 43758.5453 * torch.sin(torch.arange(1, count + 1, dtype=torch.float64) * 12.9898 + number)
        drawn = (3**0.5 * (2 * (fast - fast.floor()) - 1)).view(shape)  # mean 0, variance 1
        if "norm" in name and name.endswith("weight"):
            drawn = 1 + 0.1 * drawn
        elif len(shape) >= 2 and not name.endswith(("embeddings", "token")):
            drawn = drawn * (decoder if "decoder" in name else 1.0) * (count / shape[0]) ** -0.5
        else:
            drawn = 0.2 * drawn
        state[name] = drawn.float()
    return state


def ellipsoid() -> dict[str, Tensor]:
    """The object's tensors: the planes hold quadratics and coordinates, which the network passes on as they are."""
    state = {name: torch.zeros(shape) for name, shape in shapes().items()}
    side = CONFIG["tokenizer"]["plane_size"]
    line = (torch.arange(side) + 0.5) / side * 2 - 1
    planes = state["tokenizer.embeddings"]
    for index, (along, down) in enumerate(((0, 1), (0, 2), (1, 2))):
        first, second = line.expand(side, side), line[:, None].expand(side, side)
        planes[index, 0] = 0.5 * ((first / AXES[along]) ** 2 + (second / AXES[down]) ** 2)
        planes[index, 1], planes[index, 2], planes[index, 3] = first, second, 1 / 3
    for feature in range(4):
        state["post_processor.upsample.weight"][feature, feature] = 1
    _decode(state)
    return state


def _decode(state: dict[str, Tensor]) -> None:
    """Features are 8 of each plane: quadratic, first and second coordinate, a third. Neurons with a SiLU, which is straight
    far above 0, carry each value through three layers."""
    lift, features = 40.0, CONFIG["post_processor"]["out_channels"]
    first, bias = state["decoder.layers.0.weight"], state["decoder.layers.0.bias"]
    for plane in range(3):
        first[0, features * plane] = -STEEP
        first[0, features * plane + 3] = 8 + STEEP
    first[1, 1], first[2, 2], first[3, features + 2] = 3.0, 3.0, 3.0  # x, y of (x, y); z of (x, z)
    bias[:4] = lift
    for layer in (2, 4):
        state[f"decoder.layers.{layer}.weight"][:4, :4] = torch.eye(4)
    last = state["decoder.layers.6.weight"]
    last[0, 0], last[1, 2], last[2, 3], last[3, 1] = 1, 1, 1, 1
    state["decoder.layers.6.bias"][:] = -lift
    state["decoder.layers.6.bias"][0] += 1 + math.log(25) - 8  # on the ellipsoid the raw density is log 25 + 1


def write(folder: Path, state: dict[str, Tensor] | None = None, config: Any = CONFIG) -> Path:
    """The folder of some tensors, the ellipsoid's unless others are given."""
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config) if not isinstance(config, str) else config)
    torch.save(ellipsoid() if state is None else state, folder / "model.ckpt")
    return folder
