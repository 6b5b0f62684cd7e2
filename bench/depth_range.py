"""Which far/near ratio fits the built-in network's disparity best: where recon.builtin.estimator's INDOORS and OUTDOORS
come from.

    python -m bench.depth_range

Printed is, per frame, the share of sky that the network sees and the median of |s·z / true z − 1| for each ratio, where z
is depth from the network's disparity and s the one scale that makes the median right.
"""

from __future__ import annotations

import numpy as np

from bench.frames import RgbdFrame, frames
from recon.builtin.depth import BuiltinDepth
from recon.geometry.disparity import disparity_to_depth
from recon.geometry.upsample import guided_upsample

RATIOS = (2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0)


def main() -> None:
    """Print one row per frame and the means."""
    print(f"{'frame':>20} {'sky':>6} " + " ".join(f"{ratio:6g}" for ratio in RATIOS))
    network = BuiltinDepth()
    rows = []
    for frame in frames():
        disparity = network.estimate(frame.rgb).values
        sky = np.isnan(disparity)
        full = guided_upsample(np.where(sky, disparity[~sky].min(), disparity), frame.rgb)
        rows.append([float(sky.mean()), *(_error(frame, full, ratio) for ratio in RATIOS)])
        print(f"{frame.name:>20} " + " ".join(f"{value:6.3f}" for value in rows[-1]), flush=True)
    print(f"{'mean':>20} " + " ".join(f"{value:6.3f}" for value in np.mean(rows, axis=0)))


def _error(frame: RgbdFrame, disparity: np.ndarray, ratio: float) -> float:
    known = ~np.isnan(frame.z)
    found, true = disparity_to_depth(disparity, ratio=ratio)[known], frame.z[known]
    return float(np.median(np.abs(np.median(true / found) * found / true - 1)))


if __name__ == "__main__":
    main()
