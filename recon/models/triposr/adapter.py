"""TripoSR as an `ObjectReconstructor`.

The picture that it sees is the authors' (run.py): the subject in the middle of a square of which it fills 85 %, on grey.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, UInt8
from numpy import ndarray

from recon.geometry.cutout import Window, crop_window, on_plain_ground, window_around
from recon.messages import note
from recon.models import weights
from recon.models.device import pick_device
from recon.models.soft_import import need
from recon.models.triposr.loading import read_triposr
from recon.protocols import SeenObject

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from recon.models.triposr.network import TripoSRNetwork
    from recon.models.triposr.precision import Precision

FILLED = 0.85
"""Share of the square's side that the subject's longer one takes."""
GREY = 127
FOV = 40.0
DISTANCE = 1.9
"""The camera from which the authors render what the photo shows: degrees, and its distance in TripoSR's own unit."""


class TripoSR:
    """A whole object from one photo; precision: of its large layers, None: the fastest that this device is accurate in;
    filled: share of its picture's side that the subject takes; chunk: points that its field looks up at once."""

    def __init__(
        self,
        spec: weights.WeightsSpec,
        device: str = "auto",
        offline: bool = False,
        precision: Precision | None = None,
        filled: float = FILLED,
        chunk: int | None = None,
    ) -> None:
        self.name, self.filled, self.chunk = spec.name, filled, chunk
        self._spec, self._device, self._offline, self._precision = spec, device, offline, precision
        self._network: TripoSRNetwork | None = None

    def load(self) -> TripoSRNetwork:
        """Find, read and check the weights now. Raises MissingModel."""
        if self._network is None:
            need("torch", "torch", note("purpose.object", "The object model {model}", model=self.name))
            from recon.models.triposr.precision import best_precision, reduced

            device = pick_device(self._device)
            network = read_triposr(weights.obtain(self._spec, self._offline), self._spec)
            self._network = reduced(network, self._precision or best_precision(device)).to(device)
        return self._network

    def reconstruct(self, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"]) -> SeenObject:
        """The object that the mask cuts out, as a triplane field."""
        import torch

        from recon.models.triposr.field import TriplaneField

        network, window = self.load(), object_window(inside, self.filled)
        plan = network.plan
        picture = network_picture(object_picture(rgb, inside, window), plan.side)
        with torch.inference_mode():
            planes = network(picture.to(network.tokenizer.embeddings.device))
        field = TriplaneField(planes.clone(), network.decoder, plan.density_bias)
        field.chunk = self.chunk or field.chunk
        left, top, side = map(float, window[:3])
        return SeenObject(field, left, top, side, FOV, DISTANCE / plan.radius)


def object_window(inside: Bool[ndarray, "h w"], filled: float = FILLED) -> Window:
    """The square around a subject that the network looks at, of whose side it takes `filled`."""
    return window_around(inside, filled, 1.0)


def object_picture(
    rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"], window: Window
) -> UInt8[ndarray, "s s 3"]:
    """The subject on grey in its square, at the photo's resolution."""
    square: ndarray = crop_window(on_plain_ground(rgb, inside, GREY), window, GREY)
    return square


def network_picture(square: UInt8[ndarray, "s s 3"], side: int) -> Float[Tensor, "1 3 t t"]:
    """The picture at the network's size, in 0..1; shrunk with a filter, as in training."""
    import torch
    from torch.nn import functional as F

    picture = torch.from_numpy(np.ascontiguousarray(square.transpose(2, 0, 1)[None], np.float32)) / 255
    return F.interpolate(picture, (side, side), mode="bilinear", align_corners=False, antialias=True)
