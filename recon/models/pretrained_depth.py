"""What pretrained depth models share: weights that are found and read once, and a subject that is seen on plain ground."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Generic, TypeVar

from jaxtyping import Bool, UInt8
from numpy import ndarray

from recon.models import weights
from recon.types import RawDepth

T = TypeVar("T")


class PretrainedDepth(ABC, Generic[T]):
    """A `DepthEstimator` whose network is read on first use, once."""

    def __init__(self, spec: weights.WeightsSpec, device: str = "auto", offline: bool = False) -> None:
        self.name = spec.name
        self._spec, self._device, self._offline = spec, device, offline
        self._network: T | None = None

    def load(self) -> T:
        """Find, read and check the weights now rather than at the first photo. Raises MissingModel, BadInput."""
        if self._network is None:
            self._network = self._read(weights.obtain(self._spec, self._offline))
        return self._network

    def estimate(self, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"] | None = None) -> RawDepth:
        """Depth of the whole photo at the network's resolution, NaN where it sees no surface; of a subject on plain
        ground."""
        if inside is not None:
            from recon.geometry.cutout import on_plain_ground

            rgb = on_plain_ground(rgb, inside)
        return self._depth(self.load(), rgb, inside)

    @abstractmethod
    def _read(self, place: Path) -> T:
        """The network from the folder or file of its weights, on its device."""

    @abstractmethod
    def _depth(self, network: T, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"] | None) -> RawDepth:
        """What a network sees in a photo; inside: where its one subject is, which lies on plain ground already."""
