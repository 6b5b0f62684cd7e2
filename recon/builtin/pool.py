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


def _packed(exposure: Exposure) -> list[torch.Tensor]:
    """An exposure as float16 tensors: half the memory, and finer than any label needs."""
    tensors = [exposure.linear.clamp(-60000, 60000), *vars(exposure.labels).values()]
    return [t.half() for t in tensors]


def _joined(chunks: list[list[torch.Tensor]]) -> Exposure:
    linear, *labels = (torch.cat(parts).float() for parts in zip(*chunks, strict=True))
    return Exposure(linear, Labels(*labels))


class Pool:
    """Batches of 16 photos by step number, rendered on a device."""

    def __init__(
        self,
        seed: int,
        sizes: tuple[tuple[int, int], ...],
        reuse: int = 4,
        device: str = "cpu",
        without: tuple[str, ...] = (),
    ) -> None:
        self.seed, self.sizes, self.reuse, self.device, self.looks = seed, sizes, reuse, device, "looks" not in without
        self.world = World(seed, device, without=without)
        self.chunks: OrderedDict[int, list[torch.Tensor]] = OrderedDict()

    def drawn(self, step: int) -> list[int]:
        """The chunks of a step."""
        use, kind = divmod(step, len(self.sizes))
        newest = self._newest(use)
        first = max(0, newest - KEPT + 1)
        choices = Random(self.seed * 7919 + step).sample(range(first, newest + 1), TAKEN)
        # What is new is seen at once, or it could be dropped unused.
        numbers = [newest, choices[0]] if newest > self._newest(use - 1) and newest not in choices else choices
        return [n * len(self.sizes) + kind for n in numbers]

    def _newest(self, use: int) -> int:
        return TAKEN - 1 + max(0, use) * TAKEN // self.reuse

    def batch(self, step: int) -> Batch:
        """Photos of a step with their labels."""
        exposure = _joined([self._chunk(c) for c in self.drawn(step)])
        generator = torch.Generator(self.device).manual_seed(self.seed * 1_000_003 + step)
        return exposure.developed(generator, self.looks)

    def _chunk(self, c: int) -> list[torch.Tensor]:
        if c not in self.chunks:
            self.chunks[c] = _packed(self.world.expose(c, CHUNK, *self.sizes[c % len(self.sizes)]))
        self.chunks.move_to_end(c)
        while len(self.chunks) > 2 * KEPT * len(self.sizes):
            self.chunks.popitem(last=False)
        return self.chunks[c]

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

    def __init__(
        self, seed: int, sizes: tuple[tuple[int, int], ...], reuse: int = 4, without: tuple[str, ...] = ()
    ) -> None:
        arguments = (seed, sizes, reuse, "cpu", without)
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
