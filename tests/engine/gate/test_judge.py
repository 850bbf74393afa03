"""The whole gate on a synthetic base, with real small priors: broken refinements fall back to the base with the reason, honest ones stay."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from engine.api.settings import settings_from_preset
from engine.gate.judge import Judged, judge
from engine.gate.thresholds import Thresholds
from engine.method.canvas import to_canvas
from engine.method.ensemble import combine
from engine.method.protocols import Encoding
from engine.method.refine import Problem
from tests.engine.gate.conftest import HEIGHT, WIDTH, grid

METHOD = settings_from_preset("default").method
# An untrained prior's score means nothing: where a test is about other signs, it trusts whatever the prior says.
TRUSTING = Thresholds(detail_full=1e3, detail_none=2e3, broad_full=1e3, broad_none=2e3)


def judge_members(prior: Any, image_srgb: Tensor, base: Tensor, members: Tensor, thresholds: Thresholds = TRUSTING, **options: Any) -> Judged:
    canvas = to_canvas(image_srgb[None], METHOD.canvas, prior.canvas_px, prior.canvas_multiple_px)
    encoding = Encoding(tokens=(), patch_grid=(1, 1))
    conditioning = prior.condition(canvas, torch.zeros_like(canvas), "a b", "")
    problem = Problem(
        image_srgb=image_srgb[None], encoding=encoding, base=base[None], confidence=torch.ones_like(base[None]), conditioning=conditioning
    )
    judged = judge(problem, prior, METHOD, base, members, combine(members, base), thresholds, **options)
    assert judged is not None
    return judged


def noise(seed: int = 1) -> Tensor:
    return torch.randn(HEIGHT, WIDTH, generator=torch.Generator().manual_seed(seed))


def left_over(judged: Judged, base: Tensor, members: Tensor) -> float:
    """Return the share of the change that the gate let through, by its root mean square."""
    change = combine(members, base).disparity - base
    return float(((judged.disparity - base).square().mean() / change.square().mean()).sqrt())


def test_no_change_is_kept_and_the_prior_is_not_asked(small_pixel_prior: Any, image_srgb: Tensor, base: Tensor) -> None:
    asked: list[int] = []
    judged = judge_members(small_pixel_prior, image_srgb, base, (2 * base + 1).expand(2, -1, -1), on_draw=asked.append)
    assert (judged.finding.verdict, judged.finding.share_kept, judged.finding.reasons) == ("kept", 1.0, ())
    assert judged.kept.min() == 1
    torch.testing.assert_close(judged.disparity, base)
    assert not asked


def test_an_honest_change_is_kept(small_pixel_prior: Any, image_srgb: Tensor, base: Tensor, relief: Tensor) -> None:
    members = (base + relief).expand(3, -1, -1)
    judged = judge_members(small_pixel_prior, image_srgb, base, members)
    assert judged.finding.verdict == "kept"
    assert judged.finding.reasons == ()
    torch.testing.assert_close(judged.disparity, combine(members, base).disparity, atol=5e-3, rtol=0)


def broken(kind: str, base: Tensor, image_srgb: Tensor) -> Tensor:
    across, down = grid()
    luminance = image_srgb.mean(dim=0)
    spread = base.std(correction=0)
    match kind:
        case "noise":
            refined = base + 0.2 * spread * noise()
        case "inverted":
            refined = 6 - base
        case "collapsed":
            refined = base.mean() + 0.05 * (base - base.mean())
        case "tilted":
            refined = base + 2 * spread * across
        case "embossed":
            refined = base + 3 * spread * (luminance - luminance.mean())
        case "pulled apart":
            waves = 0.2 * spread * torch.sin(14 * across) * torch.cos(11 * down)
            return torch.stack([base + waves, base - 0.8 * waves])
        case "unrelated":
            refined = 3 + noise()
    return refined.expand(2, -1, -1)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("noise", "noise from pixel to pixel"),
        ("inverted", "no longer rises with the base"),
        ("collapsed", "flattened"),
        ("tilted", "drifts too far"),
        ("embossed", "embossed as height"),
        ("pulled apart", "members disagree"),
        ("unrelated", "no longer rises with the base"),
    ],
)
def test_a_broken_refinement_falls_back_to_the_base_with_the_reason(
    kind: str, reason: str, small_pixel_prior: Any, image_srgb: Tensor, base: Tensor
) -> None:
    members = broken(kind, base, image_srgb)
    judged = judge_members(small_pixel_prior, image_srgb, base, members)
    assert left_over(judged, base, members) < 0.2
    assert judged.kept.mean() < 0.2
    assert any(reason in sentence for sentence in judged.finding.reasons), judged.finding.reasons
    assert judged.finding.verdict in ("base", "partly")


@pytest.mark.parametrize("prior_name", ["small_pixel_prior", "small_stable_diffusion"])
def test_a_prior_that_speaks_against_the_refinement_keeps_the_base(
    prior_name: str, request: pytest.FixtureRequest, image_srgb: Tensor, base: Tensor, relief: Tensor
) -> None:
    against = Thresholds(detail_full=-2e3, detail_none=-1e3, broad_full=-2e3, broad_none=-1e3)
    judged = judge_members(request.getfixturevalue(prior_name), image_srgb, base, (base + relief).expand(2, -1, -1), against)
    torch.testing.assert_close(judged.disparity, base)
    assert judged.finding.verdict == "base"
    assert any("the prior finds the refinement too little better" in sentence for sentence in judged.finding.reasons)
    assert any("Of the broad change nothing was kept" in sentence for sentence in judged.finding.reasons)


def test_what_is_broken_in_one_quadrant_goes_there_and_stays_elsewhere(
    small_pixel_prior: Any, image_srgb: Tensor, base: Tensor, relief: Tensor
) -> None:
    rows, columns = HEIGHT // 2, WIDTH // 2
    spoiled = base + relief
    spoiled[:rows, :columns] += 0.15 * noise()[:rows, :columns]
    members = spoiled.expand(3, -1, -1)
    judged, refined = judge_members(small_pixel_prior, image_srgb, base, members), combine(members, base).disparity
    inside = (slice(6, rows - 12), slice(6, columns - 12))
    assert (judged.disparity - base)[inside].abs().max() < 0.1 * (refined - base)[inside].abs().max()
    assert judged.kept[inside].max() < 0.1
    for outside in ((slice(rows + 22, None), slice(None)), (slice(None), slice(columns + 22, None))):
        assert judged.kept[outside].min() > 0.9
        assert (judged.disparity - refined)[outside].abs().max() < 0.1 * (refined - base)[outside].abs().max()
    assert judged.finding.verdict == "partly"


def test_an_inverted_quadrant_returns_to_the_base(small_pixel_prior: Any, image_srgb: Tensor, base: Tensor, relief: Tensor) -> None:
    rows, columns = HEIGHT // 2, WIDTH // 2
    spoiled = base + relief
    spoiled[rows:, columns:] = 2 * base[rows:, columns:].mean() - base[rows:, columns:]
    members = spoiled.expand(3, -1, -1)
    judged = judge_members(small_pixel_prior, image_srgb, base, members)
    inside = (slice(rows + 12, None), slice(columns + 12, None))
    change = combine(members, base).disparity - base
    assert (judged.disparity - base)[inside].abs().mean() < 0.35 * change[inside].abs().mean()


def test_the_kept_share_has_no_seams(small_pixel_prior: Any, image_srgb: Tensor, base: Tensor, relief: Tensor) -> None:
    spoiled = base + relief
    spoiled[: HEIGHT // 2] += 0.3 * noise()[: HEIGHT // 2]
    kept = judge_members(small_pixel_prior, image_srgb, base, spoiled.expand(2, -1, -1)).kept
    assert kept.max() - kept.min() > 0.8
    assert torch.diff(kept, dim=0).abs().max() < 0.2
    assert torch.diff(kept, dim=1).abs().max() < 0.1


@pytest.mark.parametrize(("level", "reason"), [(0.02, "too dark"), (1.0, "overexposed")])
def test_where_nothing_can_be_seen_the_base_stands(
    level: float, reason: str, small_pixel_prior: Any, image_srgb: Tensor, base: Tensor, relief: Tensor
) -> None:
    image_srgb = image_srgb.clone()
    image_srgb[:, :, : WIDTH // 2] = level
    judged = judge_members(small_pixel_prior, image_srgb, base, (base + relief).expand(2, -1, -1))
    assert judged.kept[:, : WIDTH // 2 - 12].max() < 0.1
    assert judged.kept[:, WIDTH // 2 + 14 :].min() > 0.9
    assert any(reason in sentence for sentence in judged.finding.reasons)


def test_the_same_refinement_is_judged_the_same_to_the_byte(small_pixel_prior: Any, image_srgb: Tensor, base: Tensor, relief: Tensor) -> None:
    members = torch.stack([base + relief, base + 0.9 * relief + 0.02 * noise()])
    first, second = (judge_members(small_pixel_prior, image_srgb, base, members, Thresholds()) for _ in range(2))
    assert torch.equal(first.disparity, second.disparity)
    assert torch.equal(first.kept, second.kept)
    assert first.finding == second.finding


def test_the_account_names_every_sign_and_limit(small_pixel_prior: Any, image_srgb: Tensor, base: Tensor, relief: Tensor) -> None:
    told = judge_members(small_pixel_prior, image_srgb, base, (base + relief).expand(2, -1, -1)).finding.to_json()
    assert set(told["signs"]) >= {"score", "local_score", "disagreement", "grain", "embossing", "darkness", "saturation", "sky", "drift"}
    assert {"detail_full", "broad_share", "drift_none", "correlation"} <= set(told["thresholds"])
    assert told["share_kept"] == pytest.approx(1, abs=0.05)
