"""A network of Deep3D's kind (Xie, Girshick and Farhadi 2016) in ONNX, as `training.deep3d` exports it: from a left view to
the weights of disparities at each pixel of the right view, learnt from stereo pairs without any depth.

The graph takes `photo` (1×3×h×w, RGB from 0 to 1, h and w multiples of 32) and gives `weights` (1×k×h×w, not negative, 1
in sum). The file's metadata say `network: deep3d`, `disparities` (k numbers, pixels of a picture `width` wide) and `width`,
that of the pictures it was trained on: at another its planes would mean other angles, so every photo is seen in that one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from recon.geometry.row_splat import left_from_right
from recon.messages import first_line, note
from recon.models import weights
from recon.models.hf import unusable
from recon.models.pretrained_depth import PretrainedDepth
from recon.models.soft_import import estimating, need
from recon.threads import count
from recon.types import RawDepth

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

FILE = "deep3d.onnx"
NETWORK = b"deep3d"
TAIL = 4096
"""Bytes at a file's end in which its metadata lie."""
MULTIPLE = 32
PLACES = {"disparities", "width"}


class Planes(NamedTuple):
    """A network's answer. weights: of each plane at each pixel of the right view; disparities: x_left − x_right of the
    planes, in pixels of the weights' width."""

    weights: Float32[ndarray, "k a b"]
    disparities: Float32[ndarray, " k"]


class Deep3D(PretrainedDepth["InferenceSession"]):
    """A `DepthEstimator` over such a network: relative disparity, the mean of its planes, as the left eye sees it."""

    def _read(self, place: Path) -> InferenceSession:
        return _session(place, self._spec)

    def planes(self, rgb: UInt8[ndarray, "h w 3"]) -> Planes:
        """What the network says of a left view, at its own size."""
        import cv2

        session = self.load()
        told = session.get_modelmeta().custom_metadata_map
        small = cv2.resize(rgb, _size(rgb, int(told["width"])), interpolation=cv2.INTER_AREA)
        photo = np.ascontiguousarray(small.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        found = np.asarray(session.run(["weights"], {"photo": photo})[0], np.float32)[0]
        return Planes(found, np.array(told["disparities"].split(), np.float32))

    def _depth(
        self, network: InferenceSession, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"] | None
    ) -> RawDepth:
        disparity = left_from_right(mean_disparity(self.planes(rgb)))
        return RawDepth(disparity - disparity.min(), "disparity", self.name)


def mean_disparity(planes: Planes) -> Float32[ndarray, "a b"]:
    """The expected disparity Σ p_k·d_k / Σ p_k of each pixel of the right view, in pixels."""
    mean = np.tensordot(planes.disparities, planes.weights, 1) / planes.weights.sum(axis=0)
    return np.asarray(mean, np.float32)


def is_one(file: Path) -> bool:
    """Whether an ONNX file says that it is such a network; reads its end only."""
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - TAIL))
        return NETWORK in opened.read()


def _size(rgb: UInt8[ndarray, "h w 3"], width: int) -> tuple[int, int]:
    """(width, height) at which a photo is looked at: the network's width, and its shape as well as 32 divides it, from
    half as wide as high to eight times."""
    height = width * rgb.shape[0] / rgb.shape[1]
    return width, max(MULTIPLE, min(2 * width, round(height / MULTIPLE) * MULTIPLE))


def _session(file: Path, spec: weights.WeightsSpec) -> InferenceSession:
    onnxruntime = need("onnxruntime", "onnxruntime", estimating(spec.name))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = count()
    options.log_severity_level = 4
    try:
        session: InferenceSession = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # no ONNX, or torn: each raises a class of its own
        raise unusable(file, spec, first_line(error)) from error
    told = session.get_modelmeta().custom_metadata_map
    gives = {put.name for put in session.get_outputs()}
    planes = session.get_outputs()[0].shape[1]
    if not told.keys() >= PLACES or gives != {"weights"} or len(told["disparities"].split()) != planes:
        reason = note(
            "weights.other_planes", "it gives {gives}, and says {told}, which is no network of Deep3D's kind",
            gives=", ".join(sorted(gives)), told=", ".join(sorted(told)) or "nothing of itself",
        )  # fmt: skip
        raise unusable(file, spec, reason)
    return session
