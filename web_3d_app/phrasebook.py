"""What people are told on pages and by the API, in one place.

The library's sentences are told as they are, but for those that a page says otherwise (by their codes, see
`recon.messages`); the server's own have codes that begin with `server.`. Another language is one more book, with all
sentences in it, in BOOKS; which one is spoken says `book`.

Notes and errors are stored as data and phrased when they are shown. What older versions have stored is plain sentences.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from recon.messages import PYTHON, Message, Phrasebook

AGAIN = "“Again, with other options”"
"""The button on a job's page."""
NO_BETTER = "The better model did not come together on this server; try it again, quickly rather than thoroughly."

OPTIONS = {
    "surface": "the surface",
    "depth_model": "the depth model",
    "mask": "the way to cut out",
    "fov": "the field of view",
    "faces": "the number of triangles",
    "size_mm": "the print's longest side",
    "base": "the stand",
    "preset": "making it better",
}
"""What the page calls its options; those that it does not have are told by their names."""

MODELS = {"builtin": "the built-in network", "grabcut": "the cut by a plain background"}
"""What the page calls models, where it does not show their names."""

SENTENCES = {
    "picture.too_large": "{named} is {width}×{height} pixels, at most {most:g} megapixels are allowed; make it smaller.",
    "photo.depth_inside": "the photo's file has a depth map in it ({whose}), which was not used; only the command line"
    " takes one, exported to a file",
    "camera.guessed": "{reason}: {found}; set it with " + AGAIN,
    "depth.builtin": f"depth by the small built-in network; larger ones can be chosen with {AGAIN} once their weights are"
    " on the server",
    "subject.none": "no single thing was found in it: the whole photo was taken",
    "surface.auto_solid": "the photo shows one thing, so the model is closed all round; another surface can be chosen"
    f" with {AGAIN}",
    "surface.auto_grid": "of a scene the model is what the photo shows, cut at its edges; another surface can be chosen"
    f" with {AGAIN}",
    "poisson.empty": "no surface is left after trimming; check the depth map or choose the surface Sharp.",
    "refine.no_subject": "No single subject was found in this photo; send it again with another way to cut out.",
    "refine.diverged": NO_BETTER,
    "refine.nothing_left": NO_BETTER,
    "refine.gpu_memory": NO_BETTER,
    "server.disk_full": "The server's disk is full; try again later.",
    "server.memory": "The server has not enough memory for this photo; try a smaller one.",
    "server.internal": "Something went wrong on the server; it was noted. Try again, or another photo.",
}

ENGLISH = Phrasebook(lambda option: OPTIONS.get(option, option.replace("_", " ")), SENTENCES,
                     lambda model: MODELS.get(model, model))  # fmt: skip
BOOKS = {"en": ENGLISH}
"""By language."""


def book() -> Phrasebook:
    """The one that is spoken."""
    return BOOKS["en"]


def message(code: str, **values: Any) -> Message:
    """One of the server's own."""
    return Message(code, ENGLISH.sentences[code], values)


def sentence_of(code: str, **values: Any) -> str:
    """The same, as it is told now."""
    return message(code, **values).text(book())


def message_of(stored: str | Mapping[str, Any]) -> Message:
    """What `Message.to_json` gave, or a sentence of an older version."""
    return Message("stored", "{text}", {"text": stored}) if isinstance(stored, str) else Message.from_json(stored)


def told(stored: str | Mapping[str, Any]) -> str:
    """A stored message as it is told now; in its own words, where what it holds is too old for the book's."""
    kept = message_of(stored)
    try:
        return kept.text(book())
    except (KeyError, ValueError):
        return kept.text(PYTHON)


def as_text(error: Message) -> str:
    """A message for a column of text; see `from_text`."""
    return json.dumps(error.to_json())


def from_text(stored: str) -> str:
    """What such a column holds, as it is told now: a message, or a sentence."""
    return told(json.loads(stored)) if stored.startswith("{") else stored
