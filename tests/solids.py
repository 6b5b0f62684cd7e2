"""Analytic solids seen by a pinhole: where each ray enters and leaves them, and the exact relief of that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recon.geometry.cutout import Window
from recon.types import Camera, Relief
from tests.scenes import frozen, rays

Span = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Solid:
    """span: rays with z = 1 → depth of entry and of exit, NaN beside it; off: distance of points from its surface."""

    span: Callable[[np.ndarray], Span]
    off: Callable[[np.ndarray], np.ndarray]
    volume: float


def ellipsoid(centre: Sequence[float], radii: Sequence[float]) -> Solid:
    """An ellipsoid along the axes; the distance to it is a first-order one."""
    c, r = np.asarray(centre, float), np.asarray(radii, float)

    def span(ray: np.ndarray) -> Span:
        d, o = ray / r, c / r
        a, b = (d * d).sum(-1), d @ o
        inside = b * b - a * (o @ o - 1)
        root = np.sqrt(np.where(inside > 0, inside, np.nan))
        return (b - root) / a, (b + root) / a

    def off(points: np.ndarray) -> np.ndarray:
        q = (points - c) / r
        return np.abs((q * q).sum(-1) - 1) / np.maximum(2 * np.linalg.norm(q / r, axis=-1), 1e-9)

    return Solid(span, off, float(4 / 3 * np.pi * r.prod()))


def crate(low: Sequence[float], high: Sequence[float], turn: float = 0.0) -> Solid:
    """A box along the axes, turned about the vertical line through its middle by so many radians."""
    low_, high_ = np.asarray(low, float), np.asarray(high, float)
    middle, half = (low_ + high_) / 2, (high_ - low_) / 2
    cos, sin = np.cos(turn), np.sin(turn)
    own = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])

    def span(ray: np.ndarray) -> Span:
        d, o = ray @ own.T, -own @ middle
        with np.errstate(divide="ignore"):
            first, second = (-half - o) / d, (half - o) / d
        enter, leave = np.minimum(first, second).max(-1), np.maximum(first, second).min(-1)
        beside = enter >= leave
        return np.where(beside, np.nan, enter), np.where(beside, np.nan, leave)

    def off(points: np.ndarray) -> np.ndarray:
        beyond = np.abs((points - middle) @ own.T) - half
        return np.abs(np.linalg.norm(np.maximum(beyond, 0), axis=-1) + np.minimum(beyond.max(axis=-1), 0))

    return Solid(span, off, float((2 * half).prod()))


def seen(solid: Solid, camera: Camera) -> Span:
    """Depth of entry and exit at every pixel's centre, float32."""
    near, far = solid.span(rays(camera))
    return frozen(near.astype(np.float32)), frozen(far.astype(np.float32))


def relief_of(solid: Solid, camera: Camera, window: Window, size: tuple[int, int]) -> tuple[Relief, float]:
    """What a perfect network of this (width, height) says of the window, nonsense beside the solid; and the median depth
    of the front."""
    u = window.left + (np.arange(size[0]) + 0.5) * window.width / size[0]
    v = window.top + (np.arange(size[1]) + 0.5) * window.height / size[1]
    x, y = np.meshgrid((u - camera.cx) / camera.focal, (v - camera.cy) / camera.focal)
    near, far = solid.span(np.stack([x, y, np.ones_like(x)], axis=-1))
    near[(u[None] < 0) | (u[None] > camera.width) | (v[:, None] < 0) | (v[:, None] > camera.height)] = np.nan
    middle = float(np.nanmedian(near))
    front, back = ((z / middle - 1) * camera.focal / window.long_side for z in (near, far))
    beside = np.isnan(front)
    front, back = (np.where(beside, lie, z).astype(np.float32) for z, lie in ((front, -3.0), (back, 5.0)))
    return Relief(frozen(front), frozen(back), *window), middle


def union(*solids: Solid) -> Solid:
    """Several solids at once: a ray enters the first and leaves the last; the volume is right where none overlap."""

    def span(ray: np.ndarray) -> Span:
        spans = [solid.span(ray) for solid in solids]
        enter, leave = (np.stack([each[end] for each in spans]) for end in (0, 1))
        beside = np.isnan(enter).all(0)
        near = np.where(np.isnan(enter), np.inf, enter).min(0)
        far = np.where(np.isnan(leave), -np.inf, leave).max(0)
        return np.where(beside, np.nan, near), np.where(beside, np.nan, far)

    def off(points: np.ndarray) -> np.ndarray:
        return np.min([solid.off(points) for solid in solids], axis=0)

    return Solid(span, off, sum(solid.volume for solid in solids))


def implicit(inside: Callable[[np.ndarray], np.ndarray], near: float, far: float, volume: float) -> Solid:
    """A solid by its signed distance (points → lengths, negative inside), sampled between two depths and bisected."""
    depths = np.linspace(near, far, 161)

    def crossing(ray: np.ndarray, outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
        for _ in range(16):
            middle = (outer + inner) / 2
            within = inside(ray * middle[..., None]) < 0
            outer, inner = np.where(within, outer, middle), np.where(within, middle, inner)
        return (outer + inner) / 2

    def span(ray: np.ndarray) -> Span:
        within = np.stack([inside(ray * depth) < 0 for depth in depths])
        first, last = within.argmax(0), len(depths) - 1 - within[::-1].argmax(0)
        enter = crossing(ray, depths[np.maximum(first - 1, 0)], depths[first])
        leave = crossing(ray, depths[np.minimum(last + 1, len(depths) - 1)], depths[last])
        beside = ~within.any(0)
        return np.where(beside, np.nan, enter), np.where(beside, np.nan, leave)

    return Solid(span, lambda points: np.abs(inside(points)), volume)


def torus(centre: Sequence[float], ring: float, tube: float, tilt: float = 0.0) -> Solid:
    """A ring around the optical axis, tilted about the horizontal by so many radians."""
    c, cos, sin = np.asarray(centre, float), np.cos(tilt), np.sin(tilt)
    own = np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]])

    def inside(points: np.ndarray) -> np.ndarray:
        x, y, z = np.moveaxis((points - c) @ own.T, -1, 0)
        return np.hypot(np.hypot(x, y) - ring, z) - tube

    reach = ring + 2 * tube
    return implicit(inside, c[2] - reach, c[2] + reach, float(2 * np.pi**2 * ring * tube**2))


def mug(centre: Sequence[float], tilt: float = 0.0) -> Solid:
    """A cup of radius 0.5 and height 1, its wall 0.08, open at the top, with a round handle at its right; tilted by so many
    radians about the horizontal."""
    c, cos, sin = np.asarray(centre, float), np.cos(tilt), np.sin(tilt)
    own = np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]])

    def inside(points: np.ndarray) -> np.ndarray:
        x, y, z = np.moveaxis((points - c) @ own.T, -1, 0)
        around = np.hypot(x, z)
        body = np.maximum(around - 0.5, np.abs(y) - 0.5)
        hollow = np.maximum(around - 0.42, np.maximum(-0.6 - y, y - 0.42))
        handle = np.maximum(np.hypot(np.hypot(x - 0.55, y) - 0.3, z) - 0.07, 0.45 - around)
        return np.minimum(np.maximum(body, -hollow), handle)

    return implicit(inside, c[2] - 1.2, c[2] + 1.2, float("nan"))
