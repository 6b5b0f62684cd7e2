"""The guided filter (He et al. 2010, "Guided image filtering", equations 5, 6 and 8; over colours, 19 to 21).

In every window a map is a linear function of the guide's channels. The filter gives that function's coefficients, averaged
over the windows that hold a sample: interpolated to a finer guide they make the fast guided filter (He & Sun 2015).
"""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Float32
from numpy import ndarray


class GuidedFilter:
    """The filter of one guide, for any number of maps.

    guide: one channel or three; radius: half width of the windows in samples; regularisation: variance of the guide, in
    its own unit, from which its structure is followed.
    """

    def __init__(self, guide: Float32[ndarray, "c h w"], radius: int, regularisation: float) -> None:
        self.guide = guide
        self.size = (2 * radius + 1, 2 * radius + 1)
        self.regularisation = np.float32(regularisation)
        self.means = [self._mean(channel) for channel in guide]

    def coefficients(
        self, values: Float32[ndarray, "h w"]
    ) -> tuple[Float32[ndarray, "c h w"], Float32[ndarray, "h w"]]:
        """Slope for each channel and offset. Values must be finite."""
        mean = self._mean(values)
        covariance = [
            self._mean(channel * values) - own * mean for channel, own in zip(self.guide, self.means, strict=True)
        ]
        slopes = self._solved(covariance)
        offset = mean - sum(slope * own for slope, own in zip(slopes, self.means, strict=True))
        return np.stack([self._mean(slope) for slope in slopes]), self._mean(offset)

    def __call__(self, values: Float32[ndarray, "h w"]) -> Float32[ndarray, "h w"]:
        """The filtered map."""
        slope, offset = self.coefficients(values)
        return (slope * self.guide).sum(axis=0) + offset

    def _mean(self, values: Float32[ndarray, "h w"]) -> Float32[ndarray, "h w"]:
        return np.asarray(cv2.blur(values, self.size))

    def _solved(self, right: list[Float32[ndarray, "h w"]]) -> list[Float32[ndarray, "h w"]]:
        """(Σ + ε·1)⁻¹ times a vector, in every window."""
        if len(right) == 1:
            return [right[0] * self._inverse[0]]
        a, b, c, d, e, f = self._inverse
        x, y, z = right
        return [a * x + b * y + c * z, b * x + d * y + e * z, c * x + e * y + f * z]

    @cached_property
    def _inverse(self) -> list[Float32[ndarray, "h w"]]:
        """The inverse of Σ + ε·1 in every window: its upper triangle, row by row."""
        upper = [(i, j) for i in range(len(self.guide)) for j in range(i, len(self.guide))]
        sigma = {(i, j): self._mean(self.guide[i] * self.guide[j]) - self.means[i] * self.means[j] for i, j in upper}
        for i in range(len(self.guide)):
            sigma[i, i] = np.maximum(sigma[i, i], 0) + self.regularisation
        if len(self.guide) == 1:
            return [1 / sigma[0, 0]]
        rr, rg, rb, gg, gb, bb = sigma.values()
        cofactors = [gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg, rr * bb - rb * rb, rb * rg - rr * gb,
                     rr * gg - rg * rg]  # fmt: skip
        determinant = rr * cofactors[0] + rg * cofactors[1] + rb * cofactors[2]
        return [each / determinant for each in cofactors]
