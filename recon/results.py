"""What one photo gave."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recon.io.formats import MODEL
from recon.io.values import as_path
from recon.messages import PYTHON, Message, Phrasebook
from recon.settings import CloudSettings, PoissonSettings, PrintSettings, SolidSettings, checked_size
from recon.stages.cloud import make_cloud, thinned
from recon.types import Camera, DepthMap, Mask, Mesh, Photo, PointCloud, Surface

if TYPE_CHECKING:
    from recon.refinement.verdict import Verdict


@dataclass(frozen=True)
class Refined:
    """How a refinement went. steps: done in all, of each stage; seconds: of this run of it; losses: the last ones, of each
    stage that has had a step; guidance: names; device: cpu or cuda; verdict: what the comparison with the first model
    said."""

    preset: str
    seed: int
    steps: dict[str, int]
    seconds: float
    losses: dict[str, float]
    guidance: tuple[str, ...]
    device: str
    verdict: Verdict

    def report(self, book: Phrasebook = PYTHON) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self) | {"verdict": self.verdict.report(book)}


@dataclass
class Reconstruction:
    """Photo, mask, camera and depth map at once; point cloud and mesh when they are first asked for, then kept.

    `refined`: the mesh, where a refinement has made a better one, and `refinement`, how that went, also
    where the first one was kept;
    `refined_points`: the points, where it was made of these. `surface_source`: `user`, or `auto` where the photo's content
    chose the surface.
    `printed`: how large an STL is, and whether it stands on a base.
    `depth.z` is float32 at the upright photo's size, NaN where there is no surface. Everything is in the camera's frame
    (x right, y down, z forward); `save` and the writers turn it into glTF's.
    """

    photo: Photo
    mask: Mask
    camera: Camera
    depth: DepthMap
    surface: Surface = "grid"
    faces: int | None = None
    poisson_depth: int = PoissonSettings.depth
    voxel: float | None = None
    notes: list[Message] = field(default_factory=list)
    refined: Mesh | None = None
    refined_points: PointCloud | None = None
    refinement: Refined | None = None
    surface_source: str = "user"
    printed: PrintSettings = field(default_factory=PrintSettings)

    @cached_property
    def points(self) -> PointCloud:
        """Coloured points with normals, outliers removed; or the refined ones."""
        if self.refined_points is not None:
            return self.refined_points if self.voxel is None else thinned(self.refined_points, self.voxel)
        return make_cloud(self.photo, self.depth, self.camera, CloudSettings.max_points, self.voxel)

    @cached_property
    def mesh(self) -> Mesh:
        """The surface that was asked for, textured with the photo, or the refined one."""
        if self.refined is not None:
            return self.refined
        mesh = self._surface()
        if self.faces is None:
            return mesh
        from recon.stages.decimate import decimate

        return decimate(mesh, self.faces, self.photo, self.mask, self.camera)

    def _surface(self) -> Mesh:
        whole = (self.photo, self.mask, self.depth, self.camera)
        if self.surface == "grid":
            from recon.stages.surface_grid import make_grid

            return make_grid(*whole)
        if self.surface == "solid":
            from recon.stages.surface_solid import make_solid

            faces_per_sample = 5 if self.mask.inside is None else 18  # a relief's base is as fine as its front
            return make_solid(*whole, SolidSettings.for_faces(self.faces, faces_per_sample))
        from recon.stages.surface_poisson import make_poisson

        return make_poisson(*whole, PoissonSettings(depth=self.poisson_depth))

    def save(self, path: str | Path, *, size_mm: float | None = None, base: bool | None = None) -> list[Path]:
        """Write the mesh in the format that `path` ends with; returns the files written.

        size_mm, base: of an STL, instead of what `reconstruct` was told. Raises BadOption for a size out of range and
        BadInput for a stand under a mesh that is not closed.
        """
        from recon.io.write import write_mesh

        size_mm = self.printed.size_mm if size_mm is None else checked_size(size_mm)
        return write_mesh(
            self.mesh, as_path(path, MODEL), PrintSettings(size_mm, self.printed.base if base is None else base)
        )

    def report(self, book: Phrasebook = PYTHON) -> dict[str, Any]:
        """The facts of this reconstruction, ready for JSON, its notes in the words of a phrasebook."""
        z = self.depth.z[~np.isnan(self.depth.z)]
        height, width = self.photo.size
        made: dict[str, Any] = {}
        if "points" in self.__dict__:
            made["points"] = len(self.points.positions)
        if "mesh" in self.__dict__:
            made |= {"vertices": len(self.mesh.vertices), "faces": len(self.mesh.faces)}
        inside = self.mask.inside
        return {
            "photo": {"name": self.photo.name, "width": width, "height": height},
            "subject": {
                "method": self.mask.method,
                "share": 1.0 if inside is None else round(float(inside.mean()), 4),
                "note": "" if self.mask.note is None else self.mask.note.text(book),
            },
            "depth": {
                "model": self.depth.model,
                "kind": self.depth.kind,
                "unit": "metre" if self.depth.metric else "median depth",
                "near": float(z.min()),
                "far": float(z.max()),
                "back": None if inside is None else "inflated" if self.depth.back is None else self.depth.model,
            },
            "camera": {
                "fov_x_deg": round(self.camera.fov_x, 3),
                "focal_px": round(self.camera.focal, 3),
                "centre_px": [round(self.camera.cx, 3), round(self.camera.cy, 3)],
                "source": self.camera.source,
                "fov_error_deg": None if self.camera.fov_error is None else round(self.camera.fov_error, 1),
            },
            "surface": self.surface,
            "surface_source": self.surface_source,
            "refined": self.refined is not None,
            "refinement": None if self.refinement is None else self.refinement.report(book),
            "counts": made,
            "warnings": [told.text(book) for told in self.notes],
        }
