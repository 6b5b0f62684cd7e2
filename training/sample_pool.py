"""A pool of undeveloped pictures: rendering costs more than a training step, so each picture is used a few times, every
time mirrored, exposed, blurred and compressed anew.

What a step sees follows from its number alone. A run goes through stages of growing pictures; in a stage chunk c has the
size number c mod len(sizes). A step takes two chunks of its size at random among the KEPT newest; a new chunk of that size
is due every `reuse` / 2 uses. Chunks lie in a folder, if there is one, so that an interrupted run finds them again; without
one it renders again what it needs.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random

import torch

from .photographs import read_photographs, with_photographs
from .synthetic import Batch, Exposure, World
from .synthetic.labels import Labels
from .synthetic.overlay import overlaid

KEPT = 16
TAKEN = 2
# (steps, pictures in a chunk, (height, width) of the batches in turn, mix of layouts)
Stage = tuple[int, int, tuple[tuple[int, int], ...], str]
# More chunks than a stage ever has.
A_STAGE = 200_000
# Chunks of one size that stay on disk: those of the newest steps and of the steps since the last checkpoint.
ON_DISK = 128
# Share of the pictures with a subject that get another scene behind it.
PASTED = 0.35


def _packed(exposure: Exposure) -> list[torch.Tensor]:
    """An exposure as float16 tensors: half the memory, and finer than any label needs."""
    tensors = [exposure.linear.clamp(-60000, 60000), *exposure.labels.maps().values()]
    return [t.half() for t in tensors]


def _joined(chunks: list[list[torch.Tensor]], device: str) -> Exposure:
    linear, *labels = (torch.cat(parts).to(device).float() for parts in zip(*chunks, strict=True))
    return Exposure(linear, Labels(*labels))


@dataclass(frozen=True)
class Recipe:
    """What the pictures of a run follow from: seed, stages, how often a rendered picture is used, what is left out of the
    world ("overlays": nothing is pasted while training), where chunks are kept, and a folder of photographs that subjects
    are pasted on (see photographs.py)."""

    seed: int
    stages: tuple[Stage, ...]
    reuse: int = 4
    without: tuple[str, ...] = ()
    folder: Path | None = None
    photographs: Path | None = None


class SamplePool:
    """Batches of photos by step number, rendered on a device; the last stage has no end."""

    def __init__(self, recipe: Recipe, device: str = "cpu") -> None:
        self.recipe, self.device = recipe, device
        self.world = World(recipe.seed, device, without=recipe.without)
        self.photographs = [] if recipe.photographs is None else read_photographs(recipe.photographs)
        self.chunks: OrderedDict[int, list[torch.Tensor]] = OrderedDict()

    def stage(self, step: int) -> tuple[int, int]:
        """The stage of a step, and which step of the stage it is."""
        for number, (steps, *_) in enumerate(self.recipe.stages):
            if step < steps or number == len(self.recipe.stages) - 1:
                break
            step -= steps
        return number, step

    def drawn(self, step: int) -> list[int]:
        """The chunks of a step, numbered within its stage."""
        stage, own = self.stage(step)
        sizes = len(self.recipe.stages[stage][2])
        use, kind = divmod(own, sizes)
        newest = self._newest(use)
        first = max(0, newest - KEPT + 1)
        choices = Random(self.recipe.seed * 7919 + step).sample(range(first, newest + 1), TAKEN)
        # What is new is seen at once, or it could be dropped unused.
        numbers = [newest, choices[0]] if newest > self._newest(use - 1) and newest not in choices else choices
        return [n * sizes + kind for n in numbers]

    def _newest(self, use: int) -> int:
        return TAKEN - 1 + max(0, use) * TAKEN // self.recipe.reuse

    def batch(self, step: int) -> Batch:
        """Photos of a step with their labels."""
        seed, without = self.recipe.seed, self.recipe.without
        stage, _ = self.stage(step)
        exposure = _joined([self._chunk(stage, c) for c in self.drawn(step)], self.device)
        scenes = self.recipe.stages[stage][3] != "alone"
        if scenes and "overlays" not in without:
            exposure = overlaid(exposure, Random(seed * 104_729 + step), PASTED)
        if scenes and self.photographs:
            exposure = with_photographs(exposure, self.photographs, Random(seed * 15_485_863 + step))
        generator = torch.Generator(self.device).manual_seed(seed * 1_000_003 + step)
        return exposure.developed(generator, without)

    def _chunk(self, stage: int, c: int) -> list[torch.Tensor]:
        index, sizes = stage * A_STAGE + c, self.recipe.stages[stage][2]
        if self.recipe.folder is not None:
            return self._on_disk(self.recipe.folder, stage, c)
        if index not in self.chunks:
            self.chunks[index] = self._rendered(stage, c)
        self.chunks.move_to_end(index)
        while len(self.chunks) > 2 * KEPT * len(sizes):
            self.chunks.popitem(last=False)
        return self.chunks[index]

    def _rendered(self, stage: int, c: int) -> list[torch.Tensor]:
        _, count, sizes, mix = self.recipe.stages[stage]
        return _packed(self.world.expose(stage * A_STAGE + c, count, *sizes[c % len(sizes)], mix))

    def _on_disk(self, folder: Path, stage: int, c: int) -> list[torch.Tensor]:
        """A chunk from its file, which is made where it is missing; an old one is then thrown away."""
        path = folder / f"{stage * A_STAGE + c:07d}.pt"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            torch.save(self._rendered(stage, c), path.with_suffix(".part"))
            os.replace(path.with_suffix(".part"), path)
            old = stage * A_STAGE + c - ON_DISK * len(self.recipe.stages[stage][2])
            (folder / f"{old:07d}.pt").unlink(missing_ok=True)
        return torch.load(path, map_location=self.device, weights_only=True)

    def close(self) -> None:
        """Nothing to stop."""


_pool: SamplePool | None = None


def _begin(recipe: Recipe) -> None:
    """In the helping process: its own pool, on one thread."""
    global _pool
    torch.set_num_threads(1)
    _pool = SamplePool(recipe)


def _batch(step: int) -> Batch:
    assert _pool is not None
    return _pool.batch(step)


class SamplePoolAhead:
    """The same batches, made a few steps ahead by another process (CPU)."""

    AHEAD = 16

    def __init__(self, recipe: Recipe) -> None:
        self.process = ProcessPoolExecutor(1, get_context("spawn"), _begin, (recipe,))
        self.coming: dict[int, Future[Batch]] = {}

    def batch(self, step: int) -> Batch:
        """Photos of a step with their labels."""
        for ahead in range(step, step + self.AHEAD):
            if ahead not in self.coming:
                self.coming[ahead] = self.process.submit(_batch, ahead)
        return self.coming.pop(step).result()

    def close(self) -> None:
        """Stop the process."""
        self.process.shutdown(wait=False, cancel_futures=True)
