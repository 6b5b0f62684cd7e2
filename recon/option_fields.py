"""What an option is: all that is known of it, and how a value is checked."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal

from recon.errors import BadOption
from recon.messages import python_number

Kind = Literal["number", "whole", "word", "words", "switch", "pair", "file"]
"""What a value is: a number; a whole one; one of the choices, or with `open` any other word; some of the choices, with
commas, or `none`; yes or no; two numbers; a path."""


@dataclass(frozen=True)
class Choice:
    """A word that an option may be. label: as a form lists it; about: what it does."""

    value: str
    label: str = ""
    about: str = ""


@dataclass(frozen=True)
class Page:
    """How an option stands in the web's form and API. label: before its field; changes: what it changes in the model;
    called: what a sentence calls it, else its label in small letters; name: its own in requests; low, high: narrower bounds
    than the library's; empty: what stands in an empty field, left: what that means; told: how it is said of a result, with
    a slot for the value; about: in the API's description; first: among the first in the form; cards: its choices stand
    open, with what they do; wide: over the form's whole width."""

    label: str
    changes: str
    called: str = ""
    name: str = ""
    low: int | float | None = None
    high: int | float | None = None
    empty: str = ""
    left: str = ""
    told: str = ""
    about: str = ""
    first: bool = False
    cards: bool = False
    wide: bool = False


@dataclass(frozen=True)
class Option:
    """One option. help: on the command line, naming others as messages do; kind: see there; what: a sentence's words
    for what is to be given; low, high: its bounds, both allowed; unit; choices: the words it may be, `open`: or another
    one; models: or the name of a model of this task; off: the word for doing without all of it; group, flag, metavar:
    where and how it stands on the command line, `aliases`: flags of old; page: how in the web, None: it is not offered
    there. name and default are the field's."""

    help: str
    kind: Kind = "word"
    what: str = ""
    low: int | float | None = None
    high: int | float | None = None
    unit: str = ""
    choices: tuple[Choice, ...] = ()
    open: bool = False
    models: str = ""
    off: Choice | None = None
    group: str = ""
    flag: str = ""
    metavar: str | None = None
    aliases: tuple[str, ...] = ()
    page: Page | None = None
    name: str = ""
    default: Any = None

    @property
    def flag_name(self) -> str:
        """Its name on the command line, with underscores."""
        return self.flag or self.name

    @property
    def web_name(self) -> str:
        """Its name in the web's requests."""
        return (self.page and self.page.name) or self.name

    @property
    def listed(self) -> tuple[Choice, ...]:
        """All that may be chosen, `off` first."""
        return self.choices if self.off is None else (self.off, *self.choices)


def check_value(about: Option, value: Any) -> None:
    """The same for one value."""
    if value is None and about.default is None:
        return
    if about.kind in ("number", "whole"):
        check_number(about, value)
    elif about.kind == "word" and not about.open:
        allowed = [choice.value for choice in about.choices]
        if not isinstance(value, str) or value not in allowed:
            raise BadOption("option.choice", "<{option}> is {given!r}; give {allowed}.",
                            option=about.name, given=value, allowed=", ".join(allowed))  # fmt: skip
    elif about.kind == "switch" and not isinstance(python_number(value), bool):
        raise BadOption("option.switch", "<{option}> is {given!r}; give true or false.", option=about.name, given=value)
    elif about.kind == "words":
        _check_words(about, value)
    elif about.kind == "pair":
        number_pair(about, value)
    elif about.kind in ("file", "word") and not about.models and not isinstance(value, str | os.PathLike):
        raise BadOption("option.type", "<{option}> is of type {kind}; give {what}.",
                        option=about.name, kind=type(value).__name__, what=about.what or "a word")  # fmt: skip


def _check_words(about: Option, value: Any) -> None:
    allowed = [choice.value for choice in about.choices]
    words = [word.strip() for word in str(value).split(",")]
    for word in words if words != ["none"] else []:
        if word not in allowed:
            raise BadOption("option.words", "<{option}> is {given!r} and {word!r} is unknown; give none, or {allowed}.",
                            option=about.name, given=value, word=word, allowed=",".join(allowed))  # fmt: skip


def check_number(about: Option, value: Any, low: int | float | None = None, high: int | float | None = None) -> float:
    """The value of a numeric option as a float, within the given bounds, else its own. Raises BadOption."""
    low, high = about.low if low is None else low, about.high if high is None else high
    found, what = number(about.name, value), about.what or "a number"
    if about.kind == "whole" and not is_whole(value):
        raise BadOption("option.whole", "<{option}> is {given!r}; give a whole number.", option=about.name, given=value)
    if low is not None and high is not None and not low <= found <= high:
        raise BadOption("option.range", "<{option}> is {given:.12g}; give {what} from {low:.12g} to {high:.12g}.",
                        option=about.name, given=found, what=what, low=low, high=high)  # fmt: skip
    if low is not None and high is None and not found >= low:
        raise BadOption("option.least", "<{option}> is {given:.12g}; give {what}, at least {low:.12g}.",
                        option=about.name, given=found, what=what, low=low)  # fmt: skip
    return found


def number(name: str, value: Any) -> float:
    """`value` as a number that may be compared; NaN is outside of every range. Raises BadOption for what is none."""
    try:
        if not isinstance(value, bool | str | bytes):
            return float(value)
    except OverflowError:  # a whole number beyond all floats
        return math.inf if value > 0 else -math.inf
    except Exception:  # no number, or several: whatever somebody else's __float__ raises
        pass
    raise BadOption("option.number", "<{option}> is {given!r}; give a number.", option=name, given=value)


def number_pair(about: Option, value: Any) -> tuple[float, float]:
    """The value of an option of two numbers. Raises BadOption."""
    try:
        first, second = value
    except (TypeError, ValueError):
        raise BadOption("option.pair", "<{option}> is {given}; give two numbers, {what}.",
                        option=about.name, given=repr(value), what=about.what) from None  # fmt: skip
    return number(about.name, first), number(about.name, second)


def is_whole(value: Any) -> bool:
    """Whether it is a whole number by its type, and no truth value."""
    return isinstance(value, Integral) and not isinstance(value, bool)
