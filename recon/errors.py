"""Every error that Unflat raises on purpose.

    UnflatError                 base; `exit_code` is what the command line returns
    ├── BadInput            2   a file or a value that the person gave: what came, what is allowed, what to do
    │   ├── BadOption       2   the same for an option's value
    │   └── MissingCodec    2   a photo whose kind only an optional package reads, which is not here
    ├── Unwritable          2   a place that results cannot be written to
    └── MissingModel        3   something that a chosen model needs is not here
        ├── MissingDependency   a Python package: the message ends with the command that installs it
        └── MissingWeights      a weights file: the message ends with the command that gets it

A message is one sentence on one line; the command line prints it as it stands.
"""

from __future__ import annotations


class UnflatError(Exception):
    """Base of all expected errors. `str(error)` is one line meant for a person."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))


class BadInput(UnflatError):
    """A photo, mask or depth map that cannot be used."""

    exit_code = 2


class BadOption(BadInput):
    """An option's value that is out of its range or contradicts another option."""


class MissingCodec(BadInput):
    """A photo of a kind that only an optional package reads, which is not installed. kind: as people call it."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class Unwritable(UnflatError):
    """A result cannot be written where it was asked for."""

    exit_code = 2


class MissingModel(UnflatError):
    """A model was asked for and cannot run here."""

    exit_code = 3


class MissingDependency(MissingModel):
    """A Python package is not installed."""


class MissingWeights(MissingModel):
    """A model's weights are neither here nor to be had."""
