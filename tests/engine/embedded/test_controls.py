"""The controls differ from the refinement in the one part that each is named after."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.api.settings import settings_from_preset
from engine.embedded.controls import CONTROLS, AgreeingPrior, BlindPrior, DirectDepth
from engine.method.guidance import sds_gradient
from engine.method.members import base_disparity
from engine.method.refine import prepare, refine_members
from engine.models.embedded_prior import EmbeddedPrior
from engine.pipeline import LoadedModels, load_models

SETTINGS = settings_from_preset("quick", device="cpu", steps=1, members=1)


@pytest.fixture(scope="module")
def models() -> LoadedModels:
    return load_models(SETTINGS)


def embedded_prior(models: LoadedModels) -> EmbeddedPrior:
    assert isinstance(models.prior, EmbeddedPrior)
    return models.prior


def picture(seed: int, models: LoadedModels) -> torch.Tensor:
    side = 4 * models.depth.patch_px
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(seed))


def gradient(prior: EmbeddedPrior | AgreeingPrior | BlindPrior, canvas_srgb: torch.Tensor, seen_srgb: torch.Tensor) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    latents = prior.encode(canvas_srgb, torch.zeros(1))
    noise = torch.randn(latents.shape, generator=generator)
    condition = prior.condition(seen_srgb, facing_viewer(seen_srgb), "", "")
    return sds_gradient(prior, latents, torch.tensor([700]), noise, condition, guidance_scale=4.0, weighting="x0")


def facing_viewer(canvas_srgb: torch.Tensor) -> torch.Tensor:
    """Return the normals (1, 3, H, W) of a flat surface."""
    return torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1).expand_as(canvas_srgb)


def canvas(seed: int) -> torch.Tensor:
    return torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(seed))


def test_the_agreeing_prior_guides_nowhere(models: LoadedModels) -> None:
    prior = embedded_prior(models)
    assert gradient(AgreeingPrior(prior), canvas(0), canvas(1)).abs().max() < 1e-4
    assert gradient(prior, canvas(0), canvas(1)).abs().max() > 1e-2


def test_the_blind_prior_does_not_see_the_picture(models: LoadedModels) -> None:
    prior = embedded_prior(models)
    first, second = (gradient(BlindPrior(prior), canvas(0), canvas(seed)) for seed in (1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(gradient(prior, canvas(0), canvas(1)), gradient(prior, canvas(0), canvas(2)))


def test_the_untrained_prior_is_the_same_each_time_and_leaves_chance_alone(models: LoadedModels) -> None:
    prior = embedded_prior(models)
    state = torch.get_rng_state()
    first, second = (CONTROLS["untrained"](models).prior for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert isinstance(first, EmbeddedPrior) and isinstance(second, EmbeddedPrior)
    weights = [next(network.parameters()) for network in (first.network, second.network, prior.network)]
    assert torch.equal(weights[0], weights[1])
    assert weights[0].shape == weights[2].shape and not torch.equal(weights[0], weights[2])


def test_direct_depth_starts_at_the_base_and_moves_each_pixel_by_itself(models: LoadedModels) -> None:
    """AdamW's first step moves every pixel that has a gradient by the learning rate, whatever its neighbours do."""
    direct = DirectDepth(models.depth)
    image_srgb = picture(0, models)
    base = base_disparity(models.depth, models.depth.encode(image_srgb))
    settings = replace(SETTINGS.method, adam_eps=1e-12)
    problem = prepare(direct, models.prior, image_srgb, prompt="", negative_prompt="", settings=settings)
    torch.testing.assert_close(base_disparity(direct, problem.encoding), base)
    refined = refine_members(problem, direct, models.prior, settings, [0]).disparity
    moved = (refined - base).abs()
    rate = settings.embeddings_lr
    assert moved.max() <= rate * 1.1
    assert ((moved - rate).abs() < 0.1 * rate).float().mean() > 0.9
