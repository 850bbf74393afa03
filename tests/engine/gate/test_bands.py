from __future__ import annotations

import pytest
import torch

from engine.gate.bands import ramp, smooth, split


@pytest.mark.parametrize("shape", [(20, 30), (30, 20), (3, 5), (1, 9)])
@pytest.mark.parametrize("sigma_share", [0.0078, 0.1, 0.5])
def test_a_constant_stays_one_up_to_the_border(shape: tuple[int, int], sigma_share: float) -> None:
    torch.testing.assert_close(smooth(torch.full(shape, 3.0), sigma_share), torch.full(shape, 3.0))


def test_a_point_becomes_a_gaussian() -> None:
    point = torch.zeros(41, 41)
    point[20, 20] = 1
    spread = smooth(point, 2 / 41)
    assert spread.sum() == pytest.approx(1, abs=1e-5)
    assert float(spread[20, 22] / spread[20, 20]) == pytest.approx(torch.exp(torch.tensor(-0.5)).item(), abs=1e-4)
    torch.testing.assert_close(spread, spread.T)


def test_the_bands_sum_to_the_change_and_part_slow_from_fast() -> None:
    x = torch.linspace(0, 1, 128)
    slow, fast = torch.cos(torch.pi * x).expand(96, 128), torch.cos(torch.pi * 32 * x).expand(96, 128)
    broad, detail = split(slow + fast)
    torch.testing.assert_close(broad + detail, slow + fast)
    assert (broad - slow).abs()[:, 32:96].max() < 0.1
    assert (detail - fast).abs()[:, 32:96].max() < 0.1


def test_a_plane_is_broad_up_to_the_border() -> None:
    plane = 3 + torch.linspace(-1, 2, 40)[:, None] - 0.5 * torch.linspace(0, 1, 60)
    broad, detail = split(plane)
    torch.testing.assert_close(broad, plane)
    torch.testing.assert_close(detail, torch.zeros_like(plane), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("full", "none", "sign", "share"),
    [(0.0, 0.5, -1.0, 1.0), (0.0, 0.5, 0.25, 0.5), (0.0, 0.5, 2.0, 0.0), (1.0, 0.0, 0.75, 0.75), (1.0, 0.0, 3.0, 1.0)],
)
def test_a_ramp_is_linear_between_its_ends(full: float, none: float, sign: float, share: float) -> None:
    assert ramp(torch.tensor(sign), full, none) == pytest.approx(share)
