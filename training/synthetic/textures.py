"""A bank of procedural patterns with their mip levels, drawn once from a seed.

A pattern is two maps in [0, 1], 128 x 128 and periodic: `mix` (which of the material's two colours) and `joint` (how
much darker: mortar, gaps, window frames). Patterns are stored flat, level after level (128, 64, ..., 1), so that a
lookup is one gather whatever the level.
"""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

SIZE = 128
LEVELS = int(math.log2(SIZE)) + 1
PER_KIND = 14


def spectral_noise(count: int, slope: float, stretch: float, generator: torch.Generator) -> Tensor:
    """Periodic noise (count, SIZE, SIZE) in [0, 1] with amplitude ~ 1/f^slope; stretch > 1 makes grain along y."""
    fy = torch.fft.fftfreq(SIZE)[:, None] * SIZE * stretch
    fx = torch.fft.rfftfreq(SIZE)[None] * SIZE
    amplitude = (fx * fx + fy * fy + 1).pow(-slope / 2)
    amplitude[0, 0] = 0
    phase = torch.rand(count, SIZE, SIZE // 2 + 1, generator=generator) * 2 * math.pi
    noise = torch.fft.irfft2(torch.polar(amplitude.expand_as(phase).contiguous(), phase), s=(SIZE, SIZE))
    spread = noise.std(dim=(1, 2), keepdim=True)
    return (noise / spread * 0.25 + 0.5).clamp(0, 1)


def _grid(repeats_x: int, repeats_y: int, shift: float = 0.0) -> tuple[Tensor, Tensor, Tensor]:
    """Position inside a cell (x, y in [0, 1)) and cell number, for a grid whose odd rows are shifted (brick bond)."""
    y = (torch.arange(SIZE) + 0.5) / SIZE * repeats_y
    row = y.floor().long()
    x = (torch.arange(SIZE)[None] + 0.5) / SIZE * repeats_x + shift * (row % 2)[:, None]
    column = x.floor().long() % repeats_x
    cell = row[:, None] * repeats_x + column
    return x.frac(), y.frac()[:, None].expand(SIZE, SIZE), cell


def _cells(nx: int, ny: int, shift: float, gap: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Tiles, bricks or planks: one random tone per cell, dark gaps between them."""
    x, y, cell = _grid(nx, ny, shift)
    tone = torch.rand(nx * ny, generator=generator)[cell]
    edge = torch.minimum(torch.minimum(x, 1 - x) / nx, torch.minimum(y, 1 - y) / ny) * SIZE
    return tone, (edge < gap).float()


def _windows(nx: int, ny: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A facade: rows of windows, each dark or reflecting the sky, with a sill."""
    x, y, cell = _grid(nx, ny)
    size = 0.2 + 0.2 * torch.rand(2, generator=generator)
    inside = ((x - 0.5).abs() < size[0]) & ((y - 0.5).abs() < size[1])
    pane = torch.rand(nx * ny, generator=generator)[cell]
    bars = ((x - 0.5).abs() < 0.03) & inside
    return torch.where(inside & ~bars, 0.4 + 0.6 * pane, torch.zeros_like(x)), (inside & ~bars).float()


def _print(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A label or poster: random rectangles over each other, and lines of something like text."""
    mix, joint = torch.zeros(SIZE, SIZE), torch.zeros(SIZE, SIZE)
    for _ in range(10):
        x, y, w, h = (torch.rand(4, generator=generator) * SIZE).long().tolist()
        mix[y : y + h // 2 + 2, x : x + w // 2 + 2] = float(torch.rand(1, generator=generator))
    for _ in range(12):
        x, y, w, _h = (torch.rand(4, generator=generator) * SIZE).long().tolist()
        joint[y : y + 3, x : x + w] = (
            torch.rand(joint[y : y + 3, x : x + w].shape[1:], generator=generator) > 0.4
        ).float()
    return mix, joint


def _books(rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Shelves of book spines: a tone, a height and a label per book, dark above the books."""
    mix, joint = torch.zeros(SIZE, SIZE), torch.zeros(SIZE, SIZE)
    high = SIZE // rows
    for row in range(rows):
        x, top = 0, row * high
        while x < SIZE:
            wide, gap, label, tone = torch.rand(4, generator=generator).tolist()
            end, start = x + 3 + int(wide * 8), top + 2 + int(gap * 0.35 * high)
            mix[start : top + high, x:end] = tone
            joint[top:start, x:end] = 0.9
            joint[start : top + high, end - 1 : end] = 0.6
            middle = start + int((0.2 + 0.5 * label) * (top + high - start))
            mix[middle : middle + 4, x : end - 1] = 1 - tone
            x = end
        joint[top : top + 2] = 0.2
    return mix, joint


def _rug(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A rug's borders and ornaments; its middle is the texture's corner, where a thing's centre has its (0, 0)."""
    x = ((torch.arange(SIZE) + 0.5) / SIZE - 0.5).abs()
    x = 1 - 2 * x
    ring = torch.maximum(x[None], x[:, None])
    tones = torch.rand(9, generator=generator)
    noise = spectral_noise(1, 0.9, 1.0, generator)[0]
    # Mirrored four times, as ornaments are.
    noise = (noise + noise.flip(0) + noise.flip(1) + noise.flip(0, 1)) / 4
    ornament = ((noise - 0.5) * 25).sigmoid()
    pile = 0.3 * spectral_noise(1, 0.2, 1.0, generator)[0]
    return (0.6 * tones[(ring * 8.99).long()] + 0.4 * ornament).clamp(0, 1), pile


def _panels(nx: int, ny: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Fronts of doors and drawers: gaps between them, a frame inside, a knob."""
    x, y, _ = _grid(nx, ny)
    edge = torch.minimum(torch.minimum(x, 1 - x) / nx, torch.minimum(y, 1 - y) / ny) * SIZE
    inset = (1.5 + 6 * torch.rand(1, generator=generator)) * 2
    frame = ((edge - inset).abs() < 0.8).float() * 0.5
    knob = (((x - 0.5) / nx) ** 2 + ((y - 0.25) / ny) ** 2 < 0.0004).float()
    grain = spectral_noise(1, 1.2, 1 / 9.0, generator)[0]
    return 0.5 * grain + 0.5 * (edge < inset).float(), torch.maximum(torch.maximum((edge < 1).float(), frame), knob)


def _picture(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A painting or photo: soft shapes, a horizon, a dark thing."""
    soft = spectral_noise(2, 1.8, 1.0, generator)
    level = SIZE * (0.3 + 0.4 * torch.rand(1, generator=generator))
    ground = (torch.arange(SIZE)[:, None] > level + 30 * (soft[0] - 0.5)).float()
    return (0.6 * ground + 0.6 * soft[0] - 0.1).clamp(0, 1), ((soft[1] - 0.62) * 20).sigmoid()


def _leaves(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Leaves in the light before deep gaps, clump behind clump."""
    leaf, clump = spectral_noise(2, 0.35, 1.0, generator)[0], spectral_noise(1, 1.4, 1.0, generator)[0]
    rough = 0.55 * leaf + 0.45 * clump
    return ((rough - 0.52) * 12).sigmoid(), ((0.5 - rough) * 16).sigmoid()


def _text(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Lines of letters in one of OpenCV's fonts and sizes on a plain page, now and then as large as a sign's."""
    font, size, dark, heavy = torch.rand(4, generator=generator).tolist()
    page = np.zeros((SIZE, SIZE), np.uint8)
    scale = 0.3 * 5**size
    step = int(34 * scale) + 3
    for line in range(step, SIZE + step, step):
        letters = torch.randint(33, 123, (40,), generator=generator).tolist()
        words = "".join(" " if c < 45 else chr(c) for c in letters)
        cv2.putText(page, words, (2, line), int(font * 7.99), scale, 255, 1 + int(heavy * 1.6), cv2.LINE_AA)
    ink = torch.from_numpy(page).float() / 255
    return ink * dark, ink * (1 - 0.5 * dark)


def _draw(kind: str, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """One pattern of a kind: (mix, joint), each (SIZE, SIZE)."""

    def pick(low: int, high: int) -> int:
        return int(torch.randint(low, high, (1,), generator=generator))

    fine = spectral_noise(1, 0.6 + 0.2 * pick(0, 6), 1.0, generator)[0]
    none = torch.zeros(SIZE, SIZE)
    if kind == "plain":
        return 0.5 + 0.15 * (fine - 0.5), none
    if kind == "noise":
        return fine, none
    if kind == "blobs":
        return ((fine - 0.5) * 8).sigmoid(), ((0.35 - fine) * 12).sigmoid()
    if kind == "wood":
        grain = spectral_noise(1, 1.2, 1 / (6.0 + pick(0, 10)), generator)[0]
        tone, gap = _cells(pick(3, 9), pick(1, 3), 0.5, 0.7, generator)
        return 0.6 * grain + 0.4 * tone, gap
    if kind == "grain":
        return spectral_noise(1, 1.2, 1 / (8.0 + pick(0, 10)), generator)[0], none
    if kind == "tiles":
        n = pick(2, 7)
        tone, gap = _cells(n, n, 0.0, 0.8, generator)
        return 0.3 * tone + 0.3 * fine + 0.2, gap
    if kind == "bricks":
        n = pick(3, 6)
        tone, gap = _cells(n, 2 * n, 0.5, 0.9, generator)
        return 0.7 * tone + 0.3 * fine, gap
    if kind == "checks":
        x, y, _ = _grid(4, 4)
        return ((x > 0.5) ^ (y > 0.5)).float(), none
    if kind == "stripes":
        tone, _ = _cells(pick(3, 16), 1, 0.0, 0.0, generator)
        return tone.T.contiguous() if pick(0, 2) else tone, none
    if kind == "folds":
        x = torch.linspace(0, 2 * math.pi, SIZE)[None] * pick(3, 9)
        wave = 0.5 + 0.5 * (x + 3 * spectral_noise(1, 2.0, 8.0, generator)[0]).sin()
        return wave, 1 - wave
    if kind == "windows":
        return _windows(pick(2, 6), pick(2, 6), generator)
    if kind == "slats":
        y = (torch.arange(SIZE) + 0.5) / SIZE * (8 * pick(1, 5))
        return (0.7 * y.frac()[:, None] + 0.3 * fine), (y.frac() < 0.1 * pick(1, 5)).float()[:, None].expand(SIZE, SIZE)
    if kind == "stain":
        wide = spectral_noise(1, 2.2, 1.0, generator)[0]
        return 0.75 * wide + 0.25 * fine, ((0.2 - fine) * 15).sigmoid()
    if kind == "carpet":
        pile = spectral_noise(1, 0.3, 1.0, generator)[0] * 0.5 + 0.25
        return 0.5 * spectral_noise(1, 1.8, 1.0, generator)[0] + 0.5 * pile, pile
    if kind == "books":
        return _books(pick(1, 5), generator)
    if kind == "panels":
        return _panels(pick(1, 5), pick(1, 5), generator)
    makers = {"leaves": _leaves, "rug": _rug, "picture": _picture, "text": _text}
    return makers.get(kind, _print)(generator)


KINDS = (
    "plain",
    "noise",
    "blobs",
    "wood",
    "grain",
    "tiles",
    "bricks",
    "checks",
    "stripes",
    "folds",
    "windows",
    "leaves",
    "print",
    "slats",
    "stain",
    "carpet",
    "books",
    "panels",
    "rug",
    "picture",
    "text",
)


@cache
def make_bank(seed: int) -> Tensor:
    """All patterns, (len(KINDS) * PER_KIND, texels of all levels, 2) float32; pattern k PER_KIND + i is of KINDS[k]. Made
    once and shared: not to be changed."""
    generator = torch.Generator().manual_seed(seed)
    flat = []
    for kind in KINDS:
        for _ in range(PER_KIND):
            level = torch.stack(_draw(kind, generator))[None]
            levels = [level]
            while level.shape[-1] > 1:
                level = F.avg_pool2d(level, 2)
                levels.append(level)
            flat.append(torch.cat([m.flatten(2) for m in levels], 2)[0].T)
    return torch.stack(flat).contiguous()


def sample_bank(bank: Tensor, pattern: Tensor, u: Tensor, v: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
    """mix and joint (shape of u) at texture coordinates u, v (repeats) on the nearest mip level, bilinear."""
    level = level.round().clamp(0, LEVELS - 1)
    size = torch.exp2(LEVELS - 1 - level)
    # Texels before this level: 4^(L-1) + ... = (4^L - 4^(L - level)) / 3 with L levels.
    start = ((4.0**LEVELS - torch.exp2(2 * (LEVELS - level))) / 3).round().long() + pattern * bank.shape[1]
    x, y = (u - u.floor()) * size - 0.5, (v - v.floor()) * size - 0.5
    x0, y0 = x.floor(), y.floor()
    fx, fy = (x - x0)[..., None], (y - y0)[..., None]
    n = size.long()
    x0, y0 = x0.long() % n, y0.long() % n
    x1, y1 = (x0 + 1) % n, (y0 + 1) % n
    flat = bank.view(-1, 2)
    top = torch.lerp(flat[start + y0 * n + x0], flat[start + y0 * n + x1], fx)
    bottom = torch.lerp(flat[start + y1 * n + x0], flat[start + y1 * n + x1], fx)
    mix, joint = torch.lerp(top, bottom, fy).unbind(-1)
    return mix, joint
