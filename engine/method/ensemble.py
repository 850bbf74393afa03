"""From members to one answer: the mean, its scale and the members' spread. Shapes: B members, H W pixels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """The members' answer in the scale of a reference disparity.

    Attributes:
        disparity: (H, W) mean of the members.
        spread: (H, W) >= 0, standard deviation of the members after each is aligned to the mean; 0 for one member.
        related: False where the mean does not rise with the reference, so that no scale could be found; ``disparity`` is then the plain mean.
    """

    disparity: Tensor
    spread: Tensor
    related: bool


def scale_and_shift(disparity: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Return the least-squares scale and shift (B,) that take each ``disparity`` (B, H, W) to ``reference`` (H, W)."""
    x, y = disparity.flatten(1).double(), reference.flatten().double()
    x_mean, y_mean = x.mean(dim=1, keepdim=True), y.mean()
    variance = ((x - x_mean) ** 2).mean(dim=1).clamp(min=torch.finfo(torch.float32).tiny)
    scale = ((x - x_mean) * (y - y_mean)).mean(dim=1) / variance
    return scale, y_mean - scale * x_mean[:, 0]


def combine(disparity: Tensor, reference: Tensor) -> Ensemble:
    """Return the mean of member disparities (B, H, W), scaled to ``reference`` (H, W), and their spread.

    Disparity is affine-invariant, and training moves its scale: only after alignment do before and after share a colour range and a mesh.
    """
    mean = disparity.mean(dim=0)
    (scale,), (shift,) = scale_and_shift(mean[None], reference)
    related = bool(scale > 0)
    if not related:
        scale, shift = torch.ones_like(scale), torch.zeros_like(shift)
    member_scale, member_shift = scale_and_shift(disparity, mean)
    aligned = disparity * member_scale[:, None, None] + member_shift[:, None, None]
    return Ensemble(
        disparity=(mean * scale + shift).float(),
        spread=(aligned.std(dim=0, correction=0) * scale).float(),
        related=related,
    )
