"""Settings of the refinement: one frozen object, with its presets. Lengths are in radii of the object's ball."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from recon.errors import BadOption

Second = Literal["mesh", "points"]
"""The stage after the coarse one: a mesh refined, or a cloud with its renderer."""
SECONDS: tuple[Second, ...] = ("mesh", "points")
GUIDANCES = ("builtin",)
"""Names of what can guide a refinement; `guidances` builds them."""


@dataclass(frozen=True)
class CoarseSettings:
    """The radiance field. steps: of the fit; rays: of one step, half of them the reference view's; side: pixels of the
    reference view; guide_side: of a guide's view; cells: of the occupancy grid; levels, finest, hidden: of the hash grid
    and its network; rate: Adam's for the grid, a tenth of it for the network; colour, mask, depth, guide, entropy: weights
    of the losses."""

    steps: int = 160
    rays: int = 2048
    side: int = 128
    guide_side: int = 64
    cells: int = 64
    levels: int = 8
    finest: int = 256
    hidden: int = 32
    rate: float = 1e-2
    colour: float = 1.0
    mask: float = 0.5
    depth: float = 0.02
    guide: float = 1.0
    entropy: float = 1e-3


@dataclass(frozen=True)
class FineSettings:
    """The mesh. steps: of the fit; resolution: cubes of the tetrahedral lattice along an axis; side: pixels of a view;
    rate: Adam's, for a signed distance; mask, guide, depth, normal: weights of the losses."""

    steps: int = 30
    resolution: int = 88
    side: int = 256
    rate: float = 4e-4
    mask: float = 1.0
    guide: float = 0.3
    depth: float = 0.3
    normal: float = 0.02


@dataclass(frozen=True)
class PointsSettings:
    """The cloud and its renderer. steps: of the fit; side, guide_side: pixels of the reference view and of a guide's;
    elevations: in degrees, and azimuths: how many all round, of the views that add points (Make-It-3D takes 3 within 10°
    and 11, which leaves 2 to 4 % of a surface bare above and below); novel: pixels of such a view's side; erosion: pixels
    of the subject's rim where they may add points too; features: learnt per point; widths: of the renderer's levels;
    radius: of a disc in the photo's pixels; rate: Adam's; colour, ground, guide, held, anchor: weights of the losses, the
    last two on the drift of the photo's colours and of the others; field: whether the points lie on the coarse field, else
    on the solid; cell: of the Poisson solver, in radii."""

    steps: int = 100
    side: int = 256
    guide_side: int = 128
    elevations: tuple[float, ...] = (-30.0, 0.0, 30.0)
    azimuths: int = 11
    novel: int = 448
    erosion: int = 8
    features: int = 8
    widths: tuple[int, ...] = (8, 16, 32, 64)
    radius: float = 1.5
    rate: float = 5e-3
    colour: float = 1.0
    ground: float = 0.3
    guide: float = 1.0
    held: float = 100.0
    anchor: float = 1.0
    field: bool = False
    cell: float = 0.01


@dataclass(frozen=True)
class TextureSettings:
    """The picture on the mesh. faces: of the final mesh at most; side: of the texture in texels at most; hold, fade: how
    firmly the colours of a mesh's vertices hold to the photo where it is believed, and to the guessed ones elsewhere,
    against their neighbours'; field: whether what the photo does not show takes the coarse field's colours, else spread
    ones."""

    faces: int = 24_000
    side: int = 1024
    hold: float = 4.0
    fade: float = 0.3
    field: bool = False


@dataclass(frozen=True)
class Settings:
    """A refinement's settings. photo: pixels of the crop's side; turns: in degrees, of the looks that each network takes;
    samples: of the solid's front;
    volume: cells of the lattice that the solid's distance is laid on; save_every: seconds between checkpoints; guidance:
    names of what guides, none or several; second: which stage follows the coarse one, `fine` or `points`."""

    photo: int = 512
    turns: tuple[float, ...] = (0.0,)
    samples: int = 12_000
    volume: int = 64
    save_every: float = 20.0
    guidance: tuple[str, ...] = ("builtin",)
    coarse: CoarseSettings = field(default_factory=CoarseSettings)
    fine: FineSettings = field(default_factory=FineSettings)
    points: PointsSettings = field(default_factory=PointsSettings)
    texture: TextureSettings = field(default_factory=TextureSettings)
    second: Second = "mesh"


PRESETS = {
    "quick": Settings(),
    "full": Settings(
        photo=1024, volume=96,
        coarse=CoarseSettings(steps=1500, rays=4096, side=256, guide_side=128),
        fine=FineSettings(steps=200, resolution=128, side=512),
        points=PointsSettings(
            steps=1000, side=512, guide_side=256, novel=512, erosion=15, features=16, widths=(16, 32, 64, 128), radius=2.0,
            rate=2e-3, cell=0.006,
        ),
        texture=TextureSettings(faces=150_000, side=2048),
    ),
}  # fmt: skip


def preset(
    name: str, steps: int | None = None, faces: int | None = None, guidance: str = "builtin", second: str = "mesh"
) -> Settings:
    """A preset by name; each of its stages has at most `steps` steps, the mesh at most `faces` faces; guidance: names with
    commas, or none; second: the stage after the coarse one. Raises BadOption."""
    if name not in PRESETS:
        raise BadOption(f"--refine is {name!r}; give off, {' or '.join(PRESETS)}.")
    if steps is not None and not 0 <= steps <= 1_000_000:
        raise BadOption(f"--steps is {steps}; give a number from 0 to 1000000.")
    if second not in SECONDS:
        raise BadOption(f"--second is {second!r}; give {' or '.join(SECONDS)}.")
    chosen = replace(PRESETS[name], guidance=guidance_names(guidance), second=second)
    if faces is not None:
        chosen = replace(chosen, texture=replace(chosen.texture, faces=faces))
    if steps is None:
        return chosen
    return replace(
        chosen,
        coarse=replace(chosen.coarse, steps=min(steps, chosen.coarse.steps)),
        fine=replace(chosen.fine, steps=min(steps, chosen.fine.steps)),
        points=replace(chosen.points, steps=min(steps, chosen.points.steps)),
    )


def guidance_names(given: str) -> tuple[str, ...]:
    """The names in a list with commas, each once; none of them for `none`. Raises BadOption."""
    names = tuple(dict.fromkeys(name.strip() for name in given.split(",")))
    if names == ("none",):
        return ()
    for name in names:
        if name not in GUIDANCES:
            raise BadOption(f"--guidance is {given!r} and {name!r} is unknown; give none, or {_list(GUIDANCES)}.")
    return names


def _list(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else "some of " + ",".join(names)
