from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch

from engine.api.errors import NumericalError
from engine.api.settings import MethodSettings
from engine.method.ensemble import combine, scale_and_shift
from engine.method.losses import anchor_loss
from engine.method.members import base_disparity
from engine.method.protocols import DepthModel, DiffusionPrior
from engine.method.refine import Problem, RefinedMembers, StepReport, prepare, refine_members

SETTINGS = MethodSettings(steps=4, members=3, embeddings_lr=5e-3, head_lr=1e-4, smoothness_weight=0.1)


@pytest.fixture(params=["small_stable_diffusion", "small_pixel_prior"])
def prior(request: pytest.FixtureRequest) -> DiffusionPrior:
    return request.getfixturevalue(request.param)


def problem_of(depth_model: DepthModel, prior: DiffusionPrior, settings: MethodSettings = SETTINGS) -> Problem:
    image_srgb = torch.rand(1, 3, 42, 56, generator=torch.Generator().manual_seed(7))
    return prepare(depth_model, prior, image_srgb, prompt="a cup", negative_prompt="", settings=settings)


def refined(depth_model: DepthModel, prior: DiffusionPrior, members: Sequence[int], settings: MethodSettings = SETTINGS) -> RefinedMembers:
    return refine_members(problem_of(depth_model, prior, settings), depth_model, prior, settings, members)


@pytest.mark.parametrize("canvas", ["square", "fit"])
def test_batched_members_agree_with_one_by_one(small_depth: DepthModel, prior: DiffusionPrior, canvas: str) -> None:
    # With a smaller eps, Adam turns the rounding of a gradient that is next to zero into a whole step.
    settings = replace(SETTINGS, canvas=canvas, adam_eps=1e-3)
    together = refined(small_depth, prior, range(3), settings)
    alone = [refined(small_depth, prior, [member], settings) for member in range(3)]
    torch.testing.assert_close(together.disparity, torch.cat([one.disparity for one in alone]), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(together.depth, torch.cat([one.depth for one in alone]), atol=1e-3, rtol=1e-4)
    assert (together.disparity[0] - together.disparity[1]).abs().max() > 1e-3, "members must differ"


def test_same_seed_same_bytes(small_depth: DepthModel, prior: DiffusionPrior) -> None:
    first, second = (refined(small_depth, prior, range(2)) for _ in range(2))
    assert torch.equal(first.disparity, second.disparity)
    other = refined(small_depth, prior, range(2), replace(SETTINGS, seed=1))
    assert not torch.equal(first.disparity, other.disparity)


def test_members_start_at_the_base(small_depth: DepthModel, prior: DiffusionPrior) -> None:
    still = replace(SETTINGS, embeddings_lr=0.0, head_lr=0.0, scale_offset_lr=0.0)
    problem = problem_of(small_depth, prior)
    base = base_disparity(small_depth, problem.encoding)
    result = refine_members(problem, small_depth, prior, still, range(2))
    assert torch.equal(result.disparity, base.expand(2, -1, -1))


@pytest.mark.parametrize("moving", ["embeddings_lr", "head_lr", "scale_offset_lr"])
def test_each_learning_rate_moves_its_own_part(small_depth: DepthModel, small_pixel_prior: DiffusionPrior, moving: str) -> None:
    rates = {"embeddings_lr": 0.0, "head_lr": 0.0, "scale_offset_lr": 0.0, moving: 1e-2}
    problem = problem_of(small_depth, small_pixel_prior)
    base = base_disparity(small_depth, problem.encoding)
    result = refine_members(problem, small_depth, small_pixel_prior, replace(SETTINGS, **rates), [0])
    only_scale = moving == "scale_offset_lr"
    assert torch.equal(result.disparity, base) == only_scale
    expected = 7.0 / (base + 0.1)
    assert not torch.equal(result.depth, expected)


def test_the_lights_of_a_step_are_averaged(small_depth: DepthModel, prior: DiffusionPrior) -> None:
    """Where nothing learns, a step with three lights meets what three steps with one light each meet."""
    still = replace(SETTINGS, embeddings_lr=0.0, head_lr=0.0, scale_offset_lr=0.0)
    problem = problem_of(small_depth, prior)
    losses: dict[int, list[float]] = {1: [], 3: []}
    for lights, reached in losses.items():
        settings = replace(still, lights_per_step=lights, steps=6 // lights)
        refine_members(problem, small_depth, prior, settings, [1], on_step=lambda report, reached=reached: reached.append(report.guidance_loss))
    assert losses[3] == pytest.approx([sum(losses[1][:3]) / 3, sum(losses[1][3:]) / 3], rel=1e-4)
    assert losses[3][0] != pytest.approx(losses[3][1], rel=1e-3)


def test_members_with_several_lights_keep_their_own(small_depth: DepthModel, prior: DiffusionPrior) -> None:
    settings = replace(SETTINGS, lights_per_step=2)
    together, alone = refined(small_depth, prior, range(2), settings), refined(small_depth, prior, [1], settings)
    torch.testing.assert_close(together.disparity[1:], alone.disparity, atol=1e-4, rtol=1e-4)


def test_the_anchor_holds_members_near_the_base(small_depth: DepthModel, small_pixel_prior: DiffusionPrior) -> None:
    problem = problem_of(small_depth, small_pixel_prior)
    ways = []
    for weight in (0.0, 1e4):
        settings = replace(SETTINGS, steps=20, smoothness_weight=0.0, anchor_weight=weight)
        members = refine_members(problem, small_depth, small_pixel_prior, settings, [0])
        ways.append(anchor_loss(members.disparity, problem.base, problem.confidence, settings.min_disparity).item())
    assert 0 < ways[1] < 0.3 * ways[0]


def test_the_anchor_is_weighted_by_the_confidence(small_depth: DepthModel, small_pixel_prior: DiffusionPrior) -> None:
    """Where nothing is sure of the base, there is no anchor."""
    anchored = replace(SETTINGS, anchor_weight=1e4)
    problem = problem_of(small_depth, small_pixel_prior, anchored)
    unsure = replace(problem, confidence=torch.zeros_like(problem.base))
    free, loose, held = (
        refine_members(each, small_depth, small_pixel_prior, settings, [0]).disparity
        for each, settings in ((problem, SETTINGS), (unsure, anchored), (problem, anchored))
    )
    assert torch.equal(loose, free)
    assert not torch.equal(held, free)


def test_a_model_that_looks_once_is_as_sure_everywhere(small_depth: DepthModel, small_pixel_prior: DiffusionPrior) -> None:
    problem = problem_of(small_depth, small_pixel_prior)
    assert torch.equal(problem.confidence, torch.ones_like(problem.base))


def test_members_of_a_model_that_sees_views_start_at_their_mean_and_refine(
    small_depth_in_views: DepthModel, small_pixel_prior: DiffusionPrior
) -> None:
    problem = problem_of(small_depth_in_views, small_pixel_prior)
    assert problem.encoding.views is not None
    torch.testing.assert_close(problem.base, torch.relu(problem.encoding.views.mean(dim=0, keepdim=True)))
    assert problem.confidence.mean().item() == pytest.approx(1) and problem.confidence.std() > 0.01
    reports: list[StepReport] = []
    refined = refine_members(problem, small_depth_in_views, small_pixel_prior, SETTINGS, range(2), on_step=reports.append)
    torch.testing.assert_close(reports[0].disparity, problem.base.expand(2, -1, -1))
    assert (refined.disparity - problem.base).abs().max() > 1e-3


def test_a_large_eps_holds_still_what_has_a_small_gradient(small_depth: DepthModel, small_pixel_prior: DiffusionPrior) -> None:
    problem = problem_of(small_depth, small_pixel_prior)
    base = base_disparity(small_depth, problem.encoding)
    settings = replace(SETTINGS, weighting="x0", smoothness_weight=0.0, head_lr=0.0)  # x - x0_hat, spread over the tokens: small at any timestep.
    changes = [
        (refine_members(problem, small_depth, small_pixel_prior, replace(settings, adam_eps=eps), [0]).disparity - base).abs().max()
        for eps in (1e-8, 1.0)
    ]
    assert changes[0] > 1e-3 and changes[1] < 0.2 * changes[0]


def test_the_pretrained_decoder_is_left_alone(small_depth: DepthModel, small_pixel_prior: DiffusionPrior) -> None:
    before = [parameter.clone() for parameter in small_depth.new_decoder().parameters()]
    refined(small_depth, small_pixel_prior, range(2))
    assert all(torch.equal(one, other) for one, other in zip(before, small_depth.new_decoder().parameters(), strict=True))


def test_stop_between_steps_keeps_what_was_reached(small_depth: DepthModel, small_pixel_prior: DiffusionPrior) -> None:
    reports: list[StepReport] = []
    problem = problem_of(small_depth, small_pixel_prior)
    stopped = refine_members(problem, small_depth, small_pixel_prior, SETTINGS, [0], on_step=reports.append, should_stop=lambda: len(reports) == 2)
    shorter = refine_members(problem, small_depth, small_pixel_prior, replace(SETTINGS, steps=2), [0])
    assert stopped.steps_done == 2
    assert [report.step for report in reports] == [1, 2]
    assert torch.equal(stopped.disparity, shorter.disparity)


def test_reports_hold_the_losses_and_the_depth_before_the_step(small_depth: DepthModel, small_pixel_prior: DiffusionPrior) -> None:
    reports: list[StepReport] = []
    problem = problem_of(small_depth, small_pixel_prior)
    refine_members(problem, small_depth, small_pixel_prior, SETTINGS, range(3), on_step=reports.append)
    assert [report.step for report in reports] == [1, 2, 3, 4]
    assert reports[0].disparity.shape == (3, 42, 56)
    assert torch.equal(reports[0].disparity[0], base_disparity(small_depth, problem.encoding)[0])
    assert all(report.guidance_loss > 0 and report.smoothness_loss > 0 for report in reports)


def test_smoothness_alone_lowers_itself(small_depth: DepthModel, small_pixel_prior: DiffusionPrior) -> None:
    reports: list[StepReport] = []
    settings = replace(SETTINGS, steps=20, smoothness_weight=1000.0)
    refine_members(problem_of(small_depth, small_pixel_prior), small_depth, small_pixel_prior, settings, [0], on_step=reports.append)
    assert reports[-1].smoothness_loss < 0.9 * reports[0].smoothness_loss


def test_loss_that_is_not_finite_is_an_error(small_depth: DepthModel, small_pixel_prior: DiffusionPrior) -> None:
    problem = problem_of(small_depth, small_pixel_prior)
    broken = replace(problem, image_srgb=torch.full_like(problem.image_srgb, float("nan")))
    with pytest.raises(NumericalError, match="step 1"):
        refine_members(broken, small_depth, small_pixel_prior, SETTINGS, [0])


def test_combine_recovers_scale_and_counts_only_shape_as_spread() -> None:
    reference = torch.rand(6, 7)
    members = torch.stack([2 * reference + 1, 5 * reference - 0.5])
    ensemble = combine(members, reference)
    torch.testing.assert_close(ensemble.disparity, reference)
    torch.testing.assert_close(ensemble.spread, torch.zeros(6, 7), atol=1e-6, rtol=0)
    assert ensemble.related


def test_combine_of_one_member_has_no_spread() -> None:
    assert combine(torch.rand(1, 4, 4), torch.rand(4, 4)).spread.abs().max() < 1e-6


def test_combine_says_when_it_cannot_find_a_scale() -> None:
    reference = torch.rand(5, 5)
    ensemble = combine(-reference[None], reference)
    assert not ensemble.related
    torch.testing.assert_close(ensemble.disparity, -reference)


def test_scale_and_shift_closed_form() -> None:
    disparity = torch.rand(3, 4, 5)
    scale, shift = scale_and_shift(disparity, disparity[1] * 3 - 2)
    assert scale[1].item() == pytest.approx(3)
    assert shift[1].item() == pytest.approx(-2)
