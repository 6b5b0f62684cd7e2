"""Solids from superquadrics, tori and rounded cylinders with smooth unions and cuts: what a sculpture is, and its field.

Frames: a part's own (local, metres, y along its axis), the sculpture's (x right, y down, z away, metres; it stands on
y = 0) and the world's. Letters: B images, P parts, n points. The field g(x) is negative inside, positive outside, and
never more than the distance to the surface (1-Lipschitz), so that spheres can be traced (Hart 1996).

A part is the set N(x) <= 1 of the superquadric norm (Barr 1981; p across, q along the axis, both >= 2)
    N = ((|x/a|^p + |z/c|^p)^(q/p) + |y/b|^q)^(1/q),
and m (N - 1) with the least half size m is 1-Lipschitz, as N's gradient is nowhere longer than 1/m. `rounding` r takes
a core box off all coordinates first and leaves the ball of radius r: boxes with round edges, capsules. A torus or
rounded cylinder first folds x and z to the distance from a ring or disc.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .intersect import BOX, CYLINDER, ELLIPSOID, FAR
from .scene import IDENTITY, Mat, Material, Number, Primitive, Vec, apply, compose, rotation

SUPERQUADRIC, TORUS, ROUNDED_CYLINDER = 0, 1, 2
# First all ADD parts are blended, then all CUT parts are taken away, then all PUT parts are joined with sharp creases.
ADD, CUT, PUT = 0, 1, 2
# The smooth minimum -k log sum exp(-d/k) bulges by k log 2 where two parts meet; Quilez's polynomial one by radius / 4.
RADIUS_TO_K = 1 / (4 * math.log(2))


@dataclass(frozen=True)
class Part:
    """kind; centre and half sizes (of the whole part, metres, sculpture's frame); local-to-sculpture rotation; op;
    exponents (p across, q along y, >= 2) of a superquadric; rounding r: radius of the edges (0: a pure superquadric) or
    of a torus's tube; taper: relative growth of the cross-section from the middle to the +y end; bend: how far the ends
    go towards +x, in half heights."""

    kind: int
    centre: Vec
    half: Vec
    turn: Mat
    material: Material
    op: int = ADD
    exponents: tuple[Number, Number] = (2, 2)
    rounding: Number = 0.0
    taper: Number = 0.0
    bend: Number = 0.0

    def ring(self) -> float:
        """Radius of the circle (torus) or disc (rounded cylinder) the edge's roundness is added to; 0 for superquadrics."""
        return 0.0 if self.kind == SUPERQUADRIC else max(0.0, min(self.half[0], self.half[2]) - self.tube())

    def tube(self) -> float:
        """The rounding, at most what fits."""
        widest = min(self.half) if self.kind != TORUS else min(self.half[0], self.half[2])
        return min(self.rounding or 0.2 * widest, widest)

    def kernel(self) -> tuple[float, float, float]:
        """Half sizes a, b, c of the norm's body."""
        if self.kind == SUPERQUADRIC and not self.rounding:
            return (float(self.half[0]), float(self.half[1]), float(self.half[2]))
        r = self.tube()
        return (r, float(self.half[1]) if self.kind == TORUS else r, r)

    def core(self) -> tuple[float, float, float]:
        """Half sizes of the box that the body is swept along."""
        a, b, c = self.kernel()
        ring = self.ring()
        return (
            max(0.0, self.half[0] - a - ring),
            max(0.0, self.half[1] - b),
            max(0.0, self.half[2] - c - ring),
        )

    def bound(self) -> float:
        """The factor m that makes m (N - s) 1-Lipschitz; s is the section's scale."""
        a, b, c = self.kernel()
        core, slope = self.core(), abs(self.taper) / self.half[1]
        if self.taper:
            # s N = |(N_p(x, z), s y / b)|_q, and s changes by slope per metre of y, the core along with it.
            across = max(math.hypot(1, slope * core[0]) / a, math.hypot(1, slope * (core[2] + self.ring())) / c)
            steepest = max(across, (1 + abs(self.taper)) / b + slope) + slope
        else:
            steepest = 1 / min(a, b, c)
        shear = abs(self.bend)  # the map x -> x - bend y^2 / h stretches at most like a shear of twice that
        return 1 / (steepest * (shear + math.hypot(1, shear)))

    def reach(self, axis: Vec) -> float:
        """How far the part reaches from its centre along a direction of the sculpture's frame (support function)."""
        n = [abs(sum(self.turn[i][j] * axis[i] for i in range(3))) for j in range(3)]
        grown = 1 + abs(self.taper)
        a, b, c = self.kernel()
        core, ring = self.core(), self.ring() * math.hypot(n[0], n[2])
        p, q = (e / (e - 1) for e in self.exponents)
        across = ((grown * a * n[0]) ** p + (grown * c * n[2]) ** p) ** (1 / p)
        body = (across**q + (b * n[1]) ** q) ** (1 / q)
        bent = abs(self.bend) * self.half[1] * n[0]
        return body + grown * (ring + core[0] * n[0] + core[2] * n[2]) + core[1] * n[1] + bent


@dataclass(frozen=True)
class Sculpture:
    """Parts, the radius of the blend between ADD parts (metres), where it stands: p -> origin + scale turn p; and whether
    it is part of what the photo is of."""

    parts: tuple[Part, ...]
    blend: Number = 0.0
    origin: Vec = (0.0, 0.0, 0.0)
    turn: Mat = IDENTITY
    scale: Number = 1.0
    subject: bool = True

    def bulge(self) -> float:
        """The most by which the blend can stand out (sculpture's frame, metres)."""
        return self.blend * RADIUS_TO_K * math.log(max(1, sum(p.op == ADD for p in self.parts)))

    def box(self) -> tuple[Vec, Vec]:
        """Least and greatest coordinates in the sculpture's frame, cuts and bulges left out."""
        axes: tuple[Vec, ...] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
        solid = [p for p in self.parts if p.op != CUT]
        low = tuple(min(p.centre[i] - p.reach(axes[i]) for p in solid) for i in range(3))
        high = tuple(max(p.centre[i] + p.reach(axes[i]) for p in solid) for i in range(3))
        return low, high  # type: ignore[return-value]


@dataclass(frozen=True)
class Stack:
    """Sculptures of some images as tensors; parts are ordered ADD, CUT, PUT and padded with far away specks.

    images: which of the batch; counts: parts per op; order (B, P): place in `Sculpture.parts`, -1 in padding.
    matrix (B, 3P, 3) and offset (B, 3P, 1): world minus centre (metres) to the parts' frames, all x first, then y, z.
    size (B, 1): bounding radius; centre (B, 3); turn (B, 3, 3) local to world; scale and k (B, 1). The rest is (B, P, 1).
    """

    images: tuple[int, ...]
    counts: tuple[int, int, int]
    order: Tensor
    matrix: Tensor
    offset: Tensor
    core: tuple[Tensor, Tensor, Tensor]
    inverse: tuple[Tensor, Tensor, Tensor]
    reach: Tensor
    height: Tensor
    slope: Tensor
    bend: Tensor
    ring: Tensor
    hollow: Tensor
    fold: Tensor
    folded: Tensor
    p: Tensor
    q: Tensor
    square_across: Tensor
    square_along: Tensor
    bound: Tensor
    stiff: Tensor
    tapered: bool
    bent: bool
    cored: bool
    k: Tensor
    size: Tensor
    origin: Tensor
    turn: Tensor
    scale: Tensor
    centre: Tensor


FAR_AWAY = Part(
    SUPERQUADRIC, (0.0, 1e4, 0.0), (1e-3, 1e-3, 1e-3), IDENTITY, Material(0, 1.0, (0, 0, 0), (0, 0, 0)), ADD
)


def _columns(part: Part, s: Sculpture, middle: np.ndarray) -> dict[str, np.ndarray]:
    """One part's numbers with the placement's scale applied."""
    k, turn = float(s.scale), np.array(part.turn, float)
    world = np.array(s.turn, float) @ turn
    centre = np.array(s.turn, float) @ (np.array(part.centre, float) * k) + np.array(s.origin, float) - middle
    a, core = np.array(part.kernel()) * k, np.array(part.core()) * k
    grown, bent = 1 + abs(part.taper), part.bend * part.half[1] * k
    wide = (np.array(part.half, float) * k) * (grown, 1, grown)
    ring = part.ring() * k
    wide = np.maximum(wide, core + a + (ring, 0, ring))
    # Where the blend stands out by d, the field is d and N = 1 + d / m.
    wide = wide + a * min(s.bulge(), 3 * s.blend * RADIUS_TO_K) / part.bound() + 1e-3 * k
    low, high = -wide, wide.copy()
    low[0], high[0] = low[0] + min(0.0, bent), high[0] + max(0.0, bent)
    height = part.half[1] * k
    return {
        "matrix": world.T,
        "offset": -world.T @ centre,
        "core": core,
        "inverse": 1 / a,
        "reach": np.stack([low, high]),
        "height": np.array(height),
        "slope": np.array(part.taper / height),
        "bend": np.array(part.bend / height),
        "ring": np.array(ring),
        "kind": np.array(part.kind),
        "pq": np.array(part.exponents if part.kind == SUPERQUADRIC and not part.rounding else (2, 2), float),
        "bound": np.array(part.bound() * k),
    }


def _middle(s: Sculpture) -> tuple[np.ndarray, float]:
    """Centre (world) and radius of a ball around a sculpture."""
    low, high = (np.array(v, float) for v in s.box())
    radius = float(np.linalg.norm(high - low) / 2 + s.bulge()) * float(s.scale)
    return np.array(s.turn, float) @ ((low + high) / 2 * float(s.scale)) + np.array(s.origin, float), radius


def stack(sculptures: list[Sculpture], images: list[int], device: torch.device | str = "cpu") -> Stack:
    """Sculptures of the given images to tensors."""
    counts = [max(sum(p.op == op for p in s.parts) for s in sculptures) for op in (ADD, CUT, PUT)]
    middles, table, order = [_middle(s) for s in sculptures], [], []
    for s, (middle, _) in zip(sculptures, middles, strict=True):
        numbers: list[int] = []
        for op in (ADD, CUT, PUT):
            mine = [i for i, p in enumerate(s.parts) if p.op == op]
            numbers += mine + [-1] * (counts[op] - len(mine))
        order.append(numbers)
        table.append([_columns(s.parts[i] if i >= 0 else FAR_AWAY, s, middle) for i in numbers])

    def tensor(values: object) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(np.array(values, np.float32))).to(device)

    def column(name: str) -> np.ndarray:
        return np.array([[part[name] for part in parts] for parts in table], float)

    def each(values: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        return tuple(tensor(values[..., i, None]) for i in range(3))  # type: ignore[return-value]

    def rows(mask: np.ndarray) -> list[int]:
        return np.flatnonzero(mask.any(0)).tolist()

    b, parts = len(sculptures), sum(counts)
    kind, pq, folded = column("kind"), column("pq"), rows(column("kind") != SUPERQUADRIC)
    across, along = rows(pq[..., 0] != 2), rows(pq[..., 1] != 2)
    return Stack(
        images=tuple(images),
        counts=(counts[0], counts[1], counts[2]),
        order=torch.tensor(order, device=device),
        matrix=tensor(column("matrix").transpose(0, 2, 1, 3).reshape(b, 3 * parts, 3)),
        offset=tensor(column("offset").transpose(0, 2, 1).reshape(b, 3 * parts, 1)),
        core=each(column("core")),
        inverse=each(column("inverse")),
        reach=tensor(column("reach").transpose(2, 0, 3, 1).reshape(2, b, 3 * parts, 1)),
        height=tensor(column("height")[..., None]),
        slope=tensor(column("slope")[..., None]),
        bend=tensor(column("bend")[..., None]),
        ring=tensor(column("ring")[:, folded, None]),
        hollow=tensor(np.where(kind[:, folded, None] == TORUS, -np.inf, 0)),
        fold=tensor(kind[:, folded, None] != SUPERQUADRIC) > 0,
        folded=torch.tensor(folded, dtype=torch.int64, device=device),
        p=tensor(pq[:, across, :1]),
        q=tensor(pq[:, along, 1:]),
        square_across=torch.tensor(across, dtype=torch.int64, device=device),
        square_along=torch.tensor(along, dtype=torch.int64, device=device),
        bound=tensor(column("bound")[..., None]),
        stiff=tensor((column("bound") * column("inverse").max(-1))[..., None]),
        tapered=bool(column("slope").any()),
        bent=bool(column("bend").any()),
        cored=bool(column("core").any() or folded),
        k=tensor([[s.blend * RADIUS_TO_K * s.scale] for s in sculptures]).clamp_min(1e-6),
        size=tensor([[radius] for _, radius in middles]),
        origin=tensor([s.origin for s in sculptures]),
        turn=tensor([s.turn for s in sculptures]),
        scale=tensor([[s.scale] for s in sculptures]),
        centre=tensor([middle for middle, _ in middles]),
    )


def _norm(a: Tensor, b: Tensor, p: Tensor) -> Tensor:
    """(a^(p/2) + b^(p/2))^(1/p): the p-norm from squares."""
    return (a ** (p / 2) + b ** (p / 2)) ** (1 / p)


def distances(s: Stack, point: Tensor) -> Tensor:
    """Every part's own field (B, P, n) in metres at points (B, 3, n), world minus the stack's centre."""
    x, y, z = torch.baddbmm(s.offset, s.matrix, point).chunk(3, 1)
    scale: Tensor | None = None
    if s.tapered or s.bent:
        inside = torch.minimum(torch.maximum(y, -s.height), s.height)
        if s.bent:
            x = x - s.bend * inside * inside
        if s.tapered:
            scale = 1 + s.slope * inside
    deep: Tensor | None = None
    if s.cored:
        wide = (s.core[0], s.core[2]) if scale is None else (s.core[0] * scale, s.core[2] * scale)
        x, level, z = x.abs().sub_(wide[0]), y.abs().sub_(s.core[1]), z.abs().sub_(wide[1])
        deep = torch.maximum(torch.maximum(x, level), z) if s.counts[1] else None
        x, y, z = x.relu(), level.relu(), z.relu()
        if len(s.folded):
            flat_x, flat_z = x.index_select(1, s.folded), z.index_select(1, s.folded)
            rho = (flat_x * flat_x).addcmul_(flat_z, flat_z).sqrt_()
            rho = rho - (s.ring if scale is None else s.ring * scale.index_select(1, s.folded))
            new_x, new_z = torch.maximum(rho, s.hollow), torch.zeros_like(rho)
            if deep is not None:
                deeper = torch.maximum(rho, level.index_select(1, s.folded))
                deep = deep.index_copy(1, s.folded, torch.where(s.fold, deeper, deep.index_select(1, s.folded)))
            if len(s.images) > 1:  # the part in the same place may be a superquadric in another image
                new_x, new_z = torch.where(s.fold, new_x, flat_x), torch.where(s.fold, new_z, flat_z)
            x, z = x.index_copy(1, s.folded, new_x), z.index_copy(1, s.folded, new_z)
    u, v, w = x * s.inverse[0], y * s.inverse[1], z * s.inverse[2]
    if scale is not None:
        v = v * scale
    u, v, w = u * u, v * v, w * w
    across = u + w
    if len(s.square_across):
        root = _norm(u.index_select(1, s.square_across), w.index_select(1, s.square_across), s.p)
        across.index_copy_(1, s.square_across, root * root)
    norm = (across + v).sqrt_()
    if len(s.square_along):
        both = _norm(across.index_select(1, s.square_along), v.index_select(1, s.square_along), s.q)
        norm.index_copy_(1, s.square_along, both)
    apart = (norm - (1 if scale is None else scale)) * s.bound
    if deep is not None:
        # In the core N is 0; in what is cut out the field must go on growing, or rays would crawl or stop there.
        cut = slice(s.counts[0], s.counts[0] + s.counts[1])
        apart[:, cut] += deep[:, cut].clamp_max(0) * s.stiff[:, cut]
    return apart


def combine(s: Stack, apart: Tensor) -> Tensor:
    """The sculpture's field (B, n) from its parts' (B, P, n): smooth union of the ADD, minus the CUT, with the PUT."""
    add, cut, put = apart.split(list(s.counts), 1)
    whole = add.amin(1) if s.counts[0] else torch.full_like(apart[:, 0], 1e4)
    if s.counts[0] > 1:
        whole = whole - s.k * ((whole[:, None] - add) / s.k[..., None]).exp_().sum(1).log_()
    if s.counts[1]:
        whole = torch.maximum(whole, -cut.amin(1))
    return torch.minimum(whole, put.amin(1)) if s.counts[2] else whole


def field(s: Stack, point: Tensor) -> Tensor:
    """The sculpture's field (B, n) in metres at points (B, 3, n), world minus the stack's centre."""
    return combine(s, distances(s, point))


def owner(s: Stack, apart: Tensor) -> Tensor:
    """Which row (B, n) of the stack surface points belong to, by parts' fields: the nearest solid part, or the cut that
    bares the inside of one."""
    adds, cuts, _ = s.counts
    rank = apart.clone()
    if cuts and adds:
        depth = -apart[:, adds : adds + cuts]
        bared = depth.amax(1, keepdim=True) > apart[:, :adds].amin(1, keepdim=True)
        rank[:, :adds].masked_fill_(bared, FAR)
        rank[:, adds : adds + cuts] = torch.where(bared, depth.abs(), FAR)
    elif cuts:
        rank[:, :cuts] = FAR
    return rank.argmin(1)


def stand_ins(s: Sculpture) -> list[Primitive]:
    """Coarse closed-form primitives (world) for shadows: one per solid part, six around a wide ring."""
    found = []
    for part in (p for p in s.parts if p.op != CUT):
        a, b, c = (v * s.scale for v in part.half)
        ring, tube = part.ring() * s.scale, part.tube() * s.scale
        pieces: list[tuple[int, Vec, Vec, Mat, Number]]
        if part.kind == TORUS and ring > 0.6 * tube:
            size = (tube, b, max(tube, 0.6 * ring))
            pieces = [
                (ELLIPSOID, (ring * math.cos(w), 0, ring * math.sin(w)), size, rotation(-math.degrees(w)), 0.0)
                for w in (i * math.pi / 3 for i in range(6))
            ]
        else:
            square = [part.rounding < 0.5 * min(part.half) if part.rounding else e > 4 for e in part.exponents]
            kind = (
                (BOX if square[0] else CYLINDER if square[1] else ELLIPSOID) if part.kind == SUPERQUADRIC else CYLINDER
            )
            pieces = [(kind, (0, 0, 0), (a, b, c), IDENTITY, part.taper if kind == CYLINDER else 0.0)]
        turn = compose(s.turn, part.turn)
        middle = apply(s.turn, tuple(v * s.scale for v in part.centre))  # type: ignore[arg-type]
        for kind, where, half, spin, taper in pieces:
            shift = apply(turn, where)
            centre = tuple(s.origin[i] + middle[i] + shift[i] for i in range(3))
            found.append(Primitive(kind, centre, half, compose(turn, spin), part.material, taper))  # type: ignore[arg-type]
    return found
