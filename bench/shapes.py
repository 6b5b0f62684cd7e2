"""Scores of an object's shape from one view against the true mesh: what one photo's front, solid and floors are worth.

Everything is in the true camera's frame; lengths are in parts of the diameter of the true mesh's bounding sphere. Before
it is compared, a prediction is fitted in two numbers, by robust least squares over the pixels where both have depth:
- `ray`: z′ = a·z + b along each pixel's own predicted ray, so that a wrong field of view costs;
- `shape`: p′ = a·p + (0, 0, b), a similarity along the optical axis, so that the shape counts and not its size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.score import f_between, sample_surface
from bench.views import ModelView, scene_of, silhouettes
from recon.geometry.camera import back_project
from recon.types import Camera

TOLERANCE = 0.05
SAMPLES = 20_000
ALIGNMENTS = ("ray", "shape")


@dataclass(frozen=True)
class TriangleMesh:
    """A triangle mesh."""

    vertices: np.ndarray
    faces: np.ndarray


@dataclass(frozen=True)
class Fit:
    """The two numbers of an alignment (see the module)."""

    kind: str
    a: float
    b: float

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Points n×3 moved to where they belong in the true frame."""
        if self.kind == "shape":
            return self.a * points + (0, 0, self.b)
        z = points[:, 2:]
        return points * (np.maximum(self.a * z + self.b, 1e-6) / z)


def fitted(kind: str, found: np.ndarray, true: np.ndarray) -> Fit:
    """The fit of predicted points to the true points of the same pixels, both n×3; a is kept above zero."""
    if kind == "ray":
        design = np.stack([found[:, 2], np.ones(len(found))], 1)
        a, b = robust_line(design[:, None], true[:, None, 2])
    else:
        upright = np.broadcast_to([0.0, 0.0, 1.0], found.shape)
        a, b = robust_line(np.stack([found, upright], 2), true)
    if a < 1e-3 * true[:, 2].std() / (found[:, 2].std() + 1e-12):  # turned inside out: flat is the best it can be
        a = 1e-3 * true[:, 2].std() / (found[:, 2].std() + 1e-12)
        b = float(np.median(true[:, 2] - a * found[:, 2]))
    return Fit(kind, float(a), float(b))


def robust_line(design: np.ndarray, target: np.ndarray) -> np.ndarray:
    """x of min Σ ρ(|design_i x − target_i|), ρ Huber's with 1.345 deviations, reweighted; design n×k×2, target n×k."""
    weight = np.ones(len(design))
    x = np.zeros(2)
    for _ in range(15):
        normal = np.einsum("n,nki,nkj->ij", weight, design, design)
        x = np.linalg.lstsq(normal, np.einsum("n,nki,nk->i", weight, design, target), rcond=None)[0]
        residual = np.linalg.norm(design @ x - target, axis=1)
        limit = 1.345 * 1.4826 * np.median(residual) + 1e-12
        weight = limit / np.maximum(residual, limit)
    return x


def lifted(z: np.ndarray, camera: Camera) -> np.ndarray:
    """h×w×3 points of a depth map, NaN where it has none."""
    v, u = np.mgrid[: camera.height, : camera.width].astype(np.float32) + np.float32(0.5)
    return back_project(u, v, z.astype(np.float32), camera).astype(np.float64)


def map_mesh(points: np.ndarray, step: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(vertices n×3, faces, the vertices' places in the thinned map) of an h×w×3 map of points.

    Two triangles per square whose four corners are known, facing the camera; every `step`-th pixel is a vertex.
    """
    thin = points[::step, ::step]
    known = ~np.isnan(thin[..., 2])
    square = known[:-1, :-1] & known[1:, :-1] & known[:-1, 1:] & known[1:, 1:]
    index = np.arange(known.size).reshape(known.shape)
    tl, tr, bl, br = (part[square] for part in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]))
    corners = np.concatenate([np.stack([tl, bl, br], 1), np.stack([tl, br, tr], 1)])
    used, faces = np.unique(corners, return_inverse=True)
    return thin.reshape(-1, 3)[used], faces.reshape(-1, 3), used


def closed_with(vertices: np.ndarray, faces: np.ndarray, behind: np.ndarray) -> TriangleMesh:
    """A sheet, the same sheet where `behind` says, and walls between their rims."""
    count = len(vertices)
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    key, reverse = edges @ [count, 1], edges @ [1, count]
    a, b = edges[~np.isin(key, reverse)].T
    walls = np.concatenate([np.stack([b, a, a + count], 1), np.stack([b, a + count, b + count], 1)])
    return TriangleMesh(np.concatenate([vertices, behind]), np.concatenate([faces, faces[:, ::-1] + count, walls]))


def extruded(points: np.ndarray) -> TriangleMesh:
    """The front pushed back, along its rays, by the silhouette's own width."""
    vertices, faces, _ = map_mesh(points)
    if not len(vertices):
        return TriangleMesh(vertices, faces)
    tangent = vertices[:, 0] / vertices[:, 2]
    width = np.ptp(tangent) * np.median(vertices[:, 2])
    return closed_with(vertices, faces, vertices * (1 + width / vertices[:, 2:]))


def mirrored(points: np.ndarray) -> TriangleMesh:
    """The front and, along its rays, its mirror image at its median depth."""
    vertices, faces, _ = map_mesh(points)
    if not len(vertices):
        return TriangleMesh(vertices, faces)
    z = vertices[:, 2:]
    return closed_with(vertices, faces, vertices * (np.maximum(2 * np.median(z) - z, 1e-6) / z))


@dataclass(frozen=True)
class Truth:
    """What a view is scored against: points on all of the true surface, on what the camera sees, silhouettes, depth."""

    view: ModelView
    whole: np.ndarray
    front: np.ndarray
    outlines: np.ndarray

    @property
    def limit(self) -> float:
        """The distance at which a point counts as found."""
        return TOLERANCE * self.view.model.diameter


def truth_of(view: ModelView) -> Truth:
    """The true mesh of a view, sampled."""
    import open3d as o3d

    faces = view.model.faces
    whole = sample_surface(view.vertices, faces, SAMPLES)
    many = sample_surface(view.vertices, faces, 4 * SAMPLES, seed=1)
    rays = np.concatenate([np.zeros_like(many), many], 1).astype(np.float32)  # the point itself is at t = 1
    first = scene_of(view.vertices, faces).cast_rays(o3d.core.Tensor(rays))["t_hit"].numpy()
    slack = 0.002 * view.model.diameter / np.linalg.norm(many, axis=1)
    front = many[first > 1 - slack][:SAMPLES]
    return Truth(view, whole, front, silhouettes(view.vertices, faces, view))


def front_f(points: np.ndarray, true: Truth, seed: int = 2) -> float:
    """F of the points of a depth map (h×w×3 or n×3) against the surface that the camera sees."""
    flat = points.reshape(-1, 3)
    flat = flat[~np.isnan(flat[:, 2])]
    chosen = np.random.default_rng(seed).permutation(len(flat))[:SAMPLES]
    return f_between(flat[chosen], true.front, true.limit)[0]


def solid_f(solid: TriangleMesh, true: Truth) -> float:
    """F of a mesh's surface against the whole true surface."""
    if not len(solid.faces):
        return 0.0
    return f_between(sample_surface(solid.vertices, solid.faces, SAMPLES), true.whole, true.limit)[0]


def outline_iou(solid: TriangleMesh, true: Truth) -> float:
    """Mean intersection over union of the silhouettes from the unseen views."""
    found = silhouettes(solid.vertices, solid.faces, true.view)
    union = (found | true.outlines).sum((1, 2))
    return float(np.mean((found & true.outlines).sum((1, 2)) / np.maximum(union, 1)))


def flat_card(view: ModelView) -> np.ndarray:
    """The view's points as if the object were flat at its median depth."""
    z = np.where(np.isnan(view.z), np.nan, np.nanmedian(view.z))
    return lifted(z.astype(np.float32), view.camera)


def scores(
    found_z: np.ndarray, camera: Camera, solid: TriangleMesh, true: Truth, kind: str
) -> tuple[np.ndarray, TriangleMesh]:
    """(front F; solid's, extruded front's and mirrored front's F, then the IoU of the same three; the fitted solid)."""
    points, target = lifted(found_z, camera), lifted(true.view.z, true.view.camera)
    common = ~np.isnan(points[..., 2]) & ~np.isnan(target[..., 2])
    if common.sum() < 64:
        return np.zeros(7), solid
    thin = slice(None, None, max(1, int(common.sum()) // SAMPLES))
    fit = fitted(kind, points[common][thin], target[common][thin])
    points = fit(points.reshape(-1, 3)).reshape(points.shape)
    ours = TriangleMesh(fit(solid.vertices.astype(np.float64)), solid.faces)
    shapes = (ours, extruded(points), mirrored(points))
    row = [front_f(points, true), *(solid_f(s, true) for s in shapes), *(outline_iou(s, true) for s in shapes)]
    return np.array(row), ours


def oracle(true: Truth) -> list[float]:
    """The harness on the truth itself: see ORACLE_COLUMNS."""
    view = true.view
    points = lifted(view.z, view.camera)
    front, card = (TriangleMesh(*map_mesh(p)[:2]) for p in (points, flat_card(view)))
    itself = TriangleMesh(view.vertices, view.model.faces)
    return [
        f_between(sample_surface(itself.vertices, itself.faces, SAMPLES, seed=3), true.whole, true.limit)[0],
        front_f(points, true), solid_f(front, true), solid_f(extruded(points), true), solid_f(mirrored(points), true),
        outline_iou(itself, true), outline_iou(front, true), outline_iou(card, true),
        outline_iou(extruded(points), true), outline_iou(mirrored(points), true),
    ]  # fmt: skip


ORACLE_COLUMNS = (
    "itself F", "front F", "whole F", "extr F", "mirr F", "itself", "front", "card", "extr", "mirr",
)  # fmt: skip
"""F of the truth against itself; of the perfect front against the seen and against the whole surface; of the perfect
front extruded and mirrored; then silhouette IoU of the truth, the perfect front, a flat card and both floors."""
