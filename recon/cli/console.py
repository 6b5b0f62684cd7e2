"""What a person at a terminal sees: results on stdout, progress and notes on stderr.

A reader who has gone away (`| head`) or a closed stream is no error; the work is still done and its files are whole.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn, TextIO

from recon.errors import Unwritable


def say(text: str, stream: TextIO | None) -> None:
    """One line to a stream. Raises Unwritable when stdout leads to a disk that is full."""
    if stream is None:  # it was closed before we began
        return
    try:
        _write(text, stream)
    except OSError as error:
        _lead_nowhere(stream)
        if stream is sys.stdout and not isinstance(error, BrokenPipeError):
            raise Unwritable(
                "output.stdout", "cannot write to the standard output: {reason}.", reason=error.strerror or str(error)
            ) from None


def _write(text: str, stream: TextIO) -> None:
    try:
        stream.write(f"{text}\n")
    except UnicodeEncodeError:  # a file name may hold bytes that are no text: they go out as they came in
        stream.flush()
        stream.buffer.write(os.fsencode(f"{text}\n"))
    stream.flush()


def _lead_nowhere(stream: TextIO) -> None:
    """What is left in the stream's buffer must not fail again when the interpreter ends."""
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


class Progress:
    """Stages on stderr: one line that renews itself in a terminal, one line per stage elsewhere.

    Elsewhere nothing is printed until the input has been read and found good, so that an error is the only line.
    """

    INPUT = ("read", "model", "subject")
    """Stages that can find the input bad."""

    def __init__(self, quiet: bool) -> None:
        self.quiet, self.live = quiet, sys.stderr is not None and sys.stderr.isatty()
        self.waiting: list[str] = []
        self.last = ""

    def stage(self, name: str) -> None:
        """A stage begins, or goes on."""
        if self.quiet or name == self.last:
            return
        self.last = name
        if self.live:
            self._draw(f"{name} …")
            return
        self.waiting.append(name)
        if name not in self.INPUT:
            say("\n".join(self.waiting), sys.stderr)
            self.waiting.clear()

    def clear(self) -> None:
        """Take the live line away."""
        if self.live and not self.quiet:
            self._draw("")

    def _draw(self, text: str) -> None:
        try:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
        except OSError:
            _lead_nowhere(sys.stderr)


class Stop:
    """Ctrl-C and SIGTERM. Remembered, since libraries that are stopped in a callback or while they load swallow
    KeyboardInterrupt or raise an error of their own."""

    asked = False

    def __call__(self, *_: object) -> NoReturn:
        self.asked = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise KeyboardInterrupt once more if it was swallowed."""
        if self.asked:
            raise KeyboardInterrupt
