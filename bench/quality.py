"""How close points, `grid` and `poisson` come to the measured surface when the depth map is the measured one.

    python -m bench.quality

Depth is given as metric with the true focal length and the principal point at the picture's centre; distances are in parts
of the scene's diameter. `ref` is the usual Open3D recipe (bench.open3d_recipe) on the same frame.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from bench.frames import RgbdFrame, frames
from bench.score import Truth, f_score, in_mid_air, psnr, rendered, sample_surface, truth
from bench.speed import ROOT
from recon.geometry.camera import centred_camera
from recon.io.write_gltf import encoded_texture
from recon.pipeline import reconstruct
from recon.results import Reconstruction
from recon.settings import Surface

SAMPLES = 300_000
COLUMNS = ("kept", "pts F", "grid F", "cover", "air %", "PSNR", "poi F", "air %", "ref F", "poi dist", "ref dist")


def main() -> None:
    """Print one row per frame and the mean."""
    print(f"{'frame':>20} " + " ".join(f"{name:>8}" for name in COLUMNS))
    rows = []
    for frame in frames():
        with tempfile.TemporaryDirectory() as folder:
            row = frame_row(frame, Path(folder))
        rows.append(row)
        print(f"{frame.name:>20} " + " ".join(f"{value:8.4f}" for value in row), flush=True)
    print(f"{'mean':>20} " + " ".join(f"{value:8.4f}" for value in np.mean(rows, axis=0)))


def frame_row(frame: RgbdFrame, folder: Path) -> list[float]:
    """The figures named by COLUMNS for one frame."""
    height, width = frame.z.shape
    true = truth(frame.z, centred_camera(width, height, frame.focal, "user"))
    np.save(folder / "z.npy", frame.z)
    Image.fromarray(frame.rgb).save(folder / "rgb.png")
    grid = _reconstructed(folder, frame, "grid")
    cloud = grid.points.positions
    seen_f = f_score(cloud, true, 0.0025)[0]
    kept = len(cloud) / np.count_nonzero(~np.isnan(frame.z))
    surface = sample_surface(grid.mesh.vertices, grid.mesh.faces, SAMPLES)
    covered, fidelity = _seen(grid, frame, true)
    poisson = _reconstructed(folder, frame, "poisson").mesh
    smooth = sample_surface(poisson.vertices, poisson.faces, SAMPLES)
    usual = _usual(folder, frame)
    return [
        kept, seen_f,
        f_score(surface, true, 0.0025)[0], covered, 100 * in_mid_air(surface, true), fidelity,
        f_score(smooth, true, 0.01)[0], 100 * in_mid_air(smooth, true),
        f_score(usual, true, 0.01)[0], chamfer(smooth, true), chamfer(usual, true),
    ]  # fmt: skip


def chamfer(found: np.ndarray, true: Truth) -> float:
    """Mean of both directions' mean distances, in thousandths of the diameter."""
    from scipy.spatial import cKDTree

    there = true.tree.query(found)[0].mean()
    back = cKDTree(found).query(true.points)[0].mean()
    return float(500 * (there + back) / true.diameter)


def _reconstructed(folder: Path, frame: RgbdFrame, surface: Surface) -> Reconstruction:
    return reconstruct(
        folder / "rgb.png", depth_in=folder / "z.npy", depth_kind="metric", focal_px=frame.focal, surface=surface
    )


def _seen(result: Reconstruction, frame: RgbdFrame, true: Truth) -> tuple[float, float]:
    """(share of the pixels with depth that the mesh covers from the input camera, PSNR there against the photo).

    A pixel is covered when the mesh stands within 1 % of its depth.
    """
    mesh = result.mesh
    assert mesh.uv is not None
    assert mesh.texture is not None
    texture = np.asarray(Image.open(io.BytesIO(encoded_texture(mesh.texture))))  # as the GLB holds it
    picture, hit, depth = rendered(mesh.vertices, mesh.faces, mesh.uv, texture, true.camera)
    known = ~np.isnan(frame.z)
    with np.errstate(invalid="ignore"):
        right = hit & (np.abs(depth / frame.z - 1) < 0.01)
    return float(right[known].mean()), psnr(picture[hit], frame.rgb[hit])


def _usual(folder: Path, frame: RgbdFrame) -> np.ndarray:
    """Points on the usual recipe's mesh."""
    import trimesh

    command = [sys.executable, "-m", "bench.open3d_recipe", "rgb.png", "z.npy", str(frame.focal), "ref"]
    paths = [str(folder / a) if a in ("rgb.png", "z.npy", "ref") else a for a in command]
    subprocess.run(paths, cwd=ROOT, check=True, capture_output=True)
    mesh = trimesh.load(folder / "ref.ply", process=False)
    return sample_surface(np.asarray(mesh.vertices), np.asarray(mesh.faces), SAMPLES)


if __name__ == "__main__":
    main()
