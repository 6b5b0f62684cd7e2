"""A photo's stereo pair: what a page previews it with, and the files that were asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recon.messages import Message, note
from recon.stereo import StereoPair, stereo_pair, stereo_preview
from recon.stereo_options import StereoOptions
from web_3d_app.kinds.stereo import ALL, BOTH, NAMES
from web_3d_app.work.context import Context
from web_3d_app.work.pictures import write_thumb


def run(context: Context) -> None:
    """The one lane's work. Raises UnflatError, or what the context raises."""
    options = stereo_options(context.params)
    model = context.models.get("auto")
    with context.watch.stage("look"):
        begins = add_preview(context, model)
    with context.watch.stage("pair"):
        pair = stereo_pair(context.photo, dataclasses.replace(options, depth_model=model))
    context.tell(_facts(context, pair, begins))
    with context.watch.stage("layouts"):
        asked = str(context.params["layout"])
        for layout in (*NAMES, "separate") if asked == ALL else (asked,):
            context.check_stop()
            context.add(*_written(pair, layout, context.folder))
    context.tell(_facts(context, pair, begins))


def stereo_options(params: Mapping[str, Any]) -> StereoOptions:
    """The library's options by the web's."""
    screen = params["screen"]
    return StereoOptions(strength=params["strength"], screen="auto" if screen is None else str(screen),
                         eyes=params["eyes"], limit=params["limit"], offline=True)  # fmt: skip


def as_stored(notes: Sequence[Message]) -> list[dict[str, Any]]:
    """Notes as data, without what only a photo's page can do about them."""
    plain = note("depth.by_builtin", "depth by the small built-in network")
    return [(plain if told.code == "depth.builtin" else told).to_json() for told in notes]


def add_preview(context: Context, model: Any) -> dict[str, Any]:
    """The picture and the nearness that a page previews the pair with; returns where the choice begins."""
    found = stereo_preview(context.photo, model)
    found.save(context.folder / "stereo_view.jpg", context.folder / "nearness_view.png")
    write_thumb(context.folder / "photo_thumb.jpg", context.photo.rgb)
    context.add("photo_thumb.jpg", "stereo_view.jpg", "nearness_view.png")
    return found.facts()


def _facts(context: Context, pair: StereoPair, begins: dict[str, Any]) -> dict[str, Any]:
    """What a page says of the pair."""
    comfort = pair.comfort.to_json() if pair.comfort else None
    return {"stereo": begins, "comfort": comfort, "depth_model": pair.facts["depth_model"],
            "seconds": context.watch.rounded(),
            "strength_percent": pair.facts["strength_percent"], "screen": pair.facts["screen"],
            "warnings": as_stored(pair.told())}  # fmt: skip


def _written(pair: StereoPair, layout: str, folder: Path) -> list[str]:
    """Write one layout; returns the files' names."""
    if layout == "separate":
        pair.save(folder / "eye.jpg", layout)
        return list(BOTH)
    name = NAMES[layout][0]
    pair.save(folder / name, layout)
    return [name]
