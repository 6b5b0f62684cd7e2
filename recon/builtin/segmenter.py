"""The shipped network's idea of the photo's one subject, drawn to the photo's edges."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from recon.builtin.estimator import SIDE, Network
from recon.builtin.weights import GEOMETRY
from recon.geometry.silhouette import is_credible, one_subject, sharpen
from recon.geometry.upsample import guided_upsample

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# There is a subject where these hold. By the contract its probability is about 0 all over a scene.
# Share of the photo where the probability is above one half;
LEAST_SHARE, MOST_SHARE = 0.01, 0.9
# the network is sure of a core: above YES lies at least this share of the subject, as one half everywhere is no answer;
YES, LEAST_CORE = 0.9, 0.2
# there is little doubt: where the probability is neither below NO nor above YES covers less than this much of the subject's
# area (a ragged cut-out is worse than the whole photo). Both were chosen on cut-outs and photos of other origin than those
# that are scored (see README.md);
NO, MOST_DOUBT = 0.1, 1.2
# this share of the subject hangs together.
LEAST_MAIN = 0.6
# GrabCut's outline is believed if it covers the same as the network's own, by intersection over union: where subject and
# background have one colour it runs away, and the network's own is kept.
LEAST_AGREEMENT = 0.7


class BuiltinSegmenter:
    """The shipped network as a Segmenter."""

    name = "builtin"

    def __init__(self, weights: Path = GEOMETRY, side: int = SIDE) -> None:
        self._network = Network(weights, side)

    def load(self) -> InferenceSession:
        """The network's session. Raises MissingWeights."""
        return self._network.load()

    def segment(self, rgb: UInt8[ndarray, "h w 3"]) -> Bool[ndarray, "h w"] | None:
        """The subject at the photo's size; None for a scene."""
        probability = self._network.heads(rgb).subject
        if not shows_subject(probability):
            return None
        own = one_subject(guided_upsample(probability, rgb) > 0.5)
        if own is None or not is_credible(own):
            return None
        sharp = sharpen(rgb, probability)
        believed = sharp is not None and agreement(own, sharp) >= LEAST_AGREEMENT
        return sharp if believed else own


def shows_subject(probability: Float32[ndarray, "h w"]) -> bool:
    """Whether a map of the subject's probability is that of one subject."""
    inside = probability > 0.5
    if not LEAST_SHARE <= inside.mean() <= MOST_SHARE or (probability[inside] > YES).mean() < LEAST_CORE:
        return False
    return doubt(probability) < MOST_DOUBT and one_subject(inside, LEAST_MAIN) is not None


def doubt(probability: Float32[ndarray, "h w"]) -> float:
    """The area of which the network is unsure, in parts of the subject's, which is not empty."""
    unsure = (probability > NO) & (probability < YES)
    return float(np.count_nonzero(unsure) / np.count_nonzero(probability > 0.5))


def agreement(a: Bool[ndarray, "h w"], b: Bool[ndarray, "h w"]) -> float:
    """Intersection over union of two masks that are not both empty."""
    return float(np.count_nonzero(a & b) / np.count_nonzero(a | b))
