"""Two pictures on one closed mesh: the photo on what faces the camera, what the far side may look like on the rest.

Both are cut to the subject and lie in one texture, side by side along their shorter sides. The mesh is cut open where a
face that faces the camera meets one that does not; the two pictures agree there.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8
from numpy import ndarray

from recon.geometry.camera import project
from recon.geometry.cutout import Window, crop_window
from recon.stages.far_side import far_side
from recon.stages.photo_texture import colors_at, without_fringe
from recon.types import Camera, Mask, Mesh, MirrorSymmetry, Photo

MARGIN = 8
"""Pixels around each picture, so that neither bleeds into the other when the texture is shrunk."""
FAR_SIDE = 1024
"""The longer side of the far side's picture at most: what nobody has seen needs no more."""


class _Pictures(NamedTuple):
    """Both pictures in one texture; far: where the second one's left upper corner is, and how many of its pixels one of the
    first has."""

    texture: UInt8[ndarray, "h w 3"]
    far: tuple[int, int]
    scale: tuple[float, float]


def textured_all_round(
    mesh: Mesh,
    photo: Photo,
    mask: Mask,
    camera: Camera,
    behind: UInt8[ndarray, "h w 3"] | None = None,
    pixels: Float32[ndarray, "n 2"] | None = None,
    mirror: MirrorSymmetry | None = None,
) -> Mesh:
    """A closed mesh of a subject, textured from all sides; mask.inside is not None.

    behind: a network's idea of the far side's colours, at the photo's size; pixels: each vertex's place (u, v) in the photo
    where it is known, else the vertices are projected; mirror: where the photo shows mirror images of the far side.
    Vertices along the cut are there twice (see Mesh.source).
    """
    assert mask.inside is not None
    pixels = project(mesh.vertices, camera) if pixels is None else pixels
    pictures, window = _pictures(without_fringe(photo, mask), mask.inside, behind, mirror)
    away = _faces_away(mesh)
    near_ones, far_ones = (_used(mesh.faces[side], len(mesh.vertices)) for side in (~away, away))
    places = pixels - np.array([window.left, window.top], np.float32)
    far_places = places[far_ones] * np.array(pictures.scale, np.float32) + np.array(pictures.far, np.float32)
    places = np.concatenate([places[near_ones], far_places])
    source = np.concatenate([near_ones, far_ones]).astype(np.int32)
    height, width = pictures.texture.shape[:2]
    return Mesh(
        mesh.vertices[source],
        _renumbered(mesh.faces, away, near_ones, far_ones),
        colors=colors_at(pictures.texture, places),
        uv=np.clip(places / np.array([width, height], np.float32), 0, 1).astype(np.float32),
        texture=pictures.texture,
        source=source,
    )


def far_picture(
    clean: UInt8[ndarray, "h w 3"],
    whole_inside: Bool[ndarray, "h w"],
    behind: UInt8[ndarray, "h w 3"] | None = None,
    mirror: MirrorSymmetry | None = None,
) -> tuple[UInt8[ndarray, "b a 3"], Window]:
    """What the far side of a subject may look like, as if seen through it, and which window of the photo it fills; its
    longer side has FAR_SIDE pixels at most. clean: the photo, the subject's colours also beyond its rim."""
    window = _window(whole_inside)
    near, inside = _cropped(clean, window), crop_window(whole_inside, window, False)
    factor = min(1.0, FAR_SIDE / window.long_side)
    size = max(1, round(window.width * factor)), max(1, round(window.height * factor))
    small = [cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (near, inside.astype(np.uint8) * 255)]
    guess = None if behind is None else cv2.resize(_cropped(behind, window), size, interpolation=cv2.INTER_AREA)
    images = None if mirror is None else _images(mirror, window, size)
    return far_side(small[0], small[1] > 127, guess, images), window


def _faces_away(mesh: Mesh) -> Bool[ndarray, " m"]:
    """Which faces the camera at the origin sees from behind, if at all."""
    a, b, c = (mesh.vertices[mesh.faces[:, i]] for i in range(3))
    return np.einsum("ij,ij->i", np.cross(b - a, c - a), a + b + c) >= 0


def _used(faces: Int32[ndarray, "m 3"], count: int) -> Int32[ndarray, " k"]:
    """Which of `count` vertices the faces use, sorted; np.unique takes fifty times as long."""
    used = np.zeros(count, bool)
    used[faces.ravel()] = True
    return np.flatnonzero(used).astype(np.int32)


def _renumbered(
    faces: Int32[ndarray, "m 3"], away: Bool[ndarray, " m"], near: Int32[ndarray, " k"], far: Int32[ndarray, " l"]
) -> Int32[ndarray, "m 3"]:
    """The same faces over the vertices of the one side and then those of the other; both sorted."""
    out = np.empty_like(faces)
    out[~away] = np.searchsorted(near, faces[~away])
    out[away] = len(near) + np.searchsorted(far, faces[away])
    return out


def _window(inside: Bool[ndarray, "h w"]) -> Window:
    """The subject's bounding box with a margin; it may reach over the photo's edge."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    left, top = int(columns[0]) - MARGIN, int(rows[0]) - MARGIN
    return Window(left, top, int(columns[-1]) + 1 + MARGIN - left, int(rows[-1]) + 1 + MARGIN - top)


def _pictures(
    clean: UInt8[ndarray, "h w 3"],
    inside: Bool[ndarray, "h w"],
    behind: UInt8[ndarray, "h w 3"] | None,
    mirror: MirrorSymmetry | None,
) -> tuple[_Pictures, Window]:
    """The photo's window and the far side's, in one texture."""
    far, window = far_picture(clean, inside, behind, mirror)
    size, near = far.shape[1::-1], _cropped(clean, window)
    beside = window.width <= window.height
    corner = (window.width, 0) if beside else (0, window.height)
    whole = (window.height, window.width + size[0]) if beside else (window.height + size[1], window.width)
    texture = np.zeros((*whole, 3), np.uint8)
    texture[: window.height, : window.width] = near
    texture[corner[1] : corner[1] + size[1], corner[0] : corner[0] + size[0]] = far
    return _Pictures(texture, corner, (size[0] / window.width, size[1] / window.height)), window


def _images(mirror: MirrorSymmetry, window: Window, size: tuple[int, int]) -> Float32[ndarray, "b a 3"]:
    """Of each pixel of the far side's picture of this (width, height): the place (x, y) in it at which the photo shows its
    mirror image, in pixel indices, and how well."""
    own, scale = Window(*mirror.window), np.array(size, np.float32) / np.array(window[2:], np.float32)
    rows, columns = mirror.shown.shape
    x = ((np.arange(size[0]) + 0.5) / scale[0] + window.left - own.left) * columns / own.width - 0.5
    y = ((np.arange(size[1]) + 0.5) / scale[1] + window.top - own.top) * rows / own.height - 0.5
    place = (mirror.place - np.array([window.left, window.top], np.float32)) * scale - np.float32(0.5)
    maps = np.concatenate([place, mirror.shown[..., None]], axis=2).astype(np.float32)
    across, down = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    return np.asarray(cv2.remap(maps, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _cropped(picture: UInt8[ndarray, "h w 3"], window: Window) -> UInt8[ndarray, "a b 3"]:
    """A picture in a window, its edge repeated beyond it."""
    height, width = picture.shape[:2]
    rows = np.clip(np.arange(window.top, window.top + window.height), 0, height - 1)
    columns = np.clip(np.arange(window.left, window.left + window.width), 0, width - 1)
    return picture[rows][:, columns]
