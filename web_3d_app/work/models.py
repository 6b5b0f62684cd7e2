"""Depth models that stay warm between jobs."""

from __future__ import annotations

from dataclasses import dataclass, field

from recon import DepthEstimator, Where, depth_estimator


@dataclass
class Models:
    """The last few depth models that were asked for."""

    device: str
    kept: int = 2
    _warm: dict[str, DepthEstimator] = field(default_factory=dict)

    def get(self, name: str) -> DepthEstimator:
        """The model of a name. Raises BadOption or MissingModel."""
        if name not in self._warm:
            while len(self._warm) >= self.kept:
                del self._warm[next(iter(self._warm))]
            self._warm[name] = depth_estimator(name, Where(self.device, offline=True))
        return self._warm[name]
