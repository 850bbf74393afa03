"""Score Distillation Sampling: which way the prior would move the latents (DreamFusion, arXiv 2209.14988, eq. 3).

Shapes: B members, c h w latents.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..api.settings import Weighting
from .protocols import Conditioning, DiffusionPrior


def add_noise(latents: Tensor, noise: Tensor, alphas_cumprod_t: Tensor) -> Tensor:
    """Return x_t = √ᾱ x + √(1-ᾱ) ε; ``alphas_cumprod_t`` is (B,)."""
    alphas_cumprod_t = alphas_cumprod_t[:, None, None, None]
    return alphas_cumprod_t.sqrt() * latents + (1 - alphas_cumprod_t).sqrt() * noise


def sds_weight(alphas_cumprod_t: Tensor, weighting: Weighting) -> Tensor:
    """Return w(t), (B,): 1, 1-ᾱ, √ᾱ(1-ᾱ), or √((1-ᾱ)/ᾱ), under which the gradient is x - x0_hat."""
    match weighting:
        case "uniform":
            return torch.ones_like(alphas_cumprod_t)
        case "sds":
            return 1 - alphas_cumprod_t
        case "fantasia3d":
            return alphas_cumprod_t.sqrt() * (1 - alphas_cumprod_t)
        case "x0":
            return ((1 - alphas_cumprod_t) / alphas_cumprod_t).sqrt()


def guide(noise_pred_text: Tensor, noise_pred_uncond: Tensor, guidance_scale: float) -> Tensor:
    """Return classifier-free guidance, uncond + g'(text - uncond).

    Differs: the released code writes text + g(text - uncond); the two are equal for g' = g + 1.
    """
    return noise_pred_uncond + guidance_scale * (noise_pred_text - noise_pred_uncond)


@torch.no_grad()
def sds_gradient(
    prior: DiffusionPrior,
    latents: Tensor,
    timestep: Tensor,
    noise: Tensor,
    conditioning: Conditioning,
    *,
    guidance_scale: float,
    weighting: Weighting,
) -> Tensor:
    """Return w(t) (ε_guided - ε), (B, c, h, w); nothing is differentiated through the prior's denoiser.

    Args:
        timestep: (B,) int64.
        noise: (B, c, h, w) standard normal.
    """
    alphas_cumprod_t = prior.alphas_cumprod[timestep].to(latents.dtype)
    noisy_latents = add_noise(latents, noise, alphas_cumprod_t)
    noise_pred_text, noise_pred_uncond = prior.predict_noise(noisy_latents, timestep, conditioning, guided=guidance_scale != 1)
    noise_pred = noise_pred_text if noise_pred_uncond is None else guide(noise_pred_text, noise_pred_uncond, guidance_scale)
    return sds_weight(alphas_cumprod_t, weighting)[:, None, None, None] * (noise_pred - noise)
