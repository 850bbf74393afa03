from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.gate import signs
from tests.engine.gate.conftest import HEIGHT, WIDTH, grid


def noise(seed: int) -> Tensor:
    return torch.randn(HEIGHT, WIDTH, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("scale", "shift", "expected"), [(1.0, 0.0, 1.0), (0.3, 5.0, 1.0), (-2.0, 9.0, -1.0), (0.0, 4.0, 0.0)])
def test_correlation_knows_sign_and_not_scale(base: Tensor, scale: float, shift: float, expected: float) -> None:
    assert signs.correlation(base, (scale * base + shift).expand(2, -1, -1)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("scale", [0.0, 0.1, 1.0, 2.5])
def test_range_kept_is_the_ratio_of_spreads(base: Tensor, scale: float) -> None:
    assert signs.range_kept(base, (scale * base + 1).expand(3, -1, -1)) == pytest.approx(scale, abs=1e-4)


def test_members_that_agree_in_all_but_scale_do_not_disagree(base: Tensor, relief: Tensor) -> None:
    changed = base + relief
    assert signs.disagreement(base, torch.stack([changed, 2 * changed - 1])).max() < 0.05
    assert signs.disagreement(base, changed[None]).max() == 0


def test_members_that_pull_apart_disagree(base: Tensor, relief: Tensor) -> None:
    assert signs.disagreement(base, torch.stack([base + relief, base - 0.9 * relief])).min() > 5


def test_drift_counts_in_deviations_of_the_base(base: Tensor) -> None:
    assert signs.drift(base, base.std(correction=0) * torch.ones_like(base)).mean() == pytest.approx(1, abs=1e-4)
    assert signs.picture_drift(base, 0.5 * (base - base.mean())) == pytest.approx(0.5, abs=1e-4)
    assert signs.drift(base, torch.zeros_like(base)).max() == 0


@pytest.mark.parametrize(("factor", "expected"), [(1.0, 0.0), (0.0, 1.0), (-1.0, 2.0), (1.5, -0.5)])
def test_reversal_counts_the_slopes_that_are_gone(factor: float, expected: float) -> None:
    slope = grid()[0]
    assert signs.reversal(slope, factor * slope)[:, 20:-20].mean() == pytest.approx(expected, abs=0.2)


def test_slopes_on_a_flat_wall_are_no_reversal(relief: Tensor) -> None:
    assert signs.reversal(torch.ones_like(relief), torch.ones_like(relief) + relief).max() < 1e-3


def test_grain_tells_noise_from_relief(relief: Tensor) -> None:
    assert signs.grain(noise(1)).mean() > 0.7
    assert signs.grain(relief).max() < 0.1
    assert signs.grain(torch.zeros_like(relief)).max() == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_embossing_finds_the_picture_itself_in_the_height(image_srgb: Tensor, sign: int) -> None:
    luminance = image_srgb.mean(dim=0)
    assert signs.embossing(0.1 * sign * luminance, luminance).min() > 0.95
    assert signs.embossing(noise(2), luminance).mean() < 0.3
    assert signs.embossing(torch.zeros_like(luminance), luminance).max() == 0


def test_embossing_is_not_what_shading_does(relief: Tensor) -> None:
    shading = 0.5 + torch.diff(relief, dim=1, append=relief[:, -1:])
    assert signs.embossing(relief, shading)[:, 16:-16].mean() < 0.3


def test_darkness_and_saturation_are_of_the_pixel(image_srgb: Tensor) -> None:
    luminance = image_srgb.mean(dim=0)
    torch.testing.assert_close(signs.darkness(luminance), 1 - luminance)
    torch.testing.assert_close(signs.saturation(image_srgb), image_srgb[2])


def test_sky_is_far_and_bright_and_plain_and_not_red() -> None:
    _, down = grid()
    blue = torch.tensor([0.6, 0.7, 0.9])[:, None, None].expand(3, HEIGHT, WIDTH)
    near_the_bottom = 2 + down
    is_sky = signs.sky(blue, near_the_bottom)
    assert is_sky[:10].min() == 1 and is_sky[HEIGHT // 2 :].max() == 0
    assert signs.sky(blue.flip(0), near_the_bottom).max() == 0, "a red wall is none"
    assert signs.sky(blue * 0.5, near_the_bottom).max() == 0, "nor is a dark one"
    assert signs.sky(blue + 0.1 * noise(3).clamp(-1, 1), near_the_bottom).mean() < 0.1, "nor one with a pattern"
