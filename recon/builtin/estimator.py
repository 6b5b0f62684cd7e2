"""The shipped network at run time: onnxruntime, OpenCV and numpy, no torch.

Photos are uint8 (H, W, 3) RGB; maps are float32 (h, w) at the network's resolution.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from recon.errors import MissingWeights
from recon.types import RawDepth

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

WEIGHTS = Path(__file__).parent / "weights" / "geometry.onnx"
# The network's input has about SIDE x SIDE pixels, whatever its shape: where real frames score best (see README.md).
SIDE = 224
MULTIPLE = 32
# Sky probabilities; chosen by eye on photos with clouds, of which the network is unsure.
SURE, POSSIBLE, CLOUD = 0.5, 0.2, 0.02
# A cloud's disparity is at most this many times the sky's.
FAR_CLOUD = 1.6
# An island in the sky is a cloud if its disparity is under this part of the near things': a branch above us is nearer.
FAR_ISLAND = 0.3
# Sky is believed in from this share of the photo that is surely sky.
SKY_SHARE = 0.04
# far/near to assume, without sky and with it: what fits measured frames best (python -m bench.depth_range).
INDOORS, OUTDOORS = 3.0, 10.0


def network_size(width: int, height: int, side: int = SIDE) -> tuple[int, int]:
    """(width, height) of the network's input: about side^2 pixels, the photo's shape as well as 32 divides it."""
    # Strips are cut down to 16:1, or one side would grow without bound.
    scale = min(side / math.sqrt(width * height), 4 * side / max(width, height))
    return max(MULTIPLE, round(width * scale / MULTIPLE) * MULTIPLE), max(
        MULTIPLE, round(height * scale / MULTIPLE) * MULTIPLE
    )


class BuiltinDepth:
    """The shipped network as a DepthEstimator."""

    name = "builtin"

    def __init__(self, weights: Path = WEIGHTS, side: int = SIDE) -> None:
        self._weights, self._side = weights, side
        self._session: InferenceSession | None = None

    def load(self) -> InferenceSession:
        """The network, read once. Raises MissingWeights where its file has been taken away."""
        if self._session is None:
            self._session = _session(self._weights)
        return self._session

    def estimate(self, rgb: UInt8[ndarray, "h w 3"]) -> RawDepth:
        """Affine-invariant disparity at the network's resolution (see network_size), NaN where it sees sky."""
        disparity, probability = self.maps(rgb)
        sky = open_sky(probability)
        if (sky & (probability > SURE)).mean() <= SKY_SHARE:  # a bright corner of a room looks like a little sky
            return RawDepth(disparity, "disparity", self.name, None, INDOORS)
        sky = with_clouds(sky, probability, disparity)
        return RawDepth(np.where(sky, np.float32(np.nan), disparity), "disparity", self.name, None, OUTDOORS)

    def maps(self, rgb: UInt8[ndarray, "h w 3"]) -> tuple[Float32[ndarray, "a b"], Float32[ndarray, "a b"]]:
        """(disparity >= 0 of unknown scale, sky probability), both at the network's resolution."""
        small = cv2.resize(rgb, network_size(rgb.shape[1], rgb.shape[0], self._side), interpolation=cv2.INTER_AREA)
        batch = np.ascontiguousarray(small.transpose(2, 0, 1)[None], np.float32) / np.float32(255)
        disparity, sky = self.load().run(["disparity", "sky"], {"rgb": batch})
        return disparity[0, 0], sky[0, 0]


def _session(weights: Path) -> InferenceSession:
    if not weights.is_file():
        raise MissingWeights(
            f"the built-in network's weights are not at {str(weights)!r} although they come with Unflat; get them back"
            " with: git checkout -- recon/builtin/weights"
        )
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count() or 1
    return onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])


def open_sky(probability: Float32[ndarray, "h w"]) -> Bool[ndarray, "h w"]:
    """Where the sky is: possible, in one piece with the photo's upper edge (a white van is not), and sure somewhere."""
    _, labels = cv2.connectedComponents((probability > POSSIBLE).astype(np.uint8), connectivity=4)
    sky = np.intersect1d(labels[0], labels[probability > SURE])
    return np.isin(labels, sky[sky > 0])


def with_clouds(
    sky: Bool[ndarray, "h w"], probability: Float32[ndarray, "h w"], disparity: Float32[ndarray, "h w"]
) -> Bool[ndarray, "h w"]:
    """The sky with its clouds: what lies as far and hangs together with it, and the far islands in it.

    A cloud is anything of which the network does not quite deny that it is sky. An island is what hangs together with
    nothing that reaches the photo's lower edge.
    """
    if not sky.any():
        return sky
    near = float(np.percentile(disparity, 95))
    far = FAR_CLOUD * float(np.median(disparity[sky])) + 0.01 * near
    cloudy = (sky | ((probability > CLOUD) & (disparity < far))).astype(np.uint8)
    _, labels = cv2.connectedComponents(cloudy, connectivity=4)
    sky = np.isin(labels, np.unique(labels[sky]))
    count, labels = cv2.connectedComponents((~sky).astype(np.uint8), connectivity=4)
    afloat = np.setdiff1d(np.arange(1, count), labels[-1])
    return sky | np.isin(labels, [i for i in afloat if np.median(disparity[labels == i]) < FAR_ISLAND * near])
