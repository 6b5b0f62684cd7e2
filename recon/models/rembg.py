"""The salient object by the package rembg (U2-Net). Its own downloads are never started: weights come by `weights`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8
from numpy import ndarray

from recon.models import prompts, weights
from recon.models.soft_import import need, segmenting


class Rembg:
    """A `Segmenter`: where U2-Net's matte is above one half; None where that is not credible (`prompts`)."""

    def __init__(self, spec: weights.WeightsSpec, device: str = "auto", offline: bool = False) -> None:
        self.name = spec.name
        self._spec, self._device, self._offline = spec, device, offline
        self._session: Any = None

    def load(self) -> Any:
        """rembg's session, opened once. Raises MissingModel."""
        if self._session is None:
            package = need("rembg", "rembg", segmenting(self.name))
            file = weights.obtain(self._spec, self._offline)
            providers = ["CPUExecutionProvider"]
            if self._device == "cuda":
                providers.insert(0, "CUDAExecutionProvider")
            with _home(str(file.parent)):
                self._session = package.new_session(file.stem, providers=providers)
        return self._session

    def segment(self, rgb: UInt8[ndarray, "h w 3"]) -> Bool[ndarray, "h w"] | None:
        """The salient object, or None."""
        session = self.load()
        matte = need("rembg", "rembg", self.name).remove(np.array(rgb), session=session, only_mask=True)
        return prompts.best_mask([np.asarray(matte) > 127], [1.0], 0.0)


@contextmanager
def _home(folder: str) -> Iterator[None]:
    """rembg looks for <name>.onnx in this folder, and takes the file as it is rather than fetch another."""
    names = {"U2NET_HOME": folder, "MODEL_CHECKSUM_DISABLED": "1"}
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
