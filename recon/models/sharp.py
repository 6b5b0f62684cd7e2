"""SHARP: one photo in, 1.2 million Gaussian splats out, from the one file of weights that its authors publish.

The photo becomes a square of 1536 pixels, whatever its shape; the network is told the focal length in parts of its width,
and its lengths are metres as far as that is right (apple/ml-sharp, src/sharp/cli/predict.py). How large the network is, the
tensors say themselves. Colours come as sRGB: the authors turn them into linear light for their own renderer, and back for
files.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from numpy import ndarray

from recon.geometry.ellipsoids import moved
from recon.messages import first_line, note
from recon.models import weights
from recon.models.device import half_precision, pick_device
from recon.models.hf import unusable
from recon.models.soft_import import need
from recon.models.strict import Shapes, check_tensors
from recon.types import Camera, Splats

FILE = "sharp_2572gikvuh.pt"
ENCODER = "monodepth_model.monodepth_predictor.encoder"
UNUSED = re.compile(rf"depth_alignment\.|{re.escape(ENCODER)}\.(patch|image)_encoder\.head\.")
"""Tensors that serve training: what fits depth to a measured one, and classes."""


class Sharp:
    """A `SplatEstimator` over SHARP's weights."""

    def __init__(self, spec: weights.WeightsSpec, device: str = "auto", offline: bool = False) -> None:
        self.name = spec.name
        self._spec, self._device, self._offline = spec, device, offline
        self._network: Any = None

    def load(self) -> object:
        """Find, read and check the weights now. Raises MissingModel."""
        if self._network is None:
            purpose = note("purpose.splats", "The splat model {model}", model=self.name)
            need("torch", "torch", purpose), need("timm", "timm", purpose)
            device = pick_device(self._device)
            self._network = read_sharp(weights.obtain(self._spec, self._offline), self._spec).to(device).eval()
        return self._network

    def splats(self, rgb: UInt8[ndarray, "h w 3"], camera: Camera) -> Splats:
        """Two splats for each four pixels of the network's square, what is seen first, in metres."""
        import torch

        network: Any = self.load()
        device = pick_device(self._device)
        pixels = squared_photo(rgb, network.plan.side).transpose(2, 0, 1)[None] / np.float32(255)
        picture = torch.from_numpy(np.ascontiguousarray(pixels)).to(device)
        with torch.inference_mode(), half_precision(device):
            found = [each.float().cpu().numpy() for each in network(picture, camera.focal / rgb.shape[1])]
        centres, scales, turns, colors, opacity = found
        unit = turns / np.linalg.norm(turns, axis=1, keepdims=True)
        shades = np.rint(colors * 255).astype(np.uint8)
        return moved(Splats(centres, scales, unit, opacity, shades), unprojection(camera, rgb.shape[1], rgb.shape[0]))


def squared_photo(rgb: UInt8[ndarray, "h w 3"], side: int) -> Float32[ndarray, "s s 3"]:
    """The photo's colours at side² places, corner to corner, between pixels linearly, as the authors take them."""
    (top, below, down), (left, right, across) = (_between(size, side) for size in rgb.shape[:2])
    upper, lower = (rgb[rows][:, left] * (1 - across[:, None]) + rgb[rows][:, right] * across[:, None]
                    for rows in (top, below))  # fmt: skip
    return (upper * (1 - down[:, None, None]) + lower * down[:, None, None]).astype(np.float32)


def _between(size: int, count: int) -> tuple[ndarray, ndarray, Float32[ndarray, " s"]]:
    """Pixels before and after each of `count` places from the first pixel's centre to the last one's, and how far it is on
    the way."""
    place = np.linspace(0, size - 1, count)
    first = place.astype(np.intp)
    return first, np.minimum(first + 1, size - 1), (place - first).astype(np.float32)


def unprojection(camera: Camera, width: int, height: int) -> Float64[ndarray, "3 3"]:
    """From (x·z, y·z, z), x and y from -1 to 1 over the photo, into the camera's frame."""
    x, y = width / 2, height / 2
    rows = [[x, 0, x - camera.cx], [0, y, y - camera.cy], [0, 0, camera.focal]]
    return np.array(rows, np.float64) / camera.focal


def read_sharp(file: Path, spec: weights.WeightsSpec) -> Any:
    """The network in float32. Every tensor must fit, but for those of training, which are not kept."""
    import torch

    from recon.models.sharp_net import SharpNetwork

    try:
        state = torch.load(str(file), map_location="cpu", weights_only=True)
        shapes = {str(name): list(each.shape) for name, each in state.items()}
    except Exception as error:  # torn, no checkpoint, refused by the unpickler, or something else in it
        raise unusable(file, spec, first_line(error)) from error
    try:
        with torch.device("meta"):
            network = SharpNetwork(plan_of(shapes))
    except Exception as error:  # sizes that make no network
        raise unusable(file, spec, first_line(error)) from error
    wanted = network.state_dict()
    check_tensors(file, spec, {name: list(each.shape) for name, each in wanted.items()}, shapes, UNUSED)
    network.load_state_dict({name: state[name].float() for name in wanted}, assign=True)
    return network


def plan_of(shapes: Shapes) -> Any:
    """The network's measures; the published ones where a tensor that says them is missing, which is then told of."""
    from recon.models.sharp_net import SharpPlan

    vit, monodepth = f"{ENCODER}.patch_encoder", ENCODER.removesuffix(".encoder")
    channels = ("_latent0.1", "_latent1.1", "0.1", "1.1", "2.1")
    try:
        return SharpPlan(
            width=shapes[f"{vit}.cls_token"][-1],
            blocks=1 + max(int(name.removeprefix(f"{vit}.blocks.").split(".")[0]) for name in shapes
                           if name.startswith(f"{vit}.blocks.")),
            grid=math.isqrt(shapes[f"{vit}.pos_embed"][1] - 1),
            patch=shapes[f"{vit}.patch_embed.proj.weight"][-1],
            channels=tuple(shapes[f"{ENCODER}.upsample{each}.weight"][1] for each in channels),
            decoder=shapes[f"{monodepth}.decoder.fusions.0.out_conv.weight"][0],
            gaussian_decoder=shapes["feature_model.decoder.fusions.0.out_conv.weight"][0],
            hidden=shapes[f"{monodepth}.head.2.weight"][0],
            features=shapes["feature_model.texture_head.3.weight"][0],
        )  # fmt: skip
    except (KeyError, IndexError, ValueError):
        return SharpPlan()
