"""MoGe-2 as its authors publish it in ONNX: metric points, what is no surface, and from the points the field of view.

The graph takes `image` (1×3×h×w, RGB from 0 to 1, any size) and `num_tokens`, and gives at the picture's size `points`
(h×w×3 in OpenCV's camera frame, right up to a factor and a shift along the optical axis), `normal`, `mask` (probability of
a surface) and the factor to metres. It is the bare network: the focal length and the shift are ours to find (docs/onnx.md
and moge/model/v2.py in microsoft/MoGe). It shrinks the picture without a filter, so that it gets a smaller one.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from recon.errors import BadOption
from recon.geometry.focal_shift import focal_and_shift, sampled
from recon.messages import first_line, note
from recon.models import weights
from recon.models.hf import unusable
from recon.models.pretrained_depth import PretrainedDepth
from recon.models.soft_import import estimating, need
from recon.option_fields import check_value
from recon.options import PhotoOptions, option_of
from recon.threads import count
from recon.types import AffinePoints, RawDepth

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

FILE = "model.onnx"
INPUTS = {"image", "num_tokens"}
OUTPUTS = {"points", "normal", "mask"}
SCALES = ("metric_scale", "scale")
"""The factor to metres, in the authors' recipe for an export and in the files that they publish."""
TOKENS = 2500
"""Patches that the picture is cut into: the most that the authors suggest (1200 to 2500)."""
CELL = 16
"""Pixels of the maps along a patch's side, as they leave the network."""
SURFACE = 0.5


class MoGe(PretrainedDepth["InferenceSession"]):
    """A `DepthEstimator` over a MoGe-2 graph: metric depth and the field of view."""

    def _read(self, place: Path) -> InferenceSession:
        return _session(place, self._spec, self._device)

    def _depth(
        self, network: InferenceSession, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"] | None
    ) -> RawDepth:
        seen = _run(network, averaged_photo(rgb))
        known = seen.valid if inside is None else seen.valid & _at(inside, seen.valid.shape)
        samples = sampled(seen.points, known)
        lens = focal_and_shift(samples, rgb.shape[0] / rgb.shape[1])
        shift = np.array([0, 0, 0 if lens is None else lens.shift], np.float32)
        z = seen.points[..., 2] + shift[2]
        return RawDepth(
            np.where(seen.valid & (z > 0), z, np.float32(np.nan)),
            "metric",
            self.name,
            None if lens is None else lens.fov_x,
            fov_error=None if lens is None else lens.fov_error,
            affine=AffinePoints(samples.points + shift, samples.place),
        )


class _Seen(NamedTuple):
    """points: in metres but for a shift along the optical axis; valid: where there is a surface."""

    points: Float32[ndarray, "h w 3"]
    valid: Bool[ndarray, "h w"]


def averaged_photo(rgb: UInt8[ndarray, "h w 3"]) -> UInt8[ndarray, "_ _ 3"]:
    """The photo averaged over areas to the size that the network's maps have; a smaller one as it is."""
    height, width = rgb.shape[:2]
    factor = CELL * math.sqrt(TOKENS / (height * width))
    if factor >= 1:
        return rgb
    import cv2

    size = max(1, round(width * factor)), max(1, round(height * factor))
    small: ndarray = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return small


def _run(session: InferenceSession, rgb: UInt8[ndarray, "h w 3"]) -> _Seen:
    image = np.ascontiguousarray(rgb.transpose(2, 0, 1)[None], dtype=np.float32) / np.float32(255)
    tokens = next(put for put in session.get_inputs() if put.name == "num_tokens")
    found = session.run(
        ["points", "mask", _scale_of(session)],
        {"image": image, "num_tokens": np.full([1] * len(tokens.shape), TOKENS, np.int64)},
    )
    points = np.asarray(found[0], np.float32)[0] * np.float32(np.asarray(found[2]).ravel()[0])
    return _Seen(points, (np.asarray(found[1])[0] > SURFACE) & np.isfinite(points).all(axis=2))


def _at(inside: Bool[ndarray, "h w"], size: tuple[int, ...]) -> Bool[ndarray, "_ _"]:
    import cv2

    return np.asarray(cv2.resize(inside.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA) > 0.5)


def _session(file: Path, spec: weights.WeightsSpec, device: str) -> InferenceSession:
    onnxruntime = need("onnxruntime", "onnxruntime", estimating(spec.name))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = count()
    options.log_severity_level = 4
    providers = _providers(onnxruntime, device)
    try:
        session = onnxruntime.InferenceSession(str(file), options, providers=providers)
    except Exception as error:  # no ONNX, torn, or without its second file: each raises a class of its own
        raise unusable(file, spec, first_line(error)) from error
    takes = {put.name for put in session.get_inputs()}
    gives = {put.name for put in session.get_outputs()}
    if takes != INPUTS or not gives > OUTPUTS or not gives & set(SCALES):
        reason = note(
            "weights.other_graph", "it takes {takes} and gives {gives}, which is not MoGe-2 with normals",
            takes=", ".join(sorted(takes)), gives=", ".join(sorted(gives)),
        )  # fmt: skip
        raise unusable(file, spec, reason)
    return session


def _scale_of(session: InferenceSession) -> str:
    return next(put.name for put in session.get_outputs() if put.name in SCALES)


def _providers(onnxruntime: object, device: str) -> list[str]:
    """Where the graph runs: on a GPU if onnxruntime can and it is wanted, else on the processor."""
    check_value(option_of(PhotoOptions, "device"), device)
    able = "CUDAExecutionProvider" in onnxruntime.get_available_providers()  # type: ignore[attr-defined]
    if device == "cuda" and not able:
        raise BadOption(
            "device.no_onnx_cuda",
            "<device> cuda was asked for, but onnxruntime is built without it; pip install onnxruntime-gpu, or use <device>"
            " cpu or auto.",
        )
    return [*(["CUDAExecutionProvider"] if able and device != "cpu" else []), "CPUExecutionProvider"]
