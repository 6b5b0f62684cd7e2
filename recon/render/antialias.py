"""Silhouettes antialiased by their analytic crossings with the pixel grid: the gradient of visibility.

Laine et al. 2020 (section 3.4) blend the two pixels on either side of a silhouette edge by where it crosses the segment
between their centres. Two things are done better here. They look for such edges among those of the faces seen at the two
pixels, which misses the edge where faces are smaller than pixels; here every silhouette edge is walked along the pixel
rows (or columns), so that the size of the faces does not matter. And a pixel's share of the blend is the exact area of a
straight edge of that slope over the whole pixel, not over the line through its centre.

What is blended is the colour at the covered pixel's centre. Where it changes much within that last pixel, as a texture does
at the limb of a ball, the gradient is off by half of that change; a mask's is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from recon.render.raster import Fragments, depth_map
from recon.render.topology import Edges
from recon.render.visibility import NEAR, expand_counts

BLEND = 0.4, 0.6
"""Steepness rows/(rows + columns) between which an edge is walked along columns and rows both, each with its share: with a
sharp change, a chain of short edges at 45° could pass a pixel between the rows of the one and the columns of the other."""
SLACK = 10.0
"""How far the surface beside a silhouette may lie behind it, in pixel footprints: a plane seen at 84° falls so steeply.
What lies deeper belongs to something else."""


@dataclass(frozen=True)
class Crossings:
    """k segments between the centres of neighbouring pixels that a silhouette crosses.

    covered, beyond: the pixel on the surface's side and its neighbour; reach: how far the surface reaches from the one
    centre (0) to the other (1); slope: how far the silhouette moves that way or back from one row (column) to the next;
    share: of the blend. Only reach has a gradient.
    """

    covered: Int64[Tensor, " k"]
    beyond: Int64[Tensor, " k"]
    reach: Float[Tensor, " k"]
    slope: Float[Tensor, " k"]
    share: Float[Tensor, " k"]


def uncovered_area(reach: Float[Tensor, " k"], slope: Float[Tensor, " k"]) -> Float[Tensor, " k"]:
    """Area of a unit pixel beyond a straight edge that passes its centre at a distance of `reach` ≥ 0: the mean of
    clamp(½ − reach − slope·y, 0, 1) over −½ < y < ½."""
    half = (
        slope.clamp(2e-4, 1) / 2
    )  # an upright edge is a slightly slanted one: half of the gradient on either side of ½
    corner = (0.5 + half - reach).clamp_min(0).square() / (4 * half)
    return torch.where(reach < 0.5 - half, 0.5 - reach, corner)


def antialias(picture: Float[Tensor, "h w c"], seen: Fragments, edges: Edges) -> Float[Tensor, "h w c"]:
    """The picture with blended silhouettes, differentiable in the vertices. A coverage mask is the picture of ones."""
    values = picture.flatten(0, 1)
    found = crossings(seen, edges)
    step = values.index_select(0, found.beyond) - values.index_select(0, found.covered)
    less, more = (found.share * uncovered_area(x, found.slope) for x in (found.reach, 1 - found.reach))
    values = values.index_add(0, found.covered, less[:, None] * step)
    return values.index_add(0, found.beyond, -more[:, None] * step).view_as(picture)


def crossings(seen: Fragments, edges: Edges) -> Crossings:
    """Where the silhouettes that are seen cross the pixel grid: rows by steep edges, columns by the others."""
    height, width = seen.size
    x, y, z = seen.vertices.unbind(1)
    column = seen.focal * x / z + (width - 1) / 2
    row = seen.focal * y / z + (height - 1) / 2
    one, other, third = _silhouettes(column.detach(), row.detach(), z.detach(), edges)
    depth = depth_map(seen).detach()
    rise = (row.detach()[other] - row.detach()[one]).abs()
    run = (column.detach()[other] - column.detach()[one]).abs()
    steep = ((rise / (rise + run).clamp_min(1e-20) - BLEND[0]) / (BLEND[1] - BLEND[0])).clamp(0, 1)
    sides = []
    for share, along, across, buffer in ((steep, row, column, depth), (1 - steep, column, row, depth.T)):
        chosen = share > 0
        ends = one[chosen], other[chosen], third[chosen], share[chosen]
        sides.append(_walk(*ends, along, across, z, buffer.contiguous(), seen.focal))
    rows, columns = sides
    back = [index % height * width + index // height for index in columns[:2]]  # from the transposed picture
    return Crossings(*(torch.cat(both) for both in zip(rows, (*back, *columns[2:]), strict=True)))


def _silhouettes(
    column: Float[Tensor, " v"], row: Float[Tensor, " v"], z: Float[Tensor, " v"], edges: Edges
) -> tuple[Int64[Tensor, " s"], Int64[Tensor, " s"], Int64[Tensor, " s"]]:
    """Ends and a third vertex of the edges whose faces both lie on the same side of them, or that have but one. Edges that
    reach behind the camera are left out."""
    one, other = (end.contiguous() for end in edges.ends.unbind(1))
    u, v = column.index_select(0, one), row.index_select(0, one)
    du, dv = column.index_select(0, other) - u, row.index_select(0, other) - v

    def side(vertex: Int64[Tensor, " e"]) -> Bool[Tensor, " e"]:
        vertex = vertex.contiguous()
        return du * (row.index_select(0, vertex) - v) > dv * (column.index_select(0, vertex) - u)

    third, fourth = edges.opposite.unbind(1)
    fold = side(third) == side(fourth)
    if not bool((z > NEAR).all()):
        fold &= (z[one] > NEAR) & (z[other] > NEAR) & (z[third] > NEAR) & (z[fourth] > NEAR)
    kept = fold.nonzero().squeeze(1)
    return one[kept], other[kept], third[kept]


def _walk(
    one: Int64[Tensor, " s"],
    other: Int64[Tensor, " s"],
    third: Int64[Tensor, " s"],
    share: Float[Tensor, " s"],
    along: Float[Tensor, " v"],
    across: Float[Tensor, " v"],
    z: Float[Tensor, " v"],
    depth: Float[Tensor, "h w"],
    focal: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Crossings of edges with the lines of pixel centres at whole `along` (rows), as fields of `Crossings`."""
    height, width = depth.shape
    start, end = along.detach()[one], along.detach()[other]
    first = torch.minimum(start, end).ceil().clamp(0, height).long()  # half open: each line once along a chain
    last = torch.maximum(start, end).ceil().clamp(0, height).long()
    edge, line = expand_counts(last - first)
    line = line + first[edge]
    a, b, c = one[edge], other[edge], third[edge]
    t = (line - along[a]) / (along[b] - along[a])
    place = across[a] + t * (across[b] - across[a])
    # The surface lies on the third vertex's side.
    tilt = (across.detach()[b] - across.detach()[a]) / (along.detach()[b] - along.detach()[a])
    right = across.detach()[c] > across.detach()[a] + tilt * (along.detach()[c] - along.detach()[a])
    left = place.detach().floor()
    at = torch.lerp(1 / z.detach()[a], 1 / z.detach()[b], t.detach()).reciprocal()
    inside = (left >= 0) & (left < width - 1)
    pair = line * width + left.clamp(0, width - 2).long()
    covered, beyond = pair + right, pair + ~right
    flat = depth.flatten()
    visible = inside & (flat[covered] <= at * (1 + SLACK / focal)) & (flat[beyond] > at)
    # Of several silhouettes between two pixels the nearest is seen.
    kept = visible.nonzero().squeeze(1)
    nearest = flat.new_full((height * width,), torch.inf).scatter_reduce_(0, pair[kept], at[kept], "amin")
    kept = kept[at[kept] == nearest[pair[kept]]]
    reach = torch.where(right[kept], (left + 1)[kept] - place[kept], place[kept] - left[kept])
    return covered[kept], beyond[kept], reach, tilt[kept].abs(), share[edge[kept]]
