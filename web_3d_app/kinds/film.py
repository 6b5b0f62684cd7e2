"""A film: first a preview of a few of its frames, then, by those who want it, both eyes' views of all of it.

What a conversion tells on the way (`CONVERSION.tells`; in the job's facts, under "conversion"):

    layout, strength, screen, eyes, limit   what was asked for
    key                                     under which idempotency key
    frames, all                             done, and about all
    seconds, seconds_left                   so far, of all tries; an estimate, None at first
    notes                                   what is to be known of it, at the end
"""

from __future__ import annotations

from dataclasses import dataclass

from recon.option_fields import Page
from recon.options import check, option
from recon.stereo_options import LAYOUTS
from web_3d_app.kinds.base import HEAVY, JPEG, MP4, PNG, SLOW, Kind, Lane, Sentences, slow_bounds
from web_3d_app.kinds.stereo import SeenOptions

FRAMES = (0.1, 0.5, 0.9)
"""Of a preview: where in the film, in parts of its length."""
FILM_LAYOUTS = ("sbs", "half-sbs", "tb", "half-tb", "cross", "rows", "anaglyph", "rgbd")
FILM_NAMES = {
    "sbs": "LRF_Full_SBS.mp4", "half-sbs": "3dh.mp4", "tb": "TB.mp4", "half-tb": "3dv.mp4", "cross": "cross.mp4",
    "rows": "rows.mp4", "anaglyph": "anaglyph.mp4", "rgbd": "rgbd.mp4",
}  # fmt: skip
"""What each layout's file is called."""


@dataclass(frozen=True)
class LookOptions:
    """What may be chosen for the preview of a film: nothing."""


@dataclass(frozen=True)
class ConversionOptions(SeenOptions):
    """What may be chosen for a film's conversion."""

    layout: str = option(
        "half-sbs", "how both eyes' pictures are written", choices=tuple(c for c in LAYOUTS if c.value in FILM_LAYOUTS),
        page=Page("Layout", "How both eyes' pictures are written"),
    )  # fmt: skip

    def __post_init__(self) -> None:
        check(self)


FILM = Kind(
    name="film",
    run="web_3d_app.work.film.look_at_frames",
    lanes=(Lane("frames", HEAVY, {"frames": 0.05}),),
    artefacts={
        "photo_thumb.jpg": ("photo_thumb", JPEG),
        **{f"frame{i}_view.jpg": (f"frame{i}_view", JPEG) for i in range(1, 1 + len(FRAMES))},
        **{f"near{i}_view.png": (f"near{i}_view", PNG) for i in range(1, 1 + len(FRAMES))},
    },
    sentences=Sentences(
        queue_full="Too many films wait already; try again in a minute.",
        quota="You have {mine} photos and films in work; wait for one or cancel it.",
        poisoned="The server's worker broke down each time it looked at this film; try another one.",
        too_long="This film took too long to be looked at; try another one.",
    ),
    options=LookOptions,
    film=True,
    page="stereo.html",
)
CONVERSION = Kind(
    name="conversion",
    run="web_3d_app.work.film.convert_film",
    lanes=(Lane("convert", SLOW, {"film": 0.0}, urgency=1),),
    artefacts={name: (f"stereo_{layout}", MP4) for layout, name in FILM_NAMES.items()},
    sentences=Sentences(
        queue_full="Too many films wait to be converted; try again later.",
        quota="You have {mine} films being converted; wait for one or stop it.",
        poisoned="The server broke down each time it tried this.",
        too_long="This took too long on this server; give a shorter film.",
        stopped="It was stopped.",
        under_way="This film is being converted already.",
        not_finished="A film can be converted when it was looked at; this one is {state}.",
    ),
    options=ConversionOptions,
    bounds=slow_bounds(lambda settings: settings.convert_seconds),
    follows="film",
    tells={"layout": None, "strength": None, "screen": None, "eyes": None, "limit": None, "frames": 0, "all": None,
           "seconds": 0.0, "seconds_left": None, "notes": []},
    messages=("notes",),
)  # fmt: skip
