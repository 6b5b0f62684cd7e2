"""Scores of a network on held-back synthetic scenes and on RGB-D frames, and the picture of a run's log.

Run alone: `python -m training.evaluate --onnx FILE --real DIR` scores an exported network.
An RGB-D folder holds one folder per frame with meta.json (rgb, depth, depth_scale, optionally sun_bitshift, invalid,
max_depth_m, scene) and two images; depth is uint16, 0 where nothing was measured.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from recon.builtin.estimator import SIDE, Network, network_size
from recon.builtin.weights import GEOMETRY

from .losses import align, delta1_absrel, relief_loss
from .synthetic import Batch, World

# Batches of the held-back world: numbers far beyond those of any training run.
HELD_BACK = 1_000_000
# Fewer pixels than this share do not count as a subject seen.
EMPTY = 0.01
# The distance is known where its logarithm's expected error is under this.
SURE = 0.3
DOMAINS = {"indoor": "indoor", "tabletop": "tabletop", "outdoor": "street"}
Predict = Callable[[np.ndarray], np.ndarray]


def torch_predict(net: nn.Module, side: int) -> Predict:
    """uint8 (H, W, 3) -> disparity (h, w) by a torch network at the estimator's resolution."""
    device = next(net.parameters()).device

    @torch.no_grad()
    def predict(rgb: np.ndarray) -> np.ndarray:
        width, height = network_size(rgb.shape[1], rgb.shape[0], side)
        small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
        image = torch.from_numpy(small).to(device).permute(2, 0, 1)[None].float() / 255
        return net(unhinted(image)).disparity[0, 0].cpu().numpy()

    return predict


def read_rgbd(folder: Path) -> tuple[np.ndarray, np.ndarray, str]:
    """rgb uint8 (H, W, 3), disparity float32 (H, W) with 0 where there is no measurement, and the frame's domain."""
    meta = json.loads((folder / "meta.json").read_text())
    rgb = cv2.imread(str(folder / meta["rgb"]), cv2.IMREAD_COLOR)
    raw = cv2.imread(str(folder / meta["depth"]), cv2.IMREAD_UNCHANGED)
    if rgb is None or raw is None:
        raise ValueError(f"{folder}: cannot read {meta['rgb']} or {meta['depth']}")
    raw = cast("Any", raw).astype(np.int64)
    domain = next((name for word, name in DOMAINS.items() if word in meta["scene"]), "other")
    if meta.get("gt_is_disparity"):
        return rgb[..., ::-1], raw.astype(np.float32), domain
    if meta.get("sun_bitshift"):
        raw = ((raw >> 3) | (raw << 13)) & 0xFFFF
    depth = raw / meta["depth_scale"]
    bad = (raw == 0) | np.isin(raw, meta.get("invalid", [])) | (depth > (meta.get("max_depth_m") or np.inf))
    return rgb[..., ::-1], np.where(bad, 0, 1 / np.maximum(depth, 1e-9)).astype(np.float32), domain


def score_frames(predict: Predict, folder: Path) -> dict[str, list[tuple[str, float, float]]]:
    """Per domain the frames' (name, delta1, AbsRel): disparity fitted by least squares (scale and shift) per frame."""
    scores: dict[str, list[tuple[str, float, float]]] = defaultdict(list)
    for meta in sorted(folder.glob("*/meta.json")):
        rgb, truth, domain = read_rgbd(meta.parent)
        prediction = cv2.resize(predict(rgb), truth.shape[::-1], interpolation=cv2.INTER_LINEAR)
        seen = truth > 0
        pair = torch.from_numpy(prediction[seen]), torch.from_numpy(truth[seen])
        scores[domain].append((meta.parent.name, *delta1_absrel(*pair)))
    return scores


def farther_with_each_row(rgb: np.ndarray) -> np.ndarray:
    """The guess that needs no network: disparity (h, w) grows evenly from the top row to the bottom row."""
    return np.repeat(np.arange(rgb.shape[0], dtype=np.float32)[:, None], rgb.shape[1], axis=1)


def score_real(net: nn.Module, folder: Path, side: int = SIDE) -> dict[str, float]:
    """Mean delta1 and AbsRel over the frames, and delta1 per domain; side: root of the network's pixel count."""
    scores = score_frames(torch_predict(net, side), folder)
    frames = [frame for domain in scores.values() for frame in domain]
    result = {"real_d1": float(np.mean([f[1] for f in frames])), "real_rel": float(np.mean([f[2] for f in frames]))}
    result |= {name: float(np.mean([f[1] for f in scores[name]])) for name in sorted(scores)}
    return {name: round(value, 4) for name, value in result.items()}


def unhinted(rgb: Tensor) -> Tensor:
    """The network's input (B, 4, H, W) for photos whose subject nobody has marked."""
    return torch.cat([rgb, torch.zeros_like(rgb[:, :1])], 1)


def boundary_f1(prediction: np.ndarray, truth: np.ndarray, within: int = 0) -> float:
    """F1 of occluding contours (Bochkovskii et al. 2024, Depth Pro, section 4.1): neighbours along rows and columns whose
    depths differ by a factor of t in the prediction and in the truth, the same side in front, weighted mean over t from
    1.05 to 1.25. Disparity maps (h, w) of one size; where the truth is 0 nothing was measured. within: pixels, along both
    axes, that a contour may lie beside the other's."""
    scores = []
    thresholds = np.linspace(1.05, 1.25, 10)
    floor = max(float(truth.max()) / 100, 1e-9)
    for t in thresholds:
        right = hits = found = real = 0
        for axis in (0, 1):
            seen = np.minimum(*_neighbours(truth, axis)) > 0
            (p, q), (a, b) = (_neighbours(np.maximum(x, floor), axis) for x in (prediction, truth))
            for said, true in ((p > t * q, a > t * b), (q > t * p, b > t * a)):
                said, true = said & seen, true & seen
                right += int((said & _widened(true, within)).sum())
                hits += int((true & _widened(said, within)).sum())
                found += int(said.sum())
                real += int(true.sum())
        precision, recall = right / max(1, found), hits / max(1, real)
        scores.append(2 * precision * recall / max(1e-12, precision + recall))
    return float(np.average(scores, weights=thresholds))


def _widened(contours: np.ndarray, within: int) -> np.ndarray:
    return cv2.dilate(contours.astype(np.uint8), np.ones((2 * within + 1,) * 2, np.uint8)) > 0


def _neighbours(values: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Every pixel but the last along an axis, and the one after it."""
    return np.delete(values, -1, axis), np.delete(values, 0, axis)


@cache
def _held_back(seed: int, device: str, batches: int) -> list[Batch]:
    """Batches of pictures of all kinds that no run is trained on."""
    world, size = World(seed, device), (192, 256)
    generators = [torch.Generator(device).manual_seed(seed * 1_000_003 + HELD_BACK + i) for i in range(batches)]
    return [world.expose(HELD_BACK + i, 16, *size, "both").developed(g) for i, g in enumerate(generators)]


@torch.no_grad()
def score_world(net: nn.Module, seed: int, device: str = "cpu", batches: int = 4) -> dict[str, float]:
    """Scores on held-back synthetic scenes: delta1 and AbsRel of everything but the sky, accuracy of the sky, degrees
    of the normals / 90, the subject's IoU where there is one and the share of scenes where none is wrongly seen,
    relief error in parts of the subject's thickness, degrees of the field of view / 90, boundary F1, and the mean error of
    the distance's logarithm where the network is sure of it, and how often that is."""
    depth, rest = [], defaultdict(list)
    for batch in _held_back(seed, device, batches):
        labels, p = batch.labels, net(unhinted(batch.rgb))
        rest["sky_acc"].append(float(((p.sky > 0) == (labels.sky > 0.5)).float().mean()))
        cosine = (p.normals * labels.normals).sum(1, keepdim=True)[labels.sky < 0.5]
        rest["normals"].append(float(torch.rad2deg(cosine.clamp(-1, 1).acos()).mean()) / 90)
        rest["fov"].append(float((p.fov[:, 0] - labels.fov).abs().mean()) / 90)
        rest["distance"] += (p.distance[:, 0] - labels.distance.log()).abs()[p.distance[:, 1] < SURE].tolist()
        rest["sure"] += (p.distance[:, 1] < SURE).float().tolist()
        for k in range(len(batch.rgb)):
            one, inside, seen = labels[k : k + 1], labels.subject[k] > 0.5, p.subject[k] > 0
            truth = one.disparity[0]
            if (truth > 0).any():
                depth.append(delta1_absrel(p.disparity[k][truth > 0].cpu(), truth[truth > 0].cpu()))
                fitted = align(p.disparity[k : k + 1], one.disparity)[0, 0].cpu().numpy()
                rest["edges"].append(boundary_f1(fitted, truth[0].cpu().numpy()))
            if not inside.any():
                rest["empty"].append(float(seen.float().mean() < EMPTY))
                continue
            rest["iou"].append(float((inside & seen).sum() / (inside | seen).sum()))
            thick = float((one.back - one.front)[0][inside].mean())
            error = float(relief_loss(p.front[k : k + 1], p.back[k : k + 1], one, 0.0)) / 200
            rest["relief"].append(min(2.0, error / max(thick, 0.01)))
    d1, rel = np.mean(depth, axis=0)
    means = {name: np.mean(values) if values else 1.0 for name, values in rest.items()}
    scores = {"world_d1": d1, "world_rel": rel, **means}
    return {name: round(float(value), 4) for name, value in scores.items()}


def log_row(log: Path, row: dict[str, float]) -> None:
    """Append a row of scores to a run's log, which gets its head with the first one, and print it."""
    new = not log.exists()
    with log.open("a", newline="") as file:
        writer = csv.DictWriter(file, row.keys())
        if new:
            writer.writeheader()
        writer.writerow(row)
    print(" ".join(f"{k}={v:g}" for k, v in row.items()), flush=True)


def draw_curve(log: Path, picture: Path, size: tuple[int, int] = (900, 420)) -> None:
    """Scores over steps as lines in a PNG; everything is in [0, 1], loss is cut at 1."""
    rows = list(csv.DictReader(log.read_text().splitlines()))
    names = [n for n in rows[0] if n not in ("step", "seconds")]
    width, height = size
    canvas = np.full((height, width, 3), 255, np.uint8)
    last = max(float(rows[-1]["step"]), 1.0)
    for level in np.arange(0, 1.01, 0.1):
        y = int(height - 20 - level * (height - 40))
        cv2.line(canvas, (40, y), (width - 130, y), (225, 225, 225), 1)
        cv2.putText(canvas, f"{level:.1f}", (8, y + 4), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (90, 90, 90), 1, cv2.LINE_AA)
    for i, name in enumerate(names):
        hue = np.array([[[int(180 * i / len(names)), 200, 190]]], np.uint8)
        tint = tuple(int(c) for c in cv2.cvtColor(hue, cv2.COLOR_HSV2BGR)[0, 0])
        points = [
            (40 + float(r["step"]) / last * (width - 170), height - 20 - min(1.0, float(r[name])) * (height - 40))
            for r in rows
        ]
        cv2.polylines(canvas, [np.array(points, np.int32)], False, tint, 2, cv2.LINE_AA)
        cv2.putText(canvas, name, (width - 120, 30 + 20 * i), cv2.FONT_HERSHEY_SIMPLEX, 0.45, tint, 1, cv2.LINE_AA)
    cv2.putText(canvas, f"{last:.0f} steps", (width - 220, height - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (90, 90, 90), 1)
    cv2.imwrite(str(picture), canvas)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description="Score an exported network.")
    parser.add_argument("--onnx", type=Path, default=GEOMETRY, help="exported network (default: the one that ships)")
    parser.add_argument("--real", type=Path, required=True, help="folder of RGB-D frames")
    parser.add_argument("--side", type=int, default=SIDE, help="root of the pixel count")
    args = parser.parse_args()
    network = Network(args.onnx, args.side)
    scores = score_frames(lambda rgb: network.heads(rgb).disparity, args.real)
    rows = score_frames(farther_with_each_row, args.real)
    for domain, frames in sorted(scores.items()):
        for name, delta1, absrel in frames:
            print(f"  {name:24s} delta1 {delta1:.3f}  AbsRel {absrel:.3f}")
        print(_line(domain, frames, rows[domain]))
    print(_line("all frames", *([frame for frames in s.values() for frame in frames] for s in (scores, rows))))


def _line(name: str, frames: list[tuple[str, float, float]], rows: list[tuple[str, float, float]]) -> str:
    """The means of the network, and in brackets of the guess that depth follows the row."""
    (d1, rel), (row_d1, row_rel) = (np.mean([f[1:] for f in s], axis=0) for s in (frames, rows))
    return f"{name:26s} delta1 {d1:.3f}  AbsRel {rel:.3f}  (by the row: {row_d1:.3f}, {row_rel:.3f})"


if __name__ == "__main__":
    main()
