"""What the program is called here, and its parser, whose errors are one sentence like all others."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from recon.errors import BadOption

CALLED = {"unflat": ("unflat", "unflat"), "__main__.py": ("unflat", "python -m recon")}
"""By the name of the file that runs: the program's name, and how it is started; else it is gen.py."""
PROGRAM, COMMAND = CALLED.get(Path(sys.argv[0]).name, ("gen.py", "python gen.py"))


class Parser(argparse.ArgumentParser):
    """Raises BadOption for arguments that it does not understand."""

    def error(self, message: str) -> NoReturn:
        raise BadOption("run.arguments", "{message}; see {command} --help.", message=message, command=COMMAND)
