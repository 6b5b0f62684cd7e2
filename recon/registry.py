"""Every model by name: the network that ships, and the pretrained ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from recon.errors import BadOption
from recon.protocols import DepthEstimator, Segmenter, ShapeEstimator
from recon.types import DepthKind

BUILTIN = "builtin"
BUILTIN_LINE = "the small network that ships with Unflat: depth, a subject's mask and back, field of view"


def depth_estimator(name: str, device: str, offline: bool, kind: DepthKind | None = None) -> DepthEstimator:
    """The depth model of a name, of a local folder in transformers' format, or of a hub id.

    `auto` is the best MiDaS-family model for this device whose weights are already here, else the built-in one: it
    never downloads, so that the first run works at once and every run says what it used. kind: only for a folder or hub
    id whose configuration does not say what its values mean. Raises BadOption, MissingDependency or MissingWeights.
    """
    if name == "auto":
        name = best_here(device)
    if name == BUILTIN:
        from recon.builtin.estimator import BuiltinDepth

        return BuiltinDepth()
    from recon.models.registry import DEPTH_MODELS, build_depth

    try:
        if not name:
            raise BadOption("no name")
        return build_depth(name, device, offline, kind)
    except (BadOption, RuntimeError):  # pathlib raises RuntimeError for ~nobody
        known = ", ".join((BUILTIN, *DEPTH_MODELS))
        raise BadOption(
            f"--depth-model {name!r} is unknown; give auto, one of {known}, a folder in transformers' format, or a hub id"
            " like org/name."
        ) from None


def best_here(device: str) -> str:
    """What `auto` stands for on this device. Looks at folders only: no network, no framework."""
    from recon.models import weights
    from recon.models.catalogue import DEPTH, MIDAS_FOR

    wanted = MIDAS_FOR["cuda" if device == "cuda" or (device == "auto" and _has_nvidia()) else "cpu"]
    return next((name for name in wanted if weights.find(DEPTH[name].weights())), BUILTIN)


def shape_estimators() -> Sequence[ShapeEstimator]:
    """The shipped networks that know a subject's back. A look raises MissingWeights where a file is gone."""
    from recon.builtin.estimator import looking_at_shapes

    return looking_at_shapes()


def segmenter(name: str, device: str, offline: bool) -> Segmenter | None:
    """The segmenter of a name, None if the name is no segmenter's (then it is a mask file's)."""
    if name == BUILTIN:
        return _builtin_segmenter()
    from recon.models.registry import SEGMENTERS, build_segmenter

    return build_segmenter(name, device, offline) if name in SEGMENTERS else None


def segmenters(device: str, offline: bool) -> list[Callable[[], Segmenter]]:
    """What `--mask auto` asks, in this order: Segment Anything and rembg where their weights are here, then GrabCut, which
    answers only where the ground is plain and is then the more exact, then the built-in network."""
    from recon.models import weights
    from recon.models.catalogue import SUBJECT
    from recon.models.registry import build_segmenter

    here = [name for name, card in SUBJECT.items() if weights.find(card.weights()) and _importable(card.package)]
    return [*(partial(build_segmenter, name, device, offline) for name in (*here, "grabcut")), _builtin_segmenter]


def _builtin_segmenter() -> Segmenter:
    from recon.builtin.segmenter import BuiltinSegmenter

    return BuiltinSegmenter()


def models_table() -> str:
    """What `--models` prints: one line per model, and how to get what is not here."""
    from recon.builtin.estimator import WEIGHTS
    from recon.models.registry import listing

    rows = [("name", "gives", "licence", "MB", "here", "what it is / how to get it")]
    size, here = (f"{WEIGHTS.stat().st_size / 1e6:.0f}", "yes") if WEIGHTS.is_file() else ("", "no")
    rows.append((BUILTIN, "disparity, mask", "Apache-2.0", size, here, BUILTIN_LINE))
    for line in listing():
        card = line.card
        about = card.about if line.here else f"{card.about}; get it: {line.command}"
        here = "yes" if line.here else "no"
        rows.append((card.name, card.kind or "mask", card.licence, str(card.megabytes), here, about))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    return "\n".join("  ".join([*(c.ljust(w) for c, w in zip(row[:5], widths, strict=True)), row[5]]) for row in rows)


def model_choices() -> list[dict[str, Any]]:
    """The depth models as a page offers them: value, label, licence, megabytes, whether its weights are here, what it is,
    and the command that gets it. Reads folders; no network, no framework."""
    from recon.builtin.estimator import WEIGHTS
    from recon.models.registry import listing

    size, here = (round(WEIGHTS.stat().st_size / 1e6), True) if WEIGHTS.is_file() else (0, False)
    own = {"value": BUILTIN, "label": "Built-in", "licence": "Apache-2.0", "here": here, "megabytes": size,
           "about": BUILTIN_LINE, "get": ""}  # fmt: skip
    others = [
        {
            "value": line.card.name,
            "label": line.card.name,
            "licence": line.card.licence,
            "here": line.here is not None and _importable(line.card.package),
            "megabytes": line.card.megabytes,
            "about": line.card.about,
            "get": "" if line.here else line.command,
        }
        for line in listing()
        if line.card.task == "depth"
    ]
    return [own, *others]


def _importable(package: str) -> bool:
    from importlib.util import find_spec

    return find_spec(package.replace("-", "_")) is not None


def _has_nvidia() -> bool:
    """Whether an NVIDIA driver is loaded; asking torch would cost seconds."""
    return os.path.exists("/proc/driver/nvidia/version")
