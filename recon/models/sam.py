"""Segment Anything by the package segment-anything, from an original checkpoint (.pth).

The architecture's sizes are read off the checkpoint's own tensors, so ViT-B, -L and -H need no table and a file that
was renamed still loads. What the tensors do not tell, the package's builder fixes: 8 heads in the decoder.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8
from numpy import ndarray

from recon.messages import first_line
from recon.models import prompts, weights
from recon.models.device import pick_device
from recon.models.hf import unusable
from recon.models.soft_import import need, segmenting
from recon.protocols import Segmenter

LEAST_IOU = 0.8
"""The predicted IoU from which a mask is believed. SAM's own mask generator keeps 0.88 and more of a grid of points;
one well-placed prompt may be a little less sure."""


class Sam:
    """A `Segmenter`: the thing in the middle, or in the box given or found by `prior`.

    Of SAM's three masks the one of the highest predicted IoU counts that is credible: at least `LEAST_IOU`, covering
    2 % to 85 % of the photo and touching at most 35 % of its left, top and right edges (`prompts`). None if none is.
    """

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
        self._predictor: Any = None

    def load(self) -> Any:
        """The `SamPredictor`, read once. Raises MissingModel."""
        if self._predictor is None:
            package = need("segment_anything", "segment-anything", segmenting(self.name))
            file = weights.obtain(self._spec, self._offline)
            network = read_checkpoint(file, self._spec).to(pick_device(self._device)).eval()
            self._predictor = package.SamPredictor(network)
        return self._predictor

    def segment(self, rgb: UInt8[ndarray, "h w 3"]) -> Bool[ndarray, "h w"] | None:
        """The subject, or None when no mask is credible."""
        predictor = self.load()
        asked = prompts.prompt(rgb, self._box, self._prior)
        predictor.set_image(np.array(rgb))
        masks, scores, _ = predictor.predict(
            point_coords=np.array([asked.point]),
            point_labels=np.array([1]),
            box=None if asked.box is None else np.array(asked.box),
            multimask_output=True,
        )
        predictor.reset_image()
        return prompts.best_mask(list(masks), [float(score) for score in scores], LEAST_IOU)


def read_checkpoint(file: Path, spec: weights.WeightsSpec) -> Any:
    """Build the network that a checkpoint describes and load it strictly; only tensors are unpickled."""
    torch = need("torch", "torch", segmenting(spec.name))
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
        network = empty_network(state)
        network.load_state_dict(state, strict=True)
    except Exception as error:  # a torn or foreign file: unpickling, missing keys, shapes
        raise unusable(file, spec, first_line(error)) from error
    return network


def empty_network(state: dict[str, Any]) -> Any:
    """An empty `segment_anything.modeling.Sam` of the sizes that a state dict's tensors have."""
    modeling = need("segment_anything.modeling", "segment-anything", "SAM")
    torch = need("torch", "torch", "SAM")
    grid = state["image_encoder.pos_embed"].shape[1]
    patch = state["image_encoder.patch_embed.proj.weight"].shape[-1]
    dim = state["image_encoder.neck.0.weight"].shape[0]
    transformer = modeling.TwoWayTransformer(
        depth=_count(state, "mask_decoder.transformer.layers."),
        embedding_dim=dim,
        mlp_dim=state["mask_decoder.transformer.layers.0.mlp.lin1.weight"].shape[0],
        num_heads=8,
    )
    network = modeling.Sam(
        image_encoder=_encoder(state, modeling, torch, grid, patch),
        prompt_encoder=modeling.PromptEncoder(
            embed_dim=dim,
            image_embedding_size=(grid, grid),
            input_image_size=(grid * patch, grid * patch),
            mask_in_chans=state["prompt_encoder.mask_downscaling.3.weight"].shape[0],
        ),
        mask_decoder=modeling.MaskDecoder(
            num_multimask_outputs=state["mask_decoder.mask_tokens.weight"].shape[0] - 1,
            transformer=transformer,
            transformer_dim=dim,
            iou_head_depth=_count(state, "mask_decoder.iou_prediction_head.layers."),
            iou_head_hidden_dim=state["mask_decoder.iou_prediction_head.layers.0.weight"].shape[0],
        ),
        pixel_mean=[123.675, 116.28, 103.53],
        pixel_std=[58.395, 57.12, 57.375],
    )
    return network


def _encoder(state: dict[str, Any], modeling: Any, torch: Any, grid: int, patch: int) -> Any:
    depth = _count(state, "image_encoder.blocks.")
    relative = [state[f"image_encoder.blocks.{i}.attn.rel_pos_h"].shape for i in range(depth)]
    width = state["image_encoder.pos_embed"].shape[-1]
    everywhere = [i for i, shape in enumerate(relative) if shape[0] == 2 * grid - 1]
    windows = {(shape[0] + 1) // 2 for i, shape in enumerate(relative) if i not in everywhere} or {0}
    return modeling.ImageEncoderViT(
        depth=depth,
        embed_dim=width,
        img_size=grid * patch,
        mlp_ratio=state["image_encoder.blocks.0.mlp.lin1.weight"].shape[0] / width,
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
        num_heads=width // relative[0][1],
        patch_size=patch,
        qkv_bias=True,
        use_rel_pos=True,
        global_attn_indexes=everywhere,
        window_size=windows.pop(),
        out_chans=state["image_encoder.neck.0.weight"].shape[0],
    )


def _count(state: dict[str, Any], prefix: str) -> int:
    return len({key[len(prefix) :].split(".")[0] for key in state if key.startswith(prefix)})
