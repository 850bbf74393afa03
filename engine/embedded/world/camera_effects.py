"""From the light of a scene to a photograph: exposure, white balance, vignette, blur, noise, tone curve, 8 bits. B scenes, H W pixels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from .textures import uniform


def blur(image: Tensor, sigma_px: Tensor) -> Tensor:
    """Return ``image`` (B, C, H, W) blurred by a 5-tap Gaussian of ``sigma_px`` (B,)."""
    batch, channels = image.shape[:2]
    taps = torch.arange(-2, 3, device=image.device)
    kernel = torch.exp(-0.5 * (taps / sigma_px[:, None].clamp_min(1e-3)) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    planes = pad(image, (2, 2, 2, 2), mode="replicate").reshape(1, batch * channels, image.shape[2] + 4, image.shape[3] + 4)
    planes = conv2d(planes, kernel[:, None, :, None], groups=batch * channels)
    planes = conv2d(planes, kernel[:, None, None, :], groups=batch * channels)
    return planes.view(image.shape)


def photograph(generator: torch.Generator, scene_linear: Tensor) -> Tensor:
    """Return the photograph (B, 3, H, W) in [0, 1] of linear light ``scene_linear`` (B, 3, H, W), as sRGB of 8 bits."""
    batch, _, height, width = scene_linear.shape
    grey = scene_linear.mean(1).flatten(1)
    bright = grey.kthvalue(int(0.92 * grey.shape[1]), dim=1).values
    exposure = uniform(generator, batch, low=0.35, high=1.0) / bright.clamp_min(1e-4)
    balance = 1 + uniform(generator, batch, 3, low=-0.1, high=0.1)
    image = scene_linear * (exposure[:, None] * balance)[..., None, None]
    y = torch.linspace(-1, 1, height, device=image.device)[:, None]
    x = torch.linspace(-1, 1, width, device=image.device)[None]
    image = image * (1 - uniform(generator, batch, 1, 1, 1, high=0.25) * (x * x + y * y) / 2)
    image = blur(image, uniform(generator, batch, low=0.35, high=0.9))
    noise = torch.randn(image.shape, generator=generator, device=image.device)
    image = image + noise * uniform(generator, batch, 1, 1, 1, high=0.02) * (image.clamp_min(0) + 0.02).sqrt()
    image = image.clamp(0, 4)
    shoulder = uniform(generator, batch, 1, 1, 1, low=0.0, high=0.6)
    image = (image * (1 + shoulder) / (1 + shoulder * image)).clamp(0, 1) ** (1 / 2.2)
    contrast = uniform(generator, batch, 1, 1, 1, low=0.0, high=0.5)
    image = image + contrast * (image * image * (3 - 2 * image) - image)
    return (image * 255).round() / 255
