"""Every model by task and name: its card, the function that builds its adapter, and whether its weights are here.

Building loads nothing: weights and frameworks are looked for at the first photo, or at the adapter's `load()`. A new
model is its adapter, a card in `models/catalogue.py` and a line in `DEPTH_BUILDERS`, `SEGMENTER_BUILDERS`,
`OBJECT_BUILDERS` or `SPLAT_BUILDERS`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from recon.builtin.weights import GEOMETRY
from recon.errors import BadOption
from recon.models import layout, weights
from recon.models.catalogue import BEST_FOR, BUILTIN_CARD, DEPTH, GRABCUT_CARD, OBJECT, PRETRAINED, ModelCard, Task
from recon.models.device import Where
from recon.options import MASK_WORDS
from recon.protocols import DepthEstimator, ObjectReconstructor, Segmenter, ShapeEstimator, SplatEstimator
from recon.settings import DepthKind, SplatSettings

T = TypeVar("T")
BUILTIN = BUILTIN_CARD.name
SOLID = "solid"
"""The object model's name that stands for none: the built-in solid."""


def _builtin_depth(spec: weights.WeightsSpec, kind: DepthKind | None, where: Where) -> DepthEstimator:
    from recon.builtin.depth import BuiltinDepth

    return BuiltinDepth()


def _transformers_depth(spec: weights.WeightsSpec, kind: DepthKind | None, where: Where) -> DepthEstimator:
    from recon.models.depth_hf import TransformersDepth

    return TransformersDepth(spec, kind, where.device, where.offline)


def _moge(spec: weights.WeightsSpec, kind: DepthKind | None, where: Where) -> DepthEstimator:
    from recon.models.moge import MoGe

    return MoGe(spec, where.device, where.offline)


def _depth_anything3(spec: weights.WeightsSpec, kind: DepthKind | None, where: Where) -> DepthEstimator:
    from recon.models.depth_anything3 import DepthAnything3

    return DepthAnything3(spec, kind, where.device, where.offline)


def _builtin_segmenter(card: ModelCard, where: Where) -> Segmenter:
    from recon.builtin.segmenter import BuiltinSegmenter

    return BuiltinSegmenter()


def _grabcut(card: ModelCard, where: Where) -> Segmenter:
    from recon.models.grabcut import GrabCut

    return GrabCut()


def _sam(card: ModelCard, where: Where) -> Segmenter:
    from recon.models.grabcut import GrabCut
    from recon.models.sam import Sam

    return Sam(card.weights(), where.device, where.offline, prior=GrabCut())


def _sam_hf(card: ModelCard, where: Where) -> Segmenter:
    from recon.models.grabcut import GrabCut
    from recon.models.sam_hf import SamHf

    return SamHf(card.weights(), where.device, where.offline, prior=GrabCut())


def _rembg(card: ModelCard, where: Where) -> Segmenter:
    from recon.models.rembg import Rembg

    return Rembg(card.weights(), where.device, where.offline)


def _triposr(spec: weights.WeightsSpec, where: Where) -> ObjectReconstructor:
    from recon.models.triposr.adapter import TripoSR

    return TripoSR(spec, where.device, where.offline)


def _sharp(spec: weights.WeightsSpec, where: Where) -> SplatEstimator:
    from recon.models.sharp import Sharp

    return Sharp(spec, where.device, where.offline)


DepthBuilder = Callable[[weights.WeightsSpec, DepthKind | None, Where], DepthEstimator]
SegmenterBuilder = Callable[[ModelCard, Where], Segmenter]
ObjectBuilder = Callable[[weights.WeightsSpec, Where], ObjectReconstructor]
SplatBuilder = Callable[[weights.WeightsSpec, Where], SplatEstimator]

DEPTH_BUILDERS: dict[str, DepthBuilder] = {
    "builtin": _builtin_depth,
    "depth_hf": _transformers_depth,
    "moge": _moge,
    "depth_anything3": _depth_anything3,
}
SEGMENTER_BUILDERS: dict[str, SegmenterBuilder] = {
    "builtin": _builtin_segmenter,
    "grabcut": _grabcut,
    "sam": _sam,
    "sam_hf": _sam_hf,
    "rembg": _rembg,
}
OBJECT_BUILDERS: dict[str, ObjectBuilder] = {"triposr": _triposr}
SPLAT_BUILDERS: dict[str, SplatBuilder] = {"sharp": _sharp}
"""By the adapter that a card names."""


_kept: dict[Any, Any] | None = None
"""The adapters that were built, while they are kept."""


@contextmanager
def models_kept(kept: dict[Any, Any] | None = None) -> Iterator[None]:
    """Within, each model is built and its weights are read once, for many photos. It is the process's, not the thread's.
    kept: where they are, for whoever comes back to them, or forgets them by emptying it."""
    global _kept
    before = _kept
    if kept is not None or _kept is None:
        _kept = {} if kept is None else kept
    try:
        yield
    finally:
        _kept = before


def _built(build: Callable[..., T], *of: Any) -> T:
    """What `build` makes of its arguments; the one of before, while adapters are kept."""
    if _kept is None:
        return build(*of)
    if (build, *of) not in _kept:
        _kept[build, *of] = build(*of)
    found: T = _kept[build, *of]
    return found


def cards(task: Task | None = None) -> dict[str, ModelCard]:
    """Every model by name, the one that ships first; of one task, if one is named."""
    megabytes = round(GEOMETRY.stat().st_size / 1e6) if GEOMETRY.is_file() else 0
    own = replace(BUILTIN_CARD, file=GEOMETRY, megabytes=megabytes)
    return {card.name: card for card in (own, GRABCUT_CARD, *PRETRAINED.values()) if task is None or task in card.tasks}


def is_here(card: ModelCard) -> bool:
    """Whether a model's weights are on this computer. Looks at folders only: no network, no framework."""
    if card.file is not None:
        return card.file.is_file()
    return card.weightless or weights.find(card.weights()) is not None


def runs_here(card: ModelCard) -> bool:
    """Whether its weights are here and its package can be imported, which is not tried."""
    return is_here(card) and find_spec(card.package.replace("-", "_")) is not None


def depth_estimator(name: str, where: Where = Where(), kind: DepthKind | None = None) -> DepthEstimator:
    """The depth model of a name, of a local folder as the model is published, of an ONNX file, or of a hub id.

    `auto` is the best model for this device whose licence allows everything and whose weights are already here, else the
    built-in one: it never downloads, so that the first run works at once and every run says what it used. kind: only for
    a folder or hub id whose configuration does not say what its values mean. Raises BadOption for an unknown name.
    """
    card = cards("depth").get(best_here(where.device) if name == "auto" else name)
    if card is not None:
        return _built(DEPTH_BUILDERS[card.adapter], card.weights(), card.kind, where)
    found = _found(name)
    if found is None:
        raise BadOption(
            "depth_model.unknown",
            "<depth_model> {given!r} is unknown; give auto, one of {known}, a folder in transformers' format, or a hub id"
            " like org/name.",
            given=name, known=", ".join(cards("depth")),
        )  # fmt: skip
    adapter, spec = found
    return _built(DEPTH_BUILDERS[adapter], spec, kind, where)


def _found(name: str) -> tuple[str, weights.WeightsSpec] | None:
    """(adapter, what to look for) of a folder, an ONNX file or a hub's id; None if it is none of them."""
    try:
        place = Path(name).expanduser()
    except RuntimeError:  # ~nobody
        return None
    if name and (place.is_dir() or (place.suffix == ".onnx" and place.is_file())):
        return layout.of_place(place)
    if weights.HUB_ID.fullmatch(name):
        return layout.of_repo(name, next((card.adapter for card in DEPTH.values() if card.repo == name), None))
    return None


def best_here(device: str) -> str:
    """What `auto` stands for on this device. Looks at folders only: no network, no framework."""
    wanted = BEST_FOR["cuda" if device == "cuda" or (device == "auto" and gpu_is_likely()) else "cpu"]
    return next((name for name in wanted if is_here(PRETRAINED[name])), BUILTIN)


def object_model(name: str) -> str:
    """What the object model that a name stands for is called: `auto` is the best whose weights are here; "" for the
    built-in solid. Looks at folders only: no network, no framework. Raises BadOption for an unknown name."""
    chosen = _object_spec(name)
    return chosen[1].name if chosen else ""


def object_reconstructor(name: str, where: Where = Where()) -> ObjectReconstructor | None:
    """The object model of a name, of a local folder of weights as published, or of a hub's id; None for the built-in solid,
    which `auto` stands for where no weights are here. Raises BadOption for an unknown name."""
    chosen = _object_spec(name)
    return _built(OBJECT_BUILDERS[chosen[0]], chosen[1], where) if chosen else None


def check_object(name: str, where: Where = Where()) -> None:
    """Raise BadOption for a name that is no object model's, MissingWeights for one that is neither here nor to be had."""
    chosen = _object_spec(name)
    if chosen and name != "auto":
        weights.obtain(chosen[1], where.offline)


def _object_spec(name: str) -> tuple[str, weights.WeightsSpec] | None:
    """(adapter, what to look for) of an object model; None for the built-in solid."""
    if name == SOLID:
        return None
    if name == "auto":
        here = next((card for card in OBJECT.values() if runs_here(card)), None)
        return None if here is None else (here.adapter, here.weights())
    if card := OBJECT.get(name):
        return card.adapter, card.weights()
    if spec := layout.object_spec(name):
        return "triposr", spec
    raise BadOption(
        "object.unknown",
        "<object> {given!r} is unknown; give auto, solid, one of {known}, a folder of such weights, or a hub id like"
        " org/name.",
        given=name, known=", ".join(OBJECT),
    )  # fmt: skip


def how_to_get_objects() -> str:
    """The command that gets the weights of the best object model."""
    return weights.how_to_get(next(iter(OBJECT.values())).weights())


def splat_estimator(name: str, where: Where = Where()) -> SplatEstimator:
    """The model that makes splats by itself, of a name, or SHARP of a file of its weights. Raises BadOption for an unknown
    name."""
    known = cards("splats")
    card = known.get(name)
    if card is not None:
        return SPLAT_BUILDERS[card.adapter](card.weights(), where)
    if name.endswith(".pt") and Path(name).is_file():
        return _sharp(replace(known["sharp"].weights(), given=name), where)
    raise BadOption(
        "splat_model.unknown", "<splat_model> {given!r} is unknown; give {own}, one of {known}, or a file of its weights"
        " (.pt).",
        given=name, own=SplatSettings.model, known=", ".join(known),
    )  # fmt: skip


def shape_estimators() -> Sequence[ShapeEstimator]:
    """Who is asked for a subject's back: the network of objects; without its file the geometry network, which looks at a
    square. A look raises MissingWeights where that is gone too."""
    from recon.builtin.estimator import Network
    from recon.builtin.object_network import object_network

    return (object_network() or Network(longest=1.0),)


def segmenter(name: str, where: Where = Where()) -> Segmenter | None:
    """The segmenter of a name, None if the name is no segmenter's (then it is a mask file's). Raises BadOption for a word
    that is neither."""
    known = cards("subject")
    card = known.get(name)
    if name and card is None and name not in MASK_WORDS and Path(name).stem == name and not Path(name).exists():
        raise BadOption(
            "mask.unknown", "<mask> {given!r} is unknown; give {words}, one of {known}, or a file.",
            given=name, words=", ".join(MASK_WORDS), known=", ".join(known),
        )  # fmt: skip
    return _built(SEGMENTER_BUILDERS[card.adapter], card, where) if card else None


def segmenters(where: Where = Where()) -> list[Callable[[], Segmenter]]:
    """What `mask="auto"` asks, in this order: Segment Anything and rembg where their weights are here, then GrabCut, which
    answers only where the ground is plain and is then the more exact, then the built-in network."""
    known = cards("subject")
    here = [card for card in known.values() if card.name in PRETRAINED and runs_here(card)]
    asked = (*here, known[GRABCUT_CARD.name], known[BUILTIN])
    return [partial(_built, SEGMENTER_BUILDERS[card.adapter], card, where) for card in asked]


@dataclass(frozen=True)
class Listed:
    """A model as it is offered: its card, whether its weights are here, whether it runs here, its package too, and the
    command that gets it ("" if it is here)."""

    card: ModelCard
    here: bool
    runs: bool
    get: str


def listing(task: Task | None = None) -> list[Listed]:
    """Every model that has weights. Reads directories; no network, no framework."""
    found = []
    for card in cards(task).values():
        if not card.weightless:
            here = is_here(card)
            get = "" if here or card.file else weights.how_to_get(card.weights())
            found.append(Listed(card, here, runs_here(card), get))
    return found


def models_table() -> str:
    """All models for a terminal: one line each, and how to get what is not here."""
    rows = [("name", "gives", "licence", "MB", "here", "what it is / how to get it")]
    for line in listing():
        card = line.card
        about = "; ".join(
            [card.about, *([card.published] if card.published else []), *([f"get it: {line.get}"] if line.get else [])]
        )
        rows.append((card.name, card.gives, card.licence, str(card.megabytes), "yes" if line.here else "no", about))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    return "\n".join("  ".join([*(c.ljust(w) for c, w in zip(row[:5], widths, strict=True)), row[5]]) for row in rows)


def gpu_is_likely() -> bool:
    """Whether an NVIDIA driver is loaded; asking torch would cost seconds."""
    return os.path.exists("/proc/driver/nvidia/version")
