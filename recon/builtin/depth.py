"""The shipped networks as a DepthEstimator: one look at the photo, and another at its subject alone."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from jaxtyping import Bool, UInt8
from numpy import ndarray

from recon.builtin.estimator import SIDE, Heads, Network, without_sky
from recon.builtin.object_network import fov_of_photo, object_network
from recon.builtin.weights import GEOMETRY
from recon.protocols import ShapeEstimator
from recon.types import RawDepth

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# The expected error of the logarithm of a distance that is given in metres.
SURE_OF_DISTANCE = 0.3


class BuiltinDepth:
    """The shipped networks as a DepthEstimator. shapes: who is asked for a subject's relief; unless given, the network of
    objects if it is there, else the geometry network."""

    name = "builtin"

    def __init__(self, weights: Path = GEOMETRY, side: int = SIDE, shapes: ShapeEstimator | None = None) -> None:
        self._network = Network(weights, side)
        self._shapes = shapes

    def load(self) -> InferenceSession:
        """The geometry network's session. Raises MissingWeights."""
        return self._network.load()

    def estimate(self, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"] | None = None) -> RawDepth:
        """Affine-invariant disparity at the network's resolution (see network_size), NaN where it sees sky, the field of
        view, and a subject's relief, from a second look at the subject alone."""
        whole = self._network.heads(rgb)
        disparity, ratio = without_sky(whole)
        distance, distance_error = _sure_distance(whole)
        raw = RawDepth(
            disparity,
            "disparity",
            self.name,
            fov_x=_horizontal(whole.fov, rgb),
            far_over_near=ratio,
            fov_error=whole.fov_error,
            distance=distance,
            distance_error=distance_error,
        )
        return raw if inside is None or not inside.any() else self._with_relief(raw, rgb, inside)

    def _with_relief(self, raw: RawDepth, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"]) -> RawDepth:
        """The same with the subject's relief, and the field of view that this look is the surer of."""
        relief = (self._shapes or object_network() or self._network).relief(rgb, inside)
        seen = fov_of_photo(relief, max(rgb.shape[:2]))
        if seen is not None and raw.fov_error is not None and seen[1] < raw.fov_error:
            raw = replace(raw, fov_x=_horizontal(seen[0], rgb), fov_error=seen[1])
        return replace(raw, relief=relief)


def _horizontal(fov: float, rgb: UInt8[ndarray, "h w 3"]) -> float:
    """The horizontal field of view from that along a photo's longer side, in degrees."""
    height, width = rgb.shape[:2]
    return 2 * math.degrees(math.atan(math.tan(math.radians(fov) / 2) * width / max(width, height)))


def _sure_distance(heads: Heads) -> tuple[float, float] | tuple[None, None]:
    """The median depth in metres of all but the sky, and its error in parts of it, where the network is sure."""
    if heads.distance is None or heads.distance_error is None or heads.distance_error > SURE_OF_DISTANCE:
        return None, None
    return math.exp(heads.distance), math.expm1(heads.distance_error)
