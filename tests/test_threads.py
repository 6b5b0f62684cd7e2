"""Every library that computes keeps to the threads that it is given, and has its own back afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from recon.builtin.estimator import _session
from recon.builtin.weights import GEOMETRY
from recon.errors import BadOption
from recon.threads import VARIABLES, count, limited

ROOT = Path(__file__).resolve().parents[1]


def taken() -> dict[str, int]:
    """Threads by library, as each says itself."""
    pools = {f"{pool['internal_api']} {pool['filepath']}": pool["num_threads"] for pool in threadpool_info()}
    return pools | {"torch": torch.get_num_threads(), "cv2": cv2.getNumThreads(), "count": count()}


def test_a_limit_holds_for_all_and_ends() -> None:
    assert np.ones((9, 9)).dot(np.ones((9, 9))).sum() == 729  # OpenBLAS is there
    before, environment = taken(), {name: os.environ.get(name) for name in VARIABLES}
    with limited(2):
        with limited(1):
            assert set(taken().values()) == {1}
            assert {os.environ[name] for name in VARIABLES} == {"1"}
        assert (count(), torch.get_num_threads(), os.environ["OMP_NUM_THREADS"]) == (2, 2, "2")
    assert taken() == before
    assert {name: os.environ.get(name) for name in VARIABLES} == environment


def test_onnxruntime_makes_a_session_of_as_many() -> None:
    for threads in (1, 2):
        assert _session(GEOMETRY, threads).get_session_options().intra_op_num_threads == threads


def test_what_is_loaded_meanwhile_keeps_to_it() -> None:
    code = """
from recon.threads import limited
with limited(1):
    import torch, cv2, open3d
    from threadpoolctl import threadpool_info
    print({pool["num_threads"] for pool in threadpool_info()}, torch.get_num_threads(), cv2.getNumThreads())
"""
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout == "{1} 1 1\n", done.stderr


@pytest.mark.parametrize("threads", [0, -1, 5000])
def test_a_number_that_makes_no_sense_is_told(threads: int) -> None:
    with pytest.raises(BadOption, match=f"threads is {threads}; give a number from 1 to 1024"), limited(threads):
        pass
