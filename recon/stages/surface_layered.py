"""The `layered` surface: the cut mesh of what the photo shows, over sheets that carry on what it hides.

Behind the front lies one plate without cuts (recon.geometry.plate), and where there is sky, a dome far behind all.
Neither reaches further than a view needs that is turned by the cone from the photo's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8
from numpy import ndarray

from recon.geometry.fill import nearest_filled
from recon.geometry.front import Front, cell_lattice, dome, padded_samples
from recon.geometry.grid import without_floaters
from recon.geometry.lattice import Lattice, block_means
from recon.geometry.layers import Sheet, thinned_sheet, uncut_mesh, uncut_sheet, whole_quads
from recon.geometry.normals import lattice_normals
from recon.geometry.plate import FARTHEST, Plate, carried_in, far_slopes, make_plate, reached
from recon.geometry.plate_colour import (
    FADE,
    cell_means,
    doubled,
    filled_by_level,
    halved,
    halved_map,
    mixed_share,
    nearest_colours,
    push_pull,
    reflected_detail,
)
from recon.geometry.sparse import is_sparse
from recon.settings import LayeredSettings
from recon.stages.photo_texture import colors_at
from recon.stages.surface_grid import cleaned_lattice, grid_of, smallest_piece
from recon.types import GIVEN, Camera, DepthMap, Mask, Mesh, Photo

SOURCE_WINDOW = 32.0
"""Samples from a step within which the far side gives the plate its colours."""
OFF_STEP = 2.5
"""Samples from a step whose colours both sides share: nobody's source."""
NEAR_RIM = 1.5
"""Samples from a step within which the near side's colours are mixed."""
FAR_RIM, BLURRED_RIM = 1.5, 4.5
"""The same on the far side; and where the depth is a network's, whose edges need not be quite the photo's."""
STRAYING, STRAY = 16.0, 0.4
"""Samples from a step of a network's within which the near side may lie on the far side, and the share of the near side's
colour from which it does."""
MIXED = 0.15
"""Share of the near side's colour in a far one from which it is mixed."""
SKY_EVERY = 4
"""Samples of the dome's from one of its vertices to the next."""
SKY_PAD = 0.5
"""How far the sky reaches over the photo's border, in parts of its longer side."""


@dataclass(frozen=True)
class Behind:
    """A sheet behind the front: its samples, and its texture, two by two texels for each. every: samples from one vertex of
    its mesh to the next, where it is smooth."""

    name: str
    lattice: Lattice
    texture: UInt8[ndarray, "h w 3"]
    every: int = 1

    def mesh(self) -> Mesh:
        """As a textured mesh."""
        vertices, faces, place = uncut_mesh(thinned_sheet(self.lattice, self.every))
        place *= np.float32(self.every)
        size = np.array(self.lattice.z.shape[::-1], np.float32)
        uv = ((place + np.float32(0.5)) / size).astype(np.float32)
        return Mesh(vertices, faces, colors_at(self._cells(), place), uv, self.texture, name=self.name)

    def sheet(self) -> Sheet:
        """As samples."""
        return uncut_sheet(self.name, self.lattice, self._cells())

    def at_samples(self, lattice: Lattice) -> tuple[UInt8[ndarray, "h w 3"], Bool[ndarray, "h w"]]:
        """Its colours at the samples of the photo's lattice, and where its mesh is."""
        top, left = (round(float((a - b[0]) / lattice.stride) + 0.5) for a, b in
                     ((lattice.v[0], self.lattice.v), (lattice.u[0], self.lattice.u)))  # fmt: skip
        window = (slice(top, top + lattice.z.shape[0]), slice(left, left + lattice.z.shape[1]))
        there = np.pad(np.repeat(np.repeat(whole_quads(self.lattice), 2, axis=0), 2, axis=1), 1)
        return self.texture[window], there[window]

    def _cells(self) -> UInt8[ndarray, "h w 3"]:
        return cv2.resize(self.texture, self.lattice.z.shape[::-1], interpolation=cv2.INTER_AREA)


@dataclass(frozen=True)
class Layers:
    """What the photo shows and what lies behind it. smallest: pieces of the front of fewer samples are left out; rims: the
    samples at steps whose colours the photo mixes, and the colours that they have."""

    photo: Photo
    mask: Mask
    front: Front
    smallest: int
    behind: tuple[Behind, ...]
    rims: tuple[Bool[ndarray, "h w"], UInt8[ndarray, "h w 3"]] | None

    def mesh(self) -> Mesh:
        """The front with what is behind it; the grid mesh where there is nothing behind."""
        photo = self.photo if self.rims is None else replace(self.photo, rgb=self._freed())
        mesh = grid_of(self._trimmed(), self.smallest, photo, self.mask)
        if not self.behind:
            return mesh
        return mesh.with_(name="photo", behind=tuple(each.mesh() for each in self.behind))

    def _trimmed(self) -> Lattice:
        """The front without those far samples at steps whose colours are mixed, where the plate shows instead: the outline
        runs between samples, and half of these texels are the near side's."""
        cleaned, (distance, far_side) = self.front.cleaned, self.front.edge
        for each in self.behind:
            if each.name == "hidden" and self.rims is not None:
                trimmed = far_side & (distance < 1) & self.rims[0] & each.at_samples(cleaned)[1]
                cleaned = replace(cleaned, z=np.where(trimmed, np.float32(np.nan), cleaned.z))
        return cleaned

    def sheets(self) -> tuple[Sheet, ...]:
        """The same as samples, the photo's first."""
        lattice, front = self.front.lattice, self.front
        points, valid = lattice.points(), ~np.isnan(lattice.z)
        colors = block_means(self.photo.rgb, lattice)
        if self.rims is not None:
            colors[self.rims[0]] = self.rims[1][self.rims[0]]
        normals = lattice_normals(points, front.cut_h, front.cut_v, 2)
        first = Sheet("photo", points, colors, normals, valid, front.alpha() if self.behind else valid.astype(np.float32),
                      lattice.footprint)  # fmt: skip
        return (first, *(each.sheet() for each in self.behind))

    @property
    def invented(self) -> float:
        """Share of all samples that the photo does not show, each counted as large as it would be in the photo."""
        sky = int(np.count_nonzero(self.front.sky))
        shown = int(np.count_nonzero(~np.isnan(self.front.lattice.z))) + sky
        every = 4 * sum(int(np.count_nonzero(~np.isnan(each.lattice.z))) for each in self.behind)
        made = max(0, every - sky)
        return made / max(1, made + shown)

    def _freed(self) -> UInt8[ndarray, "h w 3"]:
        """The photo with its rims' colours put right."""
        assert self.rims is not None
        stride, (height, width) = self.front.lattice.stride, self.photo.size
        out = self.photo.rgb.copy()
        rows, columns = np.nonzero(self.rims[0])
        colours = self.rims[1][rows, columns]
        for i in range(stride):
            for j in range(stride):
                y, x = rows * stride + i, columns * stride + j
                inside = (y < height) & (x < width)
                out[y[inside], x[inside]] = colours[inside]
        return out


def make_layers(
    photo: Photo,
    mask: Mask,
    depth: DepthMap,
    camera: Camera,
    settings: LayeredSettings = LayeredSettings(),
    behind: tuple[Behind, ...] | None = None,
) -> Layers:
    """The sheets of a photo. cone of the settings: how many degrees a view may be turned from the photo's; behind: what was
    made behind the same photo, where it need not be as fine as the front."""
    cleaned = cleaned_lattice(depth, camera, settings.grid.max_samples)
    smallest = smallest_piece(depth, cleaned, settings.grid.smallest_piece)
    if smallest > 1:
        cleaned = _settled(cleaned, max(smallest, int(settings.smallest_piece * cleaned.z.size)))
    front = _front(depth, mask, cleaned, smallest)
    colours = block_means(photo.rgb, front.lattice).astype(np.float32)
    if behind is None:
        # the camera moves by pivot·tan(cone); a cell is two samples
        pivot = float(np.nanmedian(front.lattice.z)) if not np.isnan(front.lattice.z).all() else 1.0
        reach = camera.focal * pivot * math.tan(math.radians(settings.cone)) / (2 * front.lattice.stride)
        behind = (*_hidden(front, colours, reach), *_sky(front, colours, reach))
    rims = _rims(front, colours) if behind else None
    return Layers(photo, mask, front, smallest, behind, rims)


def _settled(cleaned: Lattice, least: int) -> Lattice:
    """Shards of fewer than `least` samples put on the far side around them: there they show what the photo shows, and from
    the side they do not fly."""
    z, _, _ = without_floaters(cleaned.z, cleaned.footprint, least, cleaned.noise)
    shard = np.isnan(z) & ~np.isnan(cleaned.z)
    return (
        replace(cleaned, z=(1 / carried_in((1 / z).astype(np.float32), shard)).astype(np.float32))
        if shard.any()
        else cleaned
    )


def _front(depth: DepthMap, mask: Mask, cleaned: Lattice, smallest: int) -> Front:
    z, cut_h, cut_v = without_floaters(cleaned.z, cleaned.footprint, smallest, cleaned.noise)
    every = slice(cleaned.stride // 2, None, cleaned.stride)
    gone = np.isnan(z)
    inside = np.ones(z.shape, bool) if mask.inside is None else mask.inside[every, every]
    skies = mask.inside is None and depth.model != GIVEN  # a network says so
    sky = gone & np.isnan(depth.z[every, every]) & skies
    hole = np.zeros(z.shape, bool) if is_sparse(depth.z) else gone & inside & ~sky
    return Front(cleaned, replace(cleaned, z=z), (1 / z).astype(np.float32), cut_h, cut_v, sky, hole)


def _hidden(front: Front, colours: Float32[ndarray, "h w 3"], reach: float) -> list[Behind]:
    """The plate, if there is one."""
    surface, sky = front.steps
    distance, far_side = front.edge
    there = ~np.isnan(front.inverse)
    beside = far_side & there & (distance <= SOURCE_WINDOW)
    if not beside.any():
        return []
    slope = far_slopes(front.inverse, front.cut_h, front.cut_v, beside)
    floor = FARTHEST * float(np.percentile(front.inverse[beside], 1))
    plate = make_plate(front.inverse, surface, sky, front.hole, there | front.hole, slope, reach, floor)
    if plate is None:
        return []
    source = beside & (distance >= OFF_STEP)
    if front.lattice.noise:
        source &= ~_strays(colours, there & ~far_side & (distance >= NEAR_RIM), there & far_side, distance)
    texture = _plate_texture(plate, front.inverse, colours, source if source.any() else beside)
    lattice = cell_lattice(front.lattice, plate.inverse.shape, plate.top, plate.left)
    return [Behind("hidden", replace(lattice, z=1 / plate.inverse), texture)]


def _strays(
    colours: Float32[ndarray, "h w 3"],
    near_side: Bool[ndarray, "h w"],
    far_side: Bool[ndarray, "h w"],
    distance: Float32[ndarray, "h w"],
) -> Bool[ndarray, "h w"]:
    """Far samples that look like the near side and not like the far side further off: a network's outline that runs inside
    the photo's leaves them beside it."""
    wanted = far_side & (distance < SOURCE_WINDOW)
    near, near_known = nearest_colours(colours, near_side, wanted, SOURCE_WINDOW)
    far, far_known = nearest_colours(colours, far_side & (distance >= STRAYING), wanted, SOURCE_WINDOW)
    share = mixed_share(colours, near.astype(np.float32), far.astype(np.float32))
    return wanted & near_known & far_known & (share > STRAY) & (distance < STRAYING)


def _plate_texture(
    plate: Plate, inverse: Float32[ndarray, "h w"], colours: Float32[ndarray, "h w 3"], source: Bool[ndarray, "h w"]
) -> UInt8[ndarray, "a b 3"]:
    """Smooth colours from the far side, made at half the cells' fineness, and its fine texture reflected."""
    place = (plate.inverse.shape, plate.top, plate.left)
    means = cell_means(*(padded_samples(each, *place) for each in (colours, np.where(source, inverse, 0), source)))
    plane = nearest_filled(plate.inverse)
    smooth = filled_by_level(*halved(*means), halved_map(plane))
    fine = doubled(doubled(smooth))[: 2 * plane.shape[0], : 2 * plane.shape[1]]
    rows, columns, carried = _carried(plate)
    detail = reflected_detail(colours, inverse, source, carried, doubled(plane)[rows, columns])
    fine[rows, columns] += detail
    return np.clip(np.rint(fine), 0, 255).astype(np.uint8)


def _carried(
    plate: Plate,
) -> tuple[Int64[ndarray, " n"], Int64[ndarray, " n"], tuple[Int64[ndarray, "2 n"], Float32[ndarray, "2 n"]]]:
    """Texels near the steps that they are carried on from, and both places in the photo's samples."""
    rows, columns = np.nonzero(~np.isnan(plate.inverse))
    i, j = plate.source[:, rows, columns]
    near = np.hypot(rows - i, columns - j) < FADE / 2
    rows, columns, i, j = (np.repeat(each[near], 4) for each in (rows, columns, i, j))
    down, right = np.tile([0, 0, 1, 1], len(rows) // 4), np.tile([0, 1, 0, 1], len(rows) // 4)
    rows, columns = 2 * rows + down, 2 * columns + right
    corner = np.array([[2 * plate.top], [2 * plate.left]])
    source = (2 * np.stack([i, j]) + 0.5 - corner).astype(np.float32)
    return rows, columns, (np.stack([rows, columns]) - corner, source)


def _sky(front: Front, colours: Float32[ndarray, "h w 3"], reach: float) -> list[Behind]:
    """The dome, where there is sky."""
    if not front.sky.any():
        return []
    pad = math.ceil(SKY_PAD * max(front.sky.shape) / 2)
    # whole meshes of vertices
    shape = tuple(math.ceil((math.ceil(side / 2) + 2 * pad) / SKY_EVERY) * SKY_EVERY + 1 for side in front.sky.shape)
    sky = padded_samples(front.sky, shape, pad, pad)
    some = sky[::2, ::2] | sky[1::2, ::2] | sky[::2, 1::2] | sky[1::2, 1::2]
    distance = cv2.distanceTransform((~some).astype(np.uint8), cv2.DIST_L2, 5)
    # beside what the photo shows of it, the sky goes on over the border; under what meets it, as far as it is uncovered
    photo = padded_samples(np.ones(front.sky.shape, bool), shape, pad, pad)[::2, ::2]
    shown = some | (~photo & (distance <= 2 * pad)) | reached(front.steps[1], shape, pad, pad, reach)
    shown = cv2.dilate(shown.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    lattice = cell_lattice(front.lattice, shape, pad, pad)
    z = np.where(shown, 1 / dome(lattice, front.dome_radius), np.float32(np.nan))
    distance_to_step, _ = front.edge
    source = padded_samples(front.sky & (distance_to_step >= OFF_STEP), shape, pad, pad)
    source = source if source.any() else sky
    filled = push_pull(padded_samples(colours, shape, pad, pad), source.astype(np.float32))
    return [Behind("sky", replace(lattice, z=z), np.clip(np.rint(filled), 0, 255).astype(np.uint8), SKY_EVERY)]


def _rims(front: Front, colours: Float32[ndarray, "h w 3"]) -> tuple[Bool[ndarray, "h w"], UInt8[ndarray, "h w 3"]]:
    """The samples at steps in whose colours the other side's is mixed, and the colours of their own side: those of the
    nearest sample on it that is far enough from the step."""
    distance, far_side = front.edge
    there = ~np.isnan(front.inverse)
    sides = [there & ~far_side, front.sky | (there & far_side)]
    rim = BLURRED_RIM if front.lattice.noise else FAR_RIM
    band = (there | front.sky) & (distance < rim)
    inner = [
        side & (distance >= least) & (distance < SOURCE_WINDOW)
        for side, least in zip(sides, (NEAR_RIM, rim), strict=True)
    ]
    (near, near_known), (far, far_known) = (nearest_colours(colours, side, band, 2 * rim) for side in inner)
    share = mixed_share(colours, near.astype(np.float32), far.astype(np.float32))
    known = band & near_known & far_known
    mixed_far = known & there & far_side & (share > MIXED)
    mixed_near = known & sides[0] & (distance < NEAR_RIM) & (share < 1 - MIXED)
    return mixed_far | mixed_near, np.where(far_side[..., None], far, near)
