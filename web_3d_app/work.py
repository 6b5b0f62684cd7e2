"""One job from its photo to its files, each made visible as soon as it is there.

First what a person waits for (thinned points and the instant mesh), then the surface that was asked for, then the rest.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from recon.pipeline import reconstruct
from recon.progress import Stopwatch
from recon.protocols import DepthEstimator
from recon.registry import depth_estimator
from recon.result import Reconstruction
from recon.settings import Limits
from recon.stages import write
from recon.stages.cloud import make_cloud
from recon.stages.read import read_photo
from recon.types import DepthMap, Mesh

VIEW_POINTS = 250_000
"""Points for the viewer: 6 MB, and a phone turns them smoothly."""
PROGRESS = {"read": 0.02, "model": 0.04, "subject": 0.08, "depth": 0.2, "points": 0.3, "grid": 0.35, "mesh": 0.45,
            "files": 0.75, "preview": 0.9}  # fmt: skip
"""Where each stage begins: shares of the seconds that a one-megapixel photo takes on two cores."""
PLY, PNG = "model/ply", "image/png"
FILES = {
    "points_view.ply": ("points_view", PLY),
    "grid.glb": ("grid", "model/gltf-binary"),
    "mask.png": ("mask", PNG),
    "depth_view.jpg": ("depth_view", "image/jpeg"),
    "mesh.glb": ("mesh", "model/gltf-binary"),
    "mesh.ply": ("mesh_ply", PLY),
    "mesh.stl": ("mesh_stl", "model/stl"),
    "mesh_obj.zip": ("mesh_obj", "application/zip"),
    "points.ply": ("points", PLY),
    "depth.npy": ("depth_npy", "application/octet-stream"),
    "depth.png": ("depth_png", PNG),
    "preview.png": ("preview", PNG),
    "report.json": ("report", "application/json"),
}
"""Every file that a job may have besides the photo: name -> (kind, media type)."""
PREVIEW_SECONDS = 20.0
NO_LIMITS = Limits(max_bytes=2**40, max_pixels=10**12, min_side=1)
"""The upload was checked when it came."""

Add = Callable[[str, str, str, Path], None]
"""(name, kind, media type, file): make a file visible."""


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
            self._warm[name] = depth_estimator(name, self.device, offline=True)
        return self._warm[name]

    def warm_up(self) -> None:
        """Load what every job needs, by a tiny run, so that the first photo is as fast as the next ones."""
        grey = np.full((64, 64, 3), 128, np.uint8)
        grey[16:48, 16:48] = (200, 80, 40)
        result = reconstruct(grey, surface="grid", depth_model=self.get("auto"), mask="none", offline=True)
        assert len(result.points.positions) and len(result.mesh.faces)
        import open3d  # noqa: F401  (the slowest import of the Poisson surface)

        from recon.stages import surface_poisson  # noqa: F401


@dataclass
class Work:
    """One run. `stage` is told each stage's name and progress as it begins and may raise to stop the run."""

    photo: Path
    focal_35mm: float | None
    params: dict[str, Any]
    folder: Path
    models: Models
    stage: Callable[[str, float], None]
    facts: Callable[[dict[str, Any]], None]
    add: Add

    def run(self) -> None:
        """Make everything. Raises UnflatError, or what `stage`, `facts` and `add` raise."""
        result = self.result
        self.facts(self._facts(result))
        with self.watch.stage("points"):
            cloud = make_cloud(result.photo, result.depth, result.camera, VIEW_POINTS)
            self._add("points_view.ply", lambda path: write.write_cloud(cloud, path))
        with self.watch.stage("grid"):
            grid = replace(result, surface="grid", faces=None)
            self._add("grid.glb", lambda path: write.write_mesh(grid.mesh, path))
            self._add_pictures(result)
        with self.watch.stage("mesh"):
            if result.surface == "grid" and result.faces is None:
                result = grid
            else:
                self._add("mesh.glb", lambda path: write.write_mesh(result.mesh, path))
        self.facts(self._facts(result))
        with self.watch.stage("files"):
            self._add_files(result)
        self.facts(self._facts(result))
        with self.watch.stage("preview"):
            self._add_preview(result.mesh, result)
        report = result.report() | {"options": self.params, "seconds": self.watch.rounded()}
        report["photo"].pop("name", None)
        self.facts(self._facts(result))
        self._add("report.json", lambda path: write.write_report(report, path))

    @cached_property
    def watch(self) -> Stopwatch:
        """Tells each stage as it begins."""
        return Stopwatch(lambda name: self.stage(name, PROGRESS[name]))

    @cached_property
    def result(self) -> Reconstruction:
        """Photo, mask, camera and depth."""
        photo = replace(read_photo(self.photo, NO_LIMITS), focal_35mm=self.focal_35mm, name="photo")
        asked = self.params
        return reconstruct(photo, surface=asked["surface"], depth_model=self.models.get(asked["depth_model"]),
                           mask=asked["mask"], fov=asked["fov"], faces=asked["faces"], device=self.models.device,
                           offline=True, watch=self.watch)  # fmt: skip

    def _add(self, name: str, make: Callable[[Path], object]) -> None:
        path = self.folder / name
        make(path)
        self.add(name, *FILES[name], path)

    def _add_pictures(self, result: Reconstruction) -> None:
        """Mask and depth for people's eyes."""
        if result.mask.inside is not None:
            inside = result.mask.inside.astype(np.uint8) * 255
            self._add("mask.png", lambda path: _encode(path, inside))
        self._add("depth_view.jpg", lambda path: _encode(path, depth_colours(result.depth)))

    def _add_files(self, result: Reconstruction) -> None:
        """Everything to download."""
        for name in ("mesh.ply", "mesh.stl"):
            self._add(name, lambda path: write.write_mesh(result.mesh, path))
        self._add("mesh_obj.zip", lambda path: _zipped(write.write_mesh(result.mesh, self.folder / "mesh.obj"), path))
        self._add("points.ply", lambda path: write.write_cloud(result.points, path))
        for name in ("depth.npy", "depth.png"):
            self._add(name, lambda path: write.write_depth(result.depth, path))

    def _add_preview(self, mesh: Mesh, result: Reconstruction) -> None:
        """A rendered picture. In a process of its own: without a display, VTK may end the process that it runs in; then
        there is no picture, and that is all."""
        given = self.folder / "mesh.npz"
        parts = {name: value for name, value in vars(mesh).items() if value is not None}
        camera = np.array([result.camera.width, result.camera.height, result.camera.focal])
        np.savez(given, camera=camera, closed=result.surface == "solid", **parts)
        out = self.folder / "preview.png"
        command = [sys.executable, "-m", "web_3d_app.preview", str(given), str(out)]
        try:
            subprocess.run(command, timeout=PREVIEW_SECONDS, check=False, stdin=subprocess.DEVNULL, capture_output=True)
        except subprocess.TimeoutExpired:
            return
        if out.exists():
            self._add("preview.png", lambda path: None)

    def _facts(self, result: Reconstruction) -> dict[str, Any]:
        """What the page says about the result, flat."""
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
            "points": counts.get("points"),
            "vertices": counts.get("vertices"),
            "faces": counts.get("faces"),
            "warnings": [for_pages(note) for note in report["warnings"]],
            "seconds": self.watch.rounded(),
        }


def for_pages(sentence: str) -> str:
    """A sentence that speaks of command-line options, for people who have a form: `--fov` becomes `fov`."""
    return re.sub(r"--(?=\w)", "", sentence)


def depth_colours(depth: DepthMap) -> np.ndarray:
    """Depth in colours, h×w×3 BGR uint8: near is warm, far is cold, light grey where there is no surface."""
    disparity = 1 / depth.z
    seen = ~np.isnan(disparity)
    low, high = np.percentile(disparity[seen], (1, 99))
    scaled = np.clip((disparity - low) / max(high - low, 1e-12), 0, 1)
    colours: np.ndarray = cv2.applyColorMap(np.nan_to_num(scaled * 255).astype(np.uint8), cv2.COLORMAP_TURBO)
    colours[~seen] = (235, 235, 235)
    return colours


def _encode(path: Path, picture: np.ndarray) -> None:
    ok, data = cv2.imencode(path.suffix, picture)
    assert ok, "OpenCV encodes every uint8 picture"
    path.write_bytes(data.tobytes())


def _zipped(files: list[Path], path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as out:
        for file in files:
            out.write(file, file.name)
