"""What may be chosen for a stereo pair: options like those in `recon.options`, for pictures and films."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from recon.errors import BadOption
from recon.option_fields import Choice
from recon.options import PhotoOptions, check, device_option, option, option_of
from recon.settings import BASELINES, STRENGTHS, DepthKind, Eyes


def _as_for_a_photo(name: str) -> Any:
    """An option that means the same as in PhotoOptions."""
    about = option_of(PhotoOptions, name)
    return field(default=about.default, metadata={"option": replace(about, page=None)})


LAYOUTS = (
    Choice("auto", "By the file's name"),
    Choice("sbs", "Side by side", "The left eye's picture on the left, for headsets and parallel eyes"),
    Choice("half-sbs", "Half side by side", "Squeezed to the width of one, for 3D televisions"),
    Choice("tb", "Top and bottom", "The left eye's picture above"),
    Choice("half-tb", "Half top and bottom", "Squeezed to the height of one, for 3D televisions"),
    Choice("cross", "Cross-eyed", "The right eye's picture on the left, for crossed eyes"),
    Choice("rows", "Row by row", "Even rows for the left eye, for passive 3D screens at their own resolution"),
    Choice("separate", "Two files", "NAME_left and NAME_right"),
    Choice("anaglyph", "Red and cyan", "For coloured glasses, Dubois's colours"),
    *(Choice(f"anaglyph-{name}", f"Red and cyan, {name}") for name in
      ("true", "gray", "color", "half-color", "optimized", "improved", "dubois")),
    Choice("wiggle", "Wiggle", "A loop that rocks between both eyes"),
    Choice("mpo", "MPO", "Both pictures in one file, as 3D cameras write them"),
    Choice("jps", "JPS", "A cross-eyed JPEG by another name"),
    Choice("rgbd", "Photo and depth", "The photo with its depth in grey on its right"),
)  # fmt: skip
"""How both eyes' pictures are written."""
INPUTS = tuple(
    Choice(name) for name in ("auto", "photo", "mpo", "jps", "sbs", "half-sbs", "tb", "half-tb", "cross", "rows")
)
"""What a given picture is: one photo, or a pair in a layout."""
ON_OFF = (Choice("on"), Choice("off"))
SCREENS = (
    Choice("auto", "Automatic", "At what is in the picture's middle"),
    Choice("subject", "The subject", "At the one thing that is found"),
    Choice("near", "The nearest", "Everything lies behind the screen"),
    Choice("far", "The farthest", "Everything comes out of the screen"),
)


@dataclass(frozen=True)
class StereoOptions:
    """What may be chosen for a stereo pair of one photo or film. Making one raises BadOption for a wrong value.

    strength: None for 2 % of the width, and less where a picture is flat; screen: a word, or a nearness from 0, the
    farthest, to 1, the nearest; baseline: disparity as eyes so many millimetres apart saw it, of metric depth.
    """

    layout: str = option(
        "auto", "how both eyes' pictures are written (default: by the ending of <out>, or a tag in its name like _sbs; else"
        " side by side)", choices=LAYOUTS, group="stereo",
    )  # fmt: skip
    strength: float | None = option(
        None, "disparity from the farthest to the nearest, in percent of the width (default: 2, less of a flat scene)",
        kind="number", what="the percent of the picture's width", low=STRENGTHS[0], high=STRENGTHS[1], unit="%",
        group="stereo", metavar="P",
    )  # fmt: skip
    screen: str = option(
        "auto", "what lies in the plane of the screen: auto (default, what is in the middle), subject, near, far, or a"
        " number from 0, the farthest, to 1, the nearest", what="auto, subject, near, far or a number from 0 to 1",
        choices=SCREENS, open=True, group="stereo", metavar="auto|subject|near|far|0…1",
    )  # fmt: skip
    eyes: Eyes = option(
        "both", "which eyes' views are made: both (default); left keeps the photo as the left eye's, right as the right's",
        choices=(Choice("both"), Choice("left"), Choice("right")), group="stereo",
    )  # fmt: skip
    limit: str = option(
        "on", "keep to what is comfortable to look at (default: on)", choices=ON_OFF, group="stereo",
    )  # fmt: skip
    baseline: float | None = option(
        None, "true disparity, as eyes so many millimetres apart saw it (63), of metric depth; instead of <strength>",
        kind="number", what="a distance of eyes in millimetres", low=BASELINES[0], high=BASELINES[1], unit="mm",
        group="stereo", metavar="MM",
    )  # fmt: skip
    crop: bool = option(
        False, "cut off the borders that an eye sees and the photo does not show", kind="switch", group="stereo"
    )
    input: str = option(
        "auto", "what <rgb> is: a photo, or a pair in a layout (default: by its ending, or a tag in its name)",
        choices=INPUTS, group="input",
    )  # fmt: skip
    align: str = option(
        "on", "turn and shift the pictures of a given pair so that they fit (default: on)", choices=ON_OFF, group="input",
    )  # fmt: skip
    depth_model: Any = _as_for_a_photo("depth_model")
    depth_in: str | Path | None = _as_for_a_photo("depth_in")
    depth_kind: DepthKind | None = _as_for_a_photo("depth_kind")
    depth_scale: float | None = _as_for_a_photo("depth_scale")
    fov: float | None = _as_for_a_photo("fov")
    focal_px: float | None = _as_for_a_photo("focal_px")
    focal_mm: float | None = _as_for_a_photo("focal_mm")
    device: str = device_option()
    offline: bool = _as_for_a_photo("offline")

    def __post_init__(self) -> None:
        check(self)
        if self.strength is not None and self.baseline is not None:
            raise BadOption("stereo.two_strengths", "<strength> and <baseline> both say how strong it is; give one.")
        if self.screen not in [choice.value for choice in SCREENS] and not _is_share(self.screen):
            raise BadOption(
                "stereo.screen",
                "<screen> is {given!r}; give auto, subject, near, far, or a number from 0 to 1.",
                given=self.screen,
            )


def _is_share(text: object) -> bool:
    try:
        return 0 <= float(str(text)) <= 1
    except ValueError:
        return False
