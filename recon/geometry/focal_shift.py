"""The focal length and the place of a point map that a network gave up to a shift along the optical axis.

A point (x, y, z + t) is seen at (u, v) = f·(x, y)/(z + t) from the principal point, t being the shift and f the focal
length, both unknown. Whoever knows the focal length finds the shift alone. The sum of squared errors in the picture is
minimised, what does not fit at all counting less (Huber's weights); lengths in the picture are in parts of its width.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32
from numpy import ndarray

from recon.geometry.camera import focal_from_fov, fov_from_focal
from recon.types import AffinePoints, Camera

SAMPLES = 4096
"""Points that are looked at: more change nothing."""
NEAREST = 0.02
"""Share of the nearest points that are left out: what lies in front of a map's true surface would forbid the true shift."""
STEPS = 20
DONE = 1e-7
EDGE = 3.0
"""Times the median error, from which on a point does not fit."""
FOVS = (10.0, 20.0, 35.0, 50.0, 65.0, 80.0, 100.0, 125.0)
"""Horizontal fields of view in degrees to begin with; the best is improved."""
BLUR = 0.002
"""Errors in the picture, in parts of its width, that no map is without."""
FEW = 512
"""Points that tell which start is best, and whether another field of view fits as well."""
FEWEST = 8
"""Points that it takes; fewer say nothing."""
MOST_ERROR = 90.0


class SolvedLens(NamedTuple):
    """What a point map says of its camera.

    focal: in parts of the photo's width; shift: what to add to z, in the map's unit; fov_error: by how many degrees along
    the photo's longer side the field of view may be wrong, without that the map would fit worse than it does.
    """

    focal: float
    shift: float
    fov_error: float

    @property
    def fov_x(self) -> float:
        """Horizontal field of view in degrees."""
        return fov_from_focal(self.focal, 1)


def sampled(points: Float32[ndarray, "h w 3"], valid: Bool[ndarray, "h w"]) -> AffinePoints:
    """At most SAMPLES of a map's valid points, chosen at random but always the same."""
    height, width = valid.shape
    chosen = np.flatnonzero(valid)
    if len(chosen) > SAMPLES:
        chosen = chosen[np.random.default_rng(0).integers(0, len(chosen), SAMPLES)]
    rows, columns = np.divmod(chosen, width)
    place = np.stack([(columns + 0.5) / width, (rows + 0.5) / height], 1).astype(np.float32)
    return AffinePoints(points.reshape(-1, 3)[chosen], place)


def focal_and_shift(seen: AffinePoints, aspect: float) -> SolvedLens | None:
    """The camera that sees the points where the photo shows them; aspect: the photo's height over its width.

    None where that says nothing: too few points, all in one place, or upside down. Where many focal lengths fit as well
    (a wall that is seen head-on), `fov_error` is large.
    """
    problem = _Problem.of(seen, np.array([0.5, 0.5]), np.array([1.0, aspect]))
    if problem is None:
        return None
    few = problem.thinned(FEW)
    starts = [few.start(focal_from_fov(fov, 1)) for fov in FOVS]
    state = problem.solve(*min(starts, key=lambda start: few.misfit(*start)))
    focal, shift = math.exp(state[0]), math.exp(state[1]) - problem.nearest
    if not (math.isfinite(focal) and math.isfinite(shift) and focal > 0):
        return None
    return SolvedLens(focal, shift, min(MOST_ERROR, _doubt(problem, state, max(1.0, aspect))))


def _doubt(problem: _Problem, state: tuple[float, float], longest: float) -> float:
    """How far in degrees along the longer side the field of view can be from the best before the map fits worse than it
    does: near by, by the Jacobian there; far off, by trying."""
    projected, residual = problem.residuals(*state)
    by_focal, by_near = problem.jacobian(projected, state[1])
    follow = (by_focal @ by_near) / (by_focal @ by_focal)  # how the focal length follows the distance
    change = np.sqrt(((by_near - follow * by_focal) ** 2).sum() * 2 / len(projected))
    blur = max(BLUR, _typical(residual))
    fov_long = fov_from_focal(math.exp(state[0]), longest)
    doubt = math.degrees(math.sin(math.radians(fov_long)) * abs(follow)) * blur / max(change, 1e-12)
    few, worst = problem.thinned(FEW), 10 * blur
    worse = math.hypot(blur, _clipped(few.residuals(*state)[1], worst))
    for fov in FOVS:
        focal = focal_from_fov(fov, 1)
        other = few.solve(*few.start(focal), focal_known=True)
        if _clipped(few.residuals(*other)[1], worst) <= worse:
            doubt = max(doubt, abs(fov_from_focal(focal, longest) - fov_long))
    return float(doubt)


def shift_for(seen: AffinePoints, camera: Camera) -> float:
    """What to add to the points' z so that `camera` sees them where its photo shows them; 0 where they do not say."""
    sides = np.array([camera.width, camera.height])
    problem = _Problem.of(seen, np.array([camera.cx, camera.cy]) / sides, sides / camera.width)
    if problem is None:
        return 0.0
    _, log_near = problem.solve(*problem.start(camera.focal / camera.width), focal_known=True)
    shift = math.exp(log_near) - problem.nearest
    return shift if math.isfinite(shift) else 0.0


class _Problem(NamedTuple):
    """uv: where the points are seen, all u, then all v; xy: their x and y alike; depth: z from the nearest one on; nearest:
    its z.

    The unknowns are the logarithms of the focal length and of the nearest point's distance, so that both stay positive.
    """

    uv: Float[ndarray, " m"]
    xy: Float[ndarray, " m"]
    depth: Float[ndarray, " n"]
    nearest: float

    @classmethod
    def of(cls, seen: AffinePoints, centre: Float[ndarray, " two"], sides: Float[ndarray, " two"]) -> _Problem | None:
        """From the points, the principal point in parts of the photo's sides, and its sides in parts of the width."""
        points = seen.points.astype(np.float64)
        good = np.isfinite(points).all(axis=1)
        if np.count_nonzero(good) < FEWEST:
            return None
        nearest = float(np.quantile(points[good, 2], NEAREST))
        good &= points[:, 2] >= nearest
        uv, points = ((seen.place[good] - centre) * sides), points[good]
        if len(points) < FEWEST or not np.ptp(uv, axis=0).any() or (points[:, :2] * uv).sum() <= 0:
            return None
        return cls(uv.T.ravel(), points[:, :2].T.ravel(), points[:, 2] - nearest, nearest)

    def thinned(self, count: int) -> _Problem:
        """The same with about so many of its points."""
        step = max(1, len(self.depth) // count)
        return _Problem(_thin(self.uv, step), _thin(self.xy, step), self.depth[::step], self.nearest)

    def start(self, focal: float) -> tuple[float, float]:
        """Where a focal length puts the nearest point, roughly: distances by size in the picture, their median."""
        square, along = _per_point(self.uv * self.uv), _per_point(self.xy * self.uv)
        far = square > 0.01 * square.max()
        near = float(np.median(focal * along[far] / square[far] - self.depth[far]))
        least = 0.01 * focal * math.sqrt((self.xy @ self.xy) / (self.uv @ self.uv))
        return math.log(focal), math.log(max(near, least, 1e-30))

    def residuals(self, log_focal: float, log_near: float) -> tuple[Float[ndarray, " m"], Float[ndarray, " m"]]:
        """Where the camera sees the points, and by how much that is wrong: the reprojection error."""
        projected = self.xy * np.tile(math.exp(log_focal) / (self.depth + math.exp(log_near)), 2)
        return projected, projected - self.uv

    def jacobian(
        self, projected: Float[ndarray, " m"], log_near: float
    ) -> tuple[Float[ndarray, " m"], Float[ndarray, " m"]]:
        """How the residuals change with the focal length's logarithm and with the distance's."""
        near = math.exp(log_near)
        return projected, -projected * np.tile(near / (self.depth + near), 2)

    def misfit(self, log_focal: float, log_near: float) -> float:
        """The mean reprojection error."""
        return float(_lengths(self.residuals(log_focal, log_near)[1]).mean())

    def solve(self, log_focal: float, log_near: float, focal_known: bool = False) -> tuple[float, float]:
        """From a start to the best, of the distance alone if the focal length is known: first all points count alike, for
        those that fit one wall exactly must not decide, then those that fit nowhere count less."""
        return self._descend(self._descend((log_focal, log_near), math.inf, focal_known), EDGE, focal_known)

    def _descend(self, state: tuple[float, float], most: float, focal_known: bool) -> tuple[float, float]:
        """Levenberg and Marquardt's steps; most: errors in parts of the typical one up to which points count fully."""
        damping = 1e-3
        projected, residual = self.residuals(*state)
        for _ in range(STEPS):
            size = _lengths(residual)
            edge = most * max(float(np.median(size)), BLUR)
            weight = np.tile(np.minimum(1, edge / np.maximum(size, 1e-300)), 2)
            by_focal, by_near = self.jacobian(projected, state[1])
            step = _step(by_focal * weight, by_near * weight, by_focal, by_near, residual, damping, focal_known)
            tried = state[0] + step[0], state[1] + step[1]
            projected_there, residual_there = self.residuals(*tried)
            if _huber(_lengths(residual_there), edge) <= _huber(size, edge):
                state, projected, residual, damping = tried, projected_there, residual_there, damping / 10
                if max(map(abs, step)) < DONE:
                    break
            else:
                damping *= 10
        return state


def _step(
    weighted_by_focal: Float[ndarray, " m"],
    weighted_by_near: Float[ndarray, " m"],
    by_focal: Float[ndarray, " m"],
    by_near: Float[ndarray, " m"],
    residual: Float[ndarray, " m"],
    damping: float,
    focal_known: bool,
) -> tuple[float, float]:
    """Where the damped linear problem has its least sum of squares, at most 1 away in each unknown."""
    b, y = weighted_by_near @ by_near * (1 + damping), -(weighted_by_near @ residual)
    if focal_known:
        return 0.0, _bounded(y / (b + 1e-300))
    a, c, x = weighted_by_focal @ by_focal * (1 + damping), weighted_by_focal @ by_near, -(weighted_by_focal @ residual)
    determinant = a * b - c * c + 1e-300
    return _bounded((x * b - y * c) / determinant), _bounded((y * a - x * c) / determinant)


def _bounded(step: float) -> float:
    return min(1.0, max(-1.0, float(step)))


def _thin(both: Float[ndarray, " m"], step: int) -> Float[ndarray, " k"]:
    return both.reshape(2, -1)[:, ::step].ravel()


def _per_point(both: Float[ndarray, " m"]) -> Float[ndarray, " n"]:
    """Sums of what stands for u and for v."""
    half = len(both) // 2
    return both[:half] + both[half:]


def _lengths(residual: Float[ndarray, " m"]) -> Float[ndarray, " n"]:
    return np.sqrt(_per_point(residual * residual))


def _typical(residual: Float[ndarray, " m"]) -> float:
    return float(np.median(_lengths(residual)))


def _clipped(residual: Float[ndarray, " m"], worst: float) -> float:
    """The mean error of points, none counting more than `worst`."""
    return float(np.minimum(_lengths(residual), worst).mean())


def _huber(size: Float[ndarray, " n"], edge: float) -> float:
    small = np.minimum(size, edge)
    return float((small * (size - small / 2)).sum())
