"""Name -> function that builds the adapter, and the table that `--models` prints.

Building loads nothing: weights and frameworks are looked for at the first photo, or at `load()`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from recon.errors import BadOption
from recon.models import weights
from recon.models.catalogue import CARDS, DEPTH, SUBJECT, ModelCard
from recon.models.depth_hf import TransformersDepth
from recon.protocols import DepthEstimator, Segmenter
from recon.types import DepthKind

DepthBuilder = Callable[[str, bool], DepthEstimator]
SegmenterBuilder = Callable[[str, bool], Segmenter]
"""Both take (device, offline)."""


def _depth(card: ModelCard, device: str = "auto", offline: bool = False) -> DepthEstimator:
    return TransformersDepth(card.weights(), card.kind, device, offline)


def _sam(card: ModelCard, device: str = "auto", offline: bool = False) -> Segmenter:
    from recon.models.grabcut import GrabCut
    from recon.models.sam import Sam

    return Sam(card.weights(), device, offline, prior=GrabCut())


def _sam_hf(card: ModelCard, device: str = "auto", offline: bool = False) -> Segmenter:
    from recon.models.grabcut import GrabCut
    from recon.models.sam_hf import SamHf

    return SamHf(card.weights(), device, offline, prior=GrabCut())


def _rembg(card: ModelCard, device: str = "auto", offline: bool = False) -> Segmenter:
    from recon.models.rembg import Rembg

    return Rembg(card.weights(), device, offline)


def _grabcut(device: str = "auto", offline: bool = False) -> Segmenter:
    from recon.models.grabcut import GrabCut

    return GrabCut()


_BY_PACKAGE = {"segment-anything": _sam, "transformers": _sam_hf, "rembg": _rembg}

DEPTH_MODELS: dict[str, DepthBuilder] = {name: partial(_depth, card) for name, card in DEPTH.items()}

SEGMENTERS: dict[str, SegmenterBuilder] = {
    "grabcut": _grabcut,
    **{name: partial(_BY_PACKAGE[card.package], card) for name, card in SUBJECT.items()},
}


def build_depth(
    name: str, device: str = "auto", offline: bool = False, kind: DepthKind | None = None
) -> DepthEstimator:
    """The depth model of a name, of a local folder in transformers' format, or of a hub id ("org/name").

    kind: what the values of a folder's or a hub's model mean, where its configuration does not say.
    """
    if name in DEPTH_MODELS:
        return DEPTH_MODELS[name](device, offline)
    folder = Path(name).expanduser()
    if folder.is_dir():
        spec = weights.WeightsSpec(folder.resolve().name, given=str(folder))
    elif weights.HUB_ID.fullmatch(name):
        spec = weights.WeightsSpec(name.replace("/", "--"), repo=name)
    else:
        raise BadOption(
            f"'{name}' is no depth model: choose one of {', '.join(DEPTH_MODELS)}, a folder in transformers' format, "
            "or a hub id like org/name."
        )
    return TransformersDepth(spec, kind, device, offline)


def build_segmenter(name: str, device: str = "auto", offline: bool = False) -> Segmenter:
    """The segmenter of a name."""
    if name not in SEGMENTERS:
        raise BadOption(f"'{name}' is no segmenter: choose one of {', '.join(SEGMENTERS)}.")
    return SEGMENTERS[name](device, offline)


@dataclass(frozen=True)
class Listed:
    """One line of `--models`: the card, where its weights are (None: not here), and the command that gets them."""

    card: ModelCard
    here: Path | None
    command: str


def listing() -> list[Listed]:
    """Every model of the catalogue. Reads directories; no network, no framework."""
    return [Listed(card, weights.find(card.weights()), weights.how_to_get(card.weights())) for card in CARDS.values()]
