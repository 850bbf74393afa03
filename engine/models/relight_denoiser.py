"""The embedded prior's network: a denoiser of relit pictures that knows what was relit.

A relight is the picture, its normals and one light. So an encoder sees the normals in the picture, once; the light is read off each noisy relight;
and the answer is the picture relit with both, by the method's own renderer. It is as sharp as the picture however strong the noise, and it takes
nothing from the surface whose relight was noised but the light. Without the picture, a small U-Net answers from the noisy relight alone.

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

from ..method.draws import SHININESS_LOG2_RANGE
from ..method.relight import Light, composite, display_from_linear
from .efficientnet import IMAGENET_MEAN, IMAGENET_STD, EfficientNetLite, depth_anything_config, ignore_padding
from .starting_weights import reset_convolutions

_POLYNOMIALS = 9
_START_RIDGE_LN = -5.0


@cache
def cosine_alphas_cumprod() -> Tensor:
    """Return ᾱ (1000,) of the cosine schedule of the noise; not to be written to."""
    return DDPMScheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2").alphas_cumprod


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A picture and what the encoder sees in it.

    Attributes:
        picture_srgb: (B, 3, H, W) in [0, 1].
        normals: (B, 3, H/2, W/2), unit length, right-handed, facing the viewer.
    """

    picture_srgb: Tensor
    normals: Tensor

    def expand(self, batch: int) -> Seen:
        """Return one picture (B = 1) as ``batch`` equal ones, without copying."""
        return Seen(picture_srgb=self.picture_srgb.expand(batch, -1, -1, -1), normals=self.normals.expand(batch, -1, -1, -1))


class RelightDenoiser(ModelMixin, ConfigMixin):
    """Predicts the clean relit canvas of a noisy one from the input picture, or without it.

    Args:
        fold_px: latents are pixels folded ``fold_px`` by ``fold_px`` into channels; even.
        channels: of the U-Net's levels; it works on latents folded 2 by 2 again.
        fusion: channels of the encoder's decoder.
        hidden: width of what turns a fit of the noisy relight into a light.
    """

    @register_to_config
    def __init__(self, fold_px: int = 4, channels: tuple[int, ...] = (48, 96), fusion: int = 48, hidden: int = 96) -> None:
        super().__init__()
        config = depth_anything_config(fusion=fusion)
        self.backbone = EfficientNetLite(config.backbone_config)
        self.neck = DepthAnythingNeck(config)
        self.normals_projection = nn.Conv2d(fusion, 3, 3, padding=1)
        for part in (self.neck, self.normals_projection):
            reset_convolutions(part)
        ignore_padding(self.neck, self.backbone)
        self.light_reader = LightReader(hidden)
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

    def look(self, canvas_srgb: Tensor) -> Seen:
        """Return what the encoder sees in the picture (B, 3, H, W) in [0, 1]."""
        mean, std = (torch.tensor(values, device=canvas_srgb.device).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
        tokens = self.backbone((canvas_srgb - mean) / std).feature_maps
        patch = self.backbone.config.patch_size
        features = self.neck(list(tokens), *(side // patch for side in canvas_srgb.shape[-2:]))[-1]
        x, y, z = self.normals_projection(features).float().unbind(dim=1)
        return Seen(picture_srgb=canvas_srgb, normals=functional.normalize(torch.stack([x, y, z.abs()], dim=1), dim=1))

    def forward(self, noisy: Tensor, timestep: Tensor, seen: Seen | None) -> Tensor:
        """Return the clean latents (B, c, h, w), in [-1, 1] if the picture was ``seen``.

        Args:
            noisy: (B, c, h, w), a relight folded to [-1, 1] and noised.
            timestep: (B,) int64.
            seen: of the B pictures, from `look`; None for unseen ones.
        """
        if seen is None:
            return functional.pixel_shuffle(self.unet(functional.pixel_unshuffle(noisy, 2), timestep).sample, 2)
        normals = functional.normalize(functional.interpolate(seen.normals, scale_factor=2, mode="bilinear"), dim=1)
        relit_srgb = display_from_linear(composite(seen.picture_srgb, normals, self.read_light(noisy, timestep, seen)))
        return functional.pixel_unshuffle(relit_srgb * 2 - 1, self.config["fold_px"])

    def read_light(self, noisy: Tensor, timestep: Tensor, seen: Seen) -> Light:
        """Return the lights under which the ``seen`` pictures look most like the ``noisy`` relights; arguments as of `forward`."""
        alphas_cumprod_t = cosine_alphas_cumprod().to(noisy.device)[timestep]
        relit_srgb = functional.pixel_shuffle(noisy.float() / alphas_cumprod_t.sqrt()[:, None, None, None], self.config["fold_px"]) / 2 + 0.5
        relit_srgb, picture_srgb = (functional.avg_pool2d(image, 2) for image in (relit_srgb, seen.picture_srgb))
        noise_to_signal = ((1 - alphas_cumprod_t) / alphas_cumprod_t).sqrt()
        with torch.autocast(noisy.device.type, enabled=False):  # The equations need float32.
            return self.light_reader(relit_srgb, noise_to_signal, picture_srgb, seen.normals)


class LightReader(nn.Module):
    """Reads the light off a noisy relight whose picture and normals are known.

    The relight is fitted, by least squares, with the picture and white, each times polynomials of the normal of up to second degree: thousands of
    noisy pixels become eighteen numbers. A small network turns these into a light.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        coefficients = 2 * _POLYNOMIALS
        self.expected = nn.Parameter(torch.zeros(coefficients))
        self.ridge_ln = nn.Parameter(torch.full((coefficients,), _START_RIDGE_LN))
        self.layers = nn.Sequential(nn.Linear(coefficients + 1, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 4))

    def forward(self, relit_srgb: Tensor, noise_to_signal: Tensor, picture_srgb: Tensor, normals: Tensor) -> Light:
        """Return B lights within the range of `engine.method.draws.draw_light`.

        Args:
            relit_srgb: (B, 3, H, W) in about [0, 1], noisy.
            noise_to_signal: (B,), of the relight's noise.
            picture_srgb: (B, 3, H, W) in [0, 1].
            normals: (B, 3, H, W), unit length.
        """
        answer = self.layers(torch.cat([self._fit(relit_srgb, picture_srgb, normals), noise_to_signal.log()[:, None]], dim=1))
        low, high = SHININESS_LOG2_RANGE
        diffuse = torch.sigmoid(answer[:, 3])
        return Light(
            xy=torch.tanh(answer[:, :2]),
            shininess=2 ** (low + (high - low) * torch.sigmoid(answer[:, 2])),
            diffuse_specular=torch.stack([diffuse, 1 - diffuse], dim=1),
        )

    def _fit(self, relit_srgb: Tensor, picture_srgb: Tensor, normals: Tensor) -> Tensor:
        """Return the coefficients (B, 18) of the ridge regression, which where the picture says nothing are the expected ones."""
        x, y, z = normals.unbind(dim=1)
        polynomials = torch.stack([torch.ones_like(x), x, y, z, x * x, y * y, x * y, x * z, y * z], dim=1).flatten(2)
        relit_srgb, picture_srgb = relit_srgb.flatten(2), picture_srgb.flatten(2)
        means = ((polynomials * image.mean(dim=1, keepdim=True)) for image in (picture_srgb.square(), picture_srgb, torch.ones_like(picture_srgb)))
        both, mixed, white = (weighted @ polynomials.mT / polynomials.shape[-1] for weighted in means)
        gram = torch.cat([torch.cat([both, mixed], dim=2), torch.cat([mixed, white], dim=2)], dim=1)
        seen = [(polynomials * image.mean(dim=1, keepdim=True)).mean(dim=2) for image in (picture_srgb * relit_srgb, relit_srgb)]
        ridge = self.ridge_ln.exp()
        return torch.linalg.solve(gram + torch.diag(ridge), torch.cat(seen, dim=1) + ridge * self.expected)
