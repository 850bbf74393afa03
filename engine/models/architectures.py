"""New, untrained networks of the embedded default, in the very classes that load Depth Anything V2 and diffusers folders."""

from __future__ import annotations

import math

import torch
from diffusers import UNet2DModel
from torch import Tensor, nn
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

_START_DISPARITY = 2.5


def new_depth_network(
    *, image_px: int = 200, patch_px: int = 20, hidden: int = 256, layers: int = 6, fusion: int = 32, head: int = 16
) -> DepthAnythingForDepthEstimation:
    """Return a small Depth Anything network with random weights: (B, 3, H, W) normalised picture in, raw disparity (B, H, W) >= 0 out.

    Args:
        image_px: long side of the input it is meant for.
        layers: encoder blocks, at least 4; four of them, evenly spread and the last included, feed the decoder.
        fusion, head: channels of the decoder and of its last convolutions.
    """
    outputs = [round(layers * part / 4) for part in (1, 2, 3, 4)]
    backbone = Dinov2Config(
        image_size=image_px,
        patch_size=patch_px,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 64,
        out_indices=outputs,
        apply_layernorm=True,
        reshape_hidden_states=False,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        patch_size=patch_px,
        reassemble_hidden_size=hidden,
        neck_hidden_sizes=[fusion // 2, fusion, 2 * fusion, 4 * fusion],
        fusion_hidden_size=fusion,
        head_hidden_size=head,
        max_depth=1,
    )
    network = DepthAnythingForDepthEstimation(config)
    _start_weights(network)
    return network


def new_prior_network(*, canvas_px: int = 64, fold_px: int = 4, channels: tuple[int, ...] = (128, 256)) -> UNet2DModel:
    """Return a small denoiser with random weights, working on pixels folded ``fold_px`` by ``fold_px`` into channels.

    Its input is the noisy composite and the input picture, its output v; each takes 3·``fold_px``² channels.
    """
    picture_channels = 3 * fold_px**2
    return UNet2DModel(
        sample_size=canvas_px // fold_px,
        in_channels=2 * picture_channels,
        out_channels=picture_channels,
        block_out_channels=channels,
        down_block_types=("DownBlock2D",) * (len(channels) - 1) + ("AttnDownBlock2D",),
        up_block_types=("AttnUpBlock2D",) + ("UpBlock2D",) * (len(channels) - 1),
        layers_per_block=1,
        norm_num_groups=16,
        attention_head_dim=32,
    )


def _sine_positions(rows: int, columns: int, channels: int) -> Tensor:
    """Return (rows·columns, channels) smooth codes of patch positions: sines and cosines of row and column at channels / 4 frequencies."""
    frequency = torch.exp(torch.linspace(0, math.log(rows * 2), channels // 4))
    y, x = torch.meshgrid(torch.linspace(0, 1, rows), torch.linspace(0, 1, columns), indexing="ij")
    phases = [axis.reshape(-1, 1) * frequency for axis in (y, x)]
    return torch.cat([wave(phase) for phase in phases for wave in (torch.sin, torch.cos)], dim=1)


def _patch_cosines(patch_px: int, channels: int) -> Tensor:
    """Return (<= channels, 3, patch, patch) projections onto the lowest cosines of a patch's grey and of its two colour differences.

    Scaled with frequency, as natural pictures fall off with it, so that all projections are about equally strong.
    """
    line = (torch.arange(patch_px) + 0.5) * math.pi / patch_px
    waves = torch.cos(torch.arange(patch_px)[:, None] * line) * (2 / patch_px) ** 0.5
    waves[0] /= 2**0.5
    row, column = torch.meshgrid(torch.arange(patch_px), torch.arange(patch_px), indexing="ij")
    order = (row**2 + column**2).flatten().argsort(stable=True)
    planes = torch.einsum("ay,bx->abyx", waves, waves).flatten(0, 1)
    planes = (planes * (1 + (row**2 + column**2).flatten().sqrt())[:, None, None] / patch_px)[order]
    colours = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, -1.0], [1.0, -2.0, 1.0]])
    colours = colours / colours.norm(dim=1, keepdim=True)
    return torch.cat([colour[None, :, None, None] * planes[: channels // 3, None] for colour in colours])


@torch.no_grad()
def _start_weights(network: DepthAnythingForDepthEstimation) -> None:
    """Set starting weights from which a short training learns.

    The library's own are meant to be overwritten by pretrained ones: they are so small that the decoder's output is a constant.
    """
    for name, module in network.named_modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            module.reset_parameters()
            if not name.startswith("backbone"):
                nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
    embeddings = network.backbone.embeddings
    projection = embeddings.patch_embeddings.projection
    cosines = 4 * _patch_cosines(network.config.patch_size, projection.out_channels)
    projection.weight[: len(cosines)] = cosines
    positions = embeddings.position_embeddings
    side = network.config.backbone_config.image_size // network.config.patch_size
    positions[0, 1:] = 0.5 * _sine_positions(side, side, positions.shape[-1])
    nn.init.constant_(network.head.conv3.bias, _START_DISPARITY)
