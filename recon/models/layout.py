"""Which adapter a folder or file of weights is for, by what lies in it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from recon.models import deep3d, depth_anything3, moge, weights
from recon.models.triposr import loading as triposr

DEPTH_LAYOUTS = {
    "depth_hf": weights.TRANSFORMERS_FOLDER,
    "moge": (moge.FILE,),
    "depth_anything3": depth_anything3.FOLDER,
}
LAYOUTS = {**DEPTH_LAYOUTS, "deep3d": (deep3d.FILE,), "triposr": triposr.FOLDER}
"""By adapter, the files that make its weights complete."""


def adapter_for(place: Path) -> str:
    """deep3d or moge for an ONNX graph, depth_anything3 for its own config.json, depth_hf for everything else."""
    config = place / weights.CONFIG
    if place.suffix == ".onnx" and place.is_file() and deep3d.is_one(place):
        return "deep3d"
    if place.suffix == ".onnx" or ((place / moge.FILE).is_file() and not config.is_file()):
        return "moge"
    try:
        return "depth_anything3" if depth_anything3.is_one(json.loads(config.read_text())) else "depth_hf"
    except (OSError, ValueError):
        return "depth_hf"


def of_place(place: Path) -> tuple[str, weights.WeightsSpec]:
    """(adapter, what to look for) for a folder, or an ONNX file, that the user names."""
    adapter, whole = adapter_for(place), place.resolve()
    name = whole.stem if place.is_file() else whole.name
    return adapter, weights.WeightsSpec(name, files=LAYOUTS[adapter], given=str(place))


def of_repo(repo: str, published_as: str | None) -> tuple[str, weights.WeightsSpec]:
    """The same for a hub's id: by the files that are here already, else as the catalogue says that it is published, else in
    transformers' format."""
    spec = weights.WeightsSpec(repo.replace("/", "--"), repo=repo)
    for adapter, files in DEPTH_LAYOUTS.items():
        found = weights.find(replace(spec, files=files))
        if found is not None and adapter_for(found) == adapter:
            return adapter, replace(spec, files=files)
    adapter = published_as or "depth_hf"
    return adapter, replace(spec, files=LAYOUTS[adapter])


def object_spec(name: str) -> weights.WeightsSpec | None:
    """What to look for, for a folder of an object model's weights or a hub's id of them; None for what is neither."""
    try:
        place = Path(name).expanduser()
    except RuntimeError:  # ~nobody
        return None
    if name and place.is_dir():
        return weights.WeightsSpec(place.resolve().name, files=triposr.FOLDER, given=str(place))
    if weights.HUB_ID.fullmatch(name):
        return weights.WeightsSpec(name.replace("/", "--"), repo=name, files=triposr.FOLDER)
    return None
