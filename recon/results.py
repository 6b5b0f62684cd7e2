"""What a run gives: the geometry of a photo, a model, and the reconstruction that makes the one of the other when asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from recon.errors import BadInput, BadOption
from recon.io.formats import MODEL, model_kind
from recon.io.values import as_path
from recon.messages import PYTHON, Message, Phrasebook
from recon.notes import AUTO_NOTE, BACK_NOTE, NO_OBJECT_NOTE, model_splats_note, object_empty, object_note
from recon.options import PhotoOptions, changed, options_of, plain
from recon.protocols import ObjectReconstructor
from recon.registry import SOLID, Where, how_to_get_objects, object_model, object_reconstructor, splat_estimator
from recon.settings import (
    CloudSettings,
    GridSettings,
    LayeredSettings,
    ObjectSettings,
    OrbitSettings,
    PoissonSettings,
    PrintSettings,
    SolidSettings,
    SplatSettings,
    Surface,
)
from recon.stages.cloud import make_cloud, thinned
from recon.types import Camera, DepthMap, Mask, Mesh, Photo, PointCloud, Splats

if TYPE_CHECKING:
    from recon.protocols import SplatEstimator
    from recon.refinement.verdict import Verdict
    from recon.stages.surface_layered import Layers
    from recon.stages.whole_object import WholeObject


@runtime_checkable
class Result(Protocol):
    """What every run gives, whatever it was made of."""

    @property
    def notes(self) -> Sequence[Message]:
        """What a person should know of it."""
        ...

    def save(self, path: str | Path) -> list[Path]:
        """Write it in the format that `path` ends with; returns the files written."""
        ...

    def report(self, book: Phrasebook = PYTHON) -> dict[str, Any]:
        """Its facts, ready for JSON, its notes in the words of a phrasebook."""
        ...


@dataclass(frozen=True)
class PhotoGeometry:
    """What was found out about a photo: where its subject is, the camera that took it, and how far away each pixel is.

    `depth.z` is float32 at the upright photo's size, NaN where there is no surface. notes: what a person should know.
    """

    photo: Photo
    mask: Mask
    camera: Camera
    depth: DepthMap
    notes: tuple[Message, ...] = ()

    def cloud(self, most: int = CloudSettings.max_points, voxel: float | None = None) -> PointCloud:
        """Coloured points with normals, outliers removed, at most about `most` of them; voxel: edge of the thinning voxels
        in the depth's unit."""
        return make_cloud(self.photo, self.depth, self.camera, most, voxel)

    def report(self, book: Phrasebook = PYTHON) -> dict[str, Any]:
        """Its facts, ready for JSON."""
        z = self.depth.z[~np.isnan(self.depth.z)]
        height, width = self.photo.size
        inside, mirror = self.mask.inside, self.depth.mirror
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
                "symmetry": None
                if mirror is None
                else {
                    "normal": [round(each, 4) for each in mirror.normal],
                    "offset": round(mirror.offset, 4),
                    "misfit": round(mirror.misfit, 3),
                },
            },
            "camera": {
                "fov_x_deg": round(self.camera.fov_x, 3),
                "focal_px": round(self.camera.focal, 3),
                "centre_px": [round(self.camera.cx, 3), round(self.camera.cy, 3)],
                "source": self.camera.source,
                "fov_error_deg": None if self.camera.fov_error is None else round(self.camera.fov_error, 1),
            },
        }


@dataclass(frozen=True)
class Provenance:
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


@dataclass(frozen=True)
class Model:
    """A model that was made. points: the cloud that belongs to it, if one does; camera: the one that looks at it as the
    photo did, None where there was no photo; notes: what a person should know of it; provenance: how it was made."""

    mesh: Mesh
    points: PointCloud | None = None
    camera: Camera | None = None
    notes: tuple[Message, ...] = ()
    provenance: Provenance | None = None

    def save(self, path: str | Path, *, size_mm: float = PrintSettings.size_mm, base: bool = False) -> list[Path]:
        """Write the mesh in the format that `path` ends with; returns the files written. size_mm, base: of an STL.

        Raises BadOption for a size out of range and BadInput for a stand under a mesh that is not closed."""
        from recon.io.write import write_mesh

        return write_mesh(self.mesh, as_path(path, MODEL), PrintSettings(size_mm, base))

    def report(self, book: Phrasebook = PYTHON) -> dict[str, Any]:
        """The facts of this model, ready for JSON, its notes in the words of a phrasebook."""
        points = {} if self.points is None else {"points": len(self.points.positions)}
        return {
            "refinement": None if self.provenance is None else self.provenance.report(book),
            "counts": points | {"vertices": len(self.mesh.vertices), "faces": len(self.mesh.faces)},
            "warnings": [told.text(book) for told in self.notes],
        }


@dataclass(frozen=True)
class Reconstruction:
    """A photo's geometry at once; point cloud and mesh, made by the options when they are first asked for, then kept.

    model: the one that a refinement has made, or kept, in place of the one that the options ask for; kept: whether it is
    the first one, since the refined was no better. Everything is in the camera's frame (x right, y down, z forward);
    `save` and the writers turn it into glTF's.
    """

    geometry: PhotoGeometry
    options: PhotoOptions = PhotoOptions()
    model: Model | None = None
    kept: bool = False

    @property
    def photo(self) -> Photo:
        """The upright photo."""
        return self.geometry.photo

    @property
    def mask(self) -> Mask:
        """Where its subject is."""
        return self.geometry.mask

    @property
    def camera(self) -> Camera:
        """The camera that took it."""
        return self.geometry.camera

    @property
    def depth(self) -> DepthMap:
        """How far away each of its pixels is."""
        return self.geometry.depth

    @property
    def refinement(self) -> Provenance | None:
        """How its refinement went, if it had one."""
        return None if self.model is None else self.model.provenance

    @property
    def refined(self) -> Mesh | None:
        """The refinement's mesh, where it made a better one."""
        return None if self.model is None or self.kept else self.model.mesh

    @property
    def surface(self) -> Surface:
        """The kind of the mesh: `auto` stands for solid where there is one subject, layered where there is none."""
        if self.model is not None:
            return "solid"
        asked = self.options.surface
        if asked == "auto":
            return "layered" if self.mask.inside is None else "solid"
        return asked

    @property
    def notes(self) -> tuple[Message, ...]:
        """What a person should know: of the photo's geometry first, then of the model."""
        splats = self.options.splat_model
        told = () if splats == SplatSettings.model else (model_splats_note(getattr(splats, "name", splats)),)
        return self.geometry.notes + (self._surface_notes() if self.model is None else self.model.notes) + told

    @cached_property
    def points(self) -> PointCloud:
        """Coloured points with normals, outliers removed; or the model's."""
        if self.model is not None and self.model.points is not None:
            voxel, points = self.options.voxel, self.model.points
            return points if voxel is None else thinned(points, voxel)
        return self.geometry.cloud(voxel=self.options.voxel)

    @cached_property
    def mesh(self) -> Mesh:
        """The surface that was asked for, textured with the photo; or the model's."""
        if self.model is not None:
            return self.model.mesh
        mesh = self._surface()
        if self.options.faces is None or self.whole is not None:
            return mesh
        from recon.stages.decimate import decimate

        return decimate(mesh, self.options.faces, self.photo, self.mask, self.camera, self.depth)

    @property
    def object_model(self) -> str:
        """Who makes, or made, the closed model of the photo's one subject: an object model's name, or solid; empty where
        no closed model of one thing is asked for."""
        if self.surface != "solid" or self.mask.inside is None or self.model is not None:
            return ""
        asked = self.options.object
        found = object_model(asked) if isinstance(asked, str) else asked.name
        return SOLID if self.__dict__.get("whole", found) is None else found or SOLID

    @cached_property
    def whole(self) -> WholeObject | None:
        """The subject from all sides, as an object model sees it, with its field, if it has one; None where the built-in
        solid is to be made. Raises MissingModel, and BadInput where a named model sees nothing."""
        if self.object_model in ("", SOLID):
            return None
        from recon.stages.whole_object import find_object

        try:
            return find_object(self._object_reconstructor(), self.photo, self.mask)
        except BadInput as error:
            if self.options.object == "auto" and error.code == "object.empty":
                return None
            raise

    def _object_reconstructor(self) -> ObjectReconstructor:
        asked = self.options.object
        if isinstance(asked, str):
            asked = object_reconstructor(asked, Where(self.options.device, self.options.offline))
        assert isinstance(asked, ObjectReconstructor), "only an object model is asked"
        return asked

    @cached_property
    def layers(self) -> Layers:
        """What the photo shows and what lies behind it, whatever surface was asked for: its mesh, and its samples."""
        from recon.stages.surface_layered import make_layers

        whole = (self.photo, self.mask, self.depth, self.camera)
        return make_layers(*whole, LayeredSettings(float(self.options.cone)))

    def _finer_layers(self, most: int) -> Layers:
        """The same with so many samples of what the photo shows, or fewer; what it hides is smooth, and stays as it is
        where that is no finer."""
        from recon.stages.surface_layered import make_layers

        whole = (self.photo, self.mask, self.depth, self.camera)
        settings = LayeredSettings(float(self.options.cone), grid=GridSettings(most))
        return make_layers(*whole, settings, self.layers.behind if most > GridSettings.max_samples else None)

    def layered_of(self, samples: int) -> Mesh:
        """The layered surface of at most about so many samples of the photo, to look at while the whole one is made."""
        return self._finer_layers(samples).mesh()

    @cached_property
    def splats(self) -> Splats:
        """Gaussian splats: of what the photo shows and what lies behind it, sample by sample, where the surface is made of
        these (layered, grid), else of the closed or smooth surface, or the model, triangle by triangle; or a splat
        model's own. Raises MissingModel, BadOption for a splat model that is none."""
        from recon.stages.splats import estimated_splats, mesh_splats, seen_sheet, sheet_splats

        whole, most = (self.photo, self.mask, self.depth, self.camera), self.options.splats
        if self.options.splat_model != SplatSettings.model:
            return estimated_splats(self._splat_estimator(), self.photo, self.mask, self.camera, most)
        if self.surface == "layered":
            return sheet_splats(lambda limit: self._finer_layers(limit).sheets(), SplatSettings(most))
        if self.surface == "grid":
            return sheet_splats(lambda limit: [seen_sheet(*whole, limit)], SplatSettings(most))
        done = self.model is not None or self.object_model not in ("", SOLID)
        fewer = self if done else self.with_options(faces=min(most, self.options.faces or most))
        return mesh_splats(fewer.mesh, most)

    def _object_report(self) -> dict[str, str] | None:
        """Who made the closed model of one thing, what else there is, and the command that gets it."""
        if not (made_by := self.object_model):
            return None
        return {"model": made_by, "get": how_to_get_objects() if made_by == SOLID and not object_model("auto") else ""}

    def _splat_estimator(self) -> SplatEstimator:
        model = self.options.splat_model
        return (
            splat_estimator(model, Where(self.options.device, self.options.offline))
            if isinstance(model, str)
            else model
        )

    def _surface(self) -> Mesh:
        whole = (self.photo, self.mask, self.depth, self.camera)
        if self.surface == "layered":
            return self.layers.mesh()
        if self.surface == "grid":
            from recon.stages.surface_grid import make_grid

            return make_grid(*whole)
        if self.whole is not None:
            from recon.stages.whole_object import make_object

            return make_object(self.whole, *whole, ObjectSettings.for_faces(self.options.faces))
        if self.surface == "solid":
            from recon.stages.surface_solid import make_solid

            faces_per_sample = 5 if self.mask.inside is None else 18  # a relief's base is as fine as its front
            return make_solid(*whole, SolidSettings.for_faces(self.options.faces, faces_per_sample))
        from recon.stages.surface_poisson import make_poisson

        return make_poisson(*whole, PoissonSettings(depth=self.options.poisson_depth))

    def _surface_notes(self) -> tuple[Message, ...]:
        """What is to be said of the surface that the options ask for."""
        one = self.mask.inside is not None
        notes = (AUTO_NOTE[one],) if self.options.surface == "auto" else ()
        if self.surface != "solid" or not one:
            return notes
        made_by, back = self.object_model, BACK_NOTE[self.depth.back is not None]
        if made_by != SOLID:
            return (*notes, object_note(made_by))
        if self.options.object == SOLID:
            return (*notes, back)
        empty = object_model(self.options.object) if isinstance(self.options.object, str) else ""
        return (*notes, back, object_empty(empty) if empty else NO_OBJECT_NOTE)

    def with_options(self, **changes: Any) -> Reconstruction:
        """The same photo with other options; nothing of it is made yet. Raises BadOption, also for another value of an
        option that the geometry came from, which stays."""
        asked = changed(PhotoOptions, self.options, changes)
        for about in options_of(PhotoOptions):
            if about.group == "input" and getattr(asked, about.name) != getattr(self.options, about.name):
                raise BadOption(
                    "option.of_geometry",
                    "<{option}> was needed to find the photo's geometry, which stays as it is; give it to reconstruct.",
                    option=about.name,
                )
        other = Reconstruction(self.geometry, asked)
        if "whole" in self.__dict__ and other.object_model == self.object_model and asked.object == self.options.object:
            other.__dict__["whole"] = self.__dict__["whole"]  # where cached_property keeps it
        return other

    def draw_views(self, settings: OrbitSettings = OrbitSettings()) -> Iterator[UInt8[ndarray, "h w c"]]:
        """The model from all sides: an object model's own field by ray marching, where one made it, else the mesh."""
        from recon.io.views import draw_views
        from recon.stages.object_views import draw_field_views, has_field

        if self.model is None and self.surface == "solid" and self.whole is not None and has_field(self.whole):
            return draw_field_views(self.whole, settings)
        return draw_views(self.mesh, settings)

    def save(self, path: str | Path, *, size_mm: float | None = None, base: bool | None = None) -> list[Path]:
        """Write the mesh in the format that `path` ends with, or splats, if that is one of splats alone; returns the files
        written.

        size_mm, base: of an STL, instead of what the options say. Raises BadOption for a size out of range and BadInput
        for a stand under a mesh that is not closed.
        """
        from recon.io.write import write_mesh, write_splats

        told = {"size_mm": size_mm, "base": base}
        asked = changed(PhotoOptions, self.options, {name: value for name, value in told.items() if value is not None})
        to = as_path(path, MODEL)
        if model_kind(to) == "splats":
            return write_splats(self.splats, to)
        return write_mesh(self.mesh, to, PrintSettings(asked.size_mm, asked.base))

    def report(self, book: Phrasebook = PYTHON) -> dict[str, Any]:
        """The facts of this reconstruction, ready for JSON; counts of what was made so far; its notes in the words of a
        phrasebook."""
        made: dict[str, Any] = {}
        if "points" in self.__dict__:
            made["points"] = len(self.points.positions)
        if "splats" in self.__dict__:
            made["splats"] = len(self.splats.centres)
        if "mesh" in self.__dict__:
            made |= {"vertices": len(self.mesh.vertices), "faces": len(self.mesh.faces)}
            for sheet in self.mesh.behind:
                made |= {f"{sheet.name}_vertices": len(sheet.vertices), f"{sheet.name}_faces": len(sheet.faces)}
        return {
            **self.geometry.report(book),
            "surface": self.surface,
            "object": self._object_report(),
            "invented": round(self.layers.invented, 3) if "layers" in self.__dict__ else None,
            "surface_source": "auto" if self.options.surface == "auto" else "user",
            "refined": self.refined is not None,
            "refinement": None if self.refinement is None else self.refinement.report(book),
            "options": plain(self.options),
            "counts": made,
            "warnings": [told.text(book) for told in self.notes],
        }


def load_surfaces() -> None:
    """Load the slow libraries that the surfaces need, so that the first one is made as fast as the next."""
    import open3d  # noqa: F401

    from recon.stages import surface_poisson  # noqa: F401
