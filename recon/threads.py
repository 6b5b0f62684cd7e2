"""How many processor threads the computing libraries take.

More than one are only faster on an idle machine: PyTorch's wait for each other after every small operation, and where other
programs have the processors, that takes longer than the work (docs/decisions.md).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from recon.option_fields import check_value
from recon.options import RefineOptions, option_of

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
"""What libraries read that are loaded later: OpenMP's (PyTorch, Open3D), OpenBLAS (numpy, scipy), OpenCV."""

_limits: list[int] = []


def count() -> int:
    """How many to take now; for what is told by each call or session: onnxruntime, Open3D's ray casting."""
    return _limits[-1] if _limits else os.cpu_count() or 1


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """Let the libraries of this process, and what it starts, take so many threads; what is loaded meanwhile keeps to it.

    One limit at a time: it is the process's, not the thread's. Raises BadOption.
    """
    check_value(option_of(RefineOptions, "threads"), threads)
    from threadpoolctl import threadpool_limits

    _limits.append(threads)
    before = {name: os.environ.get(name) for name in VARIABLES}
    os.environ.update(dict.fromkeys(VARIABLES, str(threads)))
    told = _told(threads)
    try:
        with threadpool_limits(threads):  # what is loaded already
            yield
    finally:
        _limits.pop()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        for tell, number in told:
            tell(number)


def _told(threads: int) -> list[tuple[Any, int]]:
    """Tell the loaded libraries that have a door of their own; what to tell them afterwards."""
    doors = []
    if (torch := sys.modules.get("torch")) is not None:
        doors.append((torch.set_num_threads, torch.get_num_threads()))
    if (cv2 := sys.modules.get("cv2")) is not None:
        doors.append((cv2.setNumThreads, cv2.getNumThreads()))
    for tell, _ in doors:
        tell(threads)
    return doors
