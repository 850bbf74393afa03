"""Depth Anything V2, and models of its architecture, split exactly into encoder and decoder.

Shapes: H W pixels, N patch tokens of C channels.
"""

from __future__ import annotations

import copy
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation
from transformers.models.depth_anything.modeling_depth_anything import DepthAnythingReassembleStage

from ..api.errors import WeightsInvalidError
from ..method.protocols import Encoding
from .catalogue import Weights
from .efficientnet import IMAGENET_MEAN, IMAGENET_STD  # Importing it also makes its backbone known to transformers.
from .loading import load_pretrained
from .views import see_in_views


class _Reassembly(nn.Module):
    """The neck's first stage, tokens to maps of C' channels.

    Differs: tokens are maps with their channels last already; the library copies them into the other order, from which convolutions on CPUs copy
    them back.
    """

    def __init__(self, stage: DepthAnythingReassembleStage) -> None:
        super().__init__()
        self.layers = stage.layers

    def forward(self, tokens: list[Tensor], *patch_grid: int) -> list[Tensor]:
        return [layer(each[:, 1:].unflatten(1, patch_grid).movedim(-1, 1)) for layer, each in zip(self.layers, tokens, strict=True)]


class DptDecoder(nn.Module):
    """Neck and head: tokens to raw disparity (1, H, W); see `engine.method.protocols.Decoder`."""

    def __init__(self, network: DepthAnythingForDepthEstimation) -> None:
        super().__init__()
        self.neck, self.head = network.neck, network.head
        self.neck.reassemble_stage = _Reassembly(self.neck.reassemble_stage)

    def forward(self, tokens: tuple[Tensor, ...], patch_grid: tuple[int, int]) -> Tensor:
        """Return raw disparity (1, H, W), larger = nearer, of 4 token tensors (1, 1 + N, C)."""
        return self.head(self.neck(list(tokens), *patch_grid), *patch_grid)


class DepthAnything:
    """A `engine.method.protocols.DepthModel` of the Depth Anything architecture.

    Attributes:
        patch_px: sides of the input are multiples of this.
        input_px: long side of the input that the model was trained for.
        needs_cleaning: whether its configuration says that its maps blur steps and carry grain.
    """

    def __init__(self, weights: Weights, device: torch.device) -> None:
        """Load the model.

        Raises:
            WeightsInvalidError: damaged, incomplete, of another architecture, or a metric model (it gives depth, not disparity).
        """
        self.weights = weights
        self.device = device
        network = load_network(weights)
        self.patch_px: int = network.config.patch_size
        self.input_px: int = network.config.backbone_config.image_size
        self.needs_cleaning: bool = getattr(network.config, "needs_cleaning", False)  # Published models say neither this nor the next.
        self._view_scales: list[float] = getattr(network.config, "view_scales", [])
        decoder: Any = DptDecoder(network)
        self._decoder: DptDecoder = decoder.to(device).to(memory_format=torch.channels_last)  # On CPUs a step then takes a third less.
        self._encoder: Any = network.backbone.to(device)

    @torch.no_grad()
    def encode(self, image_srgb: Tensor) -> Encoding:
        """Return the encoder's tokens of ``image_srgb`` (1, 3, H, W) in [0, 1], H and W multiples of ``patch_px``.

        A model whose configuration lists ``view_scales`` also sees the picture at these sizes, each mirrored too, and estimates their mean.
        """
        if self._encoder is None:
            self._encoder = load_network(self.weights).backbone.to(self.device)
        height, width = image_srgb.shape[-2:]
        tokens = self._tokens(image_srgb)
        views = None
        if self._view_scales:

            def see(view_srgb: Tensor) -> Tensor:
                view_tokens = tokens if view_srgb is image_srgb else self._tokens(view_srgb)
                return self._decoder(view_tokens, self._patch_grid(view_srgb))[:, None]

            views = see_in_views(see, image_srgb, (height, width), scales=self._view_scales, multiple_px=self.patch_px)[:, 0]
        return Encoding(tokens=tokens, patch_grid=self._patch_grid(image_srgb), views=views)

    def _tokens(self, image_srgb: Tensor) -> tuple[Tensor, ...]:
        mean, std = (torch.tensor(values, device=self.device)[None, :, None, None] for values in (IMAGENET_MEAN, IMAGENET_STD))
        return tuple(self._encoder.forward_with_filtered_kwargs((image_srgb - mean) / std).feature_maps)

    def _patch_grid(self, image_srgb: Tensor) -> tuple[int, int]:
        height, width = image_srgb.shape[-2:]
        return height // self.patch_px, width // self.patch_px

    def free_encoder(self) -> None:
        """Give the encoder's memory back; the next `encode` loads it again."""
        self._encoder = None

    def new_decoder(self) -> DptDecoder:
        """Return a fresh, trainable copy of the pretrained decoder."""
        return copy.deepcopy(self._decoder).requires_grad_(True)


def load_network(weights: Weights) -> DepthAnythingForDepthEstimation:
    """Return the whole network in float32, not trained.

    Raises:
        WeightsInvalidError: as `DepthAnything` does.
    """
    config = load_pretrained(DepthAnythingConfig, weights)
    if config.depth_estimation_type != "relative":
        raise WeightsInvalidError(
            f"{weights.name} is a metric model: it gives depth where disparity is needed.", hint="Choose a relative Depth Anything V2 model."
        )
    config.max_depth = 1  # Some published configurations hold null, which the forward pass cannot multiply by.
    network = load_pretrained(DepthAnythingForDepthEstimation, weights, config=config, dtype=torch.float32)
    return cast(DepthAnythingForDepthEstimation, network.eval().requires_grad_(False))
