"""The command line as a process of its own: it can be interrupted from its first moment, and ends without noise.

Nothing heavy is imported before it listens for Ctrl-C and SIGTERM.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, NoReturn

from recon.cli.program import INTERRUPTED, INTERRUPTION, PROGRAM


def start() -> NoReturn:
    """Run the command line of this process and end it."""
    for order in (signal.SIGINT, signal.SIGTERM):  # until main listens; imports take their time
        if signal.getsignal(order) is not signal.SIG_IGN:
            signal.signal(order, _end_at_once)
    _open_standard_streams()
    sys.unraisablehook = _tell_unraisable
    import warnings

    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # what libraries think of each other is not for the person at the terminal
    from recon.cli.main import main

    code = main(sys.argv[1:])
    if code == INTERRUPTED:
        os._exit(code)  # libraries that were stopped while they loaded complain when they are unloaded
    sys.exit(code)


def _end_at_once(*_: object) -> NoReturn:
    """Say so without Python's streams, which may be in the middle of a word, and end without what is half imported."""
    try:
        os.write(2, f"{PROGRAM}: {INTERRUPTION}\n".encode())
    finally:
        os._exit(INTERRUPTED)


def _tell_unraisable(what: Any) -> None:
    if not isinstance(what.exc_value, KeyboardInterrupt):  # console.Stop remembers that one
        sys.__unraisablehook__(what)


def _open_standard_streams() -> None:
    """Closed ones lead nowhere: otherwise the next file that is opened, a model, would get what C libraries print."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
