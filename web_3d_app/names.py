"""Names of files from people and for people, in every script."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

LONGEST_TITLE = 60
JOINERS = "\u200c\u200d"
"""Without them Persian and many Indian words are spelt wrong."""


def title_of(file_name: str) -> str:
    """A harmless name for people: letters, marks, digits, dashes and spaces of the file's own, at most LONGEST_TITLE."""
    stem = re.split(r"[\\/]", file_name)[-1].rpartition(".")[0] or file_name
    composed = unicodedata.normalize("NFC", stem)  # as macOS writes it, é is e and an accent
    kept = "".join(character if _harmless(character) else " " for character in composed)
    return " ".join(kept.split())[:LONGEST_TITLE].strip(f" {JOINERS}") or "photo"


def _harmless(character: str) -> bool:
    return character in "-_" + JOINERS or unicodedata.category(character)[0] in "LMN"


def attachment(name: str) -> dict[str, str]:
    """The parameters of a Content-Disposition header (RFC 6266): the name, and where it is not ASCII a plain one for old
    programs beside it."""
    if name.isascii():
        return {"filename": name.lstrip("- .") or "model"}
    return {"filename": _plain(name), "filename*": f"UTF-8''{quote(name, safe='!#$&+-.^_`|~')}"}


def _plain(name: str) -> str:
    """café-mesh.glb: cafe-mesh.glb; of a script without Latin letters only the end remains: mesh.glb."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    found = re.sub(r"\s+", " ", ascii_only).lstrip("-_ .")
    return found if "." in found else f"model.{found}" if found else "model"
