"""Every error that Unflat raises on purpose.

    UnflatError                 base; `exit_code` is what the command line returns
    ├── BadInput            2   a file or a value that the person gave: what came, what is allowed, what to do
    │   ├── BadOption       2   the same for an option's value
    │   └── MissingCodec    2   a photo whose kind only an optional package reads, which is not here
    ├── Unwritable          2   a place that results cannot be written to
    └── MissingModel        3   something that a chosen model needs is not here
        ├── MissingDependency   a Python package: the message ends with the command that installs it
        └── MissingWeights      a weights file: the message ends with the command that gets it

An error is raised with a code, a sentence with slots and the values for them (see `messages`):
`raise BadInput("photo.empty", "{name!r} is empty; give a photo.", name=path.name)`. `str(error)` is that sentence for
people who call the library; `error.message.text(book)` is it in the words of a phrasebook.
"""

from __future__ import annotations

from typing import Any

from recon.messages import Message


class UnflatError(Exception):
    """Base of all expected errors. `message`: what is told; `code` and `values`: the same for programs."""

    exit_code = 1

    def __init__(self, code: str, sentence: str, **values: Any) -> None:
        self.message = Message(code, sentence, values)
        super().__init__(str(self.message))

    @property
    def code(self) -> str:
        """What went wrong, for programs."""
        return self.message.code

    @property
    def values(self) -> dict[str, Any]:
        """What the sentence is about."""
        return dict(self.message.values)

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.message)


def _again(kind: type[UnflatError], message: Message) -> UnflatError:
    """An error that comes out of another process."""
    return kind(message.code, message.sentence, **message.values)


class BadInput(UnflatError):
    """A photo, mask or depth map that cannot be used."""

    exit_code = 2


class BadOption(BadInput):
    """An option's value that is out of its range or contradicts another option."""


class MissingCodec(BadInput):
    """A photo of a kind that only an optional package reads, which is not installed; values["kind"]: as people call it."""


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
