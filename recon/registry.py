"""Every model by name: the network that ships, and the pretrained ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recon.errors import BadOption
from recon.protocols import DepthEstimator, Segmenter


def depth_estimator(name: str, device: str, offline: bool) -> DepthEstimator:
    from recon.builtin.estimator import BuiltinDepth

    return BuiltinDepth()


def segmenters(device: str, offline: bool) -> list[Callable[[], Segmenter]]:
    return []
