"""The embedded prior: a tiny denoiser of relit pictures that sees the input picture.

It works on pixels folded two by two into channels, so its "latents" are the canvas itself. Guidance contrasts seeing the picture with not
seeing it; texts have no effect. Shapes: B members, H W canvas pixels, c = 12, h w = H/2 W/2.
"""

from __future__ import annotations

import torch
from diffusers import DDPMScheduler, UNet2DModel
from torch import Tensor
from torch.nn import functional

from .catalogue import Weights
from .loading import load_pretrained
from .prediction import noise_from_prediction

FOLD_PX = 2
CANVAS_PX = 64
CANVAS_MULTIPLE_PX = 16


def latents_from_canvas(canvas_srgb: Tensor) -> Tensor:
    """Return (B, 12, H/2, W/2) in [-1, 1] of (B, 3, H, W) in [0, 1]."""
    return functional.pixel_unshuffle(canvas_srgb * 2 - 1, FOLD_PX)


def cosine_alphas_cumprod() -> Tensor:
    """Return ᾱ (1000,) of the cosine schedule that the prior is trained on."""
    return DDPMScheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2").alphas_cumprod


class EmbeddedPrior:
    """A `engine.method.protocols.DiffusionPrior` on pixels, conditioned on the input picture, predicting v."""

    reads_text = False
    canvas_px = CANVAS_PX
    canvas_multiple_px = CANVAS_MULTIPLE_PX

    def __init__(self, network: UNet2DModel, device: torch.device) -> None:
        self.network = network.to(device).eval().requires_grad_(False)
        self.alphas_cumprod = cosine_alphas_cumprod().to(device)

    @classmethod
    def load(cls, weights: Weights, device: torch.device) -> EmbeddedPrior:
        """Return the prior of the weights' folder, in float32.

        Raises:
            WeightsInvalidError: the weights are damaged or of another shape.
        """
        return cls(load_pretrained(UNet2DModel, weights, torch_dtype=torch.float32), device)

    def latent_shape(self, height_px: int, width_px: int) -> tuple[int, int, int]:
        """Return (12, H/2, W/2)."""
        return 3 * FOLD_PX**2, height_px // FOLD_PX, width_px // FOLD_PX

    def condition(self, canvas_srgb: Tensor, prompt: str, negative_prompt: str) -> Tensor:
        """Return the folded input picture (1, 12, h, w)."""
        return latents_from_canvas(canvas_srgb)

    def encode(self, canvas_srgb: Tensor, posterior_noise: Tensor) -> Tensor:
        """Return the folded canvas (B, 12, h, w); there is no posterior."""
        return latents_from_canvas(canvas_srgb)

    @torch.no_grad()
    def predict_noise(self, noisy_latents: Tensor, timestep: Tensor, conditioning: Tensor) -> tuple[Tensor, Tensor]:
        """Return the noise predicted with the picture and without it, each (B, 12, h, w), in one pass of 2 B."""
        picture = conditioning.expand_as(noisy_latents)
        doubled, timesteps = noisy_latents.repeat(2, 1, 1, 1), timestep.repeat(2)
        v_pred = self.network(torch.cat([doubled, torch.cat([picture, torch.zeros_like(picture)])], dim=1), timesteps).sample
        noise_pred = noise_from_prediction(v_pred, doubled, self.alphas_cumprod[timesteps], "v_prediction")
        seeing, blind = noise_pred.chunk(2)
        return seeing, blind
