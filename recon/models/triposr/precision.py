"""In which precision the network's large layers compute: float32, or half of it where the processor is faster so."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from recon.models.triposr.network import TripoSRNetwork

Precision = Literal["float32", "bfloat16", "float16"]


def best_precision(device: str) -> Precision:
    """float16 on a GPU; bfloat16 on a processor that multiplies in it (AVX-512 BF16 or AMX); others are no faster so."""
    if device == "cuda":
        return "float16"
    able = torch.backends.mkldnn.is_available() and (
        _has("_is_avx512_bf16_supported") or _has("_is_amx_tile_supported")
    )
    return "bfloat16" if able else "float32"


def _has(question: str) -> bool:
    """Whether torch knows of a feature of this processor; a torch that cannot be asked does not."""
    ask = getattr(torch.cpu, question, None)
    return bool(ask and ask())


def reduced(network: TripoSRNetwork, precision: Precision) -> TripoSRNetwork:
    """The same network, its transformers' linear layers in a precision. It changes the network that it is given.

    Norms, the stream that the blocks add to, the planes and the decoder stay in float32: what becomes geometry must not
    show steps.
    """
    kind = getattr(torch, precision)
    for part in (network.image_tokenizer, network.backbone):
        for layer in part.modules():
            if isinstance(layer, nn.Linear):
                layer.to(kind)
    return network
