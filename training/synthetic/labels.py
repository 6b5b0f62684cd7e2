"""What the network is to say about a picture, from its exact geometry.

Maps are (B, C, H, W). The relief of a subject is its depth in units of the picture's longer side, so that it does not
depend, to first order, on the focal length: relief = (z / z0 - 1) f / L with z0 the median depth of the subject's front,
f the focal length and L the longer side in pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from .render import RenderedPhotos
from .scene import Viewpoint

# A subject under this share of the picture is none: nobody takes such a photo of it.
SMALLEST = 0.01


@dataclass(frozen=True)
class Labels:
    """disparity (1/m, 0 in the sky), sky and subject (0 or 1), unit normals in the camera's frame (z < 0), front and back
    relief (0 outside the subject), fov (B,) in degrees along the longer side, distance (B,): the median depth in metres of
    all but the sky, NaN where it is not known; back_colour (B, 3, H, W): the colour seen on the subject's far side along
    the same rays, in the photo's own light and exposure, linear before the photo is developed, 0 outside the subject; None
    where nobody asked for it."""

    disparity: Tensor
    sky: Tensor
    normals: Tensor
    subject: Tensor
    front: Tensor
    back: Tensor
    fov: Tensor
    distance: Tensor
    back_colour: Tensor | None = None

    def __getitem__(self, which: slice | Tensor | list[int]) -> Labels:
        """Some of the pictures."""
        return Labels(**{name: values[which] for name, values in self.maps().items()})

    def maps(self) -> dict[str, Tensor]:
        """All that there is, by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}

    def mirrored(self, which: Tensor) -> Labels:
        """Left and right changed in the pictures where `which` (B,) is true."""
        pick = which.view(-1, 1, 1, 1)
        turned = self.normals.flip(-1) * self.normals.new_tensor([-1, 1, 1]).view(1, 3, 1, 1)
        maps = {
            name: torch.where(pick, values.flip(-1), values)
            for name, values in self.maps().items()
            if name not in ("normals", "fov", "distance")
        }
        return replace(self, **maps, normals=torch.where(pick, turned, self.normals))


def relief(z: Tensor, inside: Tensor, z0: Tensor, fov: Tensor) -> Tensor:
    """Depth z (B, 1, H, W) in metres inside a mask as relief, 0 outside; z0 and fov (degrees, longer side) (B,)."""
    focal = (0.5 / torch.tan(torch.deg2rad(fov) / 2)).view(-1, 1, 1, 1)
    return torch.where(inside > 0, (z / z0.view(-1, 1, 1, 1) - 1) * focal, 0.0)


def median_depth(disparity: Tensor) -> Tensor:
    """Median depth (B,) of all but the sky; NaN where there is nothing else."""
    return torch.where(disparity > 0, 1 / disparity.clamp_min(1e-6), math.nan).flatten(1).nanmedian(1).values


def label(pictures: RenderedPhotos, cameras: list[Viewpoint], units: list[float] | None = None) -> Labels:
    """Labels of rendered pictures taken by these cameras; units: metres per unit of length (default: 1)."""
    fov = pictures.disparity.new_tensor([float(c.fov) for c in cameras])
    inside = pictures.subject * (pictures.subject.mean((1, 2, 3), keepdim=True) >= SMALLEST)
    z = 1 / pictures.disparity.clamp_min(1e-6)
    hidden = torch.where(inside > 0, z, math.nan).flatten(1)
    z0 = hidden.nanmedian(1).values.nan_to_num(1.0)
    front, back = (relief(depth, inside, z0, fov) for depth in (z, pictures.back))
    # Walls seen at the edge of a wide picture can turn past the optical axis's own direction by a few degrees.
    normals = pictures.normals.clone()
    normals[:, 2] = normals[:, 2].clamp_max(-0.01)
    sky = (pictures.disparity == 0).float()
    metres = torch.ones_like(fov) if units is None else fov.new_tensor(units)
    distance = metres * median_depth(pictures.disparity)
    behind = None if pictures.back_colour is None else pictures.back_colour * inside
    return Labels(pictures.disparity, sky, normals, inside, front, back, fov, distance, behind)
