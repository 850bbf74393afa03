"""Refinements that must not work: the same engine with one part replaced by what knows nothing.

If one of these improves depth as the refinement does, then the gain is not the prior's knowledge of the picture.

    smoothness      the prior agrees with every picture, so the smoothness loss alone moves the depth
    untrained       the prior's network has random weights
    unconditional   the prior never sees the picture
    direct          the prior is whole, but moves every pixel of the depth by itself instead of the depth model's tokens

Shapes: B members, H W pixels, c h w latents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from ..method.members import base_disparity
from ..method.protocols import Conditioning, Encoding
from ..models.embedded_prior import EmbeddedPrior
from ..models.relight_denoiser import RelightDenoiser
from ..pipeline import LoadedModels
from .wrapped import WrappedDepth, WrappedPrior

_UNTRAINED_SEED = 0


class AgreeingPrior(WrappedPrior):
    """Predicts the very noise that was added to the latents that it encoded last: its guidance is zero."""

    def encode(self, canvas_srgb: Tensor, posterior_noise: Tensor) -> Tensor:
        """Return the wrapped prior's latents (B, c, h, w), and remember them."""
        latents = super().encode(canvas_srgb, posterior_noise)
        self._latents = latents.detach()
        return latents

    def predict_noise(self, noisy_latents: Tensor, timestep: Tensor, conditioning: Conditioning, *, guided: bool) -> tuple[Tensor, Tensor | None]:
        """Return that noise twice, (B, c, h, w)."""
        alphas_cumprod_t = self.alphas_cumprod[timestep].to(noisy_latents.dtype)[:, None, None, None]
        noise = (noisy_latents - alphas_cumprod_t.sqrt() * self._latents) / (1 - alphas_cumprod_t).sqrt()
        return noise, noise


class BlindPrior(WrappedPrior):
    """The wrapped embedded prior without the picture."""

    def condition(self, canvas_srgb: Tensor, base_normals: Tensor, prompt: str, negative_prompt: str) -> Conditioning:
        """Return None: nothing is seen."""
        return None

    def predict_noise(self, noisy_latents: Tensor, timestep: Tensor, conditioning: Conditioning, *, guided: bool) -> tuple[Tensor, Tensor | None]:
        """Return the unconditional noise (B, c, h, w), and nothing that guidance could contrast it with."""
        return super().predict_noise(noisy_latents, timestep, conditioning, guided=False)


class DirectDepth(WrappedDepth):
    """A depth model without a network: its tokens are another model's disparity, one a pixel, so that refinement moves them one by one."""

    def encode(self, image_srgb: Tensor) -> Encoding:
        """Return one layer of tokens (1, 1 + H·W, 1) of ``image_srgb`` (1, 3, H, W) in [0, 1]; the first is empty."""
        encoding = self._depth.encode(image_srgb)
        disparity = base_disparity(self._depth, encoding)
        height, width = disparity.shape[-2:]
        tokens = torch.cat([torch.zeros(1, 1, 1, device=disparity.device), disparity.reshape(1, -1, 1)], dim=1)
        return Encoding(tokens=(tokens,), patch_grid=(height, width), views=encoding.views)

    def new_decoder(self) -> nn.Module:
        """Return what lays the tokens out as a map."""
        return _Laid()


class _Laid(nn.Module):
    def forward(self, tokens: tuple[Tensor, ...], patch_grid: tuple[int, int]) -> Tensor:
        return tokens[0][:, 1:, 0].view(1, *patch_grid)


def _untrained(models: LoadedModels) -> EmbeddedPrior:
    """Return a prior of the same shape with random weights, the same at every call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_UNTRAINED_SEED)
        network = RelightDenoiser.from_config(RelightDenoiser.load_config(models.weights["prior"].folder))
    return EmbeddedPrior(network, models.compute.device)


CONTROLS: dict[str, Callable[[LoadedModels], LoadedModels]] = {
    "smoothness": lambda models: replace(models, prior=AgreeingPrior(models.prior)),
    "untrained": lambda models: replace(models, prior=_untrained(models)),
    "unconditional": lambda models: replace(models, prior=BlindPrior(models.prior)),
    "direct": lambda models: replace(models, depth=DirectDepth(models.depth)),
}
