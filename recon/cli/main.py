"""The command line: a verb and its options. `photo` is meant where the first word is an option."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

from recon.cli import models, photo, stereo
from recon.cli.console import Progress, Stop, say
from recon.cli.phrasebook import COMMAND_LINE
from recon.cli.program import COMMAND, INTERRUPTED, INTERRUPTION, PROGRAM
from recon.errors import BadOption, UnflatError

VERBS: dict[str, Callable[[list[str], Progress, Stop], int]] = {
    "photo": photo.main,
    "stereo": stereo.main,
    "models": lambda arguments, *_: models.main(arguments),
}
"""What the program can do, by the first word."""


def main(arguments: list[str]) -> int:
    """Run one command line; returns the exit code (0 done, 1 some photos of a folder failed, 2 bad input, 3 missing model,
    130 interrupted)."""
    progress, stop = Progress(quiet=True), Stop()
    try:
        for order in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(order) is not signal.SIG_IGN:
                signal.signal(order, stop)
        verb, rest = _verb(arguments)
        return VERBS[verb](rest, progress, stop)
    except (KeyboardInterrupt, Exception) as error:
        message, exit_code = _explained(error, stop.asked)
        progress.clear()
        say(f"{PROGRAM}: {message}", sys.stderr)
        return exit_code


def _verb(arguments: list[str]) -> tuple[str, list[str]]:
    """What is to be done, and its options. Raises BadOption for a word that is no verb."""
    if not arguments or arguments[0].startswith("-"):
        return "photo", arguments
    if arguments[0] not in VERBS:
        raise BadOption(
            "run.verb",
            "{word!r} is no command; give {verbs}, or begin with an option: a photo's name stands after <rgb>; see"
            " {command} --help.",
            word=arguments[0],
            verbs=" or ".join(VERBS),
            command=COMMAND,
        )
    return arguments[0], arguments[1:]


def _explained(error: BaseException, stopped: bool) -> tuple[str, int]:
    """One line and the exit code; an error that nobody expected goes on as it came."""
    if stopped or isinstance(error, KeyboardInterrupt):
        return INTERRUPTION, INTERRUPTED
    if isinstance(error, UnflatError):
        return error.message.text(COMMAND_LINE), error.exit_code
    if isinstance(error, MemoryError):
        return "not enough memory for this photo; give a smaller one.", 2
    raise error
