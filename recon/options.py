"""Every option, spelled once: a field of a frozen dataclass that carries all that is known of it.

The command line's flags, the web's schema and form, `/options`, the report and the checkpoint derive from these fields; a
new option is a field here, and the line that uses it. An object of a class here is valid: making one checks it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from recon.errors import BadOption
from recon.messages import python_number
from recon.option_fields import Choice, Option, Page, check_value
from recon.settings import (
    CONES,
    DISTANCES,
    ELEVATIONS,
    FEWEST_FACES,
    FOCAL_MM,
    FOVS,
    LENGTHS,
    MOST_THREADS,
    POISSON_DEPTHS,
    PRINT_SIZES,
    SPLAT_COUNTS,
    VIEW_COUNTS,
    DepthKind,
    LayeredSettings,
    OrbitSettings,
    ParallaxPath,
    PoissonSettings,
    PrintSettings,
    SplatSettings,
    Surface,
)

T = TypeVar("T")


def option(default: T, help: str, **about: Any) -> T:
    """A dataclass's field that is an option."""
    found: T = field(default=default, metadata={"option": Option(help, **about)})
    return found


def options_of(*kinds: Any) -> tuple[Option, ...]:
    """The options of one or several classes in the order of their fields; what two of them share comes once."""
    return _options_of(kinds)


@cache
def _options_of(kinds: tuple[Any, ...]) -> tuple[Option, ...]:
    found: dict[str, Option] = {}
    for each in (each for kind in kinds for each in fields(kind)):
        found.setdefault(each.name, replace(each.metadata["option"], name=each.name, default=each.default))
    return tuple(found.values())


def option_of(kind: type, name: str) -> Option:
    """One option of a class."""
    return next(each for each in options_of(kind) if each.name == name)


def changed(kind: type[T], given: Any, changes: Mapping[str, Any]) -> T:
    """The same options with some of them changed. Raises BadOption for an unknown name, a wrong value, or an object that is
    not of the kind."""
    if not isinstance(given, kind):
        raise BadOption("option.object", "options is of type {came}; give {wanted}.",
                        came=type(given).__name__, wanted=kind.__name__)  # fmt: skip
    known = [each.name for each in options_of(type(given))]
    for name in changes:
        if name not in known:
            near = ", ".join(difflib.get_close_matches(name, known) or known)
            raise BadOption("option.unknown", "{given!r} is no option; the nearest are {near}.", given=name, near=near)
    return replace(given, **changes)  # type: ignore[type-var]  # they are dataclasses


def plain(given: Any) -> dict[str, Any]:
    """The values of an options object, ready for JSON."""
    return {each.name: _plain(getattr(given, each.name)) for each in options_of(type(given))}


def restored(kind: type[T], values: Mapping[str, Any]) -> T:
    """An options object from what `plain` gave, perhaps long ago: what is missing has its default, what is no option any
    more is left out."""
    known = {each.name: each for each in options_of(kind)}
    return kind(**{name: _restored(known[name], value) for name, value in values.items() if name in known})


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    value = python_number(value)
    return value if isinstance(value, str | int | float | bool | None) else getattr(value, "name", str(value))


def _restored(about: Option, value: Any) -> Any:
    return tuple(value) if about.kind == "pair" and value is not None else value


def check(given: Any) -> None:
    """Raise BadOption for the first option of an object whose value is of the wrong kind, out of its bounds, or none of its
    words. None is allowed where it is the default."""
    for each in options_of(type(given)):
        check_value(each, getattr(given, each.name))


def device_option() -> Any:
    """The field that says where models run."""
    choices = (Choice("auto"), Choice("cpu"), Choice("cuda"))
    return option("auto", "where models run (default: auto, a GPU where there is one)", choices=choices, group="run")


SURFACES = (
    Choice("auto", "Automatic", "One thing becomes solid, a scene layered"),
    Choice("layered", "Layered", "What the photo shows, cut at its edges, over sheets that carry on what it hides"),
    Choice("solid", "Solid (printable)", "Closed all round, with a guessed back; a scene gets walls and a base"),
    Choice("grid", "Sharp", "What the photo shows, pixel by pixel, cut at its edges"),
    Choice("poisson", "Smooth", "What the photo shows, with small gaps filled"),
)
OBJECTS = (
    Choice("auto", "Automatic", "The best model whose weights are on this computer, else the built-in solid"),
    Choice("solid", "Built-in solid", "The photo's front and the built-in network's back, joined"),
)
MASKS = (
    Choice("auto", "Automatic", "One thing is cut out where one is found; else the whole photo is taken"),
    Choice("none", "Whole photo", "Nothing is cut out: the photo is a scene"),
    Choice("alpha", "The photo's transparency", "What is transparent is left out"),
    Choice("builtin", "Built-in network", "The network looks for one thing, on any ground"),
    Choice("grabcut", "Plain background", "What stands on a plain ground, with the sharpest outline"),
)
PARALLAX_PATHS = (
    Choice("orbit", "Round", "The camera goes round a little and looks at the middle"),
    Choice("dolly", "Forward", "The camera goes forward and back"),
    Choice("zoom", "Dolly zoom", "The camera goes back and forth while its lens keeps what is nearest at its size"),
)
MASK_WORDS = ("auto", "none", "alpha")
"""What a mask may be but a segmenter's name or a file."""
SEEDS = 9 * 10**18
"""Random numbers begin with 64 bits."""
LENGTH = {"kind": "number", "what": "a length", "low": LENGTHS[0], "high": LENGTHS[1]}


@dataclass(frozen=True)
class PhotoOptions:
    """What may be chosen for one photo's reconstruction. Making one raises BadOption for a wrong value.

    depth_model, splat_model, object: a name, or a DepthEstimator, SplatEstimator or ObjectReconstructor that is kept warm;
    depth_in: a depth map to use instead of a model, and depth_kind, what it holds. near, far: where a disparity map's
    extremes lie, in the depth's unit, as is voxel.
    """

    surface: Surface | Literal["auto"] = option(
        "auto",
        "layered: what the photo shows, over what it hides, invented; grid: what it shows, alone; poisson: smooth; "
        "solid: closed, with a back; auto (default): solid for one thing, layered for a scene",
        choices=SURFACES,
        page=Page(
            "Surface",
            "The shape of the model",
            about="auto: solid for one thing, layered for a scene",
            first=True,
            cards=True,
            called="the surface",
        ),
    )
    depth_model: Any = option(
        "auto", "a name from <models>, or a local folder",
        choices=(Choice("auto", "Best here", "the best model whose weights are on this computer"),),
        open=True, models="depth", group="input", metavar="NAME",
        page=Page("Depth model", "How far away each pixel is: larger models are more exact and take longer", wide=True,
                  told="{}", about="a name from /options that is here", called="the depth model"),
    )  # fmt: skip
    object: Any = option(
        "auto", "who makes one thing's closed model: solid, the built-in; a name from <models>, or a local folder; auto"
        " (default): the best whose weights are here, else solid",
        choices=OBJECTS, open=True, models="object", group="shape", metavar="NAME",
        page=Page("Whole object", "Who makes the closed model of one thing: an object model knows all its sides, and takes"
                  " longer", told="{}", about="a name from /options that is here", called="the object model"),
    )  # fmt: skip
    depth_in: str | Path | None = option(
        None,
        "use this depth map (.npy .npz .exr .png …) instead",
        kind="file",
        what="the path of a file",
        group="input",
        metavar="FILE",
    )
    depth_kind: DepthKind | None = option(
        None, "what <depth_in> (or an unknown model) holds",
        choices=(Choice("metric"), Choice("scale"), Choice("disparity")), group="input",
    )  # fmt: skip
    depth_scale: float | None = option(
        None, "units of a metric <depth_in> per metre (default: whole numbers 1000, floats 1)",
        **LENGTH | {"what": "the depth map's units per metre"}, group="input", metavar="N",
    )  # fmt: skip
    sharpen: str = option(
        "auto", "whether depth edges go where the photo's are: auto (default), of a network's depth, and of a measured one"
        " where it does not fit the photo; off",
        choices=(Choice("auto", "Automatic", "Outlines go where the photo shows them"),
                 Choice("off", "Off", "Depth stays as its model or file has it")),
        group="input",
        page=Page("Depth edges", "Whether outlines in depth go where the photo shows them", told="depth edges {}",
                  called="the depth edges"),
    )  # fmt: skip
    symmetry: str = option(
        "auto", "whether a thing that looks mirror-symmetric is completed by its mirror image: auto (default), where its"
        " mirror plane is sure; off",
        choices=(Choice("auto", "Automatic", "One thing whose mirror plane is sure is completed by its mirror image"),
                 Choice("off", "Off", "Nothing is mirrored")),
        group="input",
        page=Page("Symmetry", "Whether one thing that looks mirror-symmetric is completed by its mirror image",
                  told="symmetry {}", called="the symmetry"),
    )  # fmt: skip
    mask: str | Path = option(
        "auto", "what to cut out (default: auto); NAME: builtin, grabcut or one of <models>",
        what="auto, none, alpha, a segmenter's name or a file (a photo of four channels has its mask in the last)",
        choices=MASKS, open=True, group="input", metavar="auto|none|alpha|NAME|FILE",
        page=Page("Cut out", "What belongs to the model; all else is left out", first=True, called="the way to cut out"),
    )  # fmt: skip
    fov: float | None = option(
        None, "horizontal field of view of the photo (else EXIF, the network if sure, 60)",
        kind="number", what="the horizontal field of view in degrees", low=FOVS[0], high=FOVS[1], unit="degrees",
        group="input", metavar="DEG",
        page=Page("Field of view, degrees", "The proportions: wider makes a scene wider and shallower, narrower makes it"
                  " deeper", low=5.0, high=150.0, empty="from the photo", left="from the photo, else estimated",
                  told="{:g}°", about="horizontal field of view in degrees", called="the field of view"),
    )  # fmt: skip
    focal_px: float | None = option(
        None, "focal length in pixels of the photo", kind="number", what="the focal length in pixels of this photo",
        unit="pixels", group="input", metavar="F",
    )  # fmt: skip
    focal_mm: float | None = option(
        None, "focal length as a 35 mm equivalent in millimetres",
        kind="number", what="the 35 mm equivalent focal length in millimetres", low=FOCAL_MM[0], high=FOCAL_MM[1],
        unit="mm", group="input", metavar="F35",
    )  # fmt: skip
    centre: tuple[float, float] | None = option(
        None, "principal point in pixels of the photo (else its middle)",
        kind="pair", what="the principal point in pixels U,V", group="input", metavar="U,V",
    )  # fmt: skip
    near: float | None = option(
        None, "distance of the nearest point (for disparity)", **LENGTH, group="input", metavar="Z"
    )
    far: float | None = option(
        None, "distance of the farthest point (for disparity)", **LENGTH, group="input", metavar="Z"
    )
    poisson_depth: int = option(
        PoissonSettings.depth, "octree depth, 4 to 12 (default: 8)",
        kind="whole", low=POISSON_DEPTHS[0], high=POISSON_DEPTHS[1], group="shape", metavar="N",
    )  # fmt: skip
    cone: float = option(
        LayeredSettings.cone, "degrees by which a layered model may be turned without a hole, 5 to 45 (default: 30)",
        kind="number", what="an angle in degrees", low=CONES[0], high=CONES[1], unit="degrees", group="shape",
        metavar="DEG",
        page=Page("Filled for turns up to, degrees", "How far a layered model is invented behind its edges: by how many"
                  " degrees it may be turned without a hole", told="filled for {:g}°", called="the filled angle"),
    )  # fmt: skip
    faces: int | None = option(
        None, "at most about this many triangles", kind="whole", what="a number of triangles", low=FEWEST_FACES,
        group="shape", metavar="N",
        page=Page("Triangles, at most", "How fine the mesh is and how large its files are; the first, instant mesh stays as"
                  " it is", low=1000, high=500_000, empty="no limit", about="at most about this many triangles",
                  left="as fine as the photo", told="{:,} triangles", called="the number of triangles"),
    )  # fmt: skip
    voxel: float | None = option(
        None, "thin the point cloud to one point per voxel", **LENGTH, group="shape", metavar="SIZE"
    )
    splats: int = option(
        SplatSettings.most, "at most about this many Gaussian splats (default: 400000)",
        kind="whole", what="a number of Gaussian splats", low=SPLAT_COUNTS[0], high=SPLAT_COUNTS[1],
        group="shape", metavar="N",
    )  # fmt: skip
    splat_model: Any = option(
        SplatSettings.model,
        "what splats are made of: surface (default), of the model's own samples; or a name from <models>, which makes them"
        " by itself",
        choices=(Choice(SplatSettings.model),), open=True, models="splats", group="shape", metavar="NAME",
    )  # fmt: skip
    size_mm: float = option(
        PrintSettings.size_mm, "longest side in millimetres (default: 100)",
        kind="number", what="the print's longest side in millimetres", low=PRINT_SIZES[0], high=PRINT_SIZES[1], unit="mm",
        group="printing", flag="size", metavar="MM",
        page=Page("Print, longest side in mm", "How large the file for printing is: its longest side in millimetres",
                  told="printed {:g} mm long", about="longest side of a print (STL) in millimetres",
                  called="the print's longest side"),
    )  # fmt: skip
    base: bool = option(
        False, "put a flat stand under a closed model", kind="switch", group="printing",
        choices=(Choice("false", "No", "The model is printed as it is"),
                 Choice("true", "Yes", "A flat stand is joined to it from below")),
        page=Page("Stand under the print", "Whether the file for printing has a stand under it", told="with a stand",
                  about="whether a print stands on a flat base", called="the stand"),
    )  # fmt: skip
    parallax_path: ParallaxPath = option(
        "orbit", "how the camera of a <parallax> film goes: round (default), forward and back, or a dolly zoom",
        choices=PARALLAX_PATHS, group="more results",
        page=Page("Film", "How the camera goes in the film to download", told="film: {}", called="the film's camera",
                  about="how the camera of the parallax film goes"),
    )  # fmt: skip
    views: int | None = option(
        None, "how many <frames>, or pictures of an <orbit> (default: 30 frames, a film of 3 s)",
        kind="whole", what="a number of pictures", low=VIEW_COUNTS[0], high=VIEW_COUNTS[1], group="more results",
        metavar="N",
    )  # fmt: skip
    elevation: float = option(
        OrbitSettings.elevation, "degrees from which <frames> and <orbit> look down (default: 0)",
        kind="number", what="an angle in degrees", low=ELEVATIONS[0], high=ELEVATIONS[1], unit="degrees",
        group="more results", metavar="DEG",
    )  # fmt: skip
    distance: float | None = option(
        None, "of their camera, in radii of the model (default: as near as shows all of it)",
        kind="number", what="a distance in radii of the model", low=DISTANCES[0], high=DISTANCES[1],
        group="more results", metavar="R",
    )  # fmt: skip
    transparent: bool = option(
        False, "no ground behind <frames>, and an <orbit> that is no .mp4", kind="switch", group="more results"
    )
    device: str = device_option()
    offline: bool = option(False, "never ask the network", kind="switch", group="run")

    def __post_init__(self) -> None:
        check(self)
        if self.near is not None and self.far is not None and self.near >= self.far:
            raise BadOption("option.order", "<near> {near:g} is not nearer than <far> {far:g}; swap them.",
                            near=self.near, far=self.far)  # fmt: skip


@dataclass(frozen=True)
class RefineOptions:
    """What may be chosen for a refinement. Making one raises BadOption for a wrong value.

    preset: how far; refine_to: a mesh that is fitted, or points of a radiance field and a mesh around them; steps: of each
    stage at most; seed: of its random numbers; guidance: names with commas, or none; threads: of the processor, more than
    one are faster on an idle machine only.
    """

    preset: str = option(
        "quick", "how far (default: off)", group="refinement", flag="refine",
        choices=(Choice("quick", "Quickly", "A few minutes more, with a back, a clean outline and a texture of its own"),
                 Choice("full", "Thoroughly", "Half an hour and more, finer")),
        off=Choice("off", "No", "It can be asked for later, too"),
        page=Page("Make it better afterwards", "Whether one thing is shaped once more, from all sides", name="refine",
                  first=True, about="whether a better mesh of the subject is made afterwards",
                  called="making it better"),
    )  # fmt: skip
    refine_to: str = option(
        "mesh", "to what: a mesh, or points of a radiance field and a mesh around them (default: mesh)",
        choices=(Choice("mesh"), Choice("points")), group="refinement", aliases=("second",),
    )  # fmt: skip
    steps: int | None = option(
        None, "of each of its stages at most", kind="whole", low=0, high=1_000_000, group="refinement", metavar="N"
    )
    seed: int = option(
        0, "of its random numbers (default: 0)", kind="whole", low=-SEEDS, high=SEEDS, group="refinement", metavar="N"
    )
    guidance: str = option(
        "builtin", "what knows the unseen, with commas: builtin, or none (default: builtin)",
        kind="words", choices=(Choice("builtin"),), group="refinement", metavar="NAMES",
    )  # fmt: skip
    threads: int = option(
        1, "processor threads (default: 1 with <preset>, else all)", kind="whole", low=1, high=MOST_THREADS,
        group="run", metavar="N",
    )  # fmt: skip
    device: str = device_option()

    def __post_init__(self) -> None:
        check(self)
