"""The embedded prior's network: an encoder that looks at the input picture once, and a U-Net that denoises a relit picture with what it saw.

The U-Net answers with shading: a gain and a highlight for each 2 by 2 pixels of the picture, and what these cannot say as a remainder. So it need not
carry the picture's texture through its channels.

Shapes: B pictures, H W canvas pixels, p = fold_px, c = 3 p², h w = H/p W/p.
"""

from __future__ import annotations

import torch
from diffusers import ConfigMixin, ModelMixin, UNet2DModel
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.depth_anything.modeling_depth_anything import DepthAnythingNeck

from ..method.relight import DISPLAY_GAMMA, MIN_LINEAR, display_from_linear
from .efficientnet import IMAGENET_MEAN, IMAGENET_STD, EfficientNetLite, depth_anything_config, ignore_padding
from .starting_weights import reset_convolutions

NORMALS = 3
_START_GAIN, _START_HIGHLIGHT = -0.7, -2.25  # Before softplus: 0.4 and 0.1, a middling light.


class RelightDenoiser(ModelMixin, ConfigMixin):
    """Predicts the clean relit canvas of a noisy one from the input picture.

    Args:
        fold_px: the U-Net works on pixels folded ``fold_px`` by ``fold_px`` into channels; even.
        channels: of the U-Net's levels.
        features: what the encoder gives of each 2 by 2 pixels; the first three are trained to be the surface normal there.
        fusion: channels of the encoder's decoder.
    """

    @register_to_config
    def __init__(self, fold_px: int = 4, channels: tuple[int, ...] = (64, 128), features: int = 8, fusion: int = 48) -> None:
        super().__init__()
        config = depth_anything_config(fusion=fusion)
        self.backbone = EfficientNetLite(config.backbone_config)
        self.neck = DepthAnythingNeck(config)
        self.feature_projection = nn.Conv2d(fusion, features, 3, padding=1)
        for part in (self.neck, self.feature_projection):
            reset_convolutions(part)
        ignore_padding(self.neck, self.backbone)
        picture_channels = 3 * fold_px**2
        self.unet = UNet2DModel(
            in_channels=picture_channels + self.conditioning_channels,
            out_channels=picture_channels + 2 * (fold_px // 2) ** 2,
            block_out_channels=tuple(channels),
            down_block_types=("DownBlock2D",) * (len(channels) - 1) + ("AttnDownBlock2D",),
            up_block_types=("AttnUpBlock2D",) + ("UpBlock2D",) * (len(channels) - 1),
            layers_per_block=1,
            norm_num_groups=16,
            attention_head_dim=32,
        )
        starts = (0.0,) * picture_channels + (_START_GAIN,) * (fold_px // 2) ** 2 + (_START_HIGHLIGHT,) * (fold_px // 2) ** 2
        self.unet.conv_out.bias.data.copy_(torch.tensor(starts))

    @property
    def conditioning_channels(self) -> int:
        """Channels of what `look` returns."""
        return 3 * self.config["fold_px"] ** 2 + self.config["features"] * (self.config["fold_px"] // 2) ** 2

    def look(self, canvas_srgb: Tensor) -> tuple[Tensor, Tensor]:
        """Return conditioning (B, C, h, w) and the normals seen (B, 3, H/2, W/2), not normalised, of the picture (B, 3, H, W) in [0, 1]."""
        mean, std = (torch.tensor(values, device=canvas_srgb.device).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
        tokens = self.backbone((canvas_srgb - mean) / std).feature_maps
        patch = self.backbone.config.patch_size
        features = self.feature_projection(self.neck(list(tokens), *(side // patch for side in canvas_srgb.shape[-2:]))[-1]).float()
        fold_px = self.config["fold_px"]
        folded = functional.pixel_unshuffle(canvas_srgb * 2 - 1, fold_px), functional.pixel_unshuffle(features, fold_px // 2)
        return torch.cat(folded, dim=1), features[:, :NORMALS]

    def forward(self, noisy: Tensor, timestep: Tensor, conditioning: Tensor) -> Tensor:
        """Return the clean folded canvas (B, c, h, w) in about [-1, 1]; ``conditioning`` (B, C, h, w) from `look`, or zeros for an unseen picture."""
        fold_px = self.config["fold_px"]
        answer = self.unet(torch.cat([noisy, conditioning], dim=1), timestep).sample
        remainder, shading = answer[:, : noisy.shape[1]], functional.pixel_shuffle(answer[:, noisy.shape[1] :], fold_px // 2)
        gain, highlight = functional.softplus(functional.interpolate(shading.float(), scale_factor=2, mode="bilinear")).chunk(2, dim=1)
        picture_srgb = functional.pixel_shuffle(conditioning[:, : noisy.shape[1]], fold_px) / 2 + 0.5
        relit = display_from_linear(gain * picture_srgb**DISPLAY_GAMMA + highlight + MIN_LINEAR)
        return functional.pixel_unshuffle(relit * 2 - 1, fold_px) + remainder
