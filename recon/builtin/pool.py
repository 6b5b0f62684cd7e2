"""A pool of undeveloped pictures: rendering costs more than a training step, so each picture is used a few times, every
time mirrored, exposed, blurred and compressed anew.

What a step sees follows from its number alone. Chunk c has the size number c mod len(sizes). A step takes two chunks of
its size at random among the KEPT newest; a new chunk of that size is due every `reuse` / 2 uses. Nothing of the pool is
saved: an interrupted run renders again what it needs.
"""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from random import Random

import torch

from .world import Batch, Exposure, World
from .world.labels import Labels

CHUNK = 8
KEPT = 16
TAKEN = 2

_world: World | None = None


def _begin(seed: int, without: tuple[str, ...]) -> None:
    """In a worker process: its own world, on one thread."""
    global _world
    torch.set_num_threads(1)
    _world = World(seed, without=without)


def _expose(chunk: int, count: int, height: int, width: int) -> list[torch.Tensor]:
    assert _world is not None
    return _packed(_world.expose(chunk, count, height, width))


def _packed(exposure: Exposure) -> list[torch.Tensor]:
    """An exposure as float16 tensors: half the memory, and finer than any label needs."""
    tensors = [exposure.linear.clamp(-60000, 60000), *vars(exposure.labels).values()]
    return [t.half() for t in tensors]


def _joined(chunks: list[list[torch.Tensor]]) -> Exposure:
    linear, *labels = (torch.cat(parts).float() for parts in zip(*chunks, strict=True))
    return Exposure(linear, Labels(*labels))


class Pool:
    """Batches of 16 photos by step number. workers = 0 renders in this process, on the given device."""

    def __init__(
        self,
        seed: int,
        sizes: tuple[tuple[int, int], ...],
        reuse: int = 4,
        workers: int = 0,
        device: str = "cpu",
        without: tuple[str, ...] = (),
    ) -> None:
        self.seed, self.sizes, self.reuse, self.device, self.looks = seed, sizes, reuse, device, "looks" not in without
        self.world = World(seed, device, without=without)
        self.workers = ProcessPoolExecutor(workers, get_context("spawn"), _begin, (seed, without)) if workers else None
        self.chunks: OrderedDict[int, list[torch.Tensor]] = OrderedDict()
        self.coming: dict[int, Future[list[torch.Tensor]]] = {}

    def drawn(self, step: int) -> list[int]:
        """The chunks of a step."""
        use, kind = divmod(step, len(self.sizes))
        newest = self._newest(use)
        first = max(0, newest - KEPT + 1)
        choices = Random(self.seed * 7919 + step).sample(range(first, newest + 1), TAKEN)
        # What is new is seen at once, or a worker's chunk could be dropped unused.
        numbers = [newest, choices[0]] if newest > self._newest(use - 1) and newest not in choices else choices
        return [n * len(self.sizes) + kind for n in numbers]

    def _newest(self, use: int) -> int:
        return TAKEN - 1 + max(0, use) * TAKEN // self.reuse

    def batch(self, step: int) -> Batch:
        """Photos of a step with their labels, on the device."""
        needed = self.drawn(step)
        self._order(step, needed)
        exposure = _joined([self._chunk(c) for c in needed])
        generator = torch.Generator(self.device).manual_seed(self.seed * 1_000_003 + step)
        return exposure.developed(generator, self.looks)

    def _order(self, step: int, needed: list[int]) -> None:
        """Have the workers render what the coming steps need."""
        if self.workers is None:
            return
        for ahead in range(8 * len(self.sizes) // 2):
            for c in needed if ahead == 0 else self.drawn(step + ahead):
                if c not in self.chunks and c not in self.coming:
                    self.coming[c] = self.workers.submit(_expose, c, CHUNK, *self.sizes[c % len(self.sizes)])

    def _chunk(self, c: int) -> list[torch.Tensor]:
        if c not in self.chunks:
            coming = self.coming.pop(c, None)
            height, width = self.sizes[c % len(self.sizes)]
            self.chunks[c] = coming.result() if coming else _packed(self.world.expose(c, CHUNK, height, width))
        self.chunks.move_to_end(c)
        while len(self.chunks) > 2 * KEPT * len(self.sizes):
            self.chunks.popitem(last=False)
        return self.chunks[c]

    def close(self) -> None:
        """Stop the workers."""
        if self.workers is not None:
            self.workers.shutdown(wait=False, cancel_futures=True)
