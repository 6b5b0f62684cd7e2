"""Whose looks at a subject make the best solid: the geometry network, the network of objects, or both?

    python -m bench.augmented_views [--data DIR] [--views N]

Solids of textured meshes from random views, each network looking plain and mirrored at a square window; `fast` is what the
fast path does, one look and the mirror plane where it is sure, and what a refinement begins with. `front`, `F` and `IoU`
are bench.shapes' with the alignment `shape`, `held` is bench.refinement's.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench import shapes
from bench.frames import DEFAULT_FOLDER
from bench.refinement import HELD, textured_picture, true_pictures
from bench.score import psnr
from bench.views import ModelView, read_model, seen_from, unseen_camera, unseen_poses
from recon.builtin.estimator import Network
from recon.builtin.object_network import ObjectNetwork
from recon.pipeline import reconstruct
from recon.protocols import ShapeEstimator
from recon.refinement.augmented_views import averaged_relief
from recon.results import Reconstruction
from recon.settings import SolidSettings
from recon.stages.surface_solid import make_solid
from recon.types import DepthMap

COLUMNS = ("front", "F", "IoU", "held")


def main() -> None:
    """Print the means, then F of every view."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER.parent)
    parser.add_argument("--views", type=int, default=3, help="of each mesh")
    args = parser.parse_args()
    everything, own = Network(longest=1.0), ObjectNetwork()
    ways: dict[str, Sequence[ShapeEstimator]] = {
        "fast": (), "everything": (everything,), "objects": (own,), "both": (everything, own),
    }  # fmt: skip
    rows: dict[str, list[np.ndarray]] = {}
    for i, path in enumerate(sorted((args.data / "meshes").glob("*.gl[bt]*"))):
        model = read_model(path)
        for j in range(args.views):
            view = seen_from(model, np.random.default_rng((11, i, j)))
            true, pictures = shapes.truth_of(view), true_pictures(view, False)
            found = reconstruct(view.rgba, surface="solid", depth_model="builtin", offline=True)
            for name, networks in ways.items():
                rows.setdefault(name, []).append(scored(found, looked(found, networks), view, true, pictures))
    print(f"{'looks':>12} " + " ".join(f"{name:>6}" for name in COLUMNS) + "   F of each view")
    for name, every in rows.items():
        means = " ".join(f"{value:6.3f}" for value in np.mean(every, axis=0))
        print(f"{name:>12} {means}   " + " ".join(f"{row[1]:.2f}" for row in every))


def looked(found: Reconstruction, networks: Sequence[ShapeEstimator]) -> DepthMap:
    """The depth map after all looks; as it was without any."""
    looks = averaged_relief(networks, found.photo, found.mask, found.camera, found.depth, (0.0,))
    return [found.depth, *looks][-1]


def scored(
    found: Reconstruction, depth: DepthMap, view: ModelView, true: shapes.Truth, pictures: np.ndarray
) -> np.ndarray:
    """COLUMNS of the solid of a depth map."""
    mesh = make_solid(found.photo, found.mask, depth, found.camera, SolidSettings(6000))
    row, solid = shapes.scores(depth.z, found.camera, shapes.TriangleMesh(mesh.vertices, mesh.faces), true, "shape")
    fitted = mesh.with_(vertices=solid.vertices.astype(np.float32))
    seen = np.stack([textured_picture(fitted, unseen_camera(HELD), *pose) for pose in unseen_poses(view)])
    return np.array([row[0], row[1], row[4], psnr(seen, pictures)])


if __name__ == "__main__":
    main()
