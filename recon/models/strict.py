"""Strict loading: tensors that fit a network by name and shape, and no others."""

from __future__ import annotations

import re
from pathlib import Path

from recon.messages import note
from recon.models.hf import first_keys, unusable
from recon.models.weights import WeightsSpec

Shapes = dict[str, list[int]]


def check_tensors(place: Path, spec: WeightsSpec, wanted: Shapes, there: Shapes, unused: re.Pattern[str]) -> None:
    """Raises MissingWeights that names the file and the first keys that are missing, too many (but for those that are known
    to be `unused`), or of another shape."""
    missing = sorted(name for name in wanted if name not in there)
    extra = sorted(name for name in there if name not in wanted and not unused.match(name))
    other = sorted(name for name in wanted if name in there and wanted[name] != there[name])
    reasons = (
        note("weights.missing_keys", "{count} missing keys: {keys}", count=len(missing), keys=first_keys(missing)),
        note("weights.unexpected_keys", "{count} unexpected keys: {keys}", count=len(extra), keys=first_keys(extra)),
        note("weights.other_shapes", "{count} keys of another shape: {keys}", count=len(other), keys=first_keys(other)),
    )
    for reason in reasons:
        if reason.values["count"]:
            raise unusable(place, spec, reason)
