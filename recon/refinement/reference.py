"""What a refinement is fitted to: the photo's crop around the subject, and its mask.

All of it stands in the normalised world of `recon.render.cameras`: the object inside the ball of radius 1 around the
origin, the reference camera's rotation the identity. The photo is resampled for a camera that was turned towards the
object, so that its principal point is its centre; to turn a camera about itself changes no ray.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from numpy import ndarray
from torch import Tensor
from torch.nn import functional as F

from recon.geometry.camera import project, scaled_camera
from recon.geometry.cutout import Window
from recon.render.cameras import Pinhole, focal_of
from recon.stages.all_round_texture import far_picture
from recon.stages.photo_texture import without_fringe
from recon.types import Camera, Mask, MirrorSymmetry, Photo

BALL_MARGIN = 1.06
"""The ball's radius over the object's: a surface that grows a little stays inside."""
MARGIN = 8
"""Pixels around the subject's box of the photo, so that a smaller copy of a texture bleeds into nothing else."""


@dataclass(frozen=True)
class Frame:
    """From the photo's camera frame to the world: turned by `rotation` (rows: the reference camera's axes), moved by
    `distance` along the new optical axis, divided by `radius`. Lengths are those of the depth map."""

    rotation: Float32[ndarray, "3 3"]
    distance: float
    radius: float

    def to_world(self, points: Float32[ndarray, "n 3"]) -> Float32[ndarray, "n 3"]:
        """Points of the photo's camera frame in the world."""
        moved = points @ self.rotation.T - np.array([0, 0, self.distance], np.float32)
        return (moved / np.float32(self.radius)).astype(np.float32)

    def from_world(self, points: Float32[ndarray, "n 3"]) -> Float32[ndarray, "n 3"]:
        """The way back."""
        moved = points * np.float32(self.radius) + np.array([0, 0, self.distance], np.float32)
        return (moved @ self.rotation).astype(np.float32)


UNMOVED = Frame(np.eye(3, dtype=np.float32), 0.0, 1.0)
"""Of a run without a photo: its model stays in the world."""


@dataclass(frozen=True)
class PhotoBox:
    """The subject's box of the photo, pixel for pixel. picture: its colours also beyond its rim; corner: left and top of
    the box in the photo; camera: the whole photo's; frame: from that camera's to the world."""

    picture: UInt8[ndarray, "h w 3"]
    corner: tuple[int, int]
    camera: Camera
    frame: Frame

    def places(self, points: Float32[ndarray, "n 3"]) -> Float32[ndarray, "n 2"]:
        """Where points of the world lie in the picture, in its pixels."""
        return project(self.frame.from_world(points), self.camera) - np.array(self.corner, np.float32)


@dataclass(frozen=True)
class Reference:
    """photo: colours in 0..1, the subject's own also beyond its rim; mask: its coverage in 0..1; camera: the reference
    view of both; sheet: the photo's own pixels; far: the far side's colours as if seen through the subject, as the solid
    wears them (stages.far_side), also beyond its rim; in 0..1."""

    photo: Float[Tensor, "s s 3"]
    mask: Float[Tensor, "s s"]
    camera: Pinhole
    sheet: PhotoBox
    far: Float[Tensor, "s s 3"]

    def to(self, device: torch.device | str) -> Reference:
        """The same on another device."""
        camera, far = self.camera.to(device), self.far.to(device)
        return replace(self, photo=self.photo.to(device), mask=self.mask.to(device), camera=camera, far=far)

    def at(self, side: int) -> Reference:
        """The same with a photo of `side` pixels, which divides its own."""
        if side == self.camera.width:
            return self
        layers = torch.cat([self.photo, self.mask[..., None], self.far], 2).permute(2, 0, 1)[None]
        small = F.adaptive_avg_pool2d(layers, side)[0].permute(1, 2, 0).contiguous()
        camera = self.camera.resized(side, side)
        return replace(self, photo=small[..., :3], mask=small[..., 3], camera=camera, far=small[..., 4:])

    def over_white(self) -> Float[Tensor, "s s 3"]:
        """The subject alone."""
        return self.photo * self.mask[..., None] + 1 - self.mask[..., None]


def reference_of(
    photo: Photo,
    mask: Mask,
    camera: Camera,
    frame: Frame,
    side: int,
    behind: UInt8[ndarray, "h w 3"] | None = None,
    mirror: MirrorSymmetry | None = None,
) -> Reference:
    """The reference view of a subject, its photo resampled to side×side pixels in which the object's ball just fits.
    behind: the far side's colours by a network, at the photo's size; mirror: where the photo shows mirror images of it."""
    assert mask.inside is not None
    distance = frame.distance / frame.radius
    fov = 2 * np.degrees(np.arcsin(min(1 / distance, 0.95)))
    view = Pinhole(torch.eye(3, 4), focal_of(fov, side), side, side)
    view.c2w[2, 3] = -distance
    clean, cover = without_fringe(photo, mask), _coverage(photo, mask)
    crop = torch.from_numpy(_resampled(np.dstack([clean, cover]), camera, frame, view)).float() / 255
    picture, window = far_picture(clean, mask.inside, behind, mirror)
    far = _resampled(np.dstack([picture, picture[..., :1]]), _part_of(camera, window, picture.shape[1]), frame, view)
    sheet = _sheet(clean, mask, camera, frame)
    colours, covered = crop[..., :3].contiguous(), crop[..., 3].contiguous()
    return Reference(colours, covered, view, sheet, torch.from_numpy(far[..., :3] / np.float32(255)))


def _part_of(camera: Camera, window: Window, width: int) -> Camera:
    """The camera of a window of its picture, resized to a width."""
    part = replace(
        camera, width=window.width, height=window.height, cx=camera.cx - window.left, cy=camera.cy - window.top
    )
    return scaled_camera(part, width, max(1, round(window.height * width / window.width)))


def _sheet(clean: UInt8[ndarray, "h w 3"], mask: Mask, camera: Camera, frame: Frame) -> PhotoBox:
    assert mask.inside is not None
    rows, columns = np.flatnonzero(mask.inside.any(1)), np.flatnonzero(mask.inside.any(0))
    top, left = max(0, int(rows[0]) - MARGIN), max(0, int(columns[0]) - MARGIN)
    box = np.s_[top : int(rows[-1]) + 1 + MARGIN, left : int(columns[-1]) + 1 + MARGIN]
    return PhotoBox(np.ascontiguousarray(clean[box]), (left, top), camera, frame)


def frame_of(vertices: Float32[ndarray, "n 3"]) -> Frame:
    """The world around points before a camera: its centre is the middle of their box in the turned frame."""
    centre = (vertices.min(0) + vertices.max(0)) / 2
    distance = float(np.linalg.norm(centre))
    radius = float(np.linalg.norm(vertices - centre, axis=1).max())
    return Frame(_towards(centre), distance, min(BALL_MARGIN * radius, 0.95 * distance))


def _towards(centre: Float32[ndarray, " 3"]) -> Float32[ndarray, "3 3"]:
    """Axes of a camera that sees `centre` in the middle of its picture, turned as little as can be about its axis."""
    forward = centre / np.linalg.norm(centre)
    right = np.cross([0.0, 1.0, 0.0], forward)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward]).astype(np.float32)


def _coverage(photo: Photo, mask: Mask) -> ndarray:
    """The subject's coverage in 0..255: the photo's own alpha where that drew the mask."""
    if mask.method == "alpha" and photo.alpha is not None:
        return photo.alpha
    assert mask.inside is not None
    return 255 * mask.inside.astype(np.uint8)


def _resampled(layers: ndarray, camera: Camera, frame: Frame, view: Pinhole) -> Float32[ndarray, "s s c"]:
    """A photo's colours and coverage as the reference camera sees them. Beyond the photo nothing is covered, and its
    border's colours go on: a subject that touches it would else have a black rim."""
    shrink = view.focal / camera.focal
    if shrink < 1:  # mean over a pixel's area first, or fine texture would alias
        size = max(1, round(camera.width * shrink)), max(1, round(camera.height * shrink))
        layers = cv2.resize(layers, size, interpolation=cv2.INTER_AREA)
        camera = scaled_camera(camera, *size)
    rays = view.rays().directions.numpy() @ frame.rotation
    place = project(rays.astype(np.float32), camera).reshape(view.height, view.width, 2) - np.float32(0.5)
    across, down = np.ascontiguousarray(place[..., 0]), np.ascontiguousarray(place[..., 1])
    colours = cv2.remap(layers[..., :3], across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.remap(layers[..., 3], across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.dstack([colours, cover]).astype(np.float32)
