"""Texture atlases: a mesh laid out flat, what lies at each texel, and photos sampled onto it.

uv is in 0..1, u to the right, v down from the texture's top edge; texel centres lie at (column + 0.5, row + 0.5) over the
size. Colours are whatever the caller means by them, in 0..1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional as F

from recon.render.antialias import SLACK
from recon.render.meshloss import laplacian
from recon.render.raster import Fragments, depth_map, rasterise, to_camera
from recon.render.topology import edges_of
from recon.render.unwrapping import unwrap_in_process
from recon.render.visibility import scanline
from recon.threads import count

GRAZING = 0.15, 0.45
"""Cosines of the angle between a face's normal and the line to the camera (81° and 63°): a photo says nothing of a face
that it sees more aslant than the first, and all from the second on."""
RIM = 2
"""Pixels beside a step in depth whose colours are mixed from both of its sides."""
SMOOTHINGS = 2
"""Half steps along the Laplacian before a mesh is cut up; one is enough for slivers, two for noise as well."""


@dataclass(frozen=True)
class Atlas:
    """A mesh cut open and laid out. source: the mesh's vertex that each of the atlas's is a copy of; faces: the mesh's, in
    its order, over the atlas's vertices; uv: where these lie; size: of the texture, (height, width) in texels."""

    source: Int64[Tensor, " a"]
    faces: Int64[Tensor, "f 3"]
    uv: Float[Tensor, "a 2"]
    size: tuple[int, int]


@dataclass(frozen=True)
class Shot:
    """A photo with its camera. picture: (h, w, c); trust: 0..1 per pixel, such as the subject's mask; c2w, focal: as in
    `raster`."""

    picture: Float[Tensor, "h w c"]
    trust: Float[Tensor, "h w"]
    c2w: Float[Tensor, "3 4"]
    focal: float


def unwrap(
    vertices: Float[Tensor, "v 3"],
    faces: Int64[Tensor, "f 3"],
    resolution: int = 1024,
    beat: Callable[[], None] = lambda: None,
) -> Atlas:
    """Lay a mesh out by xatlas on a texture of at most resolution² texels, three or four texels from chart to chart. `beat`
    is called several times a second and may raise to stop it.

    What is cut up is a copy with its roughness smoothed away: marching tetrahedra leave slivers that would each become a
    chart of their own (for 20 k faces 8 charts instead of 769, in half the time).
    """
    smooth, edges = vertices.detach(), edges_of(faces)
    for _ in range(SMOOTHINGS):
        smooth = smooth + 0.5 * laplacian(smooth, edges)
    mesh = smooth.cpu().float().numpy(), faces.cpu().numpy().astype(np.uint32)
    source, corners, uv, (height, width) = unwrap_in_process(*mesh, resolution, beat)
    scale = min(1, resolution / max(height, width))  # its estimate is up to a quarter too large
    device = vertices.device
    return Atlas(
        torch.from_numpy(source.astype(np.int64)).to(device),
        torch.from_numpy(corners.astype(np.int64)).to(device),
        torch.from_numpy(uv.astype(np.float32)).to(device),
        (round(scale * height), round(scale * width)),
    )


def texels(atlas: Atlas) -> Fragments:
    """The atlas as a picture of itself: the face and the place on it of every texel whose centre lies on one. Values of the
    mesh's vertices come to the texels by `interpolate(values[atlas.source], texels)`."""
    height, width = atlas.size
    flat = (atlas.uv - 0.5) * atlas.uv.new_tensor([width, height])
    wall = torch.cat([flat, torch.ones_like(flat[:, :1])], 1)  # one unit before a camera with a focal length of 1
    eye = torch.eye(4, dtype=wall.dtype, device=wall.device)[:3]
    return rasterise(wall, atlas.faces, eye, 1.0, atlas.size, scanline)


def sample_texture(texture: Float[Tensor, "h w c"], uv: Float[Tensor, "n 2"]) -> Float[Tensor, "n c"]:
    """Bilinear values of a texture, with gradients to it; beyond its outermost texel centres it is constant."""
    grid = (2 * uv - 1).to(texture.dtype)[None, None]
    found = F.grid_sample(texture.permute(2, 0, 1)[None], grid, padding_mode="border", align_corners=False)
    return found[0, :, 0].T


def padded(values: Float[Tensor, "n c"], covered: Fragments) -> Float[Tensor, "h w c"]:
    """The texture of the covered texels' values, every other texel being given the nearest one's: no seams, no fringes in
    smaller copies of it. Differentiable."""
    import cv2

    height, width = covered.size
    if not len(covered.pixel):
        return values.new_zeros(height, width, values.shape[1])
    empty = np.ones(height * width, np.uint8)
    empty[covered.pixel.cpu().numpy()] = 0
    _, label = cv2.distanceTransformWithLabels(
        empty.reshape(height, width), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = torch.from_numpy(label.astype(np.int64)).flatten().to(values.device)
    owner = nearest.new_zeros(int(nearest.max()) + 1)
    owner[nearest[covered.pixel]] = torch.arange(len(covered.pixel), device=values.device)
    return values.index_select(0, owner[nearest]).view(height, width, -1)


def blended(
    values: Float[Tensor, "n c"],
    points: Float[Tensor, "n 3"],
    normals: Float[Tensor, "n 3"],
    vertices: Float[Tensor, "v 3"],
    faces: Int64[Tensor, "f 3"],
    shots: Sequence[Shot],
) -> Float[Tensor, "n c"]:
    """Values of points on a mesh with the photos over them: several photos by their weights, and where these sum to less
    than 1 the rest is what was there."""
    total, mixed = torch.zeros_like(values[:, :1]), torch.zeros_like(values)
    for shot in shots:
        seen, weight = sample_photo(points, normals, vertices, faces, shot)
        total, mixed = total + weight[:, None], mixed + weight[:, None] * seen
    return mixed / total.clamp_min(1) + (1 - total).clamp_min(0) * values


@torch.no_grad()
def sample_photo(
    points: Float[Tensor, "n 3"],
    normals: Float[Tensor, "n 3"],
    vertices: Float[Tensor, "v 3"],
    faces: Int64[Tensor, "f 3"],
    shot: Shot,
) -> tuple[Float[Tensor, "n c"], Float[Tensor, " n"]]:
    """What a photo shows at points on a mesh, and how far to believe it, 0..1: not at all for what is hidden, outside the
    picture or seen at a grazing angle, nor beside a step in depth."""
    height, width = shot.trust.shape
    local = to_camera(points, shot.c2w)
    z = local[:, 2:].clamp_min(1e-6)
    size = local.new_tensor([width, height])
    uv = shot.focal * local[:, :2] / z / size + 0.5
    cosine = -F.cosine_similarity(local, normals @ shot.c2w[:, :3], dim=1)
    ramp = ((cosine - GRAZING[0]) / (GRAZING[1] - GRAZING[0])).clamp(0, 1)
    inside = (local[:, 2] > 0) & ((uv > 0.5 / size) & (uv < 1 - 0.5 / size)).all(1)
    weight = ramp * ramp * (3 - 2 * ramp) * inside
    believed = shot.trust * away_from_steps(vertices, faces, shot)
    weight = weight * sample_texture(believed[..., None], uv)[:, 0]
    asked = weight.nonzero().squeeze(1)
    weight[asked] *= ~occluded(points[asked], shot.c2w[:, 3], vertices, faces)
    return sample_texture(shot.picture, uv), weight


def away_from_steps(vertices: Float[Tensor, "v 3"], faces: Int64[Tensor, "f 3"], shot: Shot) -> Float[Tensor, "h w"]:
    """0 for the pixels of a photo within `RIM` of a step in the mesh's depth, 1 elsewhere."""
    height, width = shot.trust.shape
    seen = rasterise(vertices.detach(), faces, shot.c2w, shot.focal, (height, width))
    far = 1e3 * float(seen.depth.max()) if len(seen.depth) else 1.0
    depth = depth_map(seen).clamp_max(far)[None, None]
    high, low = F.max_pool2d(depth, 3, 1, 1), -F.max_pool2d(-depth, 3, 1, 1)
    step = (high - low > 2 * SLACK / shot.focal * low).float()
    return 1 - F.max_pool2d(step, 2 * RIM - 1, 1, RIM - 1)[0, 0]


def occluded(
    points: Float[Tensor, "n 3"], eye: Float[Tensor, " 3"], vertices: Float[Tensor, "v 3"], faces: Int64[Tensor, "f 3"]
) -> Bool[Tensor, " n"]:
    """Whether a mesh lies between points on it and an eye, by Open3D's ray casting (Embree)."""
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene(nthreads=count())
    corners = vertices.detach().cpu().float().numpy()
    scene.add_triangles(o3d.core.Tensor(corners), o3d.core.Tensor(faces.cpu().numpy().astype(np.uint32)))
    way = eye - points
    rays = torch.cat([points, way], 1).detach().cpu().float().numpy()
    # A ray starts one thousandth of the way off its own surface.
    found = scene.test_occlusions(o3d.core.Tensor(rays), tnear=1e-3, tfar=1.0, nthreads=count()).numpy()
    return torch.from_numpy(found).to(points.device)
