"""One photo, or a 3D photo's first picture, to a stereo pair in the layouts that were asked for.

The page of a photo asks for one of its stored photo (`POST /api/v1/jobs/<id>/again` with `kind=stereo`); programs may send
a photo as `kind=stereo` at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from recon.option_fields import Choice, Page
from recon.options import check, option, option_of
from recon.stereo_options import LAYOUTS, StereoOptions
from web_3d_app.kinds.base import GIF, HEAVY, JPEG, JPS, MPO, PNG, Kind, Lane, Sentences

MOST_STRENGTH = 5.0
"""Percent: beyond, no screen is comfortable."""
NAMES = {
    "sbs": ("LRF_Full_SBS.jpg", JPEG),
    "half-sbs": ("3dh.jpg", JPEG),
    "tb": ("TB.jpg", JPEG),
    "half-tb": ("3dv.jpg", JPEG),
    "cross": ("cross.jpg", JPEG),
    "rows": ("rows.png", PNG),
    "anaglyph": ("anaglyph.jpg", JPEG),
    **{f"anaglyph-{each}": (f"anaglyph_{each}.jpg", JPEG) for each in
       ("true", "gray", "color", "half-color", "optimized", "improved")},
    "wiggle": ("wiggle.gif", GIF),
    "mpo": ("3d.mpo", MPO),
    "jps": ("3d.jps", JPS),
    "rgbd": ("rgbd.png", PNG),
}  # fmt: skip
"""What each layout's file is called; players know the layout by it."""
BOTH = ("eye_left.jpg", "eye_right.jpg")
"""Those of the layout of two files."""
ALL = "all"


def _seen(name: str, **page: Any) -> Any:
    """An option of a pair as the web asks for it: the library's, with words for a form."""
    about = option_of(StereoOptions, name)
    known = {each: getattr(about, each) for each in ("kind", "what", "unit", "choices")}
    return option(about.default, about.help, **known, low=page.pop("low", None), high=page.pop("high", None),
                  page=Page(**page))  # fmt: skip


@dataclass(frozen=True)
class SeenOptions:
    """How strong a pair is and where the screen lies: of photos and films."""

    strength: float | None = _seen(
        "strength", low=0.0, high=MOST_STRENGTH, label="Strength, percent",
        changes="From the farthest to the nearest, in percent of the picture's width", called="strength",
        empty="automatic", left="2, less of a flat scene",
    )  # fmt: skip
    screen: float | None = option(
        None, "the nearness that lies in the screen", kind="number", what="a nearness", low=0.0, high=1.0,
        page=Page("Screen", "What lies in the screen, from 0, the farthest, to 1, the nearest", called="screen",
                  empty="automatic", left="what is in the middle"),
    )  # fmt: skip
    eyes: str = _seen(
        "eyes", label="Eyes", changes="Which eyes' views are made; left or right keeps the photo for that eye"
    )
    limit: str = _seen(
        "limit", label="Comfort", changes="Whether disparity keeps to what is comfortable", called="comfort"
    )


@dataclass(frozen=True)
class PairOptions(SeenOptions):
    """What may be chosen for a photo's pair."""

    layout: str = option(
        "sbs", "which files are made", page=Page("Layout", "How both eyes' pictures are written"),
        choices=(Choice(ALL, "All of them"),
                 *(each for each in LAYOUTS if each.value not in ("auto", "anaglyph-dubois"))),
    )  # fmt: skip

    def __post_init__(self) -> None:
        check(self)


STEREO = Kind(
    name="stereo",
    run="web_3d_app.work.stereo.run",
    lanes=(Lane("stereo", HEAVY, {"look": 0.05, "pair": 0.3, "layouts": 0.6}),),
    artefacts={
        "photo_thumb.jpg": ("photo_thumb", JPEG),
        "stereo_view.jpg": ("stereo_view", JPEG),
        "nearness_view.png": ("nearness_view", PNG),
        **{file: (f"stereo_{layout}", media) for layout, (file, media) in NAMES.items()},
        **{file: (f"stereo_{eye}", JPEG) for eye, file in zip(("left", "right"), BOTH, strict=True)},
    },
    sentences=Sentences(
        queue_full="Too many photos wait already; try again in a minute.",
        quota="You have {mine} photos in work; wait for one or cancel it.",
        poisoned="The server's worker broke down each time it worked on this photo; try a smaller one.",
        too_long="This photo took too long; try a smaller one.",
    ),
    options=PairOptions,
    page="stereo.html",
    alike=("layout",),
)
