"""What people are told on pages and by the API, in one place.

The library's sentences are told as they are, but for those that a page says otherwise (by their codes, see
`recon.messages`); the server's own have codes that begin with `server.`, those that a kind of job brings along begin with
`kind.`. Another language is one more book, with all sentences in it, in BOOKS; which one is spoken says `book`.

Notes and errors are stored as data and phrased when they are shown: to who may change the job, or, on a page that was
shared, to who may only look at it. What older versions have stored is plain sentences.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from recon.messages import PYTHON, Message, Phrasebook
from recon.options import PhotoOptions, RefineOptions, options_of

AGAIN = "“Again, with other options”"
"""The button on a job's page."""
NO_BETTER = "The better model did not come together on this server; try it again, quickly rather than thoroughly."

OPTIONS = {
    about.name: about.page.called or about.page.label.lower()
    for about in options_of(PhotoOptions, RefineOptions)
    if about.page
}
"""What the page calls its options; those that it does not have are told by their names."""

PAIR_OPTIONS = {
    "limit": "“Keep it comfortable to look at”",
    "strength": "strength",
    "screen": "screen",
    "layout": "file",
}
"""And those of a stereo pair."""

MODELS = {"builtin": "the built-in network", "grabcut": "the cut by a plain background"}
"""What the page calls models, where it does not show their names."""

SENTENCES = {
    "thing.file": "{what}",  # where it lies on the server concerns nobody
    "picture.too_large": "{named} is {width}×{height} pixels, at most {most:g} megapixels are allowed; make it smaller.",
    "photo.depth_inside": "the photo's file has a depth map in it ({whose}), which was not used; only the command line"
    " takes one, exported to a file",
    "camera.guessed": "{reason}: {found}; set it with " + AGAIN,
    "depth.builtin": f"depth by the small built-in network; larger ones can be chosen with {AGAIN} once their weights are"
    " on the server",
    "depth.metres_seen": "lengths are in metres as {model} sees them: about {distance:.1f} m away (± {error:.0f} %)",
    "subject.none": "no single thing was found in it: the whole photo was taken",
    "surface.no_object_model": "the closed model is the built-in solid; an object model, which knows all sides, can be"
    f" chosen with {AGAIN} once its weights are on the server",
    "surface.whole_object": "the whole object is {model}'s, its unseen sides a guess; the built-in solid can be chosen with"
    f" {AGAIN}",
    "surface.auto_solid": "the photo shows one thing, so the model is closed all round; another surface can be chosen"
    f" with {AGAIN}",
    "surface.auto_layered": "of a scene the model is what the photo shows, over invented sheets that carry on what it"
    " hides; another surface can be chosen"
    f" with {AGAIN}",
    "poisson.empty": "no surface is left after trimming; check the depth map or choose the surface Sharp.",
    "refine.no_subject": "No single subject was found in this photo; send it again with another way to cut out.",
    "refine.diverged": NO_BETTER,
    "refine.nothing_left": NO_BETTER,
    "refine.gpu_memory": NO_BETTER,
    "server.disk_full": "The server's disk is full; try again later.",
    "server.memory": "The server has not enough memory for this photo; try a smaller one.",
    "server.internal": "Something went wrong on the server; it was noted. Try again, or another photo.",
    "server.bad_form": "The form that came is broken; reload the page and try again.",
    "server.bad_token": "This token is not known; get one with POST {address}.",
    "server.body_too_large": "More than 1 MB came; that is too much for this address.",
    "server.busy": "The server is busy; try again in a moment.",
    "server.decoded_too_slowly": "The photo cannot be decoded within {seconds:.0f} s; make it smaller, or save it as a"
    " JPEG.",
    "server.disk_nearly_full": "The server's disk is nearly full; try again later.",
    "server.field_name_too_long": "A field of the form has too long a name; shorten it.",
    "server.field_too_long": "The field “{name}” has more than {most} kB; shorten it.",
    "server.film_of_size": "The film has {size:.0f} MB; at most {most} MB are allowed: cut or compress it.",
    "server.film_too_large": "The film is too large; at most {most} MB are allowed: cut or compress it.",
    "server.film_too_long": "The film lasts {minutes:.0f} minutes; at most {most:g} are allowed: cut it.",
    "server.file_name_too_long": "The photo's file name is too long; rename the file.",
    "server.finished": "This job has finished; it cannot be cancelled any more.",
    "server.form_too_long": "The form has more than {most} kB of text; shorten it.",
    "server.gone": "This model was deleted, as all are after their time.",
    "server.header_without_end": "A part of the form has too long a name or other header; rename the file.",
    "server.headers_too_long": "A part of the form has more than {most} kB of headers; send fewer.",
    "server.host": "This server does not answer under this name.",
    "server.idempotency_key": "An Idempotency-Key has 1 to {longest} printable characters.",
    "server.idempotency_mismatch": "This Idempotency-Key was used for another request; make a new one.",
    "server.invalid": "Not possible: {names}.",
    "server.many_photos": "{count} photos came; send one at a time.",
    "server.many_uploads": "Many photos come in just now; try again in a moment.",
    "server.method": "This address does not do that.",
    "server.missing_codec": "{kind} photos cannot be read on this server; give a {kinds} file.",
    "server.model_not_here": "{value!r} is not here; give one of {here}.",
    "server.no_file_name": "The photo came without a file name; send it as a file (with curl, -F photo=@name.jpg).",
    "server.no_film": "No film came; send a file as `film`.",
    "server.no_photo": "No photo came; send a file as `photo`, or the name of a sample.",
    "server.no_such_kind": "There is no such kind of model.",
    "server.no_such_sample": "There is no such sample.",
    "server.no_token": "No token came; get one with POST {address} and send it as `Authorization: Bearer {token}`. A"
    " browser must keep this site's cookie.",
    "server.not_a_film": "This is no film that can be read; give an MP4, MOV, MKV or WebM file with a picture in it.",
    "server.no_models": "None of these has a model yet; wait until the first one is made.",
    "server.not_a_photo": "This is no photo that can be read; give a {kinds} file.",
    "server.not_decoded": "The photo cannot be decoded here; make it smaller, or save it as a JPEG.",
    "server.not_found": "There is nothing at this address.",
    "server.not_possible": "This cannot be done with a model of this kind.",
    "server.not_retryable": "Only a failed or cancelled job can be tried again; this one is {state}.",
    "server.noted": "Something went wrong on the server; it was noted.",
    "server.out_of_bounds": "Not possible: {names}; see the bounds.",
    "server.page_too_old": "This page has been open for too long; reload it and try again.",
    "server.photo_too_large": "The photo is too large; at most {most:.0f} MB are allowed.",
    "server.rate": "Too many photos in a short time; wait a minute.",
    "server.raw_photo": "Raw photos cannot be read on this server; export the photo as a JPEG.",
    "server.too_many_parts": "The form has more than {most} fields and files; send fewer.",
    "server.too_many_streams": "Too many streams are open; ask for the state instead.",
    "server.too_many_uploads": "Too many uploads are under way; try again when one has ended.",
    "server.too_slow": "The upload came too slowly and was stopped; try again with a better connection.",
    "server.unanswered": "The request cannot be answered.",
    "server.upload_of_size": "The upload has {size:.0f} MB; at most {most} MB are allowed for a photo.",
    "server.upload_too_large": "The upload is too large; at most {most} MB are allowed for a photo.",
}

TO_LOOK_AT = {
    "camera.guessed": "{reason}: {found}",
    "depth.builtin": "depth by the small built-in network",
    "surface.no_object_model": "the closed model is the built-in solid",
    "surface.whole_object": "the whole object is {model}'s, its unseen sides a guess",
    "surface.auto_solid": "the photo shows one thing, so the model is closed all round",
    "surface.auto_layered": "of a scene the model is what the photo shows, over invented sheets that carry on what it"
    " hides",
    "poisson.empty": "no surface is left after trimming.",
    "refine.diverged": "The better model did not come together.",
    "refine.nothing_left": "The better model did not come together.",
    "refine.gpu_memory": "The better model did not come together.",
}
"""What is said otherwise on a shared page, which has no buttons."""

ENGLISH = Phrasebook(lambda option: (OPTIONS | PAIR_OPTIONS).get(option, option.replace("_", " ")), SENTENCES,
                     lambda model: MODELS.get(model, model))  # fmt: skip
BOOKS = {"en": ENGLISH}
"""By language."""
SHARED_BOOKS = {"en": replace(ENGLISH, sentences=SENTENCES | TO_LOOK_AT)}
"""The same, of a shared page."""


def book(shared: bool = False) -> Phrasebook:
    """The one that is spoken, or that of a shared page."""
    return (SHARED_BOOKS if shared else BOOKS)["en"]


def message(code: str, **values: Any) -> Message:
    """One of the server's own."""
    return Message(code, ENGLISH.sentences[code], values)


def sentence_of(code: str, **values: Any) -> str:
    """The same, as it is told now."""
    return message(code, **values).text(book())


def message_of(stored: str | Mapping[str, Any]) -> Message:
    """What `Message.to_json` gave, or a sentence of an older version."""
    return Message("stored", "{text}", {"text": stored}) if isinstance(stored, str) else Message.from_json(stored)


def told(stored: str | Mapping[str, Any], shared: bool = False) -> str:
    """A stored message as it is told now; in its own words, where what it holds is too old for the book's. shared: on a
    shared page."""
    kept = message_of(stored)
    try:
        return kept.text(book(shared))
    except (KeyError, ValueError):
        return kept.text(PYTHON)


def as_text(error: Message) -> str:
    """A message for a column of text; see `from_text`."""
    return json.dumps(error.to_json())


def from_text(stored: str, shared: bool = False) -> str:
    """What such a column holds, as it is told now: a message, or a sentence. shared: see `told`."""
    return told(json.loads(stored), shared) if stored.startswith("{") else stored
