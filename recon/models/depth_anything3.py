"""Depth Anything 3 for one photo, from a folder as published: config.json and model.safetensors.

- config.json holds `model_name` and `config`, the tree that the network is built from; where the tree is left out, the name
  says it. How large the network is, the tensors say themselves (Depth-Anything-3/src/depth_anything_3/{api,configs}).
- The photo's longer side becomes 504 pixels, both sides multiples of 14 (utils/io/input_processor.py).
- The any-view models (Small, Base, Large) give depth up to a factor and the field of view. Mono gives depth up to a factor
  (its authors also leave a shift open), Metric metres for a camera of 300 pixels' focal length, both with a sky.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from recon.errors import BadInput, MissingWeights
from recon.messages import first_line, note
from recon.models import weights
from recon.models.depth_hf import agreed_kind
from recon.models.device import half_precision, pick_device
from recon.models.hf import unusable
from recon.models.pretrained_depth import PretrainedDepth
from recon.models.soft_import import estimating, need
from recon.models.strict import check_tensors
from recon.settings import DepthKind
from recon.types import RawDepth

if TYPE_CHECKING:
    from recon.models.depth_anything3_net import NetworkOutput, NetworkPlan

FILE = "model.safetensors"
FOLDER = (weights.CONFIG, FILE)
SIDE = 504
STEP = 14
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
SPREAD = np.array([0.229, 0.224, 0.225], np.float32)
SKY = 0.3
"""From here on the authors take a pixel for sky."""
CANONICAL_FOCAL = 300.0
PREFIX = "model."
UNUSED = re.compile(
    r"head\.scratch\.(refinenet\d_aux|output_conv[12]_aux)\.|cam_enc\.|cam_dec\.(fc_t|fc_qvec)\.",
)
"""Tensors that serve several pictures: rays and poses."""

ANY_VIEW = {"alt_start": 4, "qknorm_start": 4, "rope_start": 4, "cat_token": True}
ONE_VIEW = {"alt_start": -1, "qknorm_start": -1, "rope_start": -1, "cat_token": False}
WIDE = [256, 512, 1024, 1024]


def _tree(net: dict[str, Any], head: dict[str, Any], dual: bool) -> dict[str, Any]:
    named = {"__object__": {"name": "DualDPT" if dual else "DPT"}, **head}
    return {"__object__": {"name": "DepthAnything3Net"}, "net": net, "head": named, **({"cam_dec": {}} if dual else {})}


_TWELVE = {**ANY_VIEW, "out_layers": [5, 7, 9, 11]}
_LARGE = {"out_layers": [11, 15, 19, 23], "alt_start": 8, "qknorm_start": 8, "rope_start": 8, "cat_token": True}
_SINGLE = _tree({**ONE_VIEW, "out_layers": [4, 11, 17, 23]}, {"features": 256, "out_channels": WIDE}, False)
TREES = {
    "da3-small": _tree(_TWELVE, {"features": 64, "out_channels": [48, 96, 192, 384]}, True),
    "da3-base": _tree(_TWELVE, {"features": 128, "out_channels": [96, 192, 384, 768]}, True),
    "da3-large": _tree(_LARGE, {"features": 256, "out_channels": WIDE}, True),
    "da3mono-large": _SINGLE,
    "da3metric-large": _SINGLE,
}
"""What the authors' configurations say, by `model_name`."""


class DepthAnything3(PretrainedDepth["_Loaded"]):
    """A `DepthEstimator` over a Depth Anything 3 folder."""

    def __init__(
        self, spec: weights.WeightsSpec, kind: DepthKind | None = None, device: str = "auto", offline: bool = False
    ) -> None:
        """kind: what the catalogue says the values mean; None takes the configuration's word for it."""
        super().__init__(spec, device, offline)
        self._kind = kind

    def _read(self, place: Path) -> _Loaded:
        return _Loaded(place, self._spec, self._kind, pick_device(self._device))

    def _depth(self, network: _Loaded, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"] | None) -> RawDepth:
        found = network.run(network_photo(rgb))
        depth = found.depth.float().cpu().numpy()
        if found.sky is not None:
            depth = sky_as_holes(depth, found.sky.float().cpu().numpy())
        focal = CANONICAL_FOCAL if network.kind == "metric" else None
        return RawDepth(depth, network.kind, self.name, _fov_x(found), canonical_focal=focal)


class _Loaded:
    """A network on its device."""

    def __init__(self, folder: Path, spec: weights.WeightsSpec, kind: DepthKind | None, device: str) -> None:
        self.torch = need("torch", "torch", estimating(spec.name))
        need("safetensors", "safetensors", estimating(spec.name))
        name, tree = read_da3_config(folder, spec)
        self.kind = agreed_kind(kind_by_name(name), kind, spec.name, folder)
        self.device = device
        self.network = read_da3_network(folder, spec, tree).to(device).eval()

    def run(self, rgb: UInt8[ndarray, "h w 3"]) -> NetworkOutput:
        """What the network finds in a picture of its size."""
        pixels = (rgb.astype(np.float32) / 255 - MEAN) / SPREAD
        picture = self.torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])).to(self.device)
        with self.torch.inference_mode():
            with half_precision(self.device):
                found: NetworkOutput = self.network(picture)
            if self.device == "cuda" and not found.depth.isfinite().all():
                found = self.network(picture)  # beyond fp16's range: once more in float32
        return found


def kind_by_name(model_name: str) -> DepthKind | None:
    """What the values of a published model mean; None for somebody else's."""
    if model_name.startswith("da3metric"):
        return "metric"
    return "scale" if model_name.startswith("da3") else None


def is_one(config: Any) -> bool:
    """Whether a folder's config.json is a Depth Anything 3's."""
    if not isinstance(config, dict):
        return False
    tree = config.get("config")
    made = tree.get("__object__") if isinstance(tree, dict) else None
    path = str(made.get("path", "")) if isinstance(made, dict) else ""
    return str(config.get("model_name", "")).startswith("da3") or path.startswith("depth_anything_3")


def read_da3_config(folder: Path, spec: weights.WeightsSpec) -> tuple[str, dict[str, Any]]:
    """(model_name, the tree that the network is built from). Raises MissingWeights, and BadInput for a kind of Depth
    Anything 3 that is not understood."""
    file = folder / weights.CONFIG
    try:
        config = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise unusable(folder, spec, f"{weights.CONFIG}: {first_line(error)}") from error
    if not is_one(config):
        raise unusable(folder, spec, note("weights.not_da3", "{file} is not a Depth Anything 3's", file=weights.CONFIG))
    name = str(config.get("model_name", ""))
    tree: dict[str, Any] = config.get("config") or TREES.get(name) or {}
    head = _part(_part(tree, "head"), "__object__").get("name")
    if (
        _part(tree, "__object__").get("name") != "DepthAnything3Net"
        or head not in ("DPT", "DualDPT")
        or "gs_head" in tree
    ):
        raise BadInput(
            "depth_model.da3",
            "{model} is the Depth Anything 3 model {name!r}, which is not understood; understood are {known}.",
            model=spec.name, name=name, known=", ".join(TREES),
        )  # fmt: skip
    return name, tree


def _part(tree: Any, name: str) -> dict[str, Any]:
    part = tree.get(name) if isinstance(tree, dict) else None
    return part if isinstance(part, dict) else {}


def read_da3_network(folder: Path, spec: weights.WeightsSpec, tree: dict[str, Any]) -> Any:
    """The network in float32. Every tensor must fit, but for those that serve several pictures, which are not read."""
    import torch
    from safetensors import safe_open

    from recon.models.depth_anything3_net import DepthAnything3Network

    try:
        with safe_open(str(folder / FILE), framework="pt") as file:
            shapes = {name.removeprefix(PREFIX): file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
            with torch.device("meta"):
                network = DepthAnything3Network(plan_of(tree, shapes))
            wanted = network.state_dict()
            check_tensors(folder, spec, {name: list(each.shape) for name, each in wanted.items()}, shapes, UNUSED)
            state = {name: file.get_tensor(PREFIX + name).float() for name in wanted}
    except MissingWeights:
        raise
    except Exception as error:  # torn files and odd configurations raise each library's own class
        raise unusable(folder, spec, first_line(error)) from error
    network.load_state_dict(state, assign=True)
    return network


def plan_of(tree: dict[str, Any], shapes: dict[str, list[int]]) -> NetworkPlan:
    """The network's measures: what happens where by the configuration, how large it is by the tensors. Raises KeyError,
    TypeError or ValueError where they do not say."""
    from recon.models.depth_anything3_net import NetworkPlan

    net, head = tree["net"], tree["head"]
    width = shapes["backbone.pretrained.cls_token"][-1]
    places = shapes["backbone.pretrained.pos_embed"][1] - 1
    blocks = 1 + max(int(name.split(".")[3]) for name in shapes if name.startswith("backbone.pretrained.blocks."))
    if max(net["out_layers"]) >= blocks:
        raise ValueError(f"block {max(net['out_layers'])} is asked for, the last is {blocks - 1}")
    return NetworkPlan(
        width=width,
        blocks=blocks,
        grid=math.isqrt(places),
        out_layers=tuple(map(int, net["out_layers"])),
        alt_start=int(net.get("alt_start", -1)),
        qknorm_start=int(net.get("qknorm_start", -1)),
        rope_start=int(net.get("rope_start", -1)),
        cat_token=bool(net.get("cat_token", True)),
        dual=head["__object__"]["name"] == "DualDPT",
        features=int(head.get("features", 256)),
        out_channels=tuple(map(int, head.get("out_channels", WIDE))),
        camera="cam_dec" in tree,
    )


def network_photo(rgb: UInt8[ndarray, "h w 3"]) -> UInt8[ndarray, "_ _ 3"]:
    """The photo at the network's size: its longer side SIDE, then both sides to the nearest multiple of STEP; by areas
    where it shrinks, else bicubically, as in training."""
    height, width = rgb.shape[:2]
    factor = SIDE / max(height, width)
    rgb = _to(rgb, max(1, round(width * factor)), max(1, round(height * factor)))
    height, width = rgb.shape[:2]
    return _to(rgb, *(max(STEP, (side + STEP // 2) // STEP * STEP) for side in (width, height)))


def _to(rgb: UInt8[ndarray, "h w 3"], width: int, height: int) -> UInt8[ndarray, "_ _ 3"]:
    if rgb.shape[:2] == (height, width):
        return rgb
    import cv2

    grows = width > rgb.shape[1] or height > rgb.shape[0]
    resized: ndarray = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_CUBIC if grows else cv2.INTER_AREA)
    return resized


def sky_as_holes(depth: Float32[ndarray, "h w"], sky: Float32[ndarray, "h w"]) -> Float32[ndarray, "h w"]:
    """Depth, NaN in the sky; all of it, where hardly anything else would be left (as the authors leave it then)."""
    ground = sky < SKY
    return depth if np.count_nonzero(ground) <= 10 else np.where(ground, depth, np.float32(np.nan))


def _fov_x(found: NetworkOutput) -> float | None:
    """Degrees; None where the network has no opinion, or none that could be."""
    if found.fov is None:
        return None
    degrees = math.degrees(float(found.fov[1]))
    return degrees if 1 <= degrees <= 170 else None
