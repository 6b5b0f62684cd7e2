"""Volume rendering on this machine: our field and marching against NeRFs as they are usually written in PyTorch.

    python -m bench.volume_rendering [--data DIR] [--size N] [--turns N] [--turn SECONDS] [--threads N] [--meshes N]
                           [--batch N] [--cpu]

Posed views of textured meshes (the folder's meshes/*.glb) are learnt from batches of random rays.
The contenders take turns of a few steps in one process, so that a drift of the machine's speed meets all; each one's own
seconds are counted, pictures for scoring are not; each turn is half as long again as the one before. `PSNR` is the best of
held-out views. `faster to` compares the seconds until a plain NeRF's best PSNR less CHANCE with that NeRF's own: the target
is 3. --cpu counts processor seconds instead, for a machine that is busy with other things (give --threads 1 with it).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bench import plain_nerf
from bench.frames import DEFAULT_FOLDER
from bench.views import GivenModel, read_model
from bench.views import render_model as render_mesh
from recon.geometry.camera import centred_camera
from recon.render.cameras import MAGIC123, Pinhole, Rays, random_orbits
from recon.render.fields import HashField
from recon.render.hashgrid import GridShape, HashGrid
from recon.render.march import render_rays, render_view
from recon.render.occupancy import Occupancy

Clock = Callable[[], float]

GROWTH = 1.5
"""Of a turn's length, so that early and late seconds are told apart equally well."""
CHANCE = 0.5
"""dB by which a run's scores vary from one turn to the next."""

TRAINED, HELD_OUT = 24, 4
"""Views."""
CHUNK = 1024
"""Rays that the plain ones view at once."""
SHAPE = GridShape(levels=8, base=8, finest=128, log2_size=15)
HIDDEN = 32
CELLS = 32


@dataclass
class PosedRays:
    """Rays of the training views and what they see: rgb (n, 3), alpha (n,); rays of a step; the held-out cameras and their
    pictures on white."""

    name: str
    rays: Rays
    rgb: Tensor
    alpha: Tensor
    batch: int
    cameras: list[Pinhole]
    pictures: list[Tensor]


@dataclass
class Contender:
    """What learns: `step` a training step, `picture` a view on white; its seconds and its (seconds, PSNR) so far."""

    name: str
    step: Callable[[int], None]
    picture: Callable[[Pinhole], Tensor]
    seconds: float = 0.0
    steps: int = 0
    curve: list[tuple[float, float]] = field(default_factory=list)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER.parent)
    parser.add_argument("--size", type=int, default=64, help="pixels of a view's side")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--turn", type=float, default=1.0, help="seconds of the first one")
    parser.add_argument("--batch", type=int, default=256, help="rays of a training step; few favour the slow")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--cpu", action="store_true", help="processor seconds instead of the clock's")
    parser.add_argument("--meshes", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    clock = time.process_time if args.cpu else time.perf_counter
    print(f"{args.size}×{args.size} pixels, {args.batch} rays a step, {args.threads} threads")
    print(f"{'scene':>16} {'contender':>11} {'train ray/s':>11} {'view ray/s':>11} {'PSNR':>6}  faster to")
    for scene in scenes(args):
        contenders = [ours(scene), fit_densely(scene, "plain MLP"), fit_densely(scene, "plain grid")]
        for turn in range(args.turns):
            for contender in contenders:
                take_turn(contender, scene, args.turn * GROWTH**turn, clock)
        for contender in contenders:
            print_row(scene, contender, contenders[1:], clock)


def take_turn(contender: Contender, scene: PosedRays, seconds: float, clock: Clock) -> None:
    """Train for some seconds, then score."""
    start = clock()
    while (spent := clock() - start) < seconds:
        contender.step(contender.steps)
        contender.steps += 1
    contender.seconds += spent
    error = [((contender.picture(c) - p) ** 2).mean() for c, p in zip(scene.cameras, scene.pictures, strict=True)]
    contender.curve.append((contender.seconds, float(-10 * torch.stack(error).mean().log10())))


def seconds_to(contender: Contender, target: float) -> float:
    """When the running best PSNR reached a target, linear between the turns; infinity if never."""
    before = (0.0, 0.0)
    for now in contender.curve:
        if now[1] >= target:
            return before[0] + (now[0] - before[0]) * (target - before[1]) / max(now[1] - before[1], 1e-9)
        before = max(before, now, key=lambda point: point[1])
    return float("inf")


def best_psnr(contender: Contender) -> float:
    """The highest PSNR of its turns."""
    return max(psnr for _, psnr in contender.curve)


def print_row(scene: PosedRays, contender: Contender, plains: list[Contender], clock: Clock) -> None:
    """One contender's row; for our field also how it compares with the plain ones."""
    camera = scene.cameras[0]
    times = []
    for _ in range(3):
        start = clock()
        contender.picture(camera)
        times.append(clock() - start)
    row = f"{scene.name:>16} {contender.name:>11} {contender.steps * scene.batch / contender.seconds:11.0f} "
    row += f"{camera.width * camera.height / min(times):11.0f} {best_psnr(contender):6.2f}"
    for other in plains if contender not in plains else ():
        target = best_psnr(other) - CHANCE
        mine, theirs = seconds_to(contender, target), seconds_to(other, target)
        row += f"  {target:.1f} dB of {other.name}: {theirs:.1f} s / {mine:.1f} s = {theirs / mine:.1f}×"
    print(row, flush=True)


def batches(scene: PosedRays, generator: torch.Generator) -> Iterator[tuple[Rays, Tensor, Tensor]]:
    """Endless (rays, colours, background): random rays before random plain grounds."""
    while True:
        pick = torch.randint(len(scene.rays), (scene.batch,), generator=generator)
        ground = torch.rand(1, 3, generator=generator)
        alpha = scene.alpha[pick, None]
        yield scene.rays[pick], scene.rgb[pick] * alpha + (1 - alpha) * ground, ground


def learner(parameters: Iterator[torch.nn.Parameter], rate: float) -> torch.optim.Adam:
    """Adam as Instant-NGP sets it."""
    return torch.optim.Adam(parameters, lr=rate, betas=(0.9, 0.99), eps=1e-15, fused=True)


def ours(scene: PosedRays) -> Contender:
    """Hash field, occupancy marching, early termination."""
    generator = torch.Generator().manual_seed(0)
    model = HashField(HashGrid(SHAPE, generator), HIDDEN, generator=generator)
    occupancy = Occupancy(CELLS, 2 / plain_nerf.SAMPLES, decay=0.8)
    adam, data = learner(model.parameters(), 1e-2), batches(scene, generator)

    def step(index: int) -> None:
        if index % 16 == 0:
            occupancy.update(model.density, index, generator)
        rays, colour, ground = next(data)
        seen, _ = render_rays(model, rays, occupancy, ground, generator=generator)
        learn(adam, seen.colour, colour)

    return Contender("ours", step, lambda camera: render_view(model, camera, occupancy, torch.ones(3)).colour)


def fit_densely(scene: PosedRays, name: str) -> Contender:
    """The same batches, loss and optimiser, sampled densely."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    model = plain_nerf.RowGrid(SHAPE, HIDDEN) if name == "plain grid" else plain_nerf.Frequency()
    adam = learner(model.parameters(), 1e-2 if name == "plain grid" else 1e-3)
    data = batches(scene, generator)

    def step(_: int) -> None:
        rays, colour, ground = next(data)
        learn(adam, plain_nerf.render_nerf(model, rays, ground, generator), colour)

    @torch.no_grad()
    def picture(camera: Pinhole) -> Tensor:
        rays = camera.rays()
        parts = [plain_nerf.render_nerf(model, rays[i : i + CHUNK], torch.ones(3)) for i in range(0, len(rays), CHUNK)]
        return torch.cat(parts).view(camera.height, camera.width, 3)

    return Contender(name, step, picture)


def learn(adam: torch.optim.Adam, seen: Tensor, wanted: Tensor) -> None:
    """One step on the mean squared error."""
    adam.zero_grad()
    ((seen - wanted) ** 2).mean().backward()
    adam.step()


def scenes(args: argparse.Namespace) -> Iterator[PosedRays]:
    """The first meshes of the folder."""
    for path in sorted((args.data / "meshes").glob("*.gl[bt]*"))[: args.meshes]:
        yield posed(read_model(path), args.size, args.batch)


def posed(model: GivenModel, size: int, batch: int) -> PosedRays:
    """A mesh scaled into the unit ball, under a lamp that stands still, from random cameras all round."""
    cameras = random_orbits(TRAINED + HELD_OUT, size, MAGIC123, torch.Generator().manual_seed(1))
    shots = [torch.from_numpy(shot(model, camera)).float() / 255 for camera in cameras]
    rgb, alpha = (torch.stack([s[..., k] for s in shots]) for k in (slice(0, 3), 3))
    on_white = rgb * alpha[..., None] + 1 - alpha[..., None]
    rays = Rays.cat([camera.rays() for camera in cameras[:TRAINED]])
    trained = rgb[:TRAINED].reshape(-1, 3), alpha[:TRAINED].reshape(-1)
    return PosedRays(model.name, rays, *trained, batch, cameras[TRAINED:], list(on_white[TRAINED:]))


def shot(model: GivenModel, camera: Pinhole) -> np.ndarray:
    """RGBA of a mesh from one of our cameras; glTF's y and z are the other way round."""
    flip = np.array([1.0, -1.0, -1.0])
    world = (model.vertices - model.centre) * flip / (model.diameter / 2)
    rotation, position = camera.c2w[:, :3].numpy().astype(np.float64), camera.position.numpy().astype(np.float64)
    light = np.array([0.4, -0.7, -0.6]) / np.linalg.norm((0.4, 0.7, 0.6))
    lens = centred_camera(camera.width, camera.height, camera.focal, "user")
    return render_mesh(model, (world - position) @ rotation, model.normals * flip @ rotation, lens, light @ rotation)


if __name__ == "__main__":
    main()
