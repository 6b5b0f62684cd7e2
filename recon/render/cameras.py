"""Cameras around the object, and their rays.

The world of a refined object: it lies inside the ball of radius 1 around the origin; x right, y down, z away from the
reference camera, whose rotation is the identity. Camera frames are OpenCV's (x right, y down, z forward), pixel centres lie
at (u + 0.5, v + 0.5). Angles are degrees: azimuth 0 is the reference view and grows towards the object's right side as that
view sees it, elevation grows upwards. Distances along rays are Euclidean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

Span = tuple[float, float]


@dataclass(frozen=True)
class Rays:
    """Rays with unit directions; `forward` times a distance is z-depth."""

    origins: Float[Tensor, "n 3"]
    directions: Float[Tensor, "n 3"]
    forward: Float[Tensor, " n"]

    def __len__(self) -> int:
        return self.origins.shape[0]

    def to(self, device: torch.device | str) -> Rays:
        """The same on another device."""
        return Rays(*(part.to(device) for part in (self.origins, self.directions, self.forward)))

    def __getitem__(self, index: slice | Int64[Tensor, " m"]) -> Rays:
        return Rays(self.origins[index], self.directions[index], self.forward[index])

    @staticmethod
    def cat(parts: list[Rays]) -> Rays:
        """One batch of the rays of several cameras."""
        columns = ((part.origins, part.directions, part.forward) for part in parts)
        return Rays(*(torch.cat(column) for column in zip(*columns, strict=True)))


@dataclass(frozen=True)
class Pinhole:
    """A camera with square pixels and the principal point at its centre; `focal`, `width`, `height` in pixels."""

    c2w: Float[Tensor, "3 4"]
    focal: float
    width: int
    height: int

    @property
    def position(self) -> Float[Tensor, " 3"]:
        """Where it stands in the world."""
        return self.c2w[:, 3]

    def to(self, device: torch.device | str) -> Pinhole:
        """The same on another device."""
        return Pinhole(self.c2w.to(device), self.focal, self.width, self.height)

    def resized(self, width: int, height: int) -> Pinhole:
        """The same view on another number of pixels; the field of view across the width is kept."""
        return Pinhole(self.c2w, self.focal * width / self.width, width, height)

    def rays(self, pixels: Int64[Tensor, " n"] | None = None) -> Rays:
        """Rays through the centres of pixels, given as row·width + column; of all pixels if none are given."""
        device = self.c2w.device
        index = torch.arange(self.width * self.height, device=device) if pixels is None else pixels
        u = (index % self.width).to(self.c2w.dtype) + (0.5 - self.width / 2)
        v = (index // self.width).to(self.c2w.dtype) + (0.5 - self.height / 2)
        local = torch.stack((u / self.focal, v / self.focal, torch.ones_like(u)), 1)
        forward = 1 / local.norm(dim=1)
        directions = (local * forward[:, None]) @ self.c2w[:, :3].T
        return Rays(self.position.expand(len(index), 3), directions, forward)

    def project(self, points: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        """(u, v, z) of world points in pixels and units of the world."""
        local = (points - self.position) @ self.c2w[:, :3]
        centre = local.new_tensor((self.width / 2, self.height / 2))
        return torch.cat((local[:, :2] / local[:, 2:] * self.focal + centre, local[:, 2:]), 1)


def distance_to_fit(fov: float, radius: float = 1.0) -> float:
    """How far a camera with field of view `fov` must stand for the ball of `radius` to touch the edges of its picture."""
    return radius / math.sin(math.radians(fov) / 2)


def focal_of(fov: float, size: int) -> float:
    """Focal length in pixels of a field of view in degrees across `size` pixels."""
    return size / 2 / math.tan(math.radians(fov) / 2)


def look_at(
    position: Float[Tensor, " 3"], target: Float[Tensor, " 3"], down: Float[Tensor, " 3"] | None = None
) -> Float[Tensor, "3 4"]:
    """Pose of a camera at `position` with `target` at its centre and the world's `down` (y) pointing down its picture."""
    down = position.new_tensor((0.0, 1.0, 0.0)) if down is None else down
    forward = F.normalize(target - position, dim=0)
    right = F.normalize(torch.linalg.cross(down, forward), dim=0)
    return torch.stack((right, torch.linalg.cross(forward, right), forward, position), 1)


def orbit(azimuth: float, elevation: float, distance: float, fov: float, size: int) -> Pinhole:
    """A square view of the origin from its sphere of radius `distance`, exact at the poles too; `fov` in degrees."""
    a, e = math.radians(azimuth), math.radians(elevation)
    right = torch.tensor((math.cos(a), 0.0, math.sin(a)))
    forward = torch.tensor((-math.sin(a) * math.cos(e), math.sin(e), math.cos(a) * math.cos(e)))
    pose = torch.stack((right, torch.linalg.cross(forward, right), forward, -distance * forward), 1)
    return Pinhole(pose, focal_of(fov, size), size, size)


@dataclass(frozen=True)
class Orbits:
    """A distribution of views. Spans are uniform.

    `azimuths` are (probability, span); `on_sphere` is the probability of an elevation uniform in area instead of in angle;
    `margin` is the distance over the one at which the ball just fits. The jitters are DreamFusion's: of the position
    (uniform ±), of the point looked at and of the up direction (normal).
    """

    azimuths: tuple[tuple[float, Span], ...] = ((1.0, (-180.0, 180.0)),)
    elevation: Span = (-45.0, 45.0)
    on_sphere: float = 0.0
    margin: Span = (1.0, 1.0)
    fov: Span = (40.0, 40.0)
    position_jitter: float = 0.0
    target_jitter: float = 0.0
    up_jitter: float = 0.0


MAGIC123 = Orbits(on_sphere=0.5)
"""Qian et al. 2023: one distance and field of view, polar angle 45 to 135, half of it uniform on the sphere."""
MAKE_IT_3D = Orbits(
    azimuths=(
        (0.15, (135.0, 180.0)),
        (0.15, (-180.0, -135.0)),
        (0.20, (60.0, 135.0)),
        (0.20, (-135.0, -60.0)),
        (0.30, (-60.0, 60.0)),
    ),
    elevation=(-20.0, 20.0),
    margin=(1.0, 1.5),
    fov=(15.0, 25.0),
)
"""Tang et al. 2023, released code: the back is seen as often as the front, from twice as narrow an angle each side."""
DREAMFUSION = Orbits(
    elevation=(-10.0, 90.0), on_sphere=0.5, margin=(1.0, 1.5), fov=(40.6, 71.1),
    position_jitter=0.1, target_jitter=0.2, up_jitter=0.02,
)  # fmt: skip
"""Poole et al. 2022, section 3.2 and appendix A.2. Its focal lengths of 0.7 to 1.35 picture widths stand here as angles and
are uniform as such; its distances of 1 to 1.5 are taken relative to the nearest."""
ZERO123 = Orbits(elevation=(-10.0, 80.0), fov=(20.0, 20.0))
"""threestudio's 600-step schedule for Zero123."""
DISTRIBUTIONS = {"magic123": MAGIC123, "make-it-3d": MAKE_IT_3D, "dreamfusion": DREAMFUSION, "zero123": ZERO123}
"""The published distributions by name."""


def random_orbits(count: int, size: int, orbits: Orbits, generator: torch.Generator) -> list[Pinhole]:
    """`count` square cameras of `size` pixels drawn from a distribution; the generator's state decides all of it."""
    draws = torch.rand(count, 9, generator=generator, dtype=torch.float64)
    normals = torch.randn(count, 6, generator=generator)
    return [_drawn(row.tolist(), noise, size, orbits) for row, noise in zip(draws, normals, strict=True)]


def _drawn(u: list[float], noise: Float[Tensor, " 6"], size: int, orbits: Orbits) -> Pinhole:
    """The camera of nine uniform and six normal numbers."""
    if u[2] < orbits.on_sphere:  # area is uniform in the sine of elevation
        low, high = (math.sin(math.radians(end)) for end in orbits.elevation)
        elevation = math.degrees(math.asin(min(1.0, low + (high - low) * u[3])))
    else:
        elevation = _between(orbits.elevation, u[3])
    fov = _between(orbits.fov, u[4])
    distance = _between(orbits.margin, u[5]) * distance_to_fit(fov)
    camera = orbit(_azimuth(orbits, u[0], u[1]), elevation, distance, fov, size)
    if not (orbits.position_jitter or orbits.target_jitter or orbits.up_jitter):
        return camera
    shift = 2 * torch.tensor(u[6:]) - 1
    down = camera.c2w[:, 1] + orbits.up_jitter * noise[3:]
    pose = look_at(camera.position + orbits.position_jitter * shift, orbits.target_jitter * noise[:3], down)
    return Pinhole(pose, camera.focal, size, size)


def _azimuth(orbits: Orbits, choice: float, place: float) -> float:
    for probability, span in orbits.azimuths:
        if choice < probability:
            return _between(span, place)
        choice -= probability
    return _between(orbits.azimuths[-1][1], place)  # the probabilities' rounding error


def _between(span: Span, u: float) -> float:
    return span[0] + (span[1] - span[0]) * u
