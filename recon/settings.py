"""Settings of the fast path, one small frozen dataclass per stage; every field with its unit and reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DepthKind = Literal["disparity", "scale", "metric"]
"""What a raw depth map means: affine-invariant inverse depth; depth up to one factor; metres."""
Surface = Literal["layered", "grid", "poisson", "solid"]
"""The surfaces that can be made; what they are, options.SURFACES says."""
ParallaxPath = Literal["orbit", "dolly", "zoom"]
"""Ways of a parallax film's camera; what they are, geometry.parallax says."""
Eyes = Literal["both", "left", "right"]
"""Which eyes of a stereo pair are moved from the photo's place: both by half, or `left`, `right` keeps it."""
MIB = 1024 * 1024
FEWEST_FACES = 4
"""Triangles of the smallest closed mesh."""
SPLAT_COUNTS = (1_000, 5_000_000)
"""Gaussian splats that make sense: fewer show no photo, more no viewer takes."""
POISSON_DEPTHS = (4, 12)
"""Octree depths that make sense: below, nothing is left of a shape; above, memory runs out and the photo has no more."""
MOST_THREADS = 1024
"""Processor threads; more is a slip."""
FOVS = (1.0, 170.0)
"""Degrees of a pinhole's horizontal field of view that make sense."""
FOCAL_MM = (5.0, 1500.0)
"""35 mm equivalents of a fisheye and of the longest lens with its converters."""
LENGTHS = (1e-6, 1e6)
"""Lengths whose squares and ratios float32 holds."""


@dataclass(frozen=True)
class Limits:
    """What the reader accepts. Checked on the file's size and header, before anything is decoded.

    read_pixels: photos of more are read at a half, a quarter, … of their size. The largest single-lens cameras without a
    high-resolution mode (24 to 26 megapixels) stay whole, a phone's 50 and 108 become 12 and 27. max_side: so are longer
    ones, which no JPEG holds, and textures are JPEGs.
    """

    max_bytes: int = 64 * MIB
    max_pixels: int = 120_000_000
    min_side: int = 16
    read_pixels: int = 32_000_000
    max_side: int = 65_500

    @classmethod
    def of(cls, mib: int | float, megapixels: int | float) -> Limits:
        """In the units that people give them in."""
        return cls(int(mib * MIB), int(megapixels * 1e6))


@dataclass(frozen=True)
class GridSettings:
    """The `grid` surface. max_samples: quads at most; a 12-megapixel depth map needs no 24 million triangles.
    smallest_piece: pieces of fewer samples are floaters, in parts of all samples (at least 4)."""

    max_samples: int = 520_000
    smallest_piece: float = 1e-5


ELEVATIONS = (-89.0, 89.0)
"""Degrees above the horizon of a novel view: at the poles no picture is upright."""
DISTANCES = (1.1, 100.0)
"""Of a novel view, in radii of the ball around the model: nearer the eye is in it, farther it sees a dot."""
VIEW_COUNTS = (1, 1000)
"""Of novel views: their names have three digits."""


@dataclass(frozen=True)
class OrbitSettings:
    """Novel views. count: of pictures, or of a film's, None: `pictures`, or what takes `seconds`; elevation: degrees;
    distance: in radii of the ball around the model, None: the nearest that shows all of it; fov: of each view, degrees, as
    TripoSR's cameras have; side: of a picture in pixels; transparent: whether the ground is."""

    count: int | None = None
    elevation: float = 0.0
    distance: float | None = None
    transparent: bool = False
    fov: float = 40.0
    side: int = 512
    pictures: int = 30
    seconds: float = 3.0


CONES = (5.0, 45.0)
"""Degrees by which a view may be turned from the photo's: less shows nothing, more shows what one plate cannot know."""


@dataclass(frozen=True)
class LayeredSettings:
    """The `layered` surface. cone: degrees by which a view may be turned from the photo's and still find no hole;
    smallest_piece: pieces of the front of fewer samples go to the far side, in parts of all samples; grid: of its front."""

    cone: float = 30.0
    smallest_piece: float = 4e-4
    grid: GridSettings = GridSettings()


@dataclass(frozen=True)
class PoissonSettings:
    """The `poisson` surface. max_samples: more points do not sharpen a depth-8 octree; each level more takes four times as
    many. trim: how far the surface may lie from the observed depth, relative to it, beyond the map's noise."""

    max_samples: int = 80_000
    depth: int = 8
    trim: float = 0.01


@dataclass(frozen=True)
class SolidSettings:
    """The `solid` surface. max_samples: samples of the front at most; each becomes 2×2 quads on both sides. base: how far
    a scene's flat base lies behind its far end, in parts of the scene's depth."""

    max_samples: int = 50_000
    base: float = 0.08

    @classmethod
    def for_faces(cls, faces: int | None, per_sample: int) -> SolidSettings:
        """So few samples, of `per_sample` faces each, that a wanted number of faces is near: what then decimates keeps a
        closed mesh closed only up to 64,000 faces (geometry.decimation)."""
        return cls() if faces is None else cls(min(cls.max_samples, max(faces, 64_000) // per_sample))


@dataclass(frozen=True)
class ObjectSettings:
    """The closed mesh of an object model. resolution: cells along a side of the lattice from which its field's surface is
    taken; smallest_piece: pieces with less of the largest one's volume are floaters; faces: of the mesh at most, about;
    texture_side: texels along a side at most (the field itself has some 64 along the whole object)."""

    resolution: int = 256
    smallest_piece: float = 0.01
    faces: int = 60_000
    texture_side: int = 1024

    @classmethod
    def for_faces(cls, faces: int | None) -> ObjectSettings:
        """With so many faces at most as are wanted."""
        return cls() if faces is None else cls(faces=min(cls.faces, faces))


STRENGTHS = (0.0, 15.0)
"""Percent of the width from a stereo pair's farthest to its nearest; nobody can look at more."""
BASELINES = (1.0, 1000.0)
"""Millimetres between a stereo pair's eyes: those of a beetle, and of a giant who looks at mountains."""
PRINT_SIZES = (5.0, 2000.0)
"""Millimetres that make sense for the longest side of a print."""


@dataclass(frozen=True)
class ViewSettings:
    """A GLB that is only looked at. texture_side: pixels of the longer side at most, which every phone's GPU takes;
    quality: of its JPEG, colours at half the resolution; bits: to which positions are rounded, in parts of their own
    distance (15: a hundredth of a pixel of the photo, half a degree of a normal at 500,000 vertices)."""

    texture_side: int = 4096
    quality: int = 85
    bits: int = 15


@dataclass(frozen=True)
class PrintSettings:
    """STL. size_mm: the longest side, as a small printer can make it; base: whether a flat stand is put under the model."""

    size_mm: float = 100.0
    base: bool = False


@dataclass(frozen=True)
class SplatSettings:
    """Gaussian splats. most: how many, as phones draw smoothly; model: the word for those of the surface's own samples;
    oversampled: samples of the photo that are looked at for each, which join where the photo is even (a lattice of every
    second pixel has a quarter of them)."""

    most: int = 400_000
    model: str = "surface"
    oversampled: float = 3.0


@dataclass(frozen=True)
class CloudSettings:
    """The point cloud. max_points: larger clouds are thinned by voxels of about one sample's footprint."""

    max_points: int = 4_000_000
