"""`unflat models`: the models that can be used, and where their weights are."""

from __future__ import annotations

import sys

from recon.cli.arguments import Parser
from recon.cli.console import say
from recon.cli.program import PROGRAM


def main(arguments: list[str]) -> int:
    """Print the table; returns 0. Raises BadOption for arguments, of which there are none."""
    Parser(f"{PROGRAM} models", description=__doc__, allow_abbrev=False).parse_args(arguments)
    from recon import models_table

    say(models_table(), sys.stdout)
    return 0
