"""What the program is called here, and its parser, whose errors are one sentence like all others."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from recon.errors import BadOption

CALLED = {"unflat": ("unflat", "unflat"), "recon/__main__.py": ("unflat", "python -m recon")}
"""By the end of the path of the file that runs: the program's name, and how it is started; else it is gen.py."""
PROGRAM, COMMAND = next(
    (called for file, called in CALLED.items() if Path(sys.argv[0]).as_posix().endswith(f"/{file}")),
    ("gen.py", "python gen.py"),
)


class Parser(argparse.ArgumentParser):
    """A parser that raises BadOption for arguments that it does not understand."""

    def error(self, message: str) -> NoReturn:
        """What argparse calls to complain."""
        raise BadOption("run.arguments", "{message}; see {command} --help.", message=message, command=COMMAND)
