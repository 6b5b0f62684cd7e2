"""The shipped network at run time: onnxruntime, OpenCV and numpy, no torch.

Photos are uint8 (H, W, 3) RGB; maps are float32 (h, w) at the network's resolution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Shaped, UInt8
from numpy import ndarray

from recon.builtin.weights import GEOMETRY
from recon.errors import MissingWeights
from recon.geometry.cutout import GROUND, crop_window, on_plain_ground, window_around
from recon.geometry.upsample import resized
from recon.threads import count
from recon.types import Relief

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# The network's input has about SIDE x SIDE pixels, whatever its shape: the largest that it was trained at, where edges are
# sharpest and real frames score as well as at any (see README.md).
SIDE = 384
# Sky and subject are asked for at this size too: what only one of two looks sees is in doubt.
SMALL_SIDE = 224
# A subject alone is looked at more closely.
SUBJECT_SIDE = 320
MULTIPLE = 32
MAPS = ("disparity", "sky", "subject", "front", "back")
# A subject's bounding box fills this part of the window in which its relief is looked at, as it was in training,
SUBJECT_FILL = 0.75
# and that window's sides differ by at most this factor.
LONGEST_WINDOW = 2.0
# Sky probabilities; chosen by eye on photos with clouds, of which the network is unsure.
SURE, POSSIBLE, CLOUD = 0.5, 0.2, 0.02
# A cloud's disparity is at most this many times the sky's.
FAR_CLOUD = 1.6
# An island in the sky is a cloud if its disparity is under this part of the near things': a branch above us is nearer.
FAR_ISLAND = 0.3
# Sky is believed in from this share of the photo that is surely sky.
SKY_SHARE = 0.04
# far/near to assume, without sky and with it: what fits measured frames best (python -m bench.depth_range).
INDOORS, OUTDOORS = 3.0, 10.0


def network_size(width: int, height: int, side: int = SIDE) -> tuple[int, int]:
    """(width, height) of the network's input: about side^2 pixels, the photo's shape as well as 32 divides it."""
    # Strips are cut down to 16:1, or one side would grow without bound.
    scale = min(side / math.sqrt(width * height), 4 * side / max(width, height))
    return max(MULTIPLE, round(width * scale / MULTIPLE) * MULTIPLE), max(
        MULTIPLE, round(height * scale / MULTIPLE) * MULTIPLE
    )


@dataclass(frozen=True)
class Heads:
    """All that the network says about one picture, at its own resolution.

    disparity: >= 0, affine-invariant; sky, subject: probabilities; normals: unit vectors in the camera's frame, facing the
    camera; front, back: the subject's relief (see types.Relief), back not in front of front; fov, fov_error: the field of
    view along the longer side and its expected absolute error, in degrees; distance, distance_error: the natural logarithm
    of the median depth in metres of all but the sky and its expected absolute error, None from a file of before version 4.
    """

    disparity: Float32[ndarray, "h w"]
    sky: Float32[ndarray, "h w"]
    normals: Float32[ndarray, "h w 3"]
    subject: Float32[ndarray, "h w"]
    front: Float32[ndarray, "h w"]
    back: Float32[ndarray, "h w"]
    fov: float
    fov_error: float
    distance: float | None = None
    distance_error: float | None = None


class Network:
    """The ONNX file at run time. side: root of the input's pixel count; subject_side: that of a subject alone; longest: by
    what factor the sides of a subject's window may differ."""

    def __init__(
        self,
        weights: Path = GEOMETRY,
        side: int = SIDE,
        subject_side: int = SUBJECT_SIDE,
        longest: float = LONGEST_WINDOW,
    ) -> None:
        self._weights, self._side, self._longest = weights, side, longest
        self._subject_side = subject_side

    def load(self) -> InferenceSession:
        """The file's session, one for all that ask for it. Raises MissingWeights where the file has been taken away."""
        return _session(self._weights, count())

    def heads(self, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"] | None = None) -> Heads:
        """What the network says about a picture of any size; `inside`: where the subject is, if that is known. Where it is
        not, sky and subject are the means of two looks, one of them at SMALL_SIDE."""
        if inside is not None:
            return self._look(rgb, self._subject_side, inside)
        whole = self._look(rgb, self._side)
        if self._side <= SMALL_SIDE:
            return whole
        small, size = self._look(rgb, SMALL_SIDE), (whole.sky.shape[1], whole.sky.shape[0])
        return replace(
            whole,
            sky=(whole.sky + resized(small.sky, size)) / 2,
            subject=(whole.subject + resized(small.subject, size)) / 2,
        )

    def _look(self, rgb: UInt8[ndarray, "h w 3"], side: int, inside: Bool[ndarray, "h w"] | None = None) -> Heads:
        found = network_answer(self._weights, rgb, inside, network_size(rgb.shape[1], rgb.shape[0], side))
        maps = {name: found[name][0, 0] for name in MAPS}
        maps["back"] = np.maximum(maps["front"], maps["back"])
        fov, fov_error = map(float, found["fov"][0])
        distance, distance_error = map(float, found["distance"][0]) if "distance" in found else (None, None)
        return Heads(
            **maps,
            normals=found["normals"][0].transpose(1, 2, 0),
            fov=fov,
            fov_error=fov_error,
            distance=distance,
            distance_error=distance_error,
        )

    def relief(self, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"]) -> Relief:
        """Front and back of a subject, looked at alone on plain ground."""
        window = window_around(inside, SUBJECT_FILL, self._longest)
        alone = crop_window(inside, window, False)
        heads = self.heads(on_plain_ground(crop_window(rgb, window, GROUND), alone), alone)
        return Relief(heads.front, heads.back, *window)


def network_answer(
    weights: Path, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"] | None, size: tuple[int, int]
) -> dict[str, Shaped[ndarray, ...]]:
    """A network's outputs, not to be written to, for a picture shown to it in a size (width, height) of multiples of 32;
    inside: where the subject is, if that is known."""
    photo = np.zeros((1, 4, size[1], size[0]), np.float32)
    photo[0, :3] = resized(rgb, size).transpose(2, 0, 1)
    photo[0, :3] /= np.float32(255)
    if inside is not None:
        photo[0, 3] = np.where(resized(inside.astype(np.float32), size) > 0.5, 1, -1)
    return _answer(weights, count(), size, photo.tobytes())


def metadata(weights: Path) -> dict[str, str]:
    """What a network's file says about itself. Raises MissingWeights."""
    return dict(_session(weights, count()).get_modelmeta().custom_metadata_map)


@cache
def _session(weights: Path, threads: int) -> InferenceSession:
    if not weights.is_file():
        raise MissingWeights(
            "weights.builtin",
            "the built-in network's weights are not at {path!r} although they come with Unflat; get them back with:"
            " git checkout -- recon/builtin/weights",
            path=str(weights),
        )
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])


@lru_cache(maxsize=2)  # both looks at a photo: who looks for the subject and who estimates depth see the same ones
def _answer(weights: Path, threads: int, size: tuple[int, int], photo: bytes) -> dict[str, ndarray]:
    """The network's outputs, not to be written to; photo: its input, float32 (1, 4, height, width)."""
    session = _session(weights, threads)
    names = [output.name for output in session.get_outputs()]
    shown = np.frombuffer(photo, np.float32).reshape(1, 4, size[1], size[0])
    found = session.run(names, {"photo": shown})
    for values in found:
        values.flags.writeable = False
    return dict(zip(names, found, strict=True))


def without_sky(heads: Heads) -> tuple[Float32[ndarray, "h w"], float]:
    """Disparity, NaN where there is sky, and the depth range to assume."""
    sky = open_sky(heads.sky)
    if (sky & (heads.sky > SURE)).mean() <= SKY_SHARE:  # a bright corner of a room looks like a little sky
        return heads.disparity, INDOORS
    sky = with_clouds(sky, heads.sky, heads.disparity)
    return np.where(sky, np.float32(np.nan), heads.disparity), OUTDOORS


def open_sky(probability: Float32[ndarray, "h w"]) -> Bool[ndarray, "h w"]:
    """Where the sky is: possible, in one piece with the photo's upper edge (a white van is not), and sure somewhere."""
    _, labels = cv2.connectedComponents((probability > POSSIBLE).astype(np.uint8), connectivity=4)
    sky = np.intersect1d(labels[0], labels[probability > SURE])
    return np.isin(labels, sky[sky > 0])


def with_clouds(
    sky: Bool[ndarray, "h w"], probability: Float32[ndarray, "h w"], disparity: Float32[ndarray, "h w"]
) -> Bool[ndarray, "h w"]:
    """The sky with its clouds: what lies as far and hangs together with it, and the far islands in it.

    A cloud is anything of which the network does not quite deny that it is sky. An island is what hangs together with
    nothing that reaches the photo's lower edge.
    """
    if not sky.any():
        return sky
    near = float(np.percentile(disparity, 95))
    far = FAR_CLOUD * float(np.median(disparity[sky])) + 0.01 * near
    cloudy = (sky | ((probability > CLOUD) & (disparity < far))).astype(np.uint8)
    _, labels = cv2.connectedComponents(cloudy, connectivity=4)
    sky = np.isin(labels, np.unique(labels[sky]))
    count, labels = cv2.connectedComponents((~sky).astype(np.uint8), connectivity=4)
    afloat = np.setdiff1d(np.arange(1, count), labels[-1])
    return sky | np.isin(labels, [i for i in afloat if np.median(disparity[labels == i]) < FAR_ISLAND * near])
