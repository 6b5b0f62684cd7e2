"""Whether a refined mesh is better than the first one, or at least no worse: both are looked at as the photo's camera did,
and from around.

From the photo's side there is a truth: the mask and the photo. From around there is none; there a model must not be rougher
than the first, nor wear colours that its photo does not have.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from recon.geometry.camera import back_project
from recon.geometry.closed import is_closed
from recon.messages import PYTHON, Message, Phrasebook, note
from recon.refinement.looked_at import Looked, Picture, orbit_rays
from recon.refinement.progress import Heartbeat, no_heartbeat
from recon.types import Camera, Mask, Mesh, Photo

SIDE = 512
"""Rays along the longer side of the photo's view."""
AROUND, AROUND_SIDE = ((60.0, 10.0), (120.0, 10.0), (180.0, 10.0), (240.0, 10.0), (300.0, 10.0), (0.0, 70.0)), 192
"""(azimuth, elevation) of the other views, in degrees, and their side."""
BEHIND = (180.0, 10.0)
FAR = 0.02
"""Over the subject's size: what lies farther from an outline is no part of it."""
SOFT = 1.5
"""Pixels by which pictures are blurred before their colours are compared: a texture may be a little softer."""
TOOTH, BUMP = 4.0, 2.0
"""Pixels by which an outline, or normals, are smoothed to find teeth and bumps."""
FINE = 4.0
"""Pixels: how large what is counted as a detail of the far side is at most."""
BLURRED, PLAIN = 0.38, 0.02
"""Of the first model's details on the far side, the least that is to be left; where that has fewer than the second, in
0..1 of a channel, nothing is asked. Ten fogged backs had at most 0.31 left, clear ones at least 0.46."""
CROSSED = 0.005
"""Share of what is seen: so much more of the inside is a surface that cuts itself, less is lost between two pixels."""
NEAR_COLOUR = 0.1
"""In 0..1 of a channel: colours nearer than that are one."""


@dataclass(frozen=True)
class Look:
    """What is seen of a mesh. overlap: IoU of its silhouette with the mask; outline: mean distance between the two outlines
    over the subject's size; missed: share of the longer missing part: of the photo's outline that is not the mesh's, or of
    the mesh's that is not the photo's; teeth: how far its outline lies from its own smoothed one, over the same of the
    mask; colour: RMS difference from the photo, in 0..1; bumps: degrees between its normals and their mean around, from
    around; foreign: share of what is seen from around in colours that the photo does not have; detail: RMS difference of
    the colours seen from behind from their mean around, in 0..1; crossed: share of what is seen from around that is the
    inside of a face: the mesh cuts itself there; closed; parts."""

    overlap: float
    outline: float
    missed: float
    teeth: float
    colour: float
    bumps: float
    foreign: float
    detail: float
    crossed: float
    closed: bool
    parts: int


@dataclass(frozen=True)
class Verdict:
    """better: whether the refined mesh is to be taken; reasons: why not, in words for everybody; first, refined: what was
    seen."""

    better: bool
    reasons: tuple[Message, ...]
    first: Look
    refined: Look

    def report(self, book: Phrasebook = PYTHON) -> dict[str, object]:
        """Ready for JSON, its reasons in the words of a phrasebook."""
        return asdict(self) | {"reasons": [reason.text(book) for reason in self.reasons]}


def verdict(
    photo: Photo, mask: Mask, camera: Camera, first: Mesh, refined: Mesh, heartbeat: Heartbeat = no_heartbeat
) -> Verdict:
    """Compare two closed, textured meshes of a photo's subject, in the camera's frame."""
    one, other = (look_of(photo, mask, camera, mesh, heartbeat) for mesh in (first, refined))
    reasons = worse(one, other)
    return Verdict(not reasons, reasons, one, other)


def worse(first: Look, refined: Look) -> tuple[Message, ...]:
    """In which respects the refined mesh is worse than the first one."""
    found = (
        (
            note("worse.outline", "its outline is farther from the photo's"),
            refined.overlap < first.overlap - 0.025 or refined.outline > first.outline + 0.004,
        ),
        (note("worse.missed", "parts of the outline are missing or swollen"), refined.missed > first.missed + 0.06),
        (note("worse.teeth", "its outline is jagged"), refined.teeth > max(1.5 * first.teeth, 2.0)),
        (note("worse.bumps", "its surface is bumpy"), refined.bumps > max(first.bumps, 10.0)),
        (note("worse.colour", "its colours are farther from the photo's"), refined.colour > first.colour + 0.04),
        (
            note("worse.foreign", "it wears colours that the photo does not have"),
            refined.foreign > first.foreign + 0.1,
        ),
        (
            note("worse.detail", "its far side is a blur"),
            first.detail > PLAIN and refined.detail < BLURRED * first.detail,
        ),
        (note("worse.crossed", "it cuts through itself"), refined.crossed > first.crossed + CROSSED),
        (note("worse.open", "it is not closed"), first.closed and not refined.closed),
        (note("worse.parts", "it is in pieces"), refined.parts > max(first.parts, 1)),
    )
    return tuple(reason for reason, is_so in found if is_so)


def look_of(photo: Photo, mask: Mask, camera: Camera, mesh: Mesh, heartbeat: Heartbeat = no_heartbeat) -> Look:
    """See `Look`. The mask has a subject."""
    assert mask.inside is not None
    looked = Looked.at(mesh)
    heartbeat()
    u, v = _grid(mask.inside)
    rays = back_project(u[None], v[:, None], np.ones((len(v), len(u)), np.float32), camera)
    seen = looked.along(np.zeros(3), rays)
    inside = mask.inside[v.astype(np.intp)][:, u.astype(np.intp)]
    size = float(np.sqrt(inside.sum()))
    gap, missed = _between(inside, seen.hit, size)
    wanted = _soft_at(photo, u, v)
    heartbeat()
    pictures = _around(looked, heartbeat)
    palette = _palette(wanted[inside])
    return Look(
        overlap=float((inside & seen.hit).sum() / (inside | seen.hit).sum()),
        outline=gap, missed=missed,
        teeth=_teeth(seen.hit) / max(_teeth(inside), 0.1),
        colour=_off(seen, wanted, inside),
        bumps=float(np.mean([_bumps(picture) for picture in pictures])),
        foreign=float(np.mean([_foreign(picture, palette) for picture in pictures])),
        detail=_detail(pictures[AROUND.index(BEHIND)]),
        crossed=float(np.mean([picture.inside_out.sum() / max(picture.hit.sum(), 1) for picture in pictures])),
        closed=is_closed(mesh.welded().faces), parts=_parts(mesh),
    )  # fmt: skip


def _grid(inside: Bool[ndarray, "h w"]) -> tuple[Float32[ndarray, " a"], Float32[ndarray, " b"]]:
    """Places in the photo, columns and rows: `SIDE` along the longer side of the subject's box and what is around it."""
    ends = []
    for axis in (0, 1):
        there = np.flatnonzero(inside.any(axis))
        ends.append((there[0], there[-1] + 1))
    long = max(high - low for low, high in ends)
    step = 1.2 * long / SIDE
    lines = []
    for (low, high), limit in zip(ends, inside.shape[::-1], strict=True):
        first, last = max(0.0, low - 0.1 * long), min(float(limit), high + 0.1 * long)
        lines.append(np.arange(first + step / 2, last, step).astype(np.float32))
    return lines[0], lines[1]


def _soft_at(photo: Photo, u: ndarray, v: ndarray) -> Float32[ndarray, "h w 3"]:
    """The photo's colours at places, each a mean over about the space between two."""
    step = float(u[1] - u[0]) if len(u) > 1 else 1.0
    box = np.s_[int(v[0]) : int(v[-1]) + 1, int(u[0]) : int(u[-1]) + 1]
    part = photo.rgb[box]
    if step > 1:
        part = cv2.blur(part, (round(step),) * 2)
    grid = np.meshgrid(u - box[1].start - np.float32(0.5), v - box[0].start - np.float32(0.5))
    return cv2.remap(part, *grid, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32) / 255


def _outline(there: Bool[ndarray, "h w"]) -> Bool[ndarray, "h w"]:
    return there & (cv2.erode(there.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0) == 0)


def _between(wanted: Bool[ndarray, "h w"], found: Bool[ndarray, "h w"], size: float) -> tuple[float, float]:
    """Mean distance between two silhouettes' outlines over `size`, and the larger share of one that is far from the
    other."""
    if not found.any():
        return 1.0, 1.0
    one, other = _outline(wanted), _outline(found)
    ways = []
    for line, place in ((one, other), (other, one)):
        away = cv2.distanceTransform((~place).astype(np.uint8), cv2.DIST_L2, 5)[line] / size
        ways.append((float(away.mean()), float((away > FAR).mean())))
    return (ways[0][0] + ways[1][0]) / 2, max(ways[0][1], ways[1][1])


def _teeth(there: Bool[ndarray, "h w"]) -> float:
    """Mean distance in pixels between an outline and itself smoothed: the area between them over its length."""
    smooth = cv2.GaussianBlur(there.astype(np.float32), (0, 0), TOOTH) > 0.5
    return float((smooth != there).sum() / max(_outline(there).sum(), 1))


def _off(seen: Picture, wanted: Float32[ndarray, "h w 3"], inside: Bool[ndarray, "h w"]) -> float:
    """RMS difference of the colours where both are, neither one's border counting."""
    both = seen.hit & inside
    core = cv2.erode(both.astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=0) > 0
    if not core.any():
        return 1.0
    weight = both.astype(np.float32)
    off = cv2.GaussianBlur((seen.colour - wanted) * weight[..., None], (0, 0), SOFT)
    around = cv2.GaussianBlur(weight, (0, 0), SOFT)
    return float(np.sqrt(np.square((off / np.maximum(around, 1e-6)[..., None])[core]).mean()))


def _around(looked: Looked, heartbeat: Heartbeat) -> list[Picture]:
    corner, end = looked.mesh.vertices.min(0), looked.mesh.vertices.max(0)
    centre = (corner + end) / 2
    radius = float(np.linalg.norm(looked.mesh.vertices - centre, axis=1).max())
    pictures = []
    for angles in AROUND:
        pictures.append(looked.along(*orbit_rays(centre, radius, *angles, AROUND_SIDE)))
        heartbeat()
    return pictures


def _bumps(seen: Picture) -> float:
    """Mean angle in degrees between a picture's normals and their mean around each."""
    if not seen.hit.any():
        return 0.0
    mean = cv2.GaussianBlur(seen.normal, (0, 0), BUMP)
    mean = mean / np.maximum(np.linalg.norm(mean, axis=-1, keepdims=True), 1e-6)
    cosine = (mean * seen.normal).sum(-1)[seen.hit].clip(-1, 1)
    return float(np.degrees(np.arccos(cosine)).mean())


def _palette(colours: Float32[ndarray, "n 3"]) -> UInt8[ndarray, "k k k"]:
    """0 in the cells of a colour cube that are near one that the photo has."""
    cells = 16
    often = np.zeros((cells,) * 3)
    np.add.at(often, tuple((colours.clip(0, 1) * (cells - 1)).round().astype(int).T), 1)
    near = often > 2e-4 * len(colours)
    reach = NEAR_COLOUR * (cells - 1)
    steps = np.arange(-int(reach), int(reach) + 1)
    out = np.ones((cells,) * 3, np.uint8)
    places = np.argwhere(near)
    for step in np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3):
        if np.linalg.norm(step) <= reach:
            out[tuple((places + step).clip(0, cells - 1).T)] = 0
    return out


def _foreign(seen: Picture, palette: UInt8[ndarray, "k k k"]) -> float:
    """Share of what is seen whose colour is in no cell of the palette."""
    if not seen.hit.any():
        return 0.0
    cells = tuple((seen.colour[seen.hit].clip(0, 1) * (len(palette) - 1)).round().astype(int).T)
    return float(palette[cells].mean())


def _detail(seen: Picture) -> float:
    """RMS difference of a picture's colours from their mean around, its border not counting."""
    core = cv2.erode(seen.hit.astype(np.uint8), np.ones((7, 7), np.uint8), borderValue=0) > 0
    if not core.any():
        return 0.0
    weight = seen.hit.astype(np.float32)
    around = np.maximum(cv2.GaussianBlur(weight, (0, 0), FINE), 1e-6)[..., None]
    mean = cv2.GaussianBlur(seen.colour * weight[..., None], (0, 0), FINE) / around
    return float(np.sqrt(np.square((seen.colour - mean)[core]).mean()))


def _parts(mesh: Mesh) -> int:
    """Connected pieces."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    whole = mesh.welded()
    ends = np.concatenate([whole.faces[:, [0, 1]], whole.faces[:, [1, 2]]])
    graph = coo_matrix((np.ones(len(ends)), ends.T), (len(whole.vertices),) * 2)
    used = np.unique(whole.faces)
    return len(np.unique(connected_components(graph, directed=False)[1][used]))
