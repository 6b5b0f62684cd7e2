"""Stereo pairs to learn from: of the synthetic world, of a folder of them, of a film whose views lie side by side.

A batch's pairs follow from its number and the source alone, at the size that is asked for.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
import torch
from torch import Tensor

from recon.io.files import named_file
from recon.io.video import FILM, Film, frames_of, is_film, open_film
from recon.stereo.layouts import layout_of_name, unpacked
from recon.stereo.read import input_of, read_pair

from ..synthetic.layouts import LAYOUTS, MIXES
from ..synthetic.packing import pack_scenes
from ..synthetic.photo import develop_with
from ..synthetic.render import render_scenes
from ..synthetic.scene import Scene, apply, rotation
from ..synthetic.textures import make_bank

Pairs = tuple[Tensor, Tensor]
"""Left and right views (B, 3, H, W) in [0, 1]."""
# Range of disparities of a rendered pair, in parts of the width: films have one to three percent.
LEAST, MOST = 0.01, 0.045
# Percentiles of inverse depth that count as the nearest and the farthest.
NEAR, FAR = 0.98, 0.02
# A rendered pair is used about so often; so many batches' newest pairs are drawn from; and so many pairs stay in memory.
REUSE, KEPT, MOST_KEPT = 4, 8, 512
# By how much both views' nearest and middle inverse depth may differ.
ALIKE = 0.15
# A crop of a real pair is at least this part of its height.
CROP = 0.7
# Of a film a frame is taken every so many seconds, and so many at most.
SECONDS, MOST_FRAMES = 2.0, 2000


@runtime_checkable
class PairSource(Protocol):
    """Where pairs come from."""

    def batch(self, number: int, count: int, height: int, width: int) -> Pairs:
        """Pairs number `number`."""


class SyntheticPairs:
    """The synthetic world seen by two parallel cameras, the right one moved along its own x axis; both pictures are cut so
    that a middle depth lies in the screen."""

    def __init__(self, seed: int, mix: str = "wide") -> None:
        self.seed, self.mix, self.bank = seed, mix, make_bank(seed)
        self._kept: OrderedDict[tuple[int, int, int], Pairs] = OrderedDict()

    def batch(self, number: int, count: int, height: int, width: int) -> Pairs:
        """Rendering costs more than a step: of the newest pairs some are drawn, each developed anew, and only every few
        batches new ones come."""
        r, newest = Random(f"{self.seed} {number}"), number // REUSE
        among = range(max(0, newest - KEPT + 1) * count, (newest + 1) * count)
        pairs = [self._rendered(i, height, width) for i in r.sample(among, count)]
        left, right = (torch.cat(views) for views in zip(*pairs, strict=True))
        photo, shown = develop_with(left, right, torch.Generator().manual_seed(self.seed * 1_000_003 + number))
        assert shown is not None
        return photo, shown

    def _rendered(self, number: int, height: int, width: int) -> Pairs:
        key = (number, height, width)
        if key not in self._kept:
            self._kept[key] = self._pair(Random(f"{self.seed} pair {number}"), height, width)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]

    def _pair(self, r: Random, height: int, width: int) -> Pairs:
        """Linear colour of a scene's two views, (1, 3, H, W) each."""
        while True:
            scene, noise = self._scene(r), r.randrange(1 << 30)
            wide = width + 2 * math.ceil(MOST * width)
            left, disparity = self._seen(scene, height, wide, noise)
            near, middle, far = (float(disparity.quantile(part)) for part in (NEAR, r.uniform(0.3, 0.7), FAR))
            focal = max(height, wide) / 2 / math.tan(math.radians(scene.camera.fov / 2))
            # Of a shallow scene less: all of it has to stay in the picture.
            strength = min(r.uniform(LEAST, MOST) / max(near - far, 1e-6), 2 * MOST / max(near, 1e-6)) * width
            right, other = self._seen(_moved(scene, strength / focal), height, wide, noise)
            # What is so near a camera that it would be inside is left out, which may be one camera's alone.
            ends = torch.tensor([NEAR, 0.5])
            if bool(((other.quantile(ends) / disparity.quantile(ends).clamp_min(1e-6) - 1).abs() < ALIKE).all()):
                screen = min(max(round(strength * middle), 0), wide - width)
                return left[..., screen : screen + width], right[..., :width]

    def _scene(self, r: Random) -> Scene:
        """A scene that is no cut-out, whose ground would not move."""
        while True:
            scene: Scene = r.choices(LAYOUTS, MIXES[self.mix])[0](r)
            if scene.backdrop is None:
                return scene

    def _seen(self, scene: Scene, height: int, width: int, noise: int) -> Pairs:
        generator = torch.Generator().manual_seed(noise)
        found = render_scenes(pack_scenes([scene], height, width), self.bank, height, width, generator)
        return found.colour, found.disparity


def _moved(scene: Scene, right: float) -> Scene:
    """The scene from a camera moved to its own right, in metres."""
    camera = scene.camera
    step = apply(rotation(camera.yaw, camera.pitch, camera.roll), (right, 0, 0))
    x, y, z = (a + b for a, b in zip(camera.position, step, strict=True))
    return replace(scene, camera=replace(camera, position=(x, y, z)))


class RealPairs:
    """Given pairs (left and right, uint8 RGB), each use another crop; never mirrored, for that changes the eyes."""

    def __init__(self, pairs: list[tuple[np.ndarray, np.ndarray]], seed: int) -> None:
        self.pairs, self.seed = pairs, seed

    def batch(self, number: int, count: int, height: int, width: int) -> Pairs:
        r = Random(f"{self.seed} {number}")
        crops = [self._crop(*r.choice(self.pairs), r, height, width) for _ in range(count)]
        left, right = (np.stack(views) for views in zip(*crops, strict=True))
        return tuple(torch.from_numpy(v).permute(0, 3, 1, 2).float() / 255 for v in (left, right))  # type: ignore[return-value]

    @staticmethod
    def _crop(left: np.ndarray, right: np.ndarray, r: Random, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """The same part of both views, in this shape and size."""
        tall, wide = left.shape[:2]
        rows = min(tall, wide * height / width) * r.uniform(CROP, 1)
        columns = rows * width / height
        top, start = (round(r.uniform(0, room)) for room in (tall - rows, wide - columns))
        part = (slice(top, top + max(1, round(rows))), slice(start, start + max(1, round(columns))))
        return tuple(cv2.resize(v[part], (width, height), interpolation=cv2.INTER_AREA) for v in (left, right))  # type: ignore[return-value]


def read_pairs(place: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """The pairs of a folder (NAME_left and NAME_right, or pictures that hold both eyes), or of a film whose name says how
    its views lie (film_sbs.mp4). Raises ValueError where there are none, BadInput for a broken one."""
    if is_film(place):
        return list(_film_pairs(open_film(place), layout_of_name(place) or "sbs"))
    files = sorted(place.iterdir()) if place.is_dir() else []
    found = []
    for file in files:
        other = file.with_name(file.name.replace("_left.", "_right."))
        if "_left." in file.name and other.is_file():
            views = [cv2.imread(str(each), cv2.IMREAD_COLOR) for each in (file, other)]
            found.append(tuple(np.ascontiguousarray(v[..., ::-1]) for v in views if v is not None))
        elif (layout := input_of(file, "auto")) != "photo":
            pair = read_pair(file, layout)
            found.append((pair.left, pair.right))
    pairs = [(views[0], views[1]) for views in found if len(views) == 2 and views[0].shape == views[1].shape]
    if not pairs:
        raise ValueError(
            f"no stereo pairs in {place}: give a folder with NAME_left.png and NAME_right.png, or MPO, JPS and side-by-side"
            " pictures, or a side-by-side film"
        )
    return pairs


def _film_pairs(film: Film, layout: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """A film's views, every few seconds."""
    due = 0.0

    def chosen() -> Iterator[np.ndarray]:
        nonlocal due
        for frame in frames_of(film):
            if float(frame.time) >= due:
                due = float(frame.time) + SECONDS
                yield frame.rgb

    for rgb in islice(chosen(), MOST_FRAMES):
        yield unpacked(rgb, layout, named_file(FILM, film.path))
