"""The kinds of jobs. A new one is a file here, which describes it, and a file in `work`, which does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web_3d_app.kinds.base import Kind, Lane
from web_3d_app.kinds.film import CONVERSION, FILM
from web_3d_app.kinds.photo import PHOTO
from web_3d_app.kinds.refinement import REFINEMENT
from web_3d_app.kinds.stereo import STEREO

KINDS: dict[str, Kind] = {kind.name: kind for kind in (PHOTO, REFINEMENT, STEREO, FILM, CONVERSION)}
"""By name. No two of them have a lane of the same name."""


def lanes() -> dict[str, Lane]:
    """Those of every kind, by name."""
    return {lane.name: lane for kind in KINDS.values() for lane in kind.lanes}


def lanes_of(crew: str) -> list[str]:
    """The lanes that a crew serves, the most urgent first."""
    return [lane.name for lane in sorted(lanes().values(), key=lambda lane: lane.urgency) if lane.crew == crew]


def kind_at(lane: str) -> Kind:
    """The kind that a lane belongs to; KeyError if none does."""
    return {own.name: kind for kind in KINDS.values() for own in kind.lanes}[lane]


def beginning() -> list[str]:
    """The names of the kinds that a job can be asked for as."""
    return [kind.name for kind in KINDS.values() if kind.follows is None]


def followers(kind: Kind) -> list[Kind]:
    """The kinds that may follow one."""
    return [other for other in KINDS.values() if other.follows == kind.name]


def following_lanes() -> list[str]:
    """The lanes of all kinds that follow another one."""
    return [lane.name for kind in KINDS.values() if kind.follows for lane in kind.lanes]


def wanted_after(kind: Kind, params: Mapping[str, Any]) -> list[Kind]:
    """The kinds that are to follow one, by a job's options."""
    return [other for other in followers(kind) if other.wanted(params)]
