"""What a person may choose for a job: names, bounds, defaults."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from flask import url_for
from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate, validates

from recon.options import Option, options_of
from recon.registry import BUILTIN, listing, runs_here
from recon.settings import PRINT_SIZES, PrintSettings
from web_3d_app.jobs.uploads import readable_formats, readable_sentence
from web_3d_app.kinds import followers
from web_3d_app.kinds.base import Kind
from web_3d_app.kinds.photo import PHOTO
from web_3d_app.settings import Settings

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
BEST_FIRST = ("flower", "chelsea", "astronaut", "coffee")
"""The samples by how good their models look, from the side too; the first one shows one thing, so that all can be tried."""
SURFACES = {"auto": "Automatic", "solid": "Solid (printable)", "grid": "Sharp", "poisson": "Smooth"}
MASKS = {"auto": "Automatic", "none": "Whole photo", "alpha": "The photo's transparency", "builtin": "Built-in network",
         "grabcut": "Plain background"}  # fmt: skip
ABOUT = {
    "surface": {
        "auto": "One thing becomes solid, a scene sharp",
        "solid": "Closed all round, with a guessed back; a scene gets walls and a base",
        "grid": "What the photo shows, pixel by pixel, cut at its edges",
        "poisson": "What the photo shows, with small gaps filled",
    },
    "mask": {
        "auto": "One thing is cut out where one is found; else the whole photo is taken",
        "none": "Nothing is cut out: the photo is a scene",
        "alpha": "What is transparent is left out",
        "builtin": "The network looks for one thing, on any ground",
        "grabcut": "What stands on a plain ground, with the sharpest outline",
    },
    "base": {
        "false": "The model is printed as it is",
        "true": "A flat stand is joined to it from below",
    },
    "refine": {
        "off": "It can be asked for later, too",
        "quick": "A few minutes more, with a back, a clean outline and a texture of its own",
        "full": "Half an hour and more, finer",
    },
}
"""What each choice does."""
CHANGES = {
    "surface": "The shape of the model",
    "depth_model": "How far away each pixel is: larger models are more exact and take longer",
    "mask": "What belongs to the model; all else is left out",
    "fov": "The proportions: wider makes a scene wider and shallower, narrower makes it deeper",
    "faces": "How fine the mesh is and how large its files are; the first, instant mesh stays as it is",
    "size_mm": "How large the file for printing is: its longest side in millimetres",
    "base": "Whether the file for printing has a stand under it",
    "refine": "Whether one thing is shaped once more, from all sides",
}
"""What each option changes in the model."""
FOV_DEG = (5.0, 150.0)
FACES = (1000, 500_000)
BASES = {"false": "No", "true": "Yes"}
REFINES = {"off": "No", "quick": "Quickly", "full": "Thoroughly"}
DEFAULTS: dict[str, Any] = {"surface": "auto", "depth_model": "auto", "mask": "auto", "fov": None, "faces": None,
                            "size_mm": PrintSettings.size_mm, "base": False, "refine": "off"}  # fmt: skip
LOOK_AGAIN = 30.0
"""Seconds for which the answer "which models are here" is believed."""


class _Params(Schema):
    """A job's options; what is left out or empty has its default."""

    class Meta:
        """Fields of the form that are no options are ignored."""

        unknown = EXCLUDE

    @pre_load
    def drop_empty(self, data: Any, **_: Any) -> dict[str, Any]:
        """An empty field of a form means: the default."""
        return {name: value for name, value in dict(data).items() if value not in ("", None)}


class ParamsSchema(_Params):
    """Those of a photo."""

    surface = fields.String(
        load_default="auto",
        validate=validate.OneOf(list(SURFACES)),
        metadata={"description": "auto: solid for one thing, grid for a scene"},
    )
    depth_model = fields.String(load_default="auto", metadata={"description": "a name from /options that is here"})
    mask = fields.String(load_default="auto", validate=validate.OneOf(list(MASKS)))
    fov = fields.Float(
        load_default=None,
        allow_none=True,
        allow_nan=False,
        validate=validate.Range(*FOV_DEG),
        metadata={"description": "horizontal field of view in degrees"},
    )
    faces = fields.Integer(
        load_default=None,
        allow_none=True,
        validate=validate.Range(*FACES),
        metadata={"description": "at most about this many triangles"},
    )

    size_mm = fields.Float(
        load_default=PrintSettings.size_mm,
        allow_nan=False,
        validate=validate.Range(*PRINT_SIZES),
        metadata={"description": "longest side of a print (STL) in millimetres"},
    )
    base = fields.Boolean(load_default=False, metadata={"description": "whether a print stands on a flat base"})

    refine = fields.String(
        load_default="off",
        validate=validate.OneOf(list(REFINES)),
        metadata={"description": "whether a better mesh of the subject is made afterwards"},
    )

    @validates("depth_model")
    def is_here(self, value: str, data_key: str) -> None:
        """Only models that are here: a server does not download for a visitor."""
        here = [choice["value"] for choice in _choices() if choice["here"]]
        if value not in here:
            raise ValidationError(f"{value!r} is not here; give one of {', '.join(here)}.")


def schema_of(kind: Kind) -> type[Schema]:
    """The options of a kind that a form may choose, and of those that may follow it."""
    if kind is PHOTO:
        return ParamsSchema
    offered = [each for each in options_of(kind.options, *(other.options for other in followers(kind))) if each.page]
    return _Params.from_dict({each.public: _field_of(each) for each in offered})


def _field_of(about: Option) -> fields.Field[Any]:
    """One option as a field."""
    bounds = validate.Range(about.low, about.high) if about.low is not None or about.high is not None else None
    words = validate.OneOf([choice.value for choice in about.listed]) if about.listed and not about.open else None
    default = about.default if about.off is None else about.off.value
    kinds: dict[str, type[fields.Field[Any]]] = {
        "number": fields.Float, "whole": fields.Integer, "switch": fields.Boolean,
    }  # fmt: skip
    which = kinds.get(about.kind, fields.String)
    check = bounds if about.kind in ("number", "whole") else words if about.kind == "word" else None
    return which(load_default=default, allow_none=default is None, validate=check)


_looked: dict[float, list[dict[str, Any]]] = {}


def _choices() -> list[dict[str, Any]]:
    """The depth models; folders are looked at every LOOK_AGAIN seconds."""
    now = time.monotonic()
    for when in [when for when in _looked if now - when > LOOK_AGAIN]:
        _looked.pop(when, None)
    found = next(iter(list(_looked.values())), None)
    if found is None:
        automatic = {"value": "auto", "label": "Best here", "licence": "", "here": True, "megabytes": 0, "get": "",
                     "about": "the best model whose weights are on this computer"}  # fmt: skip
        found = _looked[now] = [automatic, *_depth_models()]
    return found


def _depth_models() -> list[dict[str, Any]]:
    """The depth models as the page offers them."""
    return [
        {
            "value": line.card.name,
            "label": "Built-in" if line.card.name == BUILTIN else line.card.name,
            "licence": line.card.licence,
            "here": runs_here(line.card),
            "megabytes": line.card.megabytes,
            "about": line.card.about,
            "get": line.get,
        }
        for line in listing("depth")
    ]


def look_for_models() -> None:
    """So that the first one who asks need not wait for it."""
    _choices()


def sample_names() -> list[str]:
    """The sample photos that ship, the best ones first."""
    there = {path.stem for path in SAMPLES.glob("*.jpg")}
    return [name for name in BEST_FIRST if name in there] + sorted(there.difference(BEST_FIRST))


def samples() -> list[dict[str, Any]]:
    """The sample photos, for pages and the API."""
    from PIL import Image

    found = []
    for name in sample_names():
        with Image.open(SAMPLES / f"{name}.jpg", formats=("JPEG",)) as picture:
            width, height = picture.size
        url = url_for("pages.sample", name=name)
        found.append({"name": name, "title": name.capitalize(), "url": url, "width": width, "height": height})
    return found


def options(settings: Settings) -> dict[str, Any]:
    """Everything that can be chosen, with bounds and defaults."""

    def listed(option: str, values: dict[str, str]) -> dict[str, Any]:
        about = ABOUT[option]
        choices = [{"value": value, "label": label, "about": about[value]} for value, label in values.items()]
        return {"default": DEFAULTS[option], "changes": CHANGES[option], "choices": choices}

    return {
        "surface": listed("surface", SURFACES),
        "mask": listed("mask", MASKS),
        "depth_model": {"default": DEFAULTS["depth_model"], "changes": CHANGES["depth_model"], "choices": _choices()},
        "fov": {
            "default": None,
            "changes": CHANGES["fov"],
            "minimum": FOV_DEG[0],
            "maximum": FOV_DEG[1],
            "unit": "degrees",
        },
        "faces": {"default": None, "changes": CHANGES["faces"], "minimum": FACES[0], "maximum": FACES[1]},
        "size_mm": {
            "default": DEFAULTS["size_mm"],
            "changes": CHANGES["size_mm"],
            "minimum": PRINT_SIZES[0],
            "maximum": PRINT_SIZES[1],
            "unit": "mm",
        },
        "base": listed("base", BASES),
        "refine": listed("refine", REFINES),
        "photo": {
            "max_bytes": settings.max_bytes,
            "max_pixels": int(settings.max_megapixels * 1e6),
            "min_side": 16,
            "types": [kind.media_type for kind in readable_formats()],
            "endings": [ending for kind in readable_formats() for ending in kind.endings],
            "kinds": readable_sentence(),
        },
        "expiry_hours": settings.expiry_hours,
        "samples": samples(),
    }


def described(job: dict[str, Any]) -> str:
    """A job (as JSON) among others of the same photo: its surface, and what else was not left to the defaults."""
    params, made = job["params"], (job["facts"] or {}).get("surface")
    words = [SURFACES[made or params.get("surface", "auto")]]
    if params.get("mask", "auto") != "auto":
        words.append(MASKS[params["mask"]].lower())
    if params.get("depth_model", "auto") != "auto":
        words.append(params["depth_model"])
    if params.get("fov"):
        words.append(f"{params['fov']:g}°")
    if params.get("faces"):
        words.append(f"{params['faces']:,} triangles")
    if (size := params.get("size_mm")) and size != DEFAULTS["size_mm"]:
        words.append(f"printed {size:g} mm long")
    if params.get("base"):
        words.append("with a stand")
    return ", ".join(words)
