"""What a camera does to light: exposure, white balance, lens, noise, tone curve, sharpening, JPEG; images (B, 3, H, W).

Every image draws its own camera: dark rooms in warm lamplight, blown-out whites, haze, cheap sensors and grey film occur.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

# ITU-T T.81 (JPEG), annex K, table K.1: quantisation of luminance at quality 50, in steps of 1/255.
_QUANTISATION = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
# Logarithms (base 2) of red, green and blue under lamplight and under old fluorescent tubes.
_TUNGSTEN, _TUBES = (0.75, 0.0, -1.0), (-0.25, 0.3, -0.1)


@dataclass(frozen=True)
class _Dice:
    """Uniform draws, one per image, as (B, 1, 1, 1) unless a shape is given."""

    count: int
    generator: torch.Generator
    device: torch.device

    def draw(self, low: float, high: float, *shape: int) -> Tensor:
        values = torch.rand(self.count, *(shape or (1, 1, 1)), generator=self.generator, device=self.device)
        return low + (high - low) * values

    def often(self, probability: float) -> Tensor:
        return self.draw(0.0, 1.0) < probability

    def noise(self, *shape: int) -> Tensor:
        return torch.randn(self.count, *shape, generator=self.generator, device=self.device)


def _blur(image: Tensor, weight: Tensor) -> Tensor:
    """Separable 3-tap blur whose side taps are `weight` (B,) of the whole."""
    side = weight.view(-1, 1, 1, 1)
    wide = F.pad(image, (1, 1, 0, 0), mode="replicate")
    image = image + side * (wide[..., :-2] + wide[..., 2:] - 2 * image)
    tall = F.pad(image, (0, 0, 1, 1), mode="replicate")
    return image + side * (tall[..., :-2, :] + tall[..., 2:, :] - 2 * image)


def _lens(image: Tensor, dice: _Dice) -> Tensor:
    """Slight softness, now and then a picture out of focus or shaken, darker corners."""
    image = _blur(image, torch.where(dice.often(0.15), dice.draw(0.2, 0.32), dice.draw(0.05, 0.16)).flatten())
    soft = dice.often(0.07).flatten().nonzero().flatten()
    if len(soft):
        blurred = image[soft]
        for _ in range(3):
            blurred = _blur(blurred, torch.full((len(soft),), 0.32, device=image.device))
        image = image.index_copy(0, soft, blurred)
    height, width = image.shape[2:]
    y = torch.linspace(-1, 1, height, device=image.device)[:, None]
    x = torch.linspace(-1, 1, width, device=image.device)[None]
    return image * (1 - dice.draw(0.0, 0.35) * dice.often(0.6) * (x * x + y * y) / 1.5)


def _enlarged(image: Tensor, dice: _Dice) -> Tensor:
    """Most pictures a little softer than their pixels: made smaller and as large again, in linear light. One ray per pixel
    draws stairs that no photo has, and photos are often enlarged."""
    factor = dice.draw(1.1, 1.6).flatten().tolist()
    for i in dice.often(0.6).flatten().nonzero().flatten().tolist():
        height, width = (max(1, round(side / factor[i])) for side in image.shape[2:])
        small = F.interpolate(image[i : i + 1], size=(height, width), mode="bilinear", antialias=True)
        image = image.index_copy(
            0,
            torch.tensor([i], device=image.device),
            F.interpolate(small, size=image.shape[2:], mode="bicubic").clamp_min(0),
        )
    return image


Curve = Callable[[Tensor], Tensor]
"""What is done to every pixel alike."""


def _exposure(image: Tensor, dice: _Dice, night: bool) -> Curve:
    """Exposed for a middle grey around 0.25 linear, up or down one stop; some pictures far too dark (where there is night)
    or too bright."""
    grey = image.mean(dim=(1, 2, 3), keepdim=True).clamp_min(1e-4)
    kind, stops = dice.draw(0.0, 1.0), dice.draw(-1.0, 0.9)
    dark, far_down = kind < (0.25 if night else 0.0), dice.draw(-2.6, -0.8)
    stops = torch.where(dark, far_down, torch.where(kind > 0.9, dice.draw(0.7, 1.8), stops))
    # The eye of the camera: contrast in the light itself, as a film or a raw converter has.
    contrast = dice.draw(1.0, 1.8)
    cast = dice.draw(-0.2, 0.2, 3, 1, 1) * torch.where(dice.often(0.3), 2.5, 1.0)
    tungsten = torch.tensor(_TUNGSTEN, device=image.device).view(1, 3, 1, 1)
    tubes = torch.tensor(_TUBES, device=image.device).view(1, 3, 1, 1)
    # Dark pictures are mostly rooms in lamplight.
    warm = dice.draw(0.0, 1.0) < torch.where(dark, 0.6, 0.12)
    cast = cast + tungsten * dice.draw(0.2, 1.0) * warm + tubes * dice.draw(0.2, 1.0) * dice.often(0.06)
    return lambda light: (light / grey).clamp_min(1e-4).pow(contrast) * 0.25 * torch.exp2(stops + cast)


def _sense(image: Tensor, dice: _Dice) -> Tensor:
    """Noise: photons', the sensor's, and the coarse coloured one that phones leave."""
    height, width = image.shape[2:]
    fine = dice.noise(3, height, width) * (0.3 + image.clamp_min(0).sqrt())
    coarse = F.interpolate(dice.noise(3, -(-height // 3), -(-width // 3)), size=(height, width), mode="bilinear")
    image = image + fine * dice.draw(0.0, 0.01) * dice.often(0.5)
    return image + coarse * (0.1 + image) * dice.draw(0.0, 0.07) * dice.often(0.25)


def _tone(image: Tensor, dice: _Dice) -> Curve:
    """From linear to display: filmic shoulder or hard clip, gamma, saturation, contrast about the image's mean, lifted
    blacks."""
    filmic, gamma = dice.often(0.6), dice.draw(1.9, 2.6)
    grey = dice.often(0.12)
    saturation = torch.where(grey, torch.zeros_like(gamma), dice.draw(0.4, 1.5))
    low = dice.often(0.1)
    contrast = torch.where(low, dice.draw(0.4, 0.8), dice.draw(0.9, 1.25))
    lift = torch.where(low, dice.draw(0.0, 0.2), dice.draw(-0.04, 0.04))

    def displayed(light: Tensor) -> Tensor:
        light = light.clamp_min(1e-4)
        shoulder = light * 1.6 * (1 + light / 4) / (1 + light)
        shown = torch.where(filmic, shoulder, light.clamp_max(1)).pow(1 / gamma)
        luma = shown.mean(1, keepdim=True)
        return luma + (shown - luma) * saturation

    middle = displayed(image).mean(dim=(1, 2, 3), keepdim=True)
    return lambda light: (displayed(light) - middle) * contrast + middle + lift


def _style(dice: _Dice) -> Curve:
    """Colours mixed anew in some pictures, as by a filter or a strange film: what is near must not hang on a hue."""
    mix = torch.eye(3, device=dice.device) + 0.25 * dice.noise(3, 3) * dice.often(0.12).view(-1, 1, 1)
    mix = mix / mix.sum(2, keepdim=True).clamp_min(0.3)
    return lambda image: torch.einsum("bij,bjhw->bihw", mix, image)


def _frame(image: Tensor, dice: _Dice) -> Tensor:
    """A plain border on some sides of some pictures, as scans, screenshots and undistorted sensors have."""
    height, width = image.shape[2:]
    y = torch.arange(height, device=image.device).view(1, 1, -1, 1)
    x = torch.arange(width, device=image.device).view(1, 1, 1, -1)
    left, right, top, bottom = (dice.draw(0.003, 0.05) * max(height, width) * dice.often(0.75) for _ in range(4))
    outside = (x < left.round()) | (x >= width - right.round()) | (y < top.round()) | (y >= height - bottom.round())
    tone = torch.where(dice.often(0.5), dice.draw(0.9, 1.0), dice.draw(0.0, 0.1))
    return torch.where(outside & dice.often(0.1), tone, image)


def _sharpen(image: Tensor, dice: _Dice) -> Tensor:
    """Halos at edges, as most cameras draw them."""
    amount = dice.draw(0.2, 1.3) * dice.often(0.5)
    return image + amount * (image - _blur(image, torch.full((len(image),), 0.28, device=image.device)))


def _jpeg(image: Tensor, quality: Tensor) -> Tensor:
    """8 x 8 cosine transform of luma and chroma, rounded to steps of the quantisation table times quality (B,)."""
    height, width = image.shape[2:]
    padded = F.pad(image, (0, -width % 8, 0, -height % 8), mode="replicate")
    k = torch.arange(8, dtype=image.dtype, device=image.device)
    dct = torch.cos(math.pi / 8 * (k[None] + 0.5) * k[:, None]) / 2
    dct[0] /= math.sqrt(2)
    luma = padded.mean(1, keepdim=True)
    planes = torch.cat([luma, padded - luma], 1)
    blocks = planes.unflatten(3, (-1, 8)).unflatten(2, (-1, 8)).transpose(3, 4)
    step = torch.tensor(_QUANTISATION, dtype=image.dtype, device=image.device) / 255 * quality.view(-1, 1, 1, 1, 1, 1)
    waves = dct @ blocks @ dct.T
    blocks = dct.T @ ((waves / step).round() * step) @ dct
    planes = blocks.transpose(3, 4).flatten(4, 5).flatten(2, 3)[..., :height, :width]
    return planes[:, :1] + planes[:, 1:]


def develop(linear: Tensor, generator: torch.Generator, without: tuple[str, ...] = ()) -> Tensor:
    """Linear colour to an sRGB-like photo in [0, 1], each with its own exposure, cast, blur, noise and curve; without:
    "styles" (colours mixed anew), "borders", "night" (pictures far too dark)."""
    return develop_with(linear, None, generator, without)[0]


def develop_with(
    linear: Tensor, other: Tensor | None, generator: torch.Generator, without: tuple[str, ...] = ()
) -> tuple[Tensor, Tensor | None]:
    """The same, and another linear picture of each (or None) as the same camera would have shown it: with the photo's
    exposure, cast, curve and style, but without lens, noise, sharpening, border and JPEG."""
    dice = _Dice(len(linear), generator, linear.device)
    image = _lens(_enlarged(linear, dice), dice)
    expose = _exposure(image, dice, "night" not in without)
    image = _sense(expose(image), dice)
    tone, style = _tone(image, dice), _style(dice)
    # What is left out is drawn all the same, so that everything else stays as it was.
    restyled: Curve = (lambda shown: shown) if "styles" in without else style
    image = _sharpen(restyled(tone(image)), dice).clamp(0, 1)
    framed = _frame(image, dice)
    image = image if "borders" in without else framed
    squeezed = dice.often(0.3).flatten().nonzero().flatten()
    quality = dice.draw(0.1, 1.0).flatten()
    if len(squeezed):
        image = image.index_copy(0, squeezed, _jpeg(image[squeezed], quality[squeezed]))
    shown = None if other is None else restyled(tone(expose(other))).clamp(0, 1)
    return image.clamp(0, 1), shown


def plain_camera(linear: Tensor, metered: Tensor | None = None) -> Tensor:
    """The same photos by one camera that exposes for the mean, of other pictures if there are some, and does nothing else
    (for comparison)."""
    grey = (linear if metered is None else metered).mean(dim=(1, 2, 3), keepdim=True).clamp_min(1e-4)
    return (linear / grey * 0.25).clamp(0, 1).pow(1 / 2.2)
