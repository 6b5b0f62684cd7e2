"""Segment Anything by transformers, from a folder in its format."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8
from numpy import ndarray

from recon.models import prompts, weights
from recon.models.device import pick_device
from recon.models.hf import quiet, read_config, read_network
from recon.models.sam import LEAST_IOU
from recon.models.soft_import import need, segmenting
from recon.protocols import Segmenter


class SamHf:
    """A `Segmenter` like `sam.Sam`, with the same prompts and the same idea of what is credible."""

    def __init__(
        self,
        spec: weights.WeightsSpec,
        device: str = "auto",
        offline: bool = False,
        box: prompts.Box | None = None,
        prior: Segmenter | None = None,
    ) -> None:
        self.name = spec.name
        self._spec, self._device, self._offline = spec, device, offline
        self._box, self._prior = box, prior
        self._loaded: tuple[Any, Any] | None = None

    def load(self) -> tuple[Any, Any]:
        """(processor, network), read once. Raises MissingModel."""
        if self._loaded is None:
            purpose = segmenting(self.name)
            need("torch", "torch", purpose)
            transformers = need("transformers", "transformers", purpose)
            need("torchvision", "torchvision", purpose)
            folder = weights.obtain(self._spec, self._offline)
            with quiet(transformers):
                config = read_config(transformers, folder, self._spec)
                processor = transformers.SamProcessor.from_pretrained(folder, local_files_only=True)
                network = read_network(transformers.SamModel, folder, self._spec, config)
            self._loaded = processor, network.to(pick_device(self._device)).eval()
        return self._loaded

    def segment(self, rgb: UInt8[ndarray, "h w 3"]) -> Bool[ndarray, "h w"] | None:
        """The subject, or None when no mask is credible."""
        masks, scores = self.predict(rgb, prompts.prompt(rgb, self._box, self._prior))
        return prompts.best_mask(list(masks), [float(score) for score in scores], LEAST_IOU)

    def predict(self, rgb: UInt8[ndarray, "h w 3"], asked: prompts.Prompt) -> tuple[Bool[ndarray, "n h w"], Any]:
        """All masks for one prompt at the photo's size, and their predicted IoU."""
        torch = need("torch", "torch", self.name)
        processor, network = self.load()
        inputs = processor(
            images=np.array(rgb),
            input_points=[[list(asked.point)]],
            input_boxes=None if asked.box is None else [[[float(edge) for edge in asked.box]]],
            input_data_format="channels_last",
            return_tensors="pt",
        )
        sizes = inputs.pop("original_sizes"), inputs.pop("reshaped_input_sizes")
        inputs = {
            key: value.to(network.device, torch.float32 if value.is_floating_point() else None)
            for key, value in inputs.items()
        }
        with torch.inference_mode():
            output = network(**inputs, multimask_output=True)
        masks = processor.image_processor.post_process_masks(output.pred_masks.cpu(), *sizes)[0]
        return masks[0].numpy(), output.iou_scores[0, 0].cpu().numpy()
