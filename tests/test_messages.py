"""What is told is data: codes, slots and values; a phrasebook says it in its reader's words."""

from __future__ import annotations

import json
import pickle
import re

import numpy as np
import pytest

from recon.cli import photo, stereo
from recon.cli.phrasebook import COMMAND_LINE
from recon.errors import BadInput, BadOption, UnflatError
from recon.messages import Message, Phrasebook, note
from recon.options import PhotoOptions, RefineOptions, options_of
from recon.stereo_options import StereoOptions
from tests.source_messages import ROOT, all_made, options_in, slots_of, texts_in
from web_3d_app.phrasebook import BOOKS, SENTENCES
from web_3d_app.phrasebook import OPTIONS as PAGE_OPTIONS

RANGE = ("option.range", "<{option}> is {given:g}; give {low:g} to {high:g}, or leave <focal_px> out.")


def range_error() -> BadOption:
    return BadOption(*RANGE, option="size_mm", given=3.0, low=5.0, high=2000.0)


def test_an_error_says_the_same_in_each_readers_words() -> None:
    error = range_error()
    assert str(error) == "size_mm is 3; give 5 to 2000, or leave focal_px out."
    assert error.message.text(COMMAND_LINE) == "--size is 3; give 5 to 2000, or leave --focal-px out."
    german = Phrasebook(sentences={"option.range": "{given:g} ist nicht zwischen {low:g} und {high:g}."})
    assert error.message.text(german) == "3 ist nicht zwischen 5 und 2000."


def test_values_are_never_taken_for_slots_or_options() -> None:
    told = note("file.gone", "there is no {name!r}", name="<fov> {0} \n.jpg")
    assert told.text(COMMAND_LINE) == "there is no '<fov> {0} \\n.jpg'"


def test_messages_within_messages_are_said_in_the_same_words() -> None:
    inner = [note("a.b", "too near for <near>"), note("c.d", "too far")]
    outer = note("kept", "kept, because {reasons}", reasons=inner)
    assert outer.text(COMMAND_LINE) == "kept, because too near for --near; too far"


def test_a_message_survives_json_and_an_error_another_process() -> None:
    told = note("kept", "{reasons}: {n:g}", reasons=[note("a.b", "x {y}", y=np.float32(0.5))], n=np.int64(3))
    again = Message.from_json(json.loads(json.dumps(told.to_json())))
    assert (again.code, again.text()) == ("kept", told.text())
    error = pickle.loads(pickle.dumps(range_error()))
    assert (type(error), error.code, str(error)) == (BadOption, "option.range", str(range_error()))


@pytest.mark.parametrize("kind", [UnflatError, BadInput, BadOption])
def test_an_error_tells_programs_what_it_is_about(kind: type[UnflatError]) -> None:
    error = kind("photo.small", "{width} pixels", width=3)
    assert (error.code, error.values, str(error)) == ("photo.small", {"width": 3}, "3 pixels")


UNTOLD = ("recon/messages.py", "recon/errors.py", "recon/io/decoding.py", "recon/cli/arguments.py")
"""Where messages pass through that are made elsewhere."""
SPEAKING = ("recon", "web_3d_app")


def sentences() -> dict[str, set[str]]:
    """Every code of ours, with the sentences that stand for it."""
    found: dict[str, set[str]] = {}
    for made in all_made(*SPEAKING):
        if made.code is not None and made.sentence is not None:
            found.setdefault(made.code, set()).add(made.sentence)
    return found


def test_every_message_is_written_where_it_is_made_and_has_all_that_it_speaks_of() -> None:
    told = [made for made in all_made(*SPEAKING) if not made.where.startswith(UNTOLD)]
    assert len(told) > 150
    for made in told:
        assert made.code is not None and made.sentence is not None, made
        assert re.fullmatch(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*", made.code), made
        assert made.given is None or slots_of(made.sentence) <= made.given, made


def test_a_code_has_one_sentence() -> None:
    assert {code: said for code, said in sentences().items() if len(said) > 1} == {}


def test_the_library_knows_no_flags() -> None:
    """But those of other programs, in the commands that it recommends."""
    flag = re.compile(r"(?<![\w-])--[a-z]")
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sorted((ROOT / "recon").rglob("*.py"))
        if path.parent.name != "cli"
        for line, text in texts_in(path)
        if flag.search(text) and not text.startswith("curl ")
    ]
    assert found == []


def test_every_option_that_is_spoken_of_is_a_flag_and_has_a_name_on_the_page() -> None:
    flags = photo.parser().format_help() + stereo.parser().format_help()
    helps = {about.help for about in options_of(PhotoOptions, RefineOptions, StereoOptions)}
    spoken = set().union(
        *map(options_in, helps.union(*sentences().values(), *(book.sentences.values() for book in BOOKS.values())))
    )
    assert len(spoken) > 15
    for name in spoken | {about.name for about in options_of(PhotoOptions, RefineOptions, StereoOptions)}:
        assert re.search(rf"{COMMAND_LINE.option(name)}\b(?!-)", flags), name
    pages = {about.name: about.page for about in options_of(PhotoOptions, RefineOptions) if about.page is not None}
    assert {name: page.called for name, page in pages.items()} == PAGE_OPTIONS, "each has words for within a sentence"


@pytest.mark.parametrize("book", [COMMAND_LINE, *BOOKS.values()])
def test_a_phrasebook_says_what_is_said_and_no_more(book: Phrasebook) -> None:
    said = sentences()
    for code, sentence in book.sentences.items():
        if code.startswith("server."):
            continue
        assert code in said, f"nobody says {code} any more"
        assert slots_of(sentence) <= slots_of(next(iter(said[code]))), code


def test_every_sentence_of_the_servers_own_is_said() -> None:
    own = {code for code in SENTENCES if code.startswith("server.")}
    asked = {text for path in (ROOT / "web_3d_app").rglob("*.py") if path.name != "phrasebook.py"
             for _, text in texts_in(path) if text.startswith("server.")}  # fmt: skip
    assert own == asked
