"""Reading a folder in transformers' format: offline, quiet and strict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recon.errors import MissingDependency, MissingWeights
from recon.messages import Message, first_line
from recon.models import weights

IGNORABLE = {
    # The first fusion layer of DPT is called without a residual, and checkpoints in the original layout omit the unit
    # that would process it (huggingface/transformers#28292); mask tokens serve pretraining; index tables are computed;
    # poolers serve classification.
    "missing_keys": r"neck\.fusion_stage\.layers\.0\.residual_layer1\.|\.mask_token$|relative_position_index$",
    "unexpected_keys": r"neck\.fusion_stage\.layers\.0\.residual_layer1\.|\.mask_token$|relative_position_index$"
    r"|(^|\.)pooler\.",
}


def read_config(transformers: Any, folder: Path, spec: weights.WeightsSpec) -> Any:
    """The folder's configuration; MissingWeights if it is torn or of an unknown kind."""
    try:
        return transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise unusable(folder, spec, first_line(error)) from error


def read_network(auto_class: Any, folder: Path, spec: weights.WeightsSpec, config: Any) -> Any:
    """The network in float32. Every key must fit, but for those that are known not to be used."""
    try:
        network, info = auto_class.from_pretrained(
            folder,
            config=config,
            dtype="float32",
            local_files_only=True,
            output_loading_info=True,
            use_safetensors=True if list(folder.glob("model*.safetensors")) else None,
            weights_only=True,
        )
    except ImportError as error:
        raise MissingDependency(
            "package.unfit", "{model} cannot be loaded: {reason}", model=spec.name, reason=first_line(error)
        ) from error
    except Exception as error:  # torn safetensors, refused pickles and wrong shapes raise each library's own class
        raise unusable(folder, spec, first_line(error)) from error
    for what, keys in info.items():
        wrong = sorted(str(key) for key in keys if not re.search(IGNORABLE.get(what, r"(?!)"), str(key)))
        if wrong:
            raise unusable(folder, spec, f"{len(wrong)} {what.replace('_', ' ')}: {first_keys(wrong)}")
    return network


def unusable(place: Path, spec: weights.WeightsSpec, why: str | Message) -> MissingWeights:
    """Of weights that are there and do not fit."""
    return MissingWeights(
        "weights.unfit",
        "The weights of {model} in {place} do not fit ({reason}); remove them and get them again with: {command}",
        model=spec.name, place=str(place), reason=why, command=weights.how_to_get(spec),
    )  # fmt: skip


def first_keys(keys: list[str]) -> str:
    """The first three keys."""
    return ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")


@contextmanager
def quiet(transformers: Any) -> Iterator[None]:
    """No report and no progress bar from the library: what matters is raised."""
    logging = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
