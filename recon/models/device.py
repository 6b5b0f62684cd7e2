"""Which device a torch model runs on, and in which precision."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

from recon.errors import BadOption
from recon.messages import note
from recon.models.soft_import import need
from recon.option_fields import check_value
from recon.options import PhotoOptions, option_of

Device = Literal["auto", "cpu", "cuda"]
A_MODEL = note("purpose.model", "A model")


@dataclass(frozen=True)
class Where:
    """Where a model runs. device: auto, cpu or cuda; offline: its weights must be here already; memory: bytes that it may
    take, None: what there is."""

    device: str = "auto"
    offline: bool = False
    memory: int | None = None


def pick_device(device: str) -> str:
    """`cpu` or `cuda`. CUDA is not touched, not even asked after, when `cpu` is wanted."""
    if device == "cpu":
        return "cpu"
    check_value(option_of(PhotoOptions, "device"), device)
    here = need("torch", "torch", note("purpose.device", "Device {device!r}", device=device)).cuda.is_available()
    if device == "cuda" and not here:
        raise BadOption(
            "device.no_cuda", "<device> cuda was asked for, but torch sees no CUDA device; use <device> cpu or auto."
        )
    return "cuda" if here else "cpu"


def half_precision(device: str) -> AbstractContextManager[Any]:
    """fp16 autocast on CUDA (11 bits of mantissa; bf16's 8 would show as terraces), nothing on the CPU."""
    if device != "cuda":
        return nullcontext()
    torch = need("torch", "torch", "CUDA")
    context: AbstractContextManager[Any] = torch.autocast("cuda", dtype=torch.float16)
    return context


def keep_float32(module: Any) -> None:
    """Make a module compute in float32 even under autocast. For output heads: their values become geometry."""
    torch = need("torch", "torch", A_MODEL)
    forward = module.forward

    def in_float32(*args: Any, **kwargs: Any) -> Any:
        with torch.autocast(next(module.parameters()).device.type, enabled=False):
            return forward(*_float(args), **_float(kwargs))

    module.forward = in_float32


def _float(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _float(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_float(item) for item in value)
    return value.float() if hasattr(value, "is_floating_point") and value.is_floating_point() else value
