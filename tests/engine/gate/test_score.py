from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from engine.api.settings import MethodSettings, settings_from_preset
from engine.embedded.train_prior import surface_normals
from engine.gate.score import DRAWS, Score, compare_scores
from engine.method.canvas import to_canvas
from engine.method.protocols import DiffusionPrior, Encoding
from engine.method.refine import Problem
from engine.method.relight import Light
from engine.models.relight_denoiser import RelightDenoiser, Seen
from tests.engine.gate.conftest import HEIGHT, WIDTH

EMBEDDED = settings_from_preset("default").method


@pytest.fixture(params=["small_pixel_prior", "small_stable_diffusion"])
def prior(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def ask(
    prior: DiffusionPrior, image_srgb: Tensor, base: Tensor, refined: Tensor, settings: MethodSettings = EMBEDDED, **options: Any
) -> Score | None:
    normals = surface_normals(base[None])
    canvases = [to_canvas(field, settings.canvas, prior.canvas_px, prior.canvas_multiple_px) for field in (image_srgb[None], normals)]
    problem = Problem(
        image_srgb=image_srgb[None],
        encoding=Encoding(tokens=(), patch_grid=(1, 1)),
        base=base[None],
        confidence=torch.ones_like(base[None]),
        conditioning=prior.condition(*canvases, "a b", ""),
    )
    return compare_scores(problem, prior, settings, base, refined, **options)


@pytest.mark.parametrize("settings", [EMBEDDED, MethodSettings()], ids=["fit", "square"])
def test_equal_maps_score_alike_to_the_bit(prior: Any, image_srgb: Tensor, base: Tensor, settings: MethodSettings) -> None:
    score = ask(prior, image_srgb, base, base.clone(), settings)
    assert score is not None
    assert score.local.shape == (HEIGHT, WIDTH)
    assert score.local.abs().max() < 1e-4
    assert score.picture == pytest.approx(0, abs=1e-5)


def broken_in_a_corner(base: Tensor) -> Tensor:
    refined = base.clone()
    refined[: HEIGHT // 3, : WIDTH // 3] += torch.randn(HEIGHT // 3, WIDTH // 3, generator=torch.Generator().manual_seed(1))
    return refined


def changes_there_and_far(score: Score) -> tuple[Tensor, Tensor]:
    """Return the mean size of the local score in that corner and in the opposite one."""
    return score.local[: HEIGHT // 4, : WIDTH // 4].abs().mean(), score.local[-HEIGHT // 4 :, -WIDTH // 4 :].abs().mean()


@pytest.mark.parametrize("settings", [EMBEDDED, MethodSettings()], ids=["fit", "square"])
def test_the_local_score_changes_where_the_map_does(small_pixel_prior: Any, image_srgb: Tensor, base: Tensor, settings: MethodSettings) -> None:
    """Elsewhere it moves only by the light, which is fitted to all of the picture, the broken corner included."""
    score = ask(small_pixel_prior, image_srgb, base, broken_in_a_corner(base), settings)
    assert score is not None
    changed, far = changes_there_and_far(score)
    assert changed > 3 * far
    assert score.picture != 0


def test_under_a_known_light_the_local_score_changes_nowhere_else(
    small_pixel_prior: Any, image_srgb: Tensor, base: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def known_light(network: RelightDenoiser, noisy: Tensor, timestep: Tensor, seen: Seen) -> Light:
        count = len(noisy)
        return Light(xy=torch.zeros(count, 2), shininess=torch.full((count,), 32.0), diffuse_specular=torch.full((count, 2), 0.5))

    monkeypatch.setattr(RelightDenoiser, "read_light", known_light)
    score = ask(small_pixel_prior, image_srgb, base, broken_in_a_corner(base))
    assert score is not None
    changed, far = changes_there_and_far(score)
    assert changed > 500 * far


def test_the_draws_are_fixed_whatever_the_seed_and_the_global_generator(prior: Any, image_srgb: Tensor, base: Tensor, relief: Tensor) -> None:
    scores = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        scores.append(ask(prior, image_srgb, base, base + relief, settings_from_preset("default", seed=seed).method))
    first, second = scores
    assert first is not None and second is not None
    assert torch.equal(first.local, second.local)
    assert first.picture == second.picture


def test_each_draw_is_told_and_a_stop_ends_it(prior: Any, image_srgb: Tensor, base: Tensor, relief: Tensor) -> None:
    told: list[int] = []
    assert ask(prior, image_srgb, base, base + relief, on_draw=told.append) is not None
    assert told == list(range(1, DRAWS + 1))
    told.clear()
    assert ask(prior, image_srgb, base, base + relief, on_draw=told.append, should_stop=lambda: len(told) == 2) is None
    assert told == [1, 2]
