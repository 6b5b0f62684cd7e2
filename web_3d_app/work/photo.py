"""One job from its photo to its files, each made visible as soon as it is there, in four lanes (see `kinds.photo`).

First what a person waits for (the instant mesh, of a scene without holes, and thinned points), then the surface that was
asked for, then the rest, the Poisson mesh beside it, and last the film.
"""

from __future__ import annotations

import subprocess
import time
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from recon import (
    Reconstruction,
    ViewSettings,
    load_surfaces,
    reconstruct,
    shrink_to_fit,
    write_cloud,
    write_depth,
    write_mask,
    write_mesh,
    write_print,
    write_report,
    write_splats,
)
from recon.errors import UnflatError
from recon.messages import Message, note
from recon.options import PhotoOptions, restored
from recon.progress import Stopwatch
from recon.stereo import preview_of_depth, stereo_preview
from recon.types import DepthMap, Mesh
from web_3d_app.files import beside
from web_3d_app.kinds.base import HEAVY, QUICK
from web_3d_app.kinds.photo import FILES, FILM, MESH, VIEW
from web_3d_app.phrasebook import book
from web_3d_app.work import checkpoint, drawing
from web_3d_app.work.context import Context, Next
from web_3d_app.work.pictures import THUMB_SIDE, encode

VIEW_POINTS = 300_000
"""Points for the viewer: a whole photo of 512×512 pixels, and a phone turns them smoothly."""
INSTANT_SAMPLES, INSTANT_LOOK = 200_000, ViewSettings(texture_side=2048)
"""Of a layered scene that is seen for a second or two, until it comes in full."""
LOOK_SIDE = 1600
"""Pixels of the longer side of a picture over the stage."""
WARM_UP_PHOTO = beside("samples") / "coffee.jpg"


def run(context: Context) -> Next | None:
    """One lane's work on one photo. Raises UnflatError, or what the context raises."""
    work = PhotoRun(context)
    try:
        return {VIEW.name: work.view, MESH.name: work.mesh, FILES.name: work.files, FILM.name: work.film}[
            context.lane
        ]()
    except checkpoint.Outdated:  # the server was updated in between
        return work.view()


def warm_up(crew: str, context: Context) -> None:
    """Load what every photo needs of a crew, so that the first one is as fast as the next ones: by the view of a sample, or
    by the slowest imports of the surfaces."""
    if crew == QUICK:
        PhotoRun(replace(context, photo_file=WARM_UP_PHOTO)).view()
    elif crew == HEAVY:
        load_surfaces()


@dataclass
class PhotoRun:
    """One lane's work on one photo."""

    context: Context
    print_mm: list[float] | None = None
    notes: list[Message] = field(default_factory=list)
    stereo: dict[str, Any] | None = None

    def view(self) -> Next:
        """Depth, and what is shown at once: the instant mesh and thinned points."""
        result = reconstructed(self.context, self.context.watch)
        self.context.tell(self._facts(result))
        with self.context.watch.stage("grid"):
            self._add("photo_thumb.jpg", lambda path: encode(path, result.photo.rgb[..., ::-1], THUMB_SIDE))
            self._add_instant(result)
        with self.context.watch.stage("points"):
            cloud = result.geometry.cloud(VIEW_POINTS)
            cloud = replace(cloud, normals=None)  # nobody sees them
            self._add("points_view.ply", lambda path: write_cloud(cloud, path))
            self._add_pictures(result)
            self._add_stereo(result)
        self.context.tell(self._facts(result))
        grid_asked = result.surface == "grid" and result.options.faces is None
        return (FILES if grid_asked else MESH).name, checkpoint.save(result, self.context.folder / "view.npz")

    def mesh(self) -> Next:
        """The surface that was asked for."""
        result = self._loaded()
        with self.context.watch.stage("mesh"):
            self._add("mesh_view.glb", lambda path: write_mesh(result.mesh, path, view=ViewSettings()))
            self._add("mesh.glb", lambda path: write_mesh(result.mesh, path))
        self.context.tell(self._facts(result))
        return FILES.name, checkpoint.save(result, self.context.folder / "mesh.npz")

    def files(self) -> Next | None:
        """Everything to download, and a picture."""
        result = self._loaded()
        with self._preview(result) if self.context.settings.preview_seconds else nullcontext() as drawn:
            with self.context.watch.stage("files"):
                self._add_files(result)
            self.context.tell(self._facts(result))
            with self.context.watch.stage("splats"):
                for name in ("splats_view.splat", "splats.spz"):
                    self._add(name, lambda path: write_splats(result.splats, path))
            if result.surface != "poisson":
                with self.context.watch.stage("smooth"):
                    self._add_smooth(result)
            if drawn is not None:
                with self.context.watch.stage("preview"):
                    self._add_preview(drawn)
        self.context.tell(self._facts(result))
        report = result.report(book()) | {
            "options": dict(self.context.params), "seconds": self.context.watch.rounded(),
        }  # fmt: skip
        report["photo"].pop("name", None)
        report["warnings"] += [told.text(book()) for told in self.notes]
        self._add("report.json", lambda path: write_report(report, path))
        return (FILM.name, self.context.checkpoint) if self.context.settings.film_seconds else None

    def film(self) -> Next | None:
        """The parallax film, in time or not at all; later, if somebody waits for something else."""
        result, film = self._loaded(), self.context.folder / "film.mp4"
        end = time.monotonic() + self.context.settings.film_seconds
        with self.context.watch.stage("film"), drawing.film(result, self.context.folder, film) as process:
            while not drawing.ended(process) and time.monotonic() < end:
                self.context.check_stop()
                if self.context.hurry():
                    return FILM.name, self.context.checkpoint
            if process.poll() == 0:
                self._add(film.name, lambda path: None)
        return None

    def _loaded(self) -> Reconstruction:
        """What the lane before made of the photo."""
        assert self.context.checkpoint is not None, "every lane but the first is entered with a checkpoint"
        return checkpoint.load(self.context.checkpoint, self.context.photo)

    def _add(self, name: str, make: Callable[[Path], object]) -> None:
        make(self.context.folder / name)
        self.context.add(name)

    def _add_instant(self, result: Reconstruction) -> None:
        """The mesh that is made fastest; a scene that is to be layered is so from the first."""
        if result.surface == "layered":
            mesh = result.layered_of(INSTANT_SAMPLES)
            self._add("instant_view.glb", lambda path: write_mesh(mesh, path, view=INSTANT_LOOK))
        else:
            self._add_grid_view(self._grid(result))

    def _add_grid_view(self, grid: Reconstruction) -> None:
        self._add("grid_view.glb", lambda path: write_mesh(grid.mesh, path, view=ViewSettings()))

    def _add_pictures(self, result: Reconstruction) -> None:
        """Mask and depth for people's eyes."""
        if result.mask.inside is not None:
            inside = result.mask.inside.astype(np.uint8) * 255
            self._add("mask.png", lambda path: write_mask(result.mask, result.photo.size, path))
            self._add("mask_thumb.png", lambda path: encode(path, inside, THUMB_SIDE))
        colours = shrink_to_fit(depth_colours(result.depth, LOOK_SIDE), LOOK_SIDE)
        self._add("depth_view.jpg", lambda path: encode(path, colours))
        self._add("depth_thumb.jpg", lambda path: encode(path, colours, THUMB_SIDE))

    def _add_stereo(self, result: Reconstruction) -> None:
        """What the page shows a 3D picture with, of the whole photo: where something was cut out, it is looked at again."""
        if result.mask.inside is None:
            found = preview_of_depth(result.photo, result.depth)
        else:
            model = self.context.params.get(
                "depth_model", PhotoOptions.depth_model
            )  # at the warm-up nothing is asked for
            found = stereo_preview(result.photo, self.context.models.get(model))
        found.save(self.context.folder / "stereo_view.jpg", self.context.folder / "nearness_view.png")
        self.context.add("stereo_view.jpg", "nearness_view.png")
        self.stereo = found.facts()

    def _add_files(self, result: Reconstruction) -> None:
        grid = self._grid(result)
        if result.surface == "layered":
            self._add_grid_view(grid)
        self._add("grid.glb", lambda path: write_mesh(grid.mesh, path))
        self._add("mesh.ply", lambda path: write_mesh(result.mesh, path))
        self._add("mesh.stl", lambda path: self._print(result, path))
        obj = self.context.folder / "mesh.obj"
        self._add("mesh_obj.zip", lambda path: zipped(write_mesh(result.mesh, obj), path))
        self._add("points.ply", lambda path: write_cloud(result.points, path))
        for name in ("depth.npy", "depth.png"):
            self._add(name, lambda path: write_depth(result.depth, path))

    def _add_smooth(self, result: Reconstruction) -> None:
        """The Poisson mesh beside the surface that was asked for."""
        smooth = result.with_options(surface="poisson")
        try:
            self._add("smooth_view.glb", lambda path: write_mesh(smooth.mesh, path, view=ViewSettings()))
            for name in ("smooth.glb", "smooth.ply"):
                self._add(name, lambda path: write_mesh(smooth.mesh, path))
        except UnflatError as error:
            self.notes.append(
                note("files.no_smooth", "there is no smooth mesh beside this one: {reason}", reason=error.message)
            )

    @staticmethod
    def _grid(result: Reconstruction) -> Reconstruction:
        """The same with the instant mesh, in full."""
        asked = result.surface == "grid" and result.options.faces is None
        return result if asked else result.with_options(surface="grid", faces=None)

    def _print(self, result: Reconstruction, path: Path) -> None:
        """The closed solid, whatever surface was asked for: nothing else can be printed."""
        if result.surface != "solid":
            result = result.with_options(surface="solid", object="solid")
        self.print_mm = print_to(path, result.mesh, result.options)

    def _preview(self, result: Reconstruction) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """Draws while files are written."""
        return drawing.preview(result, self.context.folder, self.context.folder / "preview.png")

    def _add_preview(self, process: subprocess.Popen[bytes]) -> None:
        """The picture, if it is there in time and nobody else waits for something."""
        end = time.monotonic() + self.context.settings.preview_seconds
        while not drawing.ended(process) and time.monotonic() < end and not self.context.hurry():
            pass
        if process.poll() == 0:
            self._add("preview.png", lambda path: None)
            drawn = cv2.imread(str(self.context.folder / "preview.png"))
            assert drawn is not None, "it was just written"
            self._add("preview_thumb.jpg", lambda path: encode(path, drawn, THUMB_SIDE))

    def _facts(self, result: Reconstruction) -> dict[str, Any]:
        """What the page says about the result, flat; its warnings as data, to be phrased where they are shown."""
        report = result.report()
        depth, camera, counts = report["depth"], report["camera"], report["counts"]
        return {
            "unit": depth["unit"],
            "near": depth["near"],
            "far": depth["far"],
            "fov_x_deg": camera["fov_x_deg"],
            "fov_source": camera["source"],
            "fov_error_deg": camera["fov_error_deg"],
            "focal_px": camera["focal_px"],
            "width": report["photo"]["width"],
            "height": report["photo"]["height"],
            "depth_model": depth["model"],
            "depth_kind": depth["kind"],
            "subject": report["subject"]["method"],
            "surface": report["surface"],
            "object_model": (report["object"] or {}).get("model"),
            "cone": result.options.cone if result.surface == "layered" else None,
            "surface_source": report["surface_source"],
            "points": counts.get("points"),
            "vertices": counts.get("vertices"),
            "faces": counts.get("faces"),
            "print_mm": self.print_mm,
            "stereo": self.stereo or self.context.told.get("stereo"),
            "warnings": [told.to_json() for told in (*result.notes, *self.notes)],
            "seconds": self.context.watch.rounded(),
        }


def reconstructed(context: Context, watch: Stopwatch) -> Reconstruction:
    """The reconstruction of a job's photo by its options. Raises UnflatError, or what `watch` raises."""
    options, models = restored(PhotoOptions, context.params), context.models
    estimator = models.get(options.depth_model)
    return reconstruct(context.photo, options, depth_model=estimator, device=models.device, offline=True, watch=watch)


def depth_colours(depth: DepthMap, side: int) -> UInt8[ndarray, "h w 3"]:
    """Depth in colours, BGR, at least `side` pixels of the longer side where there are as many: near is warm, far is cold,
    light grey where there is no surface."""
    every = max(1, max(depth.z.shape) // side)
    disparity = 1 / depth.z[every // 2 :: every, every // 2 :: every]
    seen = ~np.isnan(disparity)
    low, high = np.percentile(disparity[seen], (1, 99))
    scaled = np.clip((disparity - low) / max(high - low, 1e-12), 0, 1)
    colours: np.ndarray = cv2.applyColorMap(np.nan_to_num(scaled * 255).astype(np.uint8), cv2.COLORMAP_TURBO)
    colours[~seen] = (235, 235, 235)
    return colours


def print_to(path: Path, mesh: Mesh, asked: PhotoOptions) -> list[float]:
    """Write a mesh for printing as it was asked for; returns its width, depth and height in millimetres."""
    return [round(side, 1) for side in write_print(mesh, path, asked.size_mm, asked.base)]


def zipped(files: list[Path], path: Path) -> None:
    """Several files as one."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as out:
        for file in files:
            out.write(file, file.name)
