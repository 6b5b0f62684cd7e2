"""Every message that the source can make, read off it: errors, notes and what decoders complain of."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from recon.errors import UnflatError
from recon.messages import OPTION

ROOT = Path(__file__).resolve().parents[1]
MAKERS = {"note", "decoding"}
GIVEN = {"decoding": {"reason"}}
"""What makers add themselves."""


@dataclass(frozen=True)
class Made:
    """One place where a message is made. given: the slots that get a value there; None: what they are is not written
    there (a `**` among the arguments)."""

    where: str
    maker: str
    code: str | None
    sentence: str | None
    given: frozenset[str] | None


@cache
def kinds_of_error() -> frozenset[str]:
    """The names of UnflatError and of all that are derived from it, wherever they stand."""
    trees = [ast.parse(path.read_text()) for path in (ROOT / "recon").rglob("*.py")]
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found, before = {UnflatError.__name__}, 0
    while len(found) > before:
        before = len(found)
        found |= {each.name for each in classes if any(isinstance(b, ast.Name) and b.id in found for b in each.bases)}
    return frozenset(found)


def slots_of(sentence: str) -> set[str]:
    """The values that a sentence names, those that stand for options too."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def options_in(sentence: str) -> set[str]:
    """The options that a sentence names by themselves."""
    return {name for name in OPTION.findall(sentence) if not name.startswith("{")}


def texts_in(path: Path) -> Iterator[tuple[int, str]]:
    """Every text of a file with its line; what only documents it is none."""
    tree = ast.parse(path.read_text())
    notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes:
            yield node.lineno, node.value


def made_in(path: Path) -> Iterator[Made]:
    """Every message that a file makes."""
    makers = kinds_of_error() | MAKERS
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in makers:
            continue
        texts = [
            arg.value if isinstance(arg, ast.Constant) and isinstance(arg.value, str) else None for arg in node.args
        ]
        named = [keyword.arg for keyword in node.keywords]
        given = None if None in named else frozenset(filter(None, named)) | GIVEN.get(node.func.id, set())
        code, sentence = (*texts, None, None)[:2]
        yield Made(f"{path.relative_to(ROOT)}:{node.lineno}", node.func.id, code, sentence, given)


def all_made(*folders: str) -> list[Made]:
    """Every message of the folders' files and of gen.py."""
    files = [ROOT / "gen.py", *(path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))]
    return [made for path in files for made in made_in(path)]
