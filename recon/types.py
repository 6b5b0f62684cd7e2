"""The values that travel between stages.

Conventions (said once, for the whole library):
- Camera frame: OpenCV, x right, y down, z forward, the camera at the origin.
- Pixel centres lie at (u + 0.5, v + 0.5), u to the right, v down, the picture's corner at (0, 0).
- Depth is z along the optical axis, float32, NaN where there is no surface.
- Colours are sRGB uint8.
- Lengths are metres where `metric` is true, otherwise units in which the median depth is 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8
from numpy import ndarray

from recon.messages import Message
from recon.settings import DepthKind

if TYPE_CHECKING:
    import open3d
    import pyvista
    import trimesh

GIVEN = "given"
"""The model of a depth map that was measured, or made elsewhere."""


@dataclass(frozen=True)
class Photo:
    """An upright sRGB photo.

    rgb: colours; alpha: opacity or None where the file had none; focal_35mm: the 35 mm equivalent focal length in
    millimetres, if the file says it in one way or another; name: the file's stem, for naming results; full_size: (height,
    width) of the picture in the file, where it was read at a reduced size; doubt: why a focal length that the file does
    say is not believed; panorama: by what it is known for one, if it is; notes: what else a person should know.
    """

    rgb: UInt8[ndarray, "h w 3"]
    alpha: UInt8[ndarray, "h w"] | None = None
    focal_35mm: float | None = None
    name: str = "photo"
    full_size: tuple[int, int] | None = None
    doubt: Message | None = None
    panorama: Message | None = None
    notes: tuple[Message, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.rgb.shape[0], self.rgb.shape[1]


@dataclass(frozen=True)
class Mask:
    """Where the subject is. `inside` is None for a scene (everything counts); `method` says what drew it: alpha, file,
    none, or a segmenter's name; `fell_back`: a cut-out was wanted and found nothing, and `note` says so."""

    inside: Bool[ndarray, "h w"] | None
    method: str
    note: Message | None = None
    fell_back: bool = False


@dataclass(frozen=True)
class Relief:
    """A subject's visible front and unseen back over a window of the photo, at a network's resolution.

    With z0 the median depth of the front, L the window's longer side and f the focal length, both in pixels of the photo,
    front = (z_front / z0 − 1)·f / L and back = (z_back / z0 − 1)·f / L, z_back being where the pixel's ray leaves the
    subject for the last time. To first order they do not depend on the focal length: relief in parts of L. Both are
    finite everywhere and mean something inside the subject only. left, top, width, height: the window in whole pixels of
    the photo; it may reach over the photo's edge. back_colour: sRGB of the place where the ray leaves the subject; fov,
    fov_error: the field of view along the window's longer side and its expected error, in degrees; each None where the
    network does not say it.
    """

    front: Float32[ndarray, "h w"]
    back: Float32[ndarray, "h w"]
    left: int
    top: int
    width: int
    height: int
    back_colour: UInt8[ndarray, "h w 3"] | None = None
    fov: float | None = None
    fov_error: float | None = None


@dataclass(frozen=True)
class AffinePoints:
    """Samples of a point map that is right up to a shift along the optical axis: points in the camera's frame but for that
    shift; place: where the photo shows them, in parts of its width and height from the upper left corner."""

    points: Float32[ndarray, "n 3"]
    place: Float32[ndarray, "n 2"]


@dataclass(frozen=True)
class RawDepth:
    """What a depth estimator gives, at its own resolution.

    values: finite where there is a surface, NaN where the model says there is none (sky); kind: what they mean; fov_x: the
    horizontal field of view in degrees that the model believes in, if it gives one; fov_error: by how many degrees along
    the photo's longer side it expects to be wrong, if it says so; model: who made it; far_over_near: the depth range of the
    photo that the model believes in, where its disparity alone does not say; relief: the subject's shape, where there is a
    subject and the model knows its shape better than by `values`; distance: the median depth in metres of all but the sky,
    where `values` are of unknown scale and the model is sure of it; distance_error: its expected error in parts of it;
    affine: where another camera than the model's own must see the points, which moves all `values` by one shift;
    canonical_focal: the focal length in pixels of the map with which metric `values` are metres, in proportion to which
    they grow; notes: what a person should know about them.
    """

    values: Float32[ndarray, "h w"]
    kind: DepthKind
    model: str
    fov_x: float | None = None
    far_over_near: float | None = None
    fov_error: float | None = None
    relief: Relief | None = None
    distance: float | None = None
    distance_error: float | None = None
    affine: AffinePoints | None = None
    canonical_focal: float | None = None
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Camera:
    """A pinhole with square pixels. Focal length and principal point in pixels, which need not be the picture's centre, nor
    in it; `source` says where the focal length came from (user, exif, model, default), fov_error how sure a model is of it:
    its expected error in degrees of the field of view along the longer side."""

    width: int
    height: int
    focal: float
    cx: float
    cy: float
    source: str = "default"
    fov_error: float | None = None

    @property
    def fov_x(self) -> float:
        """Horizontal field of view in degrees."""
        return self._seen(self.cx, self.width)

    @property
    def fov_long(self) -> float:
        """Field of view along the longer side in degrees."""
        return self._seen(self.cx, self.width) if self.width >= self.height else self._seen(self.cy, self.height)

    def _seen(self, centre: float, side: int) -> float:
        """Degrees between the rays through both ends of a side."""
        return float(np.degrees(np.arctan(centre / self.focal) + np.arctan((side - centre) / self.focal)))


@dataclass(frozen=True)
class MirrorSymmetry:
    """A subject's mirror plane, normal·p = offset in the depth's unit, the normal a unit vector in the camera's frame;
    misfit: how badly the visible surface fits its own mirror image, from 0 (perfect) to 1.

    place: over a window (left, top, width, height in pixels of the photo, which it may reach over), where (u, v) the photo
    shows the mirror image of the place at which each ray leaves the subject; shown: how well it does, 0 (not at all) to 1.
    """

    normal: tuple[float, float, float]
    offset: float
    misfit: float
    window: tuple[int, int, int, int]
    place: Float32[ndarray, "h w 2"]
    shown: Float32[ndarray, "h w"]


@dataclass(frozen=True)
class DepthMap:
    """Depth at the photo's size. metric: the unit is the metre; model: who made it; kind: of the raw values; noise: change
    of disparity 1/z that means nothing (0 for measured depth); back: where each pixel's ray leaves the subject for the last
    time, not in front of z, where a model says; back_colour: roughly which colour it has there, where a model says; mirror:
    the plane that front and back were completed by, where there is a sure one."""

    z: Float32[ndarray, "h w"]
    metric: bool
    model: str = GIVEN
    kind: DepthKind = "metric"
    noise: float = 0.0
    back: Float32[ndarray, "h w"] | None = None
    back_colour: UInt8[ndarray, "h w 3"] | None = None
    mirror: MirrorSymmetry | None = None


@dataclass(frozen=True)
class PointCloud:
    """Coloured points in the camera's frame; normals are unit vectors out of the surface, so that those of points that the
    camera sees face it."""

    positions: Float32[ndarray, "n 3"]
    colors: UInt8[ndarray, "n 3"]
    normals: Float32[ndarray, "n 3"] | None = None

    def to_open3d(self) -> open3d.geometry.PointCloud:
        """The same cloud as Open3D's (colours in 0..1)."""
        from recon.interop import cloud_to_open3d

        return cloud_to_open3d(self)


@dataclass(frozen=True)
class Splats:
    """Gaussian splats (Kerbl et al. 2023, "3D Gaussian Splatting for Real-Time Radiance Field Rendering") in the camera's
    frame, of one colour from everywhere.

    centres; scales: standard deviations along each one's own axes, in the unit of lengths; quaternions: unit, w x y z, that
    turn the frame's axes into those; opacity: 0 to 1 in the middle; colors: sRGB. A flat one has its normal as third axis.
    """

    centres: Float32[ndarray, "n 3"]
    scales: Float32[ndarray, "n 3"]
    quaternions: Float32[ndarray, "n 4"]
    opacity: Float32[ndarray, " n"]
    colors: UInt8[ndarray, "n 3"]


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh in the camera's frame; faces wind counter-clockwise seen from outside.

    colors: sRGB per vertex; uv: texture coordinates in 0..1, u to the right, v *down* from the texture's top edge (the
    photo's own frame); texture: the picture that uv points into, or None; source: where the texture cuts the surface open,
    whose copy each vertex is: those with one number lie in one place; name: what files call it; behind: further sheets
    that show what this one hides, each with a texture of its own. They are invented: what measures, prints or reduces a
    mesh sees this one's own vertices and faces alone, what shows it or writes it for viewers takes all `sheets`.
    """

    vertices: Float32[ndarray, "n 3"]
    faces: Int32[ndarray, "m 3"]
    colors: UInt8[ndarray, "n 3"] | None = None
    uv: Float32[ndarray, "n 2"] | None = None
    texture: UInt8[ndarray, "h w 3"] | None = None
    source: Int32[ndarray, " n"] | None = None
    name: str = "model"
    behind: tuple[Mesh, ...] = ()

    def with_(self, **changes: Any) -> Mesh:
        """A copy with some fields replaced."""
        return replace(self, **changes)

    def sheets(self) -> tuple[Mesh, ...]:
        """This sheet alone, then those behind it."""
        return (self.with_(behind=()) if self.behind else self, *self.behind)

    def joined(self) -> Mesh:
        """All sheets as one mesh with vertex colours, for what knows neither textures nor names; itself if it is one."""
        if not self.behind:
            return self
        parts = [sheet.welded() for sheet in self.sheets()]
        starts = np.cumsum([0] + [len(part.vertices) for part in parts[:-1]])
        faces = np.concatenate([part.faces + np.int32(start) for part, start in zip(parts, starts, strict=True)])
        colors = [part.colors for part in parts if part.colors is not None]
        return Mesh(
            np.concatenate([part.vertices for part in parts]),
            faces.astype(np.int32),
            np.concatenate(colors) if len(colors) == len(parts) else None,
        )

    def places(self) -> tuple[Int32[ndarray, " k"], Int32[ndarray, " n"]]:
        """One vertex of each place, and the place of each vertex: copies along a texture's cut share one."""
        if self.source is None:
            each = np.arange(len(self.vertices), dtype=np.int32)
            return each, each
        _, first, place = np.unique(self.source, return_index=True, return_inverse=True)
        return first.astype(np.int32), place.astype(np.int32)

    def welded(self) -> Mesh:
        """The same surface without the texture and its cuts, for what knows no texture; itself if nothing is cut. What is
        behind it is left out."""
        if self.source is None:
            return self.with_(behind=()) if self.behind else self
        first, place = self.places()
        colors = None if self.colors is None else self.colors[first]
        return Mesh(self.vertices[first], place[self.faces], colors)

    def to_trimesh(self) -> trimesh.Trimesh:
        """The same mesh as trimesh's, textured where it has a texture."""
        from recon.interop import mesh_to_trimesh

        return mesh_to_trimesh(self)

    def to_open3d(self) -> open3d.geometry.TriangleMesh:
        """The same mesh as Open3D's, with vertex colours."""
        from recon.interop import mesh_to_open3d

        return mesh_to_open3d(self)

    def to_pyvista(self) -> pyvista.PolyData:
        """The same mesh as PyVista's PolyData, with its colours in the array `rgb`."""
        from recon.interop import mesh_to_pyvista

        return mesh_to_pyvista(self)
