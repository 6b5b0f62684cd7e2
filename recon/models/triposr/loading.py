"""A TripoSR folder as published, config.yaml and model.ckpt (or safetensors), read strictly: all of it or nothing.

model.ckpt is torch's pickle of a plain state dictionary; nothing else in it is read, and no code of it is run.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recon.errors import MissingWeights
from recon.messages import first_line, note
from recon.models import weights
from recon.models.hf import unusable
from recon.models.soft_import import need
from recon.models.strict import check_tensors
from recon.models.triposr.plan import TripoSRPlan, plan_of

if TYPE_CHECKING:
    from recon.models.triposr.network import TripoSRNetwork

CONFIG = "config.yaml"
PICKLE = "model.ckpt"
SAFE = "model.safetensors"
NO_OTHER = re.compile(r"(?!)")
"""Every tensor of the file has its place."""
FOLDER = (CONFIG, f"{SAFE}|{PICKLE}")


def read_triposr(folder: Path, spec: weights.WeightsSpec) -> TripoSRNetwork:
    """The network in float32, on the processor. Raises MissingWeights that names the file and the first key that does not
    fit, MissingDependency where a package is missing."""
    import torch

    from recon.models.triposr.network import TripoSRNetwork

    plan = read_plan(folder / CONFIG, spec)
    file = folder / SAFE if (folder / SAFE).is_file() else folder / PICKLE
    state = _read_state(file, spec)
    try:
        with torch.device("meta"):
            network = TripoSRNetwork(plan)
    except (ValueError, RuntimeError, TypeError, ZeroDivisionError) as error:  # measures that make no network
        raise unusable(folder / CONFIG, spec, first_line(error)) from error
    wanted = {name: list(each.shape) for name, each in network.state_dict().items()}
    check_tensors(file, spec, wanted, {name: list(each.shape) for name, each in state.items()}, NO_OTHER)
    network.load_state_dict({name: each.float() for name, each in state.items()}, assign=True)
    return network.requires_grad_(False).eval()


def read_plan(file: Path, spec: weights.WeightsSpec) -> TripoSRPlan:
    """The measures in a config.yaml. Raises MissingWeights for what is none of TripoSR's."""
    yaml = need("yaml", "pyyaml", note("purpose.object", "The object model {model}", model=spec.name))
    try:
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
        return plan_of(config)
    except KeyError as error:
        reason = note("weights.config_lacks", "it lacks {key}", key=str(error.args[0]))
        raise unusable(file, spec, reason) from error
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        raise unusable(file, spec, first_line(error)) from error


def _read_state(file: Path, spec: weights.WeightsSpec) -> Mapping[str, Any]:
    """The tensors by their names. Raises MissingWeights."""
    try:
        state = _tensors_of(file)
    except MissingWeights:
        raise
    except Exception as error:  # torn files raise each library's own class
        if isinstance(error, pickle.UnpicklingError) or "weights_only" in str(error):
            reason = note("weights.code", "it holds code, or is no checkpoint, and was not run")
        else:
            reason = note("weights.torn", "it is cut off or damaged: {reason}", reason=first_line(error))
        raise unusable(file, spec, reason) from error
    named = state if isinstance(state, Mapping) else {type(state).__name__: state}
    for key, value in named.items():
        if not _is_weight(key, value):
            raise unusable(file, spec, note("weights.no_tensors", "{key} is no tensor", key=str(key)))
    return named


def _tensors_of(file: Path) -> Any:
    import torch

    if file.suffix == ".safetensors":
        need("safetensors", "safetensors", file.name)
        from safetensors.torch import load_file

        return load_file(str(file))
    try:
        return torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except RuntimeError as error:
        if "mmap" not in str(error):
            raise
        return torch.load(file, map_location="cpu", weights_only=True)  # torch's format before version 1.6


def _is_weight(name: Any, value: Any) -> bool:
    import torch

    return isinstance(name, str) and isinstance(value, torch.Tensor) and value.is_floating_point()
