"""Work for a crew of processes, which find it by this module's name."""

from __future__ import annotations

import os
import signal
import time
from typing import Any


def squared(task: Any, threads: int, stop: Any) -> Any:
    """The task's square, and the process that found it; a task of 0 kills its process, one below 0 takes for ever."""
    if task == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    while task < 0:
        time.sleep(0.05)
    return task**2, os.getpid(), threads
