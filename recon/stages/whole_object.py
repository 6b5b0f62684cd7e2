"""The closed mesh of a subject from an object model that knows it from all sides.

The model's field becomes a surface, its colours a texture, over which the photo lies where it sees the surface; then the
whole stands where the photo's camera sees the subject.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32
from numpy import ndarray

from recon.errors import BadInput
from recon.geometry.closed import separate_coincident
from recon.geometry.cutout import Window, crop_window
from recon.geometry.decimation import closed_decimation
from recon.geometry.pieces import main_pieces
from recon.geometry.placement import ObjectView, Placement, fitted_view, object_view, placement
from recon.protocols import ObjectReconstructor, SeenObject
from recon.settings import ObjectSettings
from recon.stages.photo_texture import without_fringe
from recon.stages.subject import visible_colours
from recon.types import Camera, DepthMap, Mask, Mesh, Photo

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from recon.render.atlas import Shot

FITS = 0.6
"""Intersection over union of silhouette and mask from which the photo is believed to show the surface."""
SILHOUETTE = 256
"""Pixels of the side of the picture in which they are compared."""
PHOTO_SIDE = 2048
"""Pixels of the photo's side that a texture takes in at most."""


@dataclass(frozen=True)
class WholeObject:
    """A subject from all sides. seen: the model's field or mesh and how it was seen; vertices, faces: its closed surface in
    the model's world (see `recon.protocols.SeenObject`), in full; model: who made it."""

    seen: SeenObject
    vertices: Float32[ndarray, "n 3"]
    faces: Int32[ndarray, "m 3"]
    model: str


def find_object(
    reconstructor: ObjectReconstructor, photo: Photo, mask: Mask, settings: ObjectSettings = ObjectSettings()
) -> WholeObject:
    """The subject as an object model sees it; mask.inside is not None. Raises BadInput where it sees no surface, and
    MissingModel."""
    assert mask.inside is not None
    seen = reconstructor.reconstruct(visible_colours(photo, mask), mask.inside)
    vertices, faces = _surface(seen, settings)
    if not len(faces):
        raise BadInput(
            "object.empty", "{model} sees no surface in this photo; give <object> solid.", model=reconstructor.name
        )
    return WholeObject(seen, vertices, faces, reconstructor.name)


def make_object(
    whole: WholeObject,
    photo: Photo,
    mask: Mask,
    depth: DepthMap,
    camera: Camera,
    settings: ObjectSettings = ObjectSettings(),
) -> Mesh:
    """The closed, textured mesh in the photo's camera frame; its texture cuts it open (see Mesh.source)."""
    assert mask.inside is not None
    vertices, faces = closed_decimation(whole.vertices, whole.faces, settings.faces)
    vertices = separate_coincident(vertices, faces)
    seen = whole.seen
    view = object_view(seen.left, seen.top, seen.side, seen.fov, seen.distance)
    fitted = fitted_view(view, vertices, mask.inside)
    fit, front = _compared(vertices, faces, fitted, mask.inside)
    if fit < FITS:
        fitted = view
    placed = placement(fitted, camera, front, _median_depth(depth, mask.inside))
    if isinstance(seen.shape, Mesh):
        return _own_colours(whole, vertices, faces, placed)
    shots = [_shot(photo, mask, fitted)] if fit >= FITS else []
    return _textured(seen, vertices, faces, shots, placed, settings.texture_side)


def _surface(seen: SeenObject, settings: ObjectSettings) -> tuple[Float32[ndarray, "n 3"], Int32[ndarray, "m 3"]]:
    if isinstance(seen.shape, Mesh):
        whole = seen.shape.welded()
        return whole.vertices, whole.faces
    from recon.render.extraction import extract_surface

    field = seen.shape
    vertices, faces = extract_surface(field.density_logit, field.level, settings.resolution, field.device)
    if not len(faces):
        return vertices, faces
    return main_pieces(vertices, faces, settings.smallest_piece)


def _compared(
    vertices: Float32[ndarray, "n 3"], faces: Int32[ndarray, "m 3"], view: ObjectView, inside: Bool[ndarray, "h w"]
) -> tuple[float, float]:
    """(intersection over union of the surface's silhouette and the mask, median z of the visible front)."""
    import torch

    from recon.render.raster import rasterise

    window = _square_around(view, inside)
    wanted = crop_window(inside.astype(np.uint8), window, 0)
    wanted = cv2.resize(wanted, (SILHOUETTE, SILHOUETTE), interpolation=cv2.INTER_AREA) > 0
    found = rasterise(
        torch.from_numpy(vertices),
        torch.from_numpy(faces.astype(np.int64)),
        _pose(view),
        view.focal * SILHOUETTE / window.width,
        (SILHOUETTE, SILHOUETTE),
    )
    if not len(found.pixel):
        return 0.0, 0.0
    silhouette = np.zeros((SILHOUETTE, SILHOUETTE), bool)
    silhouette.ravel()[found.pixel.numpy()] = True
    fit = np.count_nonzero(silhouette & wanted) / np.count_nonzero(silhouette | wanted)
    return float(fit), float(found.depth.median()) - view.distance


def _square_around(view: ObjectView, inside: Bool[ndarray, "h w"]) -> Window:
    """The square around a view's centre that holds the mask."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    reach = max(view.u - columns[0], columns[-1] + 1 - view.u, view.v - rows[0], rows[-1] + 1 - view.v)
    half = max(1, round(float(reach) * 1.05))
    return Window(round(view.u) - half, round(view.v) - half, 2 * half, 2 * half)


def _pose(view: ObjectView) -> Float[Tensor, "3 4"]:
    import torch

    return torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, -view.distance]])


def _shot(photo: Photo, mask: Mask, view: ObjectView) -> Shot:
    """The photo's square as the object's own camera took it."""
    import torch

    from recon.render.atlas import Shot

    assert mask.inside is not None
    window = _square_around(view, mask.inside)
    side = min(PHOTO_SIDE, window.width)
    squares = crop_window(without_fringe(photo, mask), window, 0), crop_window(mask.inside.astype(np.uint8), window, 0)
    picture, trust = (cv2.resize(each, (side, side), interpolation=cv2.INTER_AREA) for each in squares)
    return Shot(
        torch.from_numpy(picture.astype(np.float32) / 255),
        torch.from_numpy(trust.astype(np.float32)),
        _pose(view),
        view.focal * side / window.width,
    )


def _median_depth(depth: DepthMap, inside: Bool[ndarray, "h w"]) -> float:
    known = depth.z[inside]
    known = known[~np.isnan(known)]
    return float(np.median(known if len(known) else depth.z[~np.isnan(depth.z)]))


def _textured(
    seen: SeenObject,
    vertices: Float32[ndarray, "n 3"],
    faces: Int32[ndarray, "m 3"],
    shots: list[Shot],
    placed: Placement,
    side: int,
) -> Mesh:
    import torch

    from recon.render.baking import baked

    field = seen.shape
    assert not isinstance(field, Mesh)

    def colours(points: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        found: Tensor = field(points.to(field.device)).albedo.float().cpu()
        return found

    made = baked(torch.from_numpy(vertices), torch.from_numpy(faces.astype(np.int64)), colours, shots, side)
    source = made.atlas.source.numpy()
    return Mesh(
        placed.place(vertices)[source],
        made.atlas.faces.numpy().astype(np.int32),
        colors=made.colours[source],
        uv=made.atlas.uv.numpy(),
        texture=made.texture,
        source=source.astype(np.int32),
    )


def _own_colours(
    whole: WholeObject, vertices: Float32[ndarray, "n 3"], faces: Int32[ndarray, "m 3"], placed: Placement
) -> Mesh:
    """A mesh that the model gave, with its own texture where it was left as it is, else its vertices' nearest colours."""
    own = whole.seen.shape
    assert isinstance(own, Mesh)
    if len(faces) == len(own.faces):
        return own.with_(vertices=placed.place(own.vertices))
    from scipy.spatial import KDTree

    _, nearest = KDTree(own.vertices).query(vertices)
    return Mesh(placed.place(vertices), faces, None if own.colors is None else own.colors[nearest])
