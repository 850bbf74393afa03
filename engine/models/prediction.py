"""What a denoiser predicts, turned into noise. Shapes: B members, c h w latents."""

from __future__ import annotations

from torch import Tensor


def noise_from_prediction(prediction: Tensor, noisy_latents: Tensor, alphas_cumprod_t: Tensor, prediction_type: str) -> Tensor:
    """Return ε of an epsilon, v or sample prediction: ε = √ᾱ v + √(1-ᾱ) x_t (arXiv 2202.00512, appendix D), or (x_t - √ᾱ x_0) / √(1-ᾱ).

    Args:
        prediction, noisy_latents: (B, c, h, w).
        alphas_cumprod_t: (B,).
        prediction_type: as diffusers' schedulers name it.
    """
    if prediction_type == "epsilon":
        return prediction
    alphas_cumprod_t = alphas_cumprod_t[:, None, None, None].to(prediction.dtype)
    if prediction_type == "sample":
        return (noisy_latents - alphas_cumprod_t.sqrt() * prediction) / (1 - alphas_cumprod_t).sqrt()
    return alphas_cumprod_t.sqrt() * prediction + (1 - alphas_cumprod_t).sqrt() * noisy_latents
