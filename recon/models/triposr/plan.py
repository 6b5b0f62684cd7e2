"""The measures of a TripoSR network, from its config.yaml.

What decides nothing is not read: names of classes, and options that the published one leaves at what is built here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class VisionPlan:
    """A vision transformer: channels, blocks, attention heads, pixels of a patch's side, and of the side of the pictures
    that its places were learnt for."""

    width: int = 768
    blocks: int = 12
    heads: int = 12
    patch: int = 16
    side: int = 224


VISION = {"facebook/dino-vitb16": VisionPlan(), "facebook/dino-vits16": VisionPlan(384, 12, 6)}
"""By the name in the configuration (Caron et al. 2021)."""
VISION_NAMES = {"width": "hidden_size", "blocks": "num_hidden_layers", "heads": "num_attention_heads",
                "patch": "patch_size", "side": "image_size"}  # fmt: skip
"""What transformers calls the measures, for a configuration that says them itself."""


@dataclass(frozen=True)
class TripoSRPlan:
    """side: of the picture that is looked at, in pixels; plane, channels: cells along a triplane's side and channels of a
    token; heads, head_width, blocks: of the backbone; features: channels of a plane after upsampling; hidden, layers: of
    the decoder; radius: half the side of the cube in TripoSR's units; density_bias: added to the raw density; samples: of
    each ray, as its own renderer takes them."""

    vision: VisionPlan = VisionPlan()
    side: int = 512
    plane: int = 32
    channels: int = 1024
    heads: int = 16
    head_width: int = 64
    blocks: int = 16
    features: int = 40
    hidden: int = 64
    layers: int = 9
    radius: float = 0.87
    density_bias: float = -1.0
    samples: int = 128


FIXED = {
    "decoder.activation": "silu",
    "renderer.feature_reduction": "concat",
    "renderer.density_activation": "exp",
    "renderer.color_activation": "sigmoid",
}
"""What is built here, and no other: where the configuration says it, it must say this."""


def plan_of(config: Mapping[str, Any]) -> TripoSRPlan:
    """The plan of a parsed config.yaml. Raises KeyError, TypeError or ValueError where it is none, or is of what is not
    built."""
    for path, wanted in FIXED.items():
        if (said := _said(config, path, wanted)) != wanted:
            raise ValueError(f"{path} is {said!r}, only {wanted!r} is known")
    plan = TripoSRPlan(
        vision=_vision(config["image_tokenizer"]),
        side=int(_said(config, "cond_image_size")),
        plane=int(_said(config, "tokenizer.plane_size")),
        channels=int(_said(config, "tokenizer.num_channels")),
        heads=int(_said(config, "backbone.num_attention_heads")),
        head_width=int(_said(config, "backbone.attention_head_dim")),
        blocks=int(_said(config, "backbone.num_layers")),
        features=int(_said(config, "post_processor.out_channels")),
        hidden=int(_said(config, "decoder.n_neurons")),
        layers=int(_said(config, "decoder.n_hidden_layers")),
        radius=float(_said(config, "renderer.radius")),
        density_bias=float(_said(config, "renderer.density_bias", -1.0)),
        samples=int(_said(config, "renderer.num_samples_per_ray", 128)),
    )
    _check_fit(config, plan)
    return plan


def _check_fit(config: Mapping[str, Any], plan: TripoSRPlan) -> None:
    """Raises ValueError where measures that must be equal are not."""
    equal = {
        "backbone.in_channels": plan.channels,
        "backbone.cross_attention_dim": plan.vision.width,
        "post_processor.in_channels": plan.channels,
        "decoder.in_channels": 3 * plan.features,
    }
    for path, wanted in equal.items():
        if (said := int(_said(config, path))) != wanted:
            raise ValueError(f"{path} is {said}, {wanted} would fit the rest")


def _vision(told: Mapping[str, Any]) -> VisionPlan:
    name = str(told["pretrained_model_name_or_path"])
    if name in VISION:
        return VISION[name]
    return VisionPlan(**{ours: int(told[theirs]) for ours, theirs in VISION_NAMES.items()})


def _said(config: Mapping[str, Any], path: str, default: Any = None) -> Any:
    """A value by its path, references of the kind ${a.b} followed."""
    value: Any = config
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None and default is None:
        raise KeyError(path)
    referred = re.fullmatch(r"\$\{([\w.]+)\}", value) if isinstance(value, str) else None
    if referred and referred[1] != path:
        return _said(config, referred[1], default)
    return default if value is None else value
