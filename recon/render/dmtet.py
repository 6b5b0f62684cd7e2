"""Deep marching tetrahedra: a signed distance on a lattice of tetrahedra made into a closed mesh, differentiably.

Shen et al. 2021, "Deep marching tetrahedra". The lattice is body-centred cubic: the corners and the centres of
resolution³ cubes. Its tetrahedra are all alike (two adjacent centres and one edge of the face between them), nearly
regular, and need no table: four of them around each inner face of the cubes. The field is positive inside. Faces wind
counter-clockwise seen from outside, so that the signed volume is positive.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
"""The six edges of a tetrahedron, by its corners."""


@dataclass(frozen=True)
class LatticeSurface:
    """vertices: with gradients to the field and to the lattice's positions; faces: outwards; edges: of the lattice, from
    its inner to its outer end, one per vertex, which lies on it."""

    vertices: Float[Tensor, "v 3"]
    faces: Int64[Tensor, "f 3"]
    edges: Int64[Tensor, "v 2"]


def _is_even(order: tuple[int, ...]) -> bool:
    return sum(order[i] > order[j] for i in range(len(order)) for j in range(i)) % 2 == 0


@cache
def _case(inside: int) -> list[tuple[int, int, int]]:
    """Triangles, as indices into `EDGES`, that part the corners in the bit set `inside` from the others.

    Of a tetrahedron a, b, c, d with (b−a)·(c−a)×(d−a) > 0, the corner a is parted by the triangle ab, ac, ad, whose normal
    points away from a; the pair a, b by the quadrangle ac, ad, bd, bc, whose normal points away from them. So does any even
    reordering of the corners say.
    """
    corners = [corner for corner in range(4) if inside >> corner & 1]
    if len(corners) in (0, 4):
        return []
    if len(corners) == 3:  # the lone corner outside, the other way round
        return [(a, c, b) for a, b, c in _case(15 - inside)]
    a, b, c, d = next(p for p in permutations(range(4)) if sorted(p[: len(corners)]) == corners and _is_even(p))

    def edge(one: int, other: int) -> int:
        return EDGES.index((min(one, other), max(one, other)))

    if len(corners) == 1:
        return [(edge(a, b), edge(a, c), edge(a, d))]
    quad = edge(a, c), edge(a, d), edge(b, d), edge(b, c)
    return [(quad[0], quad[1], quad[2]), (quad[0], quad[2], quad[3])]


def tetrahedral_lattice(resolution: int, radius: float = 1.0) -> Float[Tensor, "n 3"]:
    """Positions of the lattice in the cube from −radius to radius: (resolution+1)³ corners, then resolution³ centres, x the
    slowest index."""
    step = 2 * radius / resolution
    corner = torch.arange(resolution + 1) * step - radius
    centre = corner[:-1] + step / 2
    return torch.cat([torch.stack(torch.meshgrid(x, x, x, indexing="ij"), -1).view(-1, 3) for x in (corner, centre)])


def on_border(resolution: int) -> Bool[Tensor, " n"]:
    """Which positions of the lattice lie on the surface of its tetrahedra: if they are outside, the mesh is closed."""
    out = []
    for side in (resolution + 1, resolution):
        inner = torch.zeros((side,) * 3, dtype=torch.bool)
        inner[1:-1, 1:-1, 1:-1] = True
        out.append(~inner.flatten())
    return torch.cat(out)


def _around(corner: Tensor, centre: Tensor) -> list[Tensor]:
    """Per inner face of the cubes across the first axis: its two centres, its four corners in turn."""
    x = corner[1:-1]
    return [centre[:-1], centre[1:], x[:, :-1, :-1], x[:, 1:, :-1], x[:, 1:, 1:], x[:, :-1, 1:]]


def _octahedra(inside: Bool[Tensor, " n"], resolution: int) -> Int64[Tensor, "m 6"]:
    """Around each inner face of the cubes through which the surface may pass: the two centres, then the face's corners in
    counter-clockwise order seen from the second."""
    side = resolution + 1
    corner = inside[: side**3].view(side, side, side)
    centre = inside[side**3 :].view(resolution, resolution, resolution)
    numbers = torch.arange(len(inside), device=inside.device)
    corner_number = numbers[: side**3].view(side, side, side)
    centre_number = numbers[side**3 :].view(resolution, resolution, resolution)
    found = []
    for axis in range(3):
        # Cyclic order of the axes keeps the orientation.
        order = (axis, (axis + 1) % 3, (axis + 2) % 3)
        signs = _around(corner.permute(order), centre.permute(order))
        values = _around(corner_number.permute(order), centre_number.permute(order))
        both = signs[0] != signs[1]
        for other in signs[2:]:
            both = both | (signs[0] != other)
        where = both.nonzero().unbind(1)
        found.append(torch.stack([value[where] for value in values], 1))
    return torch.cat(found)


def marching_tetrahedra(
    field: Float[Tensor, " n"], positions: Float[Tensor, "n 3"], resolution: int, closed: bool = True
) -> LatticeSurface:
    """The surface where the field is 0, linear along the lattice's edges.

    positions: `lattice(resolution)`, moved by less than a quarter of a cube if the tetrahedra are to keep their
    orientation. closed: take the lattice's border for outside, whatever the field says there.
    """
    inside = field.detach() > 0
    if closed:
        inside = inside & ~on_border(resolution).to(field.device)
    shell = _octahedra(inside, resolution)
    turn = [shell[:, [0, 1, 2 + i, 2 + (i + 1) % 4]] for i in range(4)]
    tetrahedra = torch.cat(turn)
    code = (inside[tetrahedra] * torch.tensor([1, 2, 4, 8], device=field.device)).sum(1)
    ends = tetrahedra[:, EDGES]  # (t, 6, 2)
    rows, picks = [], []
    for case in range(1, 15):
        chosen = (code == case).nonzero().squeeze(1)
        for triangle in _case(case):
            rows.append(chosen)
            picks.append(chosen.new_tensor(triangle).expand(len(chosen), 3))
    corners = ends[torch.cat(rows)[:, None], torch.cat(picks)]  # (f, 3, 2)
    low, high = corners.amin(-1), corners.amax(-1)
    key, faces = torch.unique((low << 32 | high).flatten(), return_inverse=True)
    low, high = key >> 32, key & 0xFFFFFFFF
    first = inside[low]
    edges = torch.stack([torch.where(first, low, high), torch.where(first, high, low)], 1)
    return LatticeSurface(_crossing(field, positions, edges, closed), faces.view(-1, 3), edges)


def _crossing(
    field: Float[Tensor, " n"], positions: Float[Tensor, "n 3"], edges: Int64[Tensor, "v 2"], closed: bool
) -> Float[Tensor, "v 3"]:
    """The field's zero on each edge. At the border the outer value may be positive: the surface then ends there."""
    inner, outer = edges.unbind(1)
    s, t = field.index_select(0, inner), field.index_select(0, outer)
    if closed:
        t = t.clamp_max(0)
    share = (s / (s - t))[:, None]
    return torch.lerp(positions.index_select(0, inner), positions.index_select(0, outer), share)


APART = 1e-3
"""Of a cube's edge: how far a surface keeps from the lattice's vertices where it would shrink faces to points."""


def apart_from_lattice(distance: Float[Tensor, " n"], resolution: int) -> Float[Tensor, " n"]:
    """A signed distance at the lattice's vertices of which none is so near to 0 that vertices of the surface fall
    together."""
    least = APART * 2 / resolution
    inside = (distance > 0) & ~on_border(resolution).to(distance.device)
    return torch.where(inside, distance.clamp_min(least), distance.clamp_max(-least))
