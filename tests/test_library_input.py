"""The library answers every wrong type and value with one sentence, as the command line does.

A process of its own: in this one the annotations themselves are enforced, and answer first.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CODE = """
    import json, pathlib, sys
    import numpy as np
    from recon import reconstruct
    from recon.errors import BadInput
    from recon.pipeline import refine

    class Odd:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("no")

    rgb = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    z = np.full((48, 64), 2.0) + rgb[..., 0] / 1000
    photos = [None, 7, 1.5, [], {}, object(), Odd(), np.zeros(5), np.zeros((48, 64, 2), np.uint8), rgb[None, None],
              rgb.astype(np.int64), rgb.astype(np.float32), np.full((48, 64, 3), np.nan), np.zeros((0, 5, 3), np.uint8),
              rgb.astype(str), rgb.astype(complex), rgb[:8], b"", b"nonsense", "", "no such file", pathlib.Path("/"),
              pathlib.PurePosixPath("x"), sys.stdin]
    depths = [7, [], {}, object(), Odd(), np.zeros(5), z[:, :40], z.T, np.dstack([z, z, z + 1]), z.astype(complex), z > 0,
              z.astype(str), z[None, None, None, None, :3], np.zeros((48, 64)), "no such file", b"x"]
    options = [{name: value} for name, values in {
        "surface": [3, "cube", None, ["grid"]], "depth_kind": [3, "metres", ["metric"]],
        "depth_scale": ["a", 0, -1, [1], True], "mask": [None, 3, rgb[..., 0], "no such mask"],
        "fov": ["wide", 0, [60], 999], "focal_px": ["a", 0, [1]], "focal_mm": ["a", 0, 4, 2000, [1]],
        "centre": ["a", 3, (1,), (1, 2, 3), ("a", "b"), (1e9, 1), (float("nan"), 1), "ab"],
        "faces": ["a", 1.5, 0, [4], True], "poisson_depth": ["a", 8.5, 99], "voxel": ["a", 0], "near": ["a", 0],
        "far": ["a"], "device": [3, None], "limits": [3, None], "depth_in": [z, 3], "depth_model": [3, "nonsense", None],
    }.items() for value in values]
    calls = [(f"photo {i}", dict(photo=value, depth=z)) for i, value in enumerate(photos)]
    calls += [(f"depth {i}", dict(photo=rgb, depth=value)) for i, value in enumerate(depths)]
    for i, option in enumerate(options):
        given = dict(photo=rgb, **({} if {"depth_in", "depth_model"} & set(option) else {"depth": z}))
        calls.append((f"{option!r:.60}", given | option))
    out = {}
    for name, given in calls:
        try:
            kind = "disparity" if "near" in given or "far" in given else "metric"
            reconstruct(given.pop("photo"), **({"depth_kind": kind} | given))
            out[name] = "accepted"
        except BadInput as error:
            out[name] = "" if "\\n" not in str(error) and len(str(error)) > 20 else f"sentence: {error}"
        except Exception as error:
            out[name] = f"{type(error).__name__}: {error}"
    found = reconstruct(rgb, depth=z, depth_kind="metric", surface="grid")
    for name, call in {"save 3": lambda: found.save(3), "save None": lambda: found.save(None),
                       "save x": lambda: found.save("x.nonsense"), "refine 3": lambda: refine(3),
                       "refine preset": lambda: refine(found, 3), "refine steps": lambda: refine(found, "quick", steps="a"),
                       "refine a scene": lambda: refine(found)}.items():
        try:
            out[name] = call() and "accepted"
        except BadInput as error:
            out[name] = ""
        except Exception as error:
            out[name] = f"{type(error).__name__}: {error}"
    print(json.dumps(out))
"""


def test_every_wrong_type_and_value_is_answered_in_a_sentence(tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + textwrap.dedent(CODE)
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=tmp_path,
                          stdin=subprocess.DEVNULL, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert len(answers) > 90
    assert {name: answer for name, answer in answers.items() if answer} == {}


SENTENCES = {
    "faces=np.float64(2.5)": "faces is 2.5; give a whole number.",
    "fov=np.array([40.0, 50.0])": "fov is array([40., 50.]); give a number.",
    "voxel=10**400": "voxel is inf; give a length from 1e-06 to 1000000.",
    "centre=(1, 2, 3)": "centre is (1, 2, 3); give two numbers, the principal point in pixels U,V.",
}


def test_options_are_checked_when_they_are_made_and_say_what_came() -> None:
    lines = ["import sys; sys.path.insert(0, sys.argv[1])", "import numpy as np", "from recon import PhotoOptions"]
    for given in SENTENCES:
        lines += ["try:", f"    PhotoOptions({given}); print('accepted')", "except Exception as error: print(error)"]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines), str(ROOT)], capture_output=True, text=True, check=True
    )
    assert dict(zip(SENTENCES, done.stdout.splitlines(), strict=True)) == SENTENCES
