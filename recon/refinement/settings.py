"""Settings of a refinement's stages, one small frozen dataclass each. Lengths are in radii of the object's ball."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True)
class ViewWeights:
    """Weights of what is compared in pixels of the field: mask, depth, and whether a ray is full or empty (entropy); colour
    has 1."""

    mask: float = 0.5
    depth: float = 0.02
    entropy: float = 1e-3


@dataclass(frozen=True)
class RadianceFieldSettings:
    """The radiance field. steps: of the fit; rays: of one step, half of them the reference view's; side: pixels of the
    reference view; guide_side: of a guidance's view; cells: of the occupancy grid; volume: cells of the lattice that the
    initial shape is laid on; levels, finest, hidden: of the hash grid and its network; rate: Adam's for the grid, a tenth
    of it for the network; photo: weight of the reference view; view: weights of what is compared there; opacity,
    orientation: weights of matter at all, and of visible normals that point away, in a guidance's views (DreamFusion,
    appendix A.2), where no photo says what is empty."""

    stage: ClassVar[str] = "coarse"
    steps: int = 160
    rays: int = 2048
    side: int = 128
    guide_side: int = 64
    cells: int = 64
    volume: int = 64
    levels: int = 8
    finest: int = 256
    hidden: int = 32
    rate: float = 1e-2
    photo: float = 1.0
    view: ViewWeights = field(default_factory=ViewWeights)
    opacity: float = 0.0
    orientation: float = 0.0


@dataclass(frozen=True)
class MeshSettings:
    """The mesh. steps: of the fit; resolution: cubes along an axis of the lattice on which the surface of a field is found
    that came before it; side: pixels of the reference view, whose outline is followed; guide_side: of a guidance's view;
    rate: Adam's, for places; colour_rate: for colours, which move where a guidance looks at them; smoothness: how far a
    step spreads along the surface, λ of Nicolet et al. 2021; mask, depth, normal: weights of the losses."""

    stage: ClassVar[str] = "fine"
    steps: int = 40
    resolution: int = 88
    side: int = 512
    guide_side: int = 128
    rate: float = 2e-3
    colour_rate: float = 1e-2
    smoothness: float = 6.0
    mask: float = 1.0
    depth: float = 0.3
    normal: float = 0.02


@dataclass(frozen=True)
class PointCloudSettings:
    """The cloud and its renderer. steps: of the fit; side, guide_side: pixels of the reference view and of a guide's;
    elevations: in degrees, and azimuths: how many all round, of the views that add points (Make-It-3D takes 3 within 10°
    and 11, which leaves 2 to 4 % of a surface bare above and below); novel: pixels of such a view's side; erosion: pixels
    of the subject's rim where they may add points too; features: learnt per point; widths: of the renderer's levels;
    radius: of a disc in the photo's pixels; rate: Adam's; colour, background, guide, photo_drift, drift: weights of the
    losses, the last two on how far the photo's colours and the others move; field: whether the points lie on the radiance
    field, else on the solid; cell: of the Poisson solver, in radii."""

    stage: ClassVar[str] = "points"
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
    background: float = 0.3
    guide: float = 1.0
    photo_drift: float = 100.0
    drift: float = 1.0
    field: bool = False
    cell: float = 0.01


StageSettings = RadianceFieldSettings | MeshSettings | PointCloudSettings


@dataclass(frozen=True)
class SolidGuidanceSettings:
    """Weights of what the solid says: of the field's pixels, compared by `view`; of the mesh's outline and depth."""

    pixels: float = 1.0
    outline: float = 0.3
    depth: float = 0.3
    view: ViewWeights = field(default_factory=ViewWeights)


@dataclass(frozen=True)
class TextureSettings:
    """The picture on the mesh. faces: of the final mesh at most; side: of the texture in texels at most; photo_weight,
    guess_weight: how firmly the colours of a mesh's vertices hold to the photo where it is believed, and to the guessed
    ones elsewhere, against their neighbours'; field: whether what the photo does not show takes the model's own colours,
    else spread ones."""

    faces: int = 60_000
    side: int = 1024
    photo_weight: float = 4.0
    guess_weight: float = 0.3
    field: bool = False
