"""What a pretrained model must offer to be used by a stage. numpy outside; a framework, if any, stays inside."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from jaxtyping import Bool, UInt8
from numpy import ndarray

from recon.types import RawDepth, Relief


@runtime_checkable
class DepthEstimator(Protocol):
    """One photo in, one raw depth map out."""

    name: str

    def load(self) -> object:
        """Find and read the weights now instead of at the first photo. Raises MissingModel."""
        ...

    def estimate(self, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"] | None = None) -> RawDepth:
        """Depth at the model's own resolution, same frame and aspect as the photo, never resized bicubically.

        inside: where the photo's one subject is, None for a scene; what the model makes of it is its own affair.
        """
        ...


@runtime_checkable
class ShapeEstimator(Protocol):
    """One photo with its subject's mask in, the subject's front and back out."""

    def relief(self, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"]) -> Relief:
        """Front and back in a window around the subject."""
        ...


@runtime_checkable
class Segmenter(Protocol):
    """One photo in, the subject's silhouette out."""

    name: str

    def segment(self, rgb: UInt8[ndarray, "h w 3"]) -> Bool[ndarray, "h w"] | None:
        """True on the subject, at the photo's size; None when the photo shows no single subject."""
        ...
