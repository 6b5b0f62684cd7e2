"""What a person may choose for a job: names, bounds, defaults."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate, validates

from recon.registry import model_choices
from recon.settings import PRINT_SIZES, PrintSettings
from web_3d_app.settings import Settings
from web_3d_app.uploads import readable

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
SURFACES = {"poisson": "Smooth", "grid": "Sharp", "solid": "Solid (printable)"}
MASKS = {"auto": "Automatic", "none": "Whole photo", "alpha": "The photo's transparency", "builtin": "Built-in network",
         "grabcut": "Plain background"}  # fmt: skip
FOV_DEG = (5.0, 150.0)
FACES = (1000, 500_000)
REFINES = {"off": "No", "quick": "Quickly", "full": "Thoroughly"}
DEFAULTS: dict[str, Any] = {"surface": "poisson", "depth_model": "auto", "mask": "auto", "fov": None, "faces": None,
                            "size_mm": PrintSettings.size_mm, "base": False, "refine": "off"}  # fmt: skip
LOOK_AGAIN = 30.0
"""Seconds for which the answer "which models are here" is believed."""


class ParamsSchema(Schema):
    """A job's options; what is left out or empty has its default."""

    class Meta:
        """Fields of the form that are no options are ignored."""

        unknown = EXCLUDE

    surface = fields.String(load_default="poisson", validate=validate.OneOf(list(SURFACES)))
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

    @pre_load
    def drop_empty(self, data: Any, **_: Any) -> dict[str, Any]:
        """An empty field of a form means: the default."""
        return {name: value for name, value in dict(data).items() if value not in ("", None)}

    @validates("depth_model")
    def is_here(self, value: str, data_key: str) -> None:
        """Only models that are here: a server does not download for a visitor."""
        here = [choice["value"] for choice in _choices() if choice["here"]]
        if value not in here:
            raise ValidationError(f"{value!r} is not here; give one of {', '.join(here)}.")


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
        found = _looked[now] = [automatic, *model_choices()]
    return found


def sample_names() -> list[str]:
    """The sample photos that ship."""
    return sorted(path.stem for path in SAMPLES.glob("*.jpg"))


def samples() -> list[dict[str, Any]]:
    """The sample photos, for pages and the API."""
    from PIL import Image

    found = []
    for name in sample_names():
        with Image.open(SAMPLES / f"{name}.jpg", formats=("JPEG",)) as picture:
            width, height = picture.size
        found.append(
            {"name": name, "title": name.capitalize(), "url": f"/samples/{name}.jpg", "width": width, "height": height}
        )
    return found


def options(settings: Settings) -> dict[str, Any]:
    """Everything that can be chosen, with bounds and defaults."""

    def listed(values: dict[str, str]) -> list[dict[str, str]]:
        return [{"value": value, "label": label} for value, label in values.items()]

    return {
        "surface": {"default": DEFAULTS["surface"], "choices": listed(SURFACES)},
        "mask": {"default": DEFAULTS["mask"], "choices": listed(MASKS)},
        "depth_model": {"default": DEFAULTS["depth_model"], "choices": _choices()},
        "fov": {"default": None, "minimum": FOV_DEG[0], "maximum": FOV_DEG[1], "unit": "degrees"},
        "faces": {"default": None, "minimum": FACES[0], "maximum": FACES[1]},
        "size_mm": {"default": DEFAULTS["size_mm"], "minimum": PRINT_SIZES[0], "maximum": PRINT_SIZES[1], "unit": "mm"},
        "base": {"default": DEFAULTS["base"]},
        "refine": {"default": DEFAULTS["refine"], "choices": listed(REFINES)},
        "photo": {
            "max_bytes": settings.max_bytes,
            "max_pixels": int(settings.max_megapixels * 1e6),
            "min_side": 16,
            "types": [f"image/{kind.lower()}" for kind in readable()],
        },
        "expiry_hours": settings.expiry_hours,
        "samples": samples(),
    }
