"""What a person may choose for a job: names, bounds, defaults."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from typing import Any, ClassVar

from flask import url_for
from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate

from recon import listing
from recon.option_fields import Choice, Option, Page
from recon.options import options_of
from web_3d_app.files import beside
from web_3d_app.jobs.uploads import readable_formats, readable_sentence
from web_3d_app.kinds import KINDS, followers
from web_3d_app.kinds.base import Kind
from web_3d_app.kinds.photo import PHOTO
from web_3d_app.phrasebook import sentence_of
from web_3d_app.settings import Settings

SAMPLES = beside("samples")
BEST_FIRST = ("flower", "chelsea", "astronaut", "coffee")
"""The samples by how good their models look, from the side too; the first one shows one thing, so that all can be tried."""


def classes_of(kind: Kind) -> tuple[type, ...]:
    """The options of a kind, and of those that may be asked to follow it with the upload."""
    return (kind.options, *(other.options for other in followers(kind) if other.option))


LOOK_AGAIN = 30.0
"""Seconds for which the answer "which models are here" is believed."""
NO_OR_YES = (Choice("false", "No"), Choice("true", "Yes"))


@cache
def offered(*kinds: type) -> tuple[Option, ...]:
    """The options of some classes that the web offers, those that have a `page`, in the order of its form."""
    found = [about for about in options_of(*kinds) if about.page]
    return tuple(sorted(found, key=lambda about: not _page(about).first))


def default_of(about: Option) -> Any:
    """What an option is where nobody says anything."""
    return about.default if about.off is None else about.off.value


def _page(about: Option) -> Page:
    assert about.page is not None, "only what is offered is asked for"
    return about.page


def _bounds(about: Option) -> tuple[Any, Any]:
    """Lowest and highest value that the web takes."""
    page = _page(about)
    return (about.low if page.low is None else page.low), (about.high if page.high is None else page.high)


def _field(about: Option) -> fields.Field[Any]:
    """How an option is read from a request."""
    rules: dict[str, Any] = {
        "load_default": default_of(about),
        "allow_none": about.default is None,
        "metadata": {"description": _page(about).about} if _page(about).about else {},
    }
    if about.models:
        return fields.String(**rules, validate=_is_here(about))
    if about.kind == "switch":
        return fields.Boolean(**rules, truthy={"true", True}, falsy={"false", False})
    if about.kind == "word":
        return fields.String(**rules, validate=validate.OneOf([choice.value for choice in about.listed]))
    rules["validate"] = validate.Range(*_bounds(about))
    return fields.Integer(**rules) if about.kind == "whole" else fields.Float(**rules, allow_nan=False)


def _is_here(about: Option) -> Callable[[str], None]:
    """Only models that are here: a server does not download for a visitor."""

    def check(value: str) -> None:
        here = [choice["value"] for choice in _choices(about) if choice["here"]]
        if value not in here:
            raise ValidationError(sentence_of("server.model_not_here", value=value, here=", ".join(here)))

    return check


def fields_of(*kinds: type) -> dict[str, Any]:
    """How the options of some classes are read from a request."""
    return {about.web_name: _field(about) for about in offered(*kinds)}


class OptionsSchema(Schema):
    """Options as a form sends them; what is left out or empty has its default."""

    class Meta:
        """Fields of the form that are no options are ignored."""

        unknown = EXCLUDE

    @pre_load
    def drop_empty(self, data: Any, **_: Any) -> dict[str, Any]:
        """An empty field of a form means: the default."""
        return {name: value for name, value in dict(data).items() if value not in ("", None)}


class ParamsSchema(OptionsSchema):
    """A job's options; what is left out or empty has its default."""

    class Meta(OptionsSchema.Meta):
        """Those of a photo."""

        include: ClassVar[dict[str, Any]] = fields_of(*classes_of(PHOTO))


def schema_of(kind: Kind) -> type[Schema]:
    """How the options of a kind, and of those that may follow it, are read from a request."""
    if kind is PHOTO:
        return ParamsSchema
    return OptionsSchema.from_dict(fields_of(*classes_of(kind)))


DEFAULTS = {about.web_name: default_of(about) for about in offered(*classes_of(PHOTO))}
_looked: dict[tuple[str, float], list[dict[str, Any]]] = {}


def _choices(about: Option) -> list[dict[str, Any]]:
    """What a model may be: the option's own words, then the models of its task; folders are looked at every LOOK_AGAIN
    seconds."""
    now = time.monotonic()
    for key in [key for key in list(_looked) if now - key[1] > LOOK_AGAIN]:
        _looked.pop(key, None)
    found = next((models for (task, _), models in list(_looked.items()) if task == about.models), None)
    if found is None:
        words = {"licence": "", "here": True, "megabytes": 0, "get": ""}
        found = _looked[about.models, now] = [
            *(asdict(choice) | words for choice in about.choices), *_models_of(about.models)
        ]  # fmt: skip
    return found


def _models_of(task: Any) -> list[dict[str, Any]]:
    """The models of a task as the page offers them."""
    return [
        {
            "value": line.card.name,
            "label": "Built-in" if line.card.name == "builtin" else line.card.name,
            "licence": line.card.licence,
            "here": line.runs,
            "megabytes": line.card.megabytes,
            "about": line.card.about,
            "get": line.get,
        }
        for line in listing(task)
    ]


def look_for_models() -> None:
    """So that the first one who asks need not wait for it."""
    for about in offered(*classes_of(PHOTO)):
        if about.models:
            _choices(about)


def sample_names() -> list[str]:
    """The sample photos that ship, the best ones first."""
    there = {path.stem for path in SAMPLES.glob("*.jpg")}
    return [name for name in BEST_FIRST if name in there] + sorted(there.difference(BEST_FIRST))


def samples() -> list[dict[str, Any]]:
    """The sample photos, for pages and the API."""
    found = []
    for name in sample_names():
        width, height = _sample_size(name)
        url = url_for("pages.sample", name=name)
        found.append({"name": name, "title": name.capitalize(), "url": url, "width": width, "height": height})
    return found


@cache
def _sample_size(name: str) -> tuple[int, int]:
    """Width and height in pixels."""
    from PIL import Image

    with Image.open(SAMPLES / f"{name}.jpg", formats=("JPEG",)) as picture:
        return picture.size


def described_option(about: Option) -> dict[str, Any]:
    """An option with its bounds or choices, for `/options` and the form."""
    found = {"default": default_of(about), "changes": _page(about).changes}
    if about.models:
        return found | {"choices": _choices(about)}
    if listed := about.listed or (NO_OR_YES if about.kind == "switch" else ()):
        return found | {"choices": [asdict(choice) for choice in listed]}
    low, high = _bounds(about)
    return found | {"minimum": low, "maximum": high} | ({"unit": about.unit} if about.unit else {})


def accepted_photos(settings: Settings) -> dict[str, Any]:
    """What a photo may be."""
    formats = readable_formats()
    return {
        "max_bytes": settings.max_bytes,
        "max_pixels": int(settings.max_megapixels * 1e6),
        "min_side": 16,
        "types": [one.media_type for one in formats],
        "endings": [ending for one in formats for ending in one.endings],
        "kinds": readable_sentence(),
    }


def options(settings: Settings) -> dict[str, Any]:
    """Everything that can be chosen for a photo, with bounds and defaults."""
    return {
        **{about.web_name: described_option(about) for about in offered(*classes_of(PHOTO))},
        "photo": accepted_photos(settings),
        "expiry_hours": settings.expiry_hours,
        "samples": samples(),
    }


def _left(about: Option) -> str:
    """What an empty field of a number means."""
    default = (
        f"{about.default:g} {about.unit}" if about.kind in ("number", "whole") and about.default is not None else ""
    )
    return _page(about).left or default


def form_fields(kind: Kind) -> list[dict[str, Any]]:
    """The fields of a kind's form in their order: what `/options` says of each, and how it looks."""
    return [
        {
            **described_option(about),
            "name": about.web_name,
            "whole": about.kind == "whole",
            "models": about.models,
            "left": _left(about),
            **{name: getattr(_page(about), name) for name in ("label", "empty", "cards", "wide")},
        }
        for about in offered(*classes_of(kind))
    ]


def described(job: dict[str, Any]) -> str:
    """A job (as JSON) among others of the same upload: its choices that stand open in the form, as they came out, and what
    else was not left to the defaults."""
    facts, words = job["facts"] or {}, []
    for about in offered(KINDS[job["kind"]].options):
        value = job["params"].get(about.web_name, about.default)
        if _page(about).cards:
            made = facts.get(about.name) or value
            words.append(next(choice.label for choice in about.choices if choice.value == made))
        elif value not in (about.default, None):
            words.append(_said(about, value))
    return ", ".join(words) or "By the defaults"


def _said(about: Option, value: Any) -> str:
    """A choice in a few words."""
    page = _page(about)
    if page.told:
        return page.told.format(value)
    if about.kind == "switch":
        value = "yes" if value else "no"
    labels = {choice.value: choice.label.lower() for choice in about.choices}
    return labels.get(value, f"{page.label}: {value}")
