"""A pool of undeveloped pictures: rendering costs more than a training step, so each picture is used a few times, every
time mirrored, exposed, blurred and compressed anew.

What a step sees follows from its number alone. A run goes through stages of growing pictures; in a stage chunk c has the
size number c mod len(sizes). A step takes two chunks of its size at random among the KEPT newest; a new chunk of that size
is due every `reuse` / 2 uses. Nothing of the pool is saved: an interrupted run renders again what it needs.
"""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from random import Random

import torch

from .world import Batch, Exposure, World
from .world.labels import Labels

KEPT = 16
TAKEN = 2
# (steps, pictures in a chunk, (height, width) of the batches in turn, mix of layouts)
Stage = tuple[int, int, tuple[tuple[int, int], ...], str]
# More chunks than a stage ever has.
A_STAGE = 200_000


def _packed(exposure: Exposure) -> list[torch.Tensor]:
    """An exposure as float16 tensors: half the memory, and finer than any label needs."""
    tensors = [exposure.linear.clamp(-60000, 60000), *vars(exposure.labels).values()]
    return [t.half() for t in tensors]


def _joined(chunks: list[list[torch.Tensor]]) -> Exposure:
    linear, *labels = (torch.cat(parts).float() for parts in zip(*chunks, strict=True))
    return Exposure(linear, Labels(*labels))


class Pool:
    """Batches of photos by step number, rendered on a device; the last stage has no end."""

    def __init__(
        self,
        seed: int,
        stages: tuple[Stage, ...],
        reuse: int = 4,
        device: str = "cpu",
        without: tuple[str, ...] = (),
    ) -> None:
        self.seed, self.stages, self.reuse, self.device, self.without = seed, stages, reuse, device, without
        self.world = World(seed, device, without=without)
        self.chunks: OrderedDict[int, list[torch.Tensor]] = OrderedDict()

    def stage(self, step: int) -> tuple[int, int]:
        """The stage of a step, and which step of the stage it is."""
        for number, (steps, *_) in enumerate(self.stages):
            if step < steps or number == len(self.stages) - 1:
                break
            step -= steps
        return number, step

    def drawn(self, step: int) -> list[int]:
        """The chunks of a step, numbered within its stage."""
        stage, own = self.stage(step)
        sizes = len(self.stages[stage][2])
        use, kind = divmod(own, sizes)
        newest = self._newest(use)
        first = max(0, newest - KEPT + 1)
        choices = Random(self.seed * 7919 + step).sample(range(first, newest + 1), TAKEN)
        # What is new is seen at once, or it could be dropped unused.
        numbers = [newest, choices[0]] if newest > self._newest(use - 1) and newest not in choices else choices
        return [n * sizes + kind for n in numbers]

    def _newest(self, use: int) -> int:
        return TAKEN - 1 + max(0, use) * TAKEN // self.reuse

    def batch(self, step: int) -> Batch:
        """Photos of a step with their labels."""
        stage, _ = self.stage(step)
        exposure = _joined([self._chunk(stage, c) for c in self.drawn(step)])
        generator = torch.Generator(self.device).manual_seed(self.seed * 1_000_003 + step)
        return exposure.developed(generator, self.without)

    def _chunk(self, stage: int, c: int) -> list[torch.Tensor]:
        index, (_, count, sizes, mix) = stage * A_STAGE + c, self.stages[stage]
        if index not in self.chunks:
            self.chunks[index] = _packed(self.world.expose(index, count, *sizes[c % len(sizes)], mix))
        self.chunks.move_to_end(index)
        while len(self.chunks) > 2 * KEPT * len(sizes):
            self.chunks.popitem(last=False)
        return self.chunks[index]

    def close(self) -> None:
        """Nothing to stop."""


_pool: Pool | None = None


def _begin(*args: object) -> None:
    """In the helping process: its own pool, on one thread."""
    global _pool
    torch.set_num_threads(1)
    _pool = Pool(*args)  # type: ignore[arg-type]


def _batch(step: int) -> Batch:
    assert _pool is not None
    return _pool.batch(step)


class PoolAhead:
    """The same batches, made a few steps ahead by another process (CPU)."""

    AHEAD = 16

    def __init__(self, seed: int, stages: tuple[Stage, ...], reuse: int = 4, without: tuple[str, ...] = ()) -> None:
        arguments = (seed, stages, reuse, "cpu", without)
        self.process = ProcessPoolExecutor(1, get_context("spawn"), _begin, arguments)
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
