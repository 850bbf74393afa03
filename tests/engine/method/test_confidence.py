from __future__ import annotations

import pytest
import torch

from engine.method.confidence import confidence

MIN_DISPARITY = 0.1


def estimate(seed: int = 0) -> torch.Tensor:
    return 1 + torch.rand(1, 40, 60, generator=torch.Generator().manual_seed(seed))


def test_where_all_views_agree_the_confidence_is_one_everywhere() -> None:
    """Estimates know neither scale nor shift: another of either is no disagreement."""
    base = estimate()
    views = torch.cat([base, 2 * base + 1, 0.5 * base])
    torch.testing.assert_close(confidence(base, views, MIN_DISPARITY), torch.ones_like(base), atol=1e-3, rtol=0)


def test_confidence_is_low_where_the_views_differ_and_bounded_by_a_floor() -> None:
    base = estimate()
    factor = torch.ones_like(base)
    factor[:, :20, :20] = 1.02  # In so small a part that aligning the views changes little.
    views = torch.cat([base, factor * (base + MIN_DISPARITY) - MIN_DISPARITY])
    sure = confidence(base, views, MIN_DISPARITY)
    assert sure.mean().item() == pytest.approx(1)
    most = 1 + 1 / (20 * 20 / (40 * 60))  # Variance in the corner alone: it and its mean over the latter.
    assert 0.6 * most < (sure[0, 35, 55] / sure[0, 5, 5]).item() < most


def test_the_confidence_does_not_depend_on_the_scale_and_shift_of_views() -> None:
    base, views = estimate(), torch.cat([estimate(seed) for seed in (1, 2, 3)]) + estimate()
    other = views * torch.tensor([3.0, 0.5, 1.0]).view(3, 1, 1) + torch.tensor([1.0, 0.0, 4.0]).view(3, 1, 1)
    torch.testing.assert_close(confidence(base, other, MIN_DISPARITY), confidence(base, views, MIN_DISPARITY), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("size", [(1, 1), (3, 50)])
def test_the_confidence_in_a_flat_estimate_is_finite(size: tuple[int, int]) -> None:
    base = torch.zeros(1, *size)
    views = torch.stack([base[0], base[0] + 1])
    torch.testing.assert_close(confidence(base, views, MIN_DISPARITY), torch.ones_like(base))
