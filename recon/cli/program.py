"""What the program is called here, and its last words when it is interrupted; nothing is imported that takes time."""

from __future__ import annotations

import os
import sys

CALLED = {"unflat": ("unflat", "unflat"), "recon/__main__.py": ("unflat", "python -m recon")}
"""By the end of the path of the file that runs: the program's name, and how it is started; else it is gen.py."""
PROGRAM, COMMAND = next(
    (called for file, called in CALLED.items() if sys.argv[0].replace(os.sep, "/").endswith(f"/{file}")),
    ("gen.py", "python gen.py"),
)
INTERRUPTED = 130
"""The exit code after Ctrl-C or SIGTERM, as shells have it."""
INTERRUPTION = "interrupted; nothing half-written was left"
"""What is said then."""
