"""One job from its photo to its files, each made visible as soon as it is there, in three lanes (see `tables`).

First what a person waits for (thinned points and the instant mesh), then the surface that was asked for, then the rest,
the Poisson mesh beside it.
"""

from __future__ import annotations

import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from recon import write_print
from recon.errors import UnflatError
from recon.geometry.reduce import shrink_to_fit
from recon.io import write
from recon.io.read import read_photo
from recon.messages import Message, note
from recon.options import PhotoOptions, restored
from recon.pipeline import reconstruct
from recon.progress import Stopwatch
from recon.protocols import DepthEstimator
from recon.registry import Where, depth_estimator
from recon.results import Reconstruction
from recon.settings import Limits, ViewSettings
from recon.stages.cloud import make_cloud
from recon.types import DepthMap, Mesh, Photo
from web_3d_app.jobs.photo_facts import PhotoFacts, with_facts
from web_3d_app.jobs.tables import FILES, HEAVY, MESH, QUICK, REFINE, VIEW
from web_3d_app.phrasebook import book
from web_3d_app.work import checkpoint

VIEW_POINTS = 300_000
"""Points for the viewer: a whole photo of 512×512 pixels, and a phone turns them smoothly."""
THUMB_SIDE, LOOK_SIDE = 480, 1600
"""Pixels of the longer side: of a picture in a list, at twice its size on the page, and of one over the stage."""
THUMB_QUALITY = 82
PROGRESS = {"read": 0.02, "model": 0.04, "subject": 0.08, "depth": 0.2, "points": 0.3, "grid": 0.35, "mesh": 0.45,
            "files": 0.65, "smooth": 0.75, "preview": 0.9}  # fmt: skip
"""Where each stage begins: shares of the seconds that a one-megapixel photo takes on two cores."""
PLY, GLB, PNG, JPEG = "model/ply", "model/gltf-binary", "image/png", "image/jpeg"
FILES_MADE = {
    "points_view.ply": ("points_view", PLY),
    "photo_thumb.jpg": ("photo_thumb", JPEG),
    "grid_view.glb": ("grid_view", GLB),
    "grid.glb": ("grid", GLB),
    "mask.png": ("mask", PNG),
    "mask_thumb.png": ("mask_thumb", PNG),
    "depth_view.jpg": ("depth_view", JPEG),
    "depth_thumb.jpg": ("depth_thumb", JPEG),
    "mesh_view.glb": ("mesh_view", GLB),
    "mesh.glb": ("mesh", GLB),
    "mesh.ply": ("mesh_ply", PLY),
    "mesh.stl": ("mesh_stl", "model/stl"),
    "mesh_obj.zip": ("mesh_obj", "application/zip"),
    "smooth_view.glb": ("smooth_view", GLB),
    "smooth.glb": ("smooth", GLB),
    "smooth.ply": ("smooth_ply", PLY),
    "points.ply": ("points", PLY),
    "depth.npy": ("depth_npy", "application/octet-stream"),
    "depth.png": ("depth_png", PNG),
    "preview.png": ("preview", PNG),
    "preview_thumb.jpg": ("preview_thumb", JPEG),
    "report.json": ("report", "application/json"),
    "refined_view.glb": ("refined_view", GLB),
    "refined.glb": ("refined", GLB),
    "refined.ply": ("refined_ply", PLY),
    "refined.stl": ("refined_stl", "model/stl"),
    "refined_obj.zip": ("refined_obj", "application/zip"),
}
"""Every file that a job may have besides the photo: name -> (kind, media type)."""
REFINED = ("refined_view.glb", "refined.glb", "refined.ply", "refined.stl", "refined_obj.zip")
"""Those of a refinement; they become visible together."""
NO_LIMITS = Limits(max_bytes=2**40, max_pixels=10**12, min_side=1, read_pixels=10**12)
"""The upload was checked when it came, and reduced if it was large."""
WARM_UP_PHOTO = Path(__file__).resolve().parents[2] / "samples" / "coffee.jpg"

Add = Callable[[str, str, str, Path], None]
"""(name, kind, media type, file): make a file visible."""
Next = tuple[str, Path | None]
"""The lane that a job goes to, and the checkpoint for it; a refinement needs none."""


@dataclass
class Models:
    """Depth models that stay warm, the last few of them."""

    device: str
    kept: int = 2
    _warm: dict[str, DepthEstimator] = field(default_factory=dict)

    def get(self, name: str) -> DepthEstimator:
        """The model of a name. Raises BadOption or MissingModel."""
        if name not in self._warm:
            while len(self._warm) >= self.kept:
                del self._warm[next(iter(self._warm))]
            self._warm[name] = depth_estimator(name, Where(self.device, offline=True))
        return self._warm[name]

    def warm_up(self, crew: str, folder: Path) -> None:
        """Load what every job of a crew needs, so that the first photo is as fast as the next ones: by the view of a
        sample, or by the slowest imports of the surfaces. A refinement does not mind to wait for its own."""
        if crew == QUICK:
            everything = {"surface": "auto", "depth_model": "auto", "mask": "auto", "fov": None, "faces": None}
            Work(WARM_UP_PHOTO, None, everything, folder, self, None, 0.0, Stopwatch(), lambda facts: None,
                 lambda *file: None, lambda: False).view()  # fmt: skip
        elif crew == HEAVY:
            import open3d  # noqa: F401

            from recon.stages import surface_poisson  # noqa: F401


@dataclass
class Work:
    """One lane's work on one job.

    checkpoint: what the lane before left; preview_seconds: how long a picture is waited for after everything else was
    written, 0: none is drawn; watch: tells each stage as it begins, and may raise to stop the run; hurry:
    whether someone waits for something that matters more than a preview.
    """

    photo_file: Path
    focal_35mm: float | None
    params: dict[str, Any]
    folder: Path
    models: Models
    checkpoint: Path | None
    preview_seconds: float
    watch: Stopwatch
    facts: Callable[[dict[str, Any]], None]
    add: Add
    hurry: Callable[[], bool]
    print_mm: list[float] | None = None
    notes: list[Message] = field(default_factory=list)
    photo_facts: PhotoFacts | None = None

    def run(self, lane: str) -> Next | None:
        """Do it. Raises UnflatError, or what `watch`, `facts` and `add` raise."""
        try:
            return {VIEW: self.view, MESH: self.mesh, FILES: self.files}[lane]()
        except checkpoint.Outdated:  # the server was updated in between
            return self.view()

    def view(self) -> Next:
        """Depth, and what is shown at once: thinned points and the instant mesh."""
        result = reconstructed(self.photo, self.params, self.models, self.watch)
        self.facts(self._facts(result))
        with self.watch.stage("points"):
            self._add("photo_thumb.jpg", lambda path: _encode(path, result.photo.rgb[..., ::-1], THUMB_SIDE))
            cloud = make_cloud(result.photo, result.depth, result.camera, VIEW_POINTS)
            cloud = replace(cloud, normals=None)  # nobody sees them
            self._add("points_view.ply", lambda path: write.write_cloud(cloud, path))
        with self.watch.stage("grid"):
            grid = result.with_options(surface="grid", faces=None)
            self._add("grid_view.glb", lambda path: write.write_mesh(grid.mesh, path, view=ViewSettings()))
            self._add_pictures(result)
        self.facts(self._facts(result))
        grid_asked = result.surface == "grid" and result.options.faces is None
        return (FILES if grid_asked else MESH), checkpoint.save(result, self.folder / "view.npz")

    def mesh(self) -> Next:
        """The surface that was asked for."""
        result = checkpoint.load(self._checkpoint, self.photo)
        with self.watch.stage("mesh"):
            self._add("mesh_view.glb", lambda path: write.write_mesh(result.mesh, path, view=ViewSettings()))
            self._add("mesh.glb", lambda path: write.write_mesh(result.mesh, path))
        self.facts(self._facts(result))
        return FILES, checkpoint.save(result, self.folder / "mesh.npz")

    def files(self) -> Next | None:
        """Everything to download, and a picture; then a better mesh, if that was asked for."""
        result = checkpoint.load(self._checkpoint, self.photo)
        with self._drawing(result) if self.preview_seconds else nullcontext() as drawing:
            with self.watch.stage("files"):
                self._add_files(result)
            self.facts(self._facts(result))
            if result.surface != "poisson":
                with self.watch.stage("smooth"):
                    self._add_smooth(result)
            if drawing is not None:
                with self.watch.stage("preview"):
                    self._add_preview(drawing)
        self.facts(self._facts(result))
        report = result.report(book()) | {"options": self.params, "seconds": self.watch.rounded()}
        report["photo"].pop("name", None)
        report["warnings"] += [told.text(book()) for told in self.notes]
        self._add("report.json", lambda path: write.write_report(report, path))
        return (REFINE, None) if self.params.get("refine", "off") != "off" else None

    @property
    def photo(self) -> Photo:
        """The photo, which was checked when it came."""
        return read_checked(self.photo_file, self.focal_35mm, self.photo_facts)

    @property
    def _checkpoint(self) -> Path:
        assert self.checkpoint is not None, "every lane but the first is entered with a checkpoint"
        return self.checkpoint

    def _add(self, name: str, make: Callable[[Path], object]) -> None:
        path = self.folder / name
        make(path)
        self.add(name, *FILES_MADE[name], path)

    def _add_pictures(self, result: Reconstruction) -> None:
        """Mask and depth for people's eyes."""
        if result.mask.inside is not None:
            inside = result.mask.inside.astype(np.uint8) * 255
            self._add("mask.png", lambda path: _encode(path, inside))
            self._add("mask_thumb.png", lambda path: _encode(path, inside, THUMB_SIDE))
        colours = shrink_to_fit(depth_colours(result.depth), LOOK_SIDE)
        self._add("depth_view.jpg", lambda path: _encode(path, colours))
        self._add("depth_thumb.jpg", lambda path: _encode(path, colours, THUMB_SIDE))

    def _add_files(self, result: Reconstruction) -> None:
        grid = self._grid(result)
        self._add("grid.glb", lambda path: write.write_mesh(grid.mesh, path))
        self._add("mesh.ply", lambda path: write.write_mesh(result.mesh, path))
        self._add("mesh.stl", lambda path: self._print(result, path))
        self._add("mesh_obj.zip", lambda path: zipped(write.write_mesh(result.mesh, self.folder / "mesh.obj"), path))
        self._add("points.ply", lambda path: write.write_cloud(result.points, path))
        for name in ("depth.npy", "depth.png"):
            self._add(name, lambda path: write.write_depth(result.depth, path))

    def _add_smooth(self, result: Reconstruction) -> None:
        """The Poisson mesh beside the surface that was asked for."""
        smooth = result.with_options(surface="poisson")
        try:
            self._add("smooth_view.glb", lambda path: write.write_mesh(smooth.mesh, path, view=ViewSettings()))
            for name in ("smooth.glb", "smooth.ply"):
                self._add(name, lambda path: write.write_mesh(smooth.mesh, path))
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
            result = result.with_options(surface="solid")
        self.print_mm = print_to(path, result.mesh, result.options)

    @contextmanager
    def _drawing(self, result: Reconstruction) -> Iterator[subprocess.Popen[bytes]]:
        """A process that draws the mesh while files are written. VTK may end a process without a display: then there is no
        picture, and that is all."""
        given = self.folder / "drawing.npz"
        parts = {name: value for name, value in vars(result.mesh).items() if value is not None}
        camera = np.array([result.camera.width, result.camera.height, result.camera.focal])
        np.savez(given, camera=camera, closed=result.surface == "solid", **parts)
        command = [sys.executable, "-m", "web_3d_app.work.preview", str(given), str(self.folder / "preview.png")]
        quiet = subprocess.DEVNULL
        with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet) as process:
            try:
                yield process
            finally:
                process.kill()

    def _add_preview(self, drawing: subprocess.Popen[bytes]) -> None:
        """The picture, if it is there in time and nobody else waits for something."""
        end = time.monotonic() + self.preview_seconds
        while drawing.poll() is None and time.monotonic() < end and not self.hurry():
            with suppress(subprocess.TimeoutExpired):
                drawing.wait(0.1)
        if drawing.poll() == 0:
            self._add("preview.png", lambda path: None)
            drawn = cv2.imread(str(self.folder / "preview.png"))
            assert drawn is not None, "it was just written"
            self._add("preview_thumb.jpg", lambda path: _encode(path, drawn, THUMB_SIDE))

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
            "surface_source": report["surface_source"],
            "points": counts.get("points"),
            "vertices": counts.get("vertices"),
            "faces": counts.get("faces"),
            "print_mm": self.print_mm,
            "warnings": [told.to_json() for told in (*result.notes, *self.notes)],
            "seconds": self.watch.rounded(),
        }


def read_checked(file: Path, focal_35mm: float | None, facts: PhotoFacts | None = None) -> Photo:
    """A photo that was checked when it came, with what its own file said."""
    focal = None if focal_35mm is None else float(focal_35mm)  # SQLite's RETURNING gives whole numbers as int
    return replace(with_facts(read_photo(file, NO_LIMITS), facts), focal_35mm=focal, name="photo")


def reconstructed(photo: Photo, asked: dict[str, Any], models: Models, watch: Stopwatch) -> Reconstruction:
    """The reconstruction of a photo by a job's options. Raises UnflatError, or what `watch` raises."""
    options = restored(PhotoOptions, asked)
    estimator = models.get(options.depth_model)
    return reconstruct(photo, options, depth_model=estimator, device=models.device, offline=True, watch=watch)


def depth_colours(depth: DepthMap) -> UInt8[ndarray, "h w 3"]:
    """Depth in colours, BGR: near is warm, far is cold, light grey where there is no surface."""
    disparity = 1 / depth.z
    seen = ~np.isnan(disparity)
    low, high = np.percentile(disparity[seen], (1, 99))
    scaled = np.clip((disparity - low) / max(high - low, 1e-12), 0, 1)
    colours: np.ndarray = cv2.applyColorMap(np.nan_to_num(scaled * 255).astype(np.uint8), cv2.COLORMAP_TURBO)
    colours[~seen] = (235, 235, 235)
    return colours


def print_to(path: Path, mesh: Mesh, asked: PhotoOptions) -> list[float]:
    """Write a mesh for printing as it was asked for; returns its width, depth and height in millimetres."""
    return [round(side, 1) for side in write_print(mesh, path, asked.size_mm, asked.base)]


def _encode(path: Path, picture: np.ndarray, side: int | None = None) -> None:
    """Write a BGR picture; a thumbnail, if its longest side is given."""
    if side is None:
        ok, data = cv2.imencode(path.suffix, picture)
    else:
        flags = [cv2.IMWRITE_JPEG_QUALITY, THUMB_QUALITY] if path.suffix == ".jpg" else []
        ok, data = cv2.imencode(path.suffix, shrink_to_fit(picture, side), flags)
    assert ok, "OpenCV encodes every uint8 picture"
    path.write_bytes(data.tobytes())


def zipped(files: list[Path], path: Path) -> None:
    """Several files as one."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as out:
        for file in files:
            out.write(file, file.name)
