"""The embedded prior's network: a denoiser of relit pictures that knows what was relit.

A relight is the picture, its normals and one light. So an encoder sees the normals in the picture, once; the light is fitted to each noisy relight,
which is of a surface between the depth model's estimate and the one that is there; and the answer is the picture relit with that light on the normals
seen, by the method's own renderer. It is as sharp as the picture however strong the noise, and it takes nothing from the surface whose relight was
noised but the light. Without the picture, a small U-Net answers from the noisy relight alone.

Shapes: B pictures, H W canvas pixels, p = fold_px, c = 3 p², h w = H/p W/p.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from diffusers import ConfigMixin, DDPMScheduler, ModelMixin, UNet2DModel
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.depth_anything.modeling_depth_anything import DepthAnythingNeck

from ..method.relight import Light, composite, display_from_linear
from .efficientnet import IMAGENET_MEAN, IMAGENET_STD, EfficientNetLite, depth_anything_config, ignore_padding
from .light_fit import fit_light
from .starting_weights import reset_convolutions

_FITTED_EVERY = 4  # Of the rows and columns of half the canvas.


@cache
def cosine_alphas_cumprod() -> Tensor:
    """Return ᾱ (1000,) of the cosine schedule of the noise; not to be written to."""
    return DDPMScheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2").alphas_cumprod


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A picture, what the encoder sees in it, and what lights are fitted on: pixels and surfaces on a grid h w, of an eighth of the canvas' sides.

    Attributes:
        picture_srgb: (B, 3, H, W) in [0, 1].
        normals: (B, 3, H, W), unit length, right-handed, facing the viewer; what the encoder sees.
        fit_picture_srgb: (B, 3, h, w) in [0, 1].
        fit_normals: (B, 3, h, w); what the encoder sees.
        fit_estimated: (B, 3, h, w), of the depth model's estimate, where relighting starts.
    """

    picture_srgb: Tensor
    normals: Tensor
    fit_picture_srgb: Tensor
    fit_normals: Tensor
    fit_estimated: Tensor

    @classmethod
    def of(cls, picture_srgb: Tensor, normals: Tensor, estimated: Tensor) -> Seen:
        """Return what is seen of (B, 3, H, W) pictures with the normals that the encoder sees and those of the estimate, each (B, 3, H/2, W/2)."""
        return cls(
            picture_srgb=picture_srgb,
            normals=functional.normalize(functional.interpolate(normals, scale_factor=2, mode="bilinear"), dim=1),
            fit_picture_srgb=fit_grid(functional.avg_pool2d(picture_srgb, 2)),
            fit_normals=fit_grid(normals),
            fit_estimated=fit_grid(estimated),
        )


def fit_grid(field: Tensor) -> Tensor:
    """Return of ``field`` (B, C, H/2, W/2) what lights are fitted to: a sixteenth of the pixels tells the light as well."""
    return field[..., ::_FITTED_EVERY, ::_FITTED_EVERY]


class RelightDenoiser(ModelMixin, ConfigMixin):
    """Predicts the clean relit canvas of a noisy one from the input picture, or without it.

    Args:
        fold_px: latents are pixels folded ``fold_px`` by ``fold_px`` into channels; even.
        channels: of the U-Net's levels; it works on latents folded 2 by 2 again.
        fusion: channels of the encoder's decoder.
    """

    @register_to_config
    def __init__(self, fold_px: int = 4, channels: tuple[int, ...] = (48, 96), fusion: int = 48) -> None:
        super().__init__()
        config = depth_anything_config(fusion=fusion)
        self.backbone = EfficientNetLite(config.backbone_config)
        self.neck = DepthAnythingNeck(config)
        self.normals_projection = nn.Conv2d(fusion, 3, 3, padding=1)
        for part in (self.neck, self.normals_projection):
            reset_convolutions(part)
        ignore_padding(self.neck, self.backbone)
        folded_channels = 3 * (2 * fold_px) ** 2
        self.unet = UNet2DModel(
            in_channels=folded_channels,
            out_channels=folded_channels,
            block_out_channels=tuple(channels),
            down_block_types=("DownBlock2D",) * (len(channels) - 1) + ("AttnDownBlock2D",),
            up_block_types=("AttnUpBlock2D",) + ("UpBlock2D",) * (len(channels) - 1),
            layers_per_block=1,
            norm_num_groups=16,
            attention_head_dim=32,
        )

    def see_normals(self, picture_srgb: Tensor) -> Tensor:
        """Return the normals (B, 3, H/2, W/2) that the encoder sees in the picture (B, 3, H, W) in [0, 1]; unit length, facing the viewer."""
        mean, std = (torch.tensor(values, device=picture_srgb.device).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
        tokens = self.backbone((picture_srgb - mean) / std).feature_maps
        patch = self.backbone.config.patch_size
        features = self.neck(list(tokens), *(side // patch for side in picture_srgb.shape[-2:]))[-1]
        x, y, z = self.normals_projection(features).float().unbind(dim=1)
        return functional.normalize(torch.stack([x, y, z.abs()], dim=1), dim=1)

    def forward(self, noisy: Tensor, timestep: Tensor, seen: Seen | None) -> Tensor:
        """Return the clean latents (B, c, h, w), in [-1, 1] if the picture was ``seen``.

        Args:
            noisy: (B, c, h, w), a relight folded to [-1, 1] and noised.
            timestep: (B,) int64.
            seen: the B pictures, or the one that all are relights of; None for unseen ones.
        """
        if seen is None:
            return functional.pixel_shuffle(self.unet(functional.pixel_unshuffle(noisy, 2), timestep).sample, 2)
        relit_srgb = display_from_linear(composite(seen.picture_srgb, seen.normals, self.read_light(noisy, timestep, seen)))
        return functional.pixel_unshuffle(relit_srgb * 2 - 1, self.config["fold_px"])

    def read_light(self, noisy: Tensor, timestep: Tensor, seen: Seen) -> Light:
        """Return the lights under which the ``seen`` pictures look most like the ``noisy`` relights; arguments as of `forward`."""
        alphas_cumprod_t = cosine_alphas_cumprod().to(noisy.device)[timestep]
        relit_srgb = functional.pixel_shuffle(noisy.float() / alphas_cumprod_t.sqrt()[:, None, None, None], self.config["fold_px"]) / 2 + 0.5
        relit_srgb = fit_grid(functional.avg_pool2d(relit_srgb, 2))
        noise_to_signal = (
            (1 - alphas_cumprod_t) / alphas_cumprod_t
        ).sqrt() / 4  # Halved by the range of display values, and again by the mean of four.
        with torch.autocast(noisy.device.type, enabled=False):  # The equations need float32.
            return fit_light(noise_to_signal, relit_srgb, seen.fit_picture_srgb, seen.fit_estimated, seen.fit_normals)
