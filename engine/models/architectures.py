"""New networks of the embedded default: the depth network in the very class that loads Depth Anything V2, the prior's in one of diffusers' kind."""

from __future__ import annotations

import torch
from transformers import DepthAnythingForDepthEstimation

from .efficientnet import depth_anything_config, ignore_padding
from .relight_denoiser import RelightDenoiser
from .starting_weights import reset_convolutions

_START_DISPARITY = 2.5
_VIEW_SCALES = [0.8, 1.0, 1.2]


def new_depth_network(*, image_px: int = 240, fusion: int = 48, head: int = 8) -> DepthAnythingForDepthEstimation:
    """Return a small Depth Anything network with random weights: (B, 3, H, W) normalised picture in, raw disparity (B, H, W) >= 0 out.

    Args:
        image_px: long side of the input it is meant for; H and W are multiples of 8.
        fusion, head: channels of the decoder and of its last convolutions.
    """
    config = depth_anything_config(image_px=image_px, fusion=fusion, head=head)
    config.view_scales, config.needs_cleaning = _VIEW_SCALES, True  # See `engine.models.depth_anything`.
    network = DepthAnythingForDepthEstimation(config)
    for part in (network.neck, network.head):
        reset_convolutions(part)
    ignore_padding(network.neck, network.backbone)
    torch.nn.init.constant_(network.head.conv3.bias, _START_DISPARITY)
    return network


def new_prior_network(*, fold_px: int = 4, channels: tuple[int, ...] = (48, 96), fusion: int = 96) -> RelightDenoiser:
    """Return a denoiser of relit pictures with random weights; see `RelightDenoiser`."""
    return RelightDenoiser(fold_px=fold_px, channels=channels, fusion=fusion)
