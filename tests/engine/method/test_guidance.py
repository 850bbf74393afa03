from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.method.guidance import add_noise, guide, sds_gradient, sds_weight


class PerfectPrior:
    """A denoiser that knows the clean latents: its noise prediction is exact for them."""

    def __init__(self, clean: Tensor) -> None:
        self.clean = clean
        self.alphas_cumprod = torch.linspace(0.999, 0.001, 1000, dtype=torch.float64)

    def predict_noise(self, noisy_latents: Tensor, timestep: Tensor, conditioning: object, *, guided: bool) -> tuple[Tensor, Tensor | None]:
        self.asked_for_both = guided
        alphas_cumprod_t = self.alphas_cumprod[timestep][:, None, None, None]
        noise = (noisy_latents - alphas_cumprod_t.sqrt() * self.clean) / (1 - alphas_cumprod_t).sqrt()
        return noise, noise if guided else None


@pytest.mark.parametrize("weighting", ["uniform", "sds", "fantasia3d", "x0"])
def test_gradient_leads_to_the_clean_latents(weighting: str) -> None:
    clean, latents = torch.randn(2, 4, 3, 3, dtype=torch.float64), torch.randn(2, 4, 3, 3, dtype=torch.float64)
    timestep, noise = torch.tensor([100, 800]), torch.randn_like(latents)
    gradient = sds_gradient(PerfectPrior(clean), latents, timestep, noise, None, guidance_scale=7.0, weighting=weighting)
    direction = (gradient / (latents - clean)).flatten(1)
    torch.testing.assert_close(direction, direction[:, :1].expand_as(direction))
    assert (direction > 0).all()
    if weighting == "x0":
        torch.testing.assert_close(gradient, latents - clean)


def test_no_gradient_at_the_clean_latents() -> None:
    clean = torch.randn(1, 4, 3, 3, dtype=torch.float64)
    gradient = sds_gradient(PerfectPrior(clean), clean, torch.tensor([500]), torch.randn_like(clean), None, guidance_scale=51.0, weighting="uniform")
    torch.testing.assert_close(gradient, torch.zeros_like(clean), atol=1e-12, rtol=0)


def test_without_extrapolation_the_prior_is_asked_once() -> None:
    """At guidance scale 1 the unconditional prediction has no weight, and is not computed."""
    prior, latents = PerfectPrior(torch.zeros(1, 4, 3, 3, dtype=torch.float64)), torch.randn(1, 4, 3, 3, dtype=torch.float64)
    for scale, both in ((1.0, False), (1.5, True), (0.0, True)):
        gradient = sds_gradient(prior, latents, torch.tensor([300]), torch.randn_like(latents), None, guidance_scale=scale, weighting="x0")
        assert prior.asked_for_both == both
        torch.testing.assert_close(gradient, latents)


def test_guidance_equals_the_released_form() -> None:
    text, uncond = torch.randn(2, 1, 4, 2, 2, dtype=torch.float64)
    torch.testing.assert_close(guide(text, uncond, 51.0), text + 50.0 * (text - uncond))


def test_noise_is_mixed_at_unit_variance() -> None:
    alphas_cumprod_t = torch.tensor([1.0, 0.0, 0.36])
    latents, noise = torch.full((3, 1, 1, 1), 2.0), torch.full((3, 1, 1, 1), 5.0)
    torch.testing.assert_close(add_noise(latents, noise, alphas_cumprod_t).flatten(), torch.tensor([2.0, 5.0, 0.6 * 2 + 0.8 * 5]))


def test_weights_closed_form() -> None:
    a = torch.tensor([0.25])
    assert [sds_weight(a, name).item() for name in ("uniform", "sds", "fantasia3d", "x0")] == pytest.approx([1, 0.75, 0.375, 3**0.5])
