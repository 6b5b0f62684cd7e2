"""What is told is data: codes, slots and values; a phrasebook says it in its reader's words."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from recon.errors import BadInput, BadOption, UnflatError
from recon.messages import Message, Phrasebook, note

COMMAND_LINE = Phrasebook(lambda option: f"--{option.replace('_', '-')}")
RANGE = ("option.range", "<{option}> is {given:g}; give {low:g} to {high:g}, or leave <focal_px> out.")


def range_error() -> BadOption:
    return BadOption(*RANGE, option="size_mm", given=3.0, low=5.0, high=2000.0)


def test_an_error_says_the_same_in_each_readers_words() -> None:
    error = range_error()
    assert str(error) == "size_mm is 3; give 5 to 2000, or leave focal_px out."
    assert error.message.text(COMMAND_LINE) == "--size-mm is 3; give 5 to 2000, or leave --focal-px out."
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
