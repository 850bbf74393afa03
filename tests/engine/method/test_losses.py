from __future__ import annotations

import torch

from engine.method.losses import anchor_loss, laplacian_smoothness, sds_loss


def test_sds_loss_has_the_gradient_it_was_given() -> None:
    latents = torch.randn(2, 4, 5, 6, dtype=torch.float64, requires_grad=True)
    gradient = torch.randn_like(latents).detach()
    loss = sds_loss(latents, gradient)
    torch.testing.assert_close(loss, 0.5 * (gradient**2).flatten(1).mean(1))
    loss.sum().backward()
    torch.testing.assert_close(latents.grad, gradient / (4 * 5 * 6))


def test_linear_ramp_is_smooth_inside() -> None:
    """Only the border, which meets zeros, has a Laplacian."""
    ramp = torch.linspace(0, 1, 20, dtype=torch.float64).expand(1, 20, 20)
    whole = laplacian_smoothness(ramp).item() * 400
    top_and_bottom = 2 * ramp[0, 0].sum().item()
    left, right = 20 * (1 / 19), 20 * (1 + 1 / 19)
    assert abs(whole - (top_and_bottom + left + right)) < 1e-9


def test_single_bump_closed_form() -> None:
    bump = torch.zeros(1, 9, 9, dtype=torch.float64)
    bump[0, 4, 4] = 3.0
    torch.testing.assert_close(laplacian_smoothness(bump), torch.tensor([8 / 81], dtype=torch.float64))


def test_smoothness_ignores_scale_and_shift() -> None:
    disparity = torch.rand(2, 7, 8, dtype=torch.float64)
    torch.testing.assert_close(laplacian_smoothness(disparity * 5 + 3), laplacian_smoothness(disparity))


def test_constant_map_has_finite_loss_and_gradient() -> None:
    flat = torch.full((1, 5, 5), 2.0, requires_grad=True)
    loss = laplacian_smoothness(flat)
    loss.sum().backward()
    assert loss.item() == 0
    assert torch.isfinite(flat.grad).all()


def test_extremes_are_detached() -> None:
    """With detached extremes the loss is piecewise linear in d: its gradient does not depend on the range's own change."""
    disparity = torch.rand(1, 6, 6, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(laplacian_smoothness(disparity).sum(), disparity)
    low, high = disparity.min().item(), disparity.max().item()
    value = (gradient * (disparity - low)).sum().item()
    assert abs(value - laplacian_smoothness(disparity).item()) < 1e-12
    assert high > low


def test_anchor_is_the_squared_logarithm_of_the_depths_ratio() -> None:
    base = torch.rand(1, 4, 5, dtype=torch.float64)
    nearer = (base + 0.1) * torch.tensor([1.0, 1.1, 0.8]).view(3, 1, 1).double() - 0.1
    expected = torch.tensor([1.0, 1.1, 0.8]).double().log().square()
    torch.testing.assert_close(anchor_loss(nearer, base, torch.ones_like(base), 0.1), expected)


def test_anchor_counts_each_pixel_by_the_confidence_in_it() -> None:
    base, disparity = torch.ones(1, 1, 2), torch.tensor([[[2.0, 3.0]]])
    apart = torch.log((disparity[0, 0] + 0.1) / 1.1).square()
    torch.testing.assert_close(anchor_loss(disparity, base, torch.tensor([[[1.5, 0.5]]]), 0.1), (1.5 * apart[:1] + 0.5 * apart[1:]) / 2)


def test_anchor_is_finite_at_infinity_and_pulls_back_to_the_base() -> None:
    base, disparity = torch.tensor([[[0.0, 2.0]]]), torch.tensor([[[0.5, 0.0]]], requires_grad=True)
    anchor_loss(disparity, base, torch.ones_like(base), 0.1).sum().backward()
    assert disparity.grad is not None and torch.isfinite(disparity.grad).all()
    assert disparity.grad[0, 0, 0] > 0 > disparity.grad[0, 0, 1]
