"""The parser of a command line: options as flags, and back; its errors are one sentence like all others."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from recon.cli.phrasebook import COMMAND_LINE, flag_of
from recon.cli.program import COMMAND
from recon.errors import BadOption
from recon.messages import note
from recon.option_fields import Option
from recon.options import options_of

GROUPS = {
    "input": "input",
    "shape": "shape",
    "stereo": "both eyes",
    "refinement": "refinement of a subject's closed mesh, in minutes",
    "printing": "printing (.stl)",
    "more results": "more results",
    "run": "run",
}
"""Titles of the groups that options name, in the order of the help; another group is its own title, at the end."""
T = TypeVar("T")


def pair(text: str) -> tuple[float, float]:
    """Two numbers with a comma between them."""
    try:
        first, second = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no pair of numbers; give two with a comma, U,V") from None
    return first, second


TYPES: dict[str, Any] = {"number": float, "whole": int, "word": str, "words": str, "pair": pair, "file": Path}


class Parser(argparse.ArgumentParser):
    """A parser that raises BadOption for arguments that it does not understand."""

    def error(self, message: str) -> NoReturn:
        """What argparse calls to complain."""
        raise BadOption("run.arguments", "{message}; see {command} --help.", message=message, command=COMMAND)


class Groups:
    """The groups of a parser, made as they are needed."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._made: dict[str, argparse._ActionsContainer] = {"": parser}
        self._parser = parser
        for name, title in GROUPS.items():
            self._made[name] = parser.add_argument_group(title)

    def __getitem__(self, name: str) -> argparse._ActionsContainer:
        if name not in self._made:
            self._made[name] = self._parser.add_argument_group(name)
        return self._made[name]


def add_options(groups: Groups, *kinds: type) -> None:
    """A flag for each option of some classes. One that is not given is no attribute of what is parsed."""
    for about in options_of(*kinds):
        flags = [flag_of(name) for name in (about.name, *about.aliases)]
        told = note("option.help", about.help).text(COMMAND_LINE)
        add = groups[about.group].add_argument
        if about.kind == "switch":
            add(*flags, dest=about.name, action="store_true", default=argparse.SUPPRESS, help=told)
            continue
        closed = about.kind == "word" and about.choices and not about.open
        words = [choice.value for choice in about.listed] if closed else None
        add(*flags, dest=about.name, type=TYPES[about.kind], choices=words, metavar=about.metavar,
            default=argparse.SUPPRESS, help=told)  # fmt: skip


def wanted(args: argparse.Namespace, kind: type) -> bool:
    """Whether what a class of options is about is to be done at all: its `off`, if it has one, was not said or left so."""
    return all(getattr(args, about.name, about.off.value) != about.off.value for about in options_of(kind) if about.off)


def read_options(args: argparse.Namespace, kind: type[T]) -> T:
    """The options of a class as they were given, the others as they are by default. Raises BadOption."""
    return kind(**{about.name: getattr(args, about.name) for about in options_of(kind) if _says(args, about)})


def _says(args: argparse.Namespace, about: Option) -> bool:
    """Whether a value was given for an option: an empty list of words, as a shell makes of an unset variable, is none."""
    return hasattr(args, about.name) and (about.kind != "words" or getattr(args, about.name) != "")
