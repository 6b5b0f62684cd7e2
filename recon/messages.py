"""What a person is told, as data: a code for programs, a sentence with slots, and the values that go into them.

The sentence stands where it is raised or noted. It names values in braces (`{width}`, `{low:g}`) and options in angle
brackets (`<fov>`, or `<{option}>` for the one whose name is a value), so that the command line can write `--fov` and a page
what its form says. A phrasebook tells both how options are called and which sentences are to be said otherwise, by their
codes: also where another language would go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

OPTION = re.compile(r"<(\{\w+\}|\w+)>")


def _as_it_is(name: str) -> str:
    """A name as a Python caller writes it."""
    return name


@dataclass(frozen=True)
class Phrasebook:
    """How to say things to one kind of reader. option: an option's name as that reader knows it; model: the same of the
    name of a model, which is what slots called `model` hold; sentences: other ones than the library's own, by code, with
    the same slots or some of them."""

    option: Callable[[str], str] = _as_it_is
    sentences: Mapping[str, str] = field(default_factory=dict)
    model: Callable[[str], str] = _as_it_is


PYTHON = Phrasebook()
"""For people who call the library: options are parameters."""


@dataclass(frozen=True)
class Message:
    """One thing to tell. code: `what.why`, stable; sentence: with slots; values: what goes into them, numbers and texts, or
    other messages."""

    code: str
    sentence: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def text(self, book: Phrasebook = PYTHON) -> str:
        """The sentence, filled in, on one line."""
        sentence = book.sentences.get(self.code, self.sentence)
        named = OPTION.sub(lambda found: book.option(self._option(found[1])), sentence)
        said = named.format_map({name: _said(name, value, book) for name, value in self.values.items()})
        return " ".join(said.splitlines())

    def _option(self, name: str) -> str:
        return str(self.values[name[1:-1]]) if name.startswith("{") else name

    def __str__(self) -> str:
        return self.text()

    def to_json(self) -> dict[str, Any]:
        """Ready for JSON; see `from_json`."""
        return {"code": self.code, "sentence": self.sentence, "values": {k: _plain(v) for k, v in self.values.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Message:
        """What `to_json` gave."""
        return cls(data["code"], data["sentence"], {name: _restored(value) for name, value in data["values"].items()})


def note(code: str, sentence: str, **values: Any) -> Message:
    """Something that a person should know of a result."""
    return Message(code, sentence, values)


def first_line(error: BaseException) -> str:
    """An error's first line, or its class."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _said(slot: str, value: Any, book: Phrasebook) -> Any:
    """A value for a slot: messages and models in the reader's words, several parts after each other, numbers as Python's
    own, whose repr is the number alone."""
    if isinstance(value, Message):
        return value.text(book)
    if isinstance(value, list | tuple):
        return "; ".join(str(_said(slot, part, book)) for part in value)
    return book.model(value) if slot == "model" else python_number(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Message):
        return {"message": value.to_json()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    value = python_number(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def python_number(value: Any) -> Any:
    """A number of numpy's as Python's own, anything else as it is; numpy itself is not loaded for it."""
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "shape", None) == () else value


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        return Message.from_json(value["message"])
    return [_restored(part) for part in value] if isinstance(value, list) else value
