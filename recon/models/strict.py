"""Strict reading of checkpoints: every tensor that is wanted is there, in its shape, and no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from recon.messages import note
from recon.models import weights
from recon.models.hf import first_keys, unusable

Shapes = Mapping[str, Sequence[int]]


def check_shapes(place: Path, spec: weights.WeightsSpec, wanted: Shapes, there: Shapes) -> None:
    """Raises MissingWeights that names the first keys that are missing, too many, or of another shape."""
    missing = sorted(name for name in wanted if name not in there)
    extra = sorted(name for name in there if name not in wanted)
    other = sorted(name for name in wanted if name in there and list(wanted[name]) != list(there[name]))
    reasons = (
        note("weights.missing_keys", "{count} missing keys: {keys}", count=len(missing), keys=first_keys(missing)),
        note("weights.unexpected_keys", "{count} unexpected keys: {keys}", count=len(extra), keys=first_keys(extra)),
        note("weights.other_shapes", "{count} keys of another shape: {keys}", count=len(other), keys=first_keys(other)),
    )
    for reason in reasons:
        if reason.values["count"]:
            raise unusable(place, spec, reason)
