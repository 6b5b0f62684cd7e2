"""Depth models in transformers' format: DPT (MiDaS v3 and v3.1), GLPN, ZoeDepth, Depth Anything, Depth Pro.

- What the values mean is read from the model's own configuration and must agree with the catalogue.
- `predicted_depth` is used as it leaves the network: float32, at the network's resolution. The library's
  post-processing resizes bicubically (overshoot, negative depths) and is not used.
- The map covers the whole photo and nothing else. A network that squashes the photo into a square gives a square map:
  its pixels then have different steps in x and y, and resizing each axis to the photo's size puts everything in place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from recon.errors import BadInput
from recon.models import weights
from recon.models.device import half_precision, keep_float32, pick_device
from recon.models.hf import quiet, read_config, read_network
from recon.models.pretrained_depth import PretrainedDepth
from recon.models.soft_import import estimating, need
from recon.settings import DepthKind
from recon.types import RawDepth

MAX_SIDE = {"glpn": 640, "zoedepth": 1024, "depth_pro": 2048}
"""Long side in pixels above which a photo is first shrunk by area. GLPN would run at the photo's own size (it was
trained at 640x480); the processors of ZoeDepth (512) and Depth Pro (1536) shrink without an anti-aliasing filter."""


class TransformersDepth(PretrainedDepth["_Loaded"]):
    """A `DepthEstimator` over a model folder in transformers' format."""

    def __init__(self, spec: weights.WeightsSpec, kind: DepthKind | None, device: str = "auto", offline: bool = False):
        """kind: what the catalogue (or the user) says the values mean; None takes the configuration's word for it."""
        super().__init__(spec, device, offline)
        self._kind = kind

    def _read(self, place: Path) -> _Loaded:
        return _Loaded(place, self._spec, self._kind, pick_device(self._device))

    def _depth(self, network: _Loaded, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"] | None) -> RawDepth:
        values, fov_x = network.run(rgb)
        return RawDepth(values, network.kind, self.name, fov_x)


class _Loaded:
    """A network on its device with its image processor."""

    def __init__(self, folder: Path, spec: weights.WeightsSpec, kind: DepthKind | None, device: str) -> None:
        purpose = estimating(spec.name)
        self.torch = need("torch", "torch", purpose)
        transformers = need("transformers", "transformers", purpose)
        need("torchvision", "torchvision", purpose)
        self.device = device
        with quiet(transformers):
            config = read_config(transformers, folder, spec)
            self.kind = agreed_kind(kind_of(config, spec.name), kind, spec.name, folder)
            self.family: str = config.model_type
            self.processor = transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True)
            self.network = (
                read_network(transformers.AutoModelForDepthEstimation, folder, spec, config).to(device).eval()
            )
        _refuse_cropping(self.processor, self.family, spec.name)
        for head in ("head", "metric_head", "relative_head"):
            if getattr(self.network, head, None) is not None:
                keep_float32(getattr(self.network, head))

    def run(self, rgb: UInt8[ndarray, "h w 3"]) -> tuple[Float32[ndarray, "_ _"], float | None]:
        """Values at the network's resolution, and the horizontal field of view in degrees if the network has one."""
        rgb = np.array(shrunk_to_side(rgb, MAX_SIDE.get(self.family)))  # a copy: torch wants to own what it wraps
        inputs = self.processor(images=rgb, return_tensors="pt", input_data_format="channels_last")
        output = self._forward(inputs["pixel_values"].to(self.device))
        values = output.predicted_depth[0].float().cpu().numpy()
        if self.family == "zoedepth" and self.processor.do_pad:
            values = without_padding(values, rgb.shape[0], rgb.shape[1])
        if self.family != "depth_pro":
            return np.ascontiguousarray(values, dtype=np.float32), None
        fov = getattr(output, "field_of_view", None)
        fov_x = None if fov is None else float(fov.reshape(-1)[0])
        return from_canonical_inverse(values, fov_x), fov_x

    def _forward(self, pixels: Any) -> Any:
        with self.torch.inference_mode():
            with half_precision(self.device):
                output = self.network(pixel_values=pixels)
            if self.device == "cuda" and not output.predicted_depth.isfinite().all():
                output = self.network(pixel_values=pixels)  # beyond fp16's range: once more in float32
        return output


def kind_of(config: Any, name: str) -> DepthKind | None:
    """What a configuration says about its model's values; None where it does not say."""
    family = config.model_type
    if family in ("glpn", "zoedepth"):
        return "metric"
    if family == "depth_anything":
        return "metric" if config.depth_estimation_type == "metric" else "disparity"
    if family == "depth_pro":
        return "metric" if config.use_fov_model else "scale"
    if family == "dpt":  # MiDaS's backbones; DPT heads over DINOv2 were published for metres and for disparity alike
        backbone = getattr(config.backbone_config, "model_type", "vit")
        return "disparity" if backbone in ("vit", "bit", "beit", "swinv2", "swin") else None
    if family == "prompt_depth_anything":  # without a prompt its output is neither disparity nor depth up to one factor
        raise BadInput(
            "depth_model.prompt",
            "{model} is a Prompt Depth Anything model and needs a measured depth map beside the photo.",
            model=name,
        )
    raise BadInput(
        "depth_model.family",
        "{model} is a {family!r} model; understood are dpt, glpn, zoedepth, depth_anything and depth_pro.",
        model=name, family=family,
    )  # fmt: skip


def agreed_kind(found: DepthKind | None, said: DepthKind | None, name: str, folder: Path) -> DepthKind:
    """What a model's values mean: as its configuration says, as is said of it, both if they agree. Raises BadInput."""
    if found and said and found != said:
        raise BadInput(
            "depth_model.other_kind",
            "{model} should give {said}, but {config} describes a model that gives {found}; point {variable} at the right"
            " weights, or use that folder by its path.",
            model=name, said=said, config=str(folder / weights.CONFIG), found=found, variable=weights.variable_for(name),
        )  # fmt: skip
    if kind := found or said:
        return kind
    raise BadInput(
        "depth_model.kind", "{config} does not say what the values of {model} mean; say so with <depth_kind>.",
        config=str(folder / weights.CONFIG), model=name,
    )  # fmt: skip


def _refuse_cropping(processor: Any, family: str, name: str) -> None:
    """Only ZoeDepth's padding is understood. Any other crop or padding would shift the map against the photo."""
    pads = family != "zoedepth" and getattr(processor, "do_pad", False)
    if pads or getattr(processor, "do_center_crop", False):
        raise BadInput(
            "depth_model.crops",
            "The image processor of {model} pads or crops photos, so its depth would not cover the photo.",
            model=name,
        )


def shrunk_to_side(rgb: UInt8[ndarray, "h w 3"], max_side: int | None) -> UInt8[ndarray, "_ _ 3"]:
    """The photo with its long side at most `max_side`, averaged over areas; no side below 32 px (GLPN's step)."""
    height, width = rgb.shape[:2]
    factor = min(1.0, (max_side or max(height, width)) / max(height, width))
    size = max(32, round(width * factor)), max(32, round(height * factor))
    if size == (width, height):
        return rgb
    import cv2

    shrunk: ndarray = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    return shrunk


def without_padding(values: Float32[ndarray, "a b"], height: int, width: int) -> Float32[ndarray, "_ _"]:
    """ZoeDepth's map without the mirrored border that its processor put around a photo of height x width.

    The processor pads by int(3·sqrt(side/2)) pixels and resizes with aligned corners (ZoeDepth's depth_model.py), so
    the photo ends between pixels of the map: sampled bilinearly, which cannot overshoot.
    """
    import cv2

    rows, columns = (_inner_samples(n, side) for n, side in zip(values.shape, (height, width), strict=True))
    x, y = np.meshgrid(columns, rows)
    inner: ndarray = cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return inner


def _inner_samples(network: int, photo: int) -> Float32[ndarray, " n"]:
    """Positions on the map's axis (in pixel indices) of the centres of a grid of equal density over the photo alone."""
    pad = int(np.sqrt(photo / 2) * 3)
    padded = photo + 2 * pad
    count = max(1, round(network * photo / padded))
    source = (np.arange(count) + 0.5) * photo / count - 0.5 + pad
    return (source * (network - 1) / (padded - 1)).astype(np.float32)


def from_canonical_inverse(inverse: Float32[ndarray, "a b"], fov_x: float | None) -> Float32[ndarray, "a b"]:
    """Depth Pro's output to depth: z = 1 / (C · W/f), with W/f = 2·tan(fov/2) (Bochkovskii et al. 2024, section 3.2).

    Without a field of view W/f stays unknown, a factor. Beyond the model's own far limit of 1e4 there is no surface.
    """
    ratio = 1.0 if fov_x is None else 2 * np.tan(np.radians(fov_x) / 2)
    scaled = np.minimum(inverse * np.float32(ratio), np.float32(1e4))
    depth = np.full(inverse.shape, np.nan, np.float32)
    np.divide(1, scaled, out=depth, where=scaled > 1e-4)
    return depth
