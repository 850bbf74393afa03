"""The losses. Shapes: B members, H W pixels, c h w latents; every loss is (B,), one value a member."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def sds_loss(latents: Tensor, gradient: Tensor) -> Tensor:
    """Return 0.5 · mean((x - stopgrad(x - gradient))²) a member, whose derivative by x is ``gradient`` / size of x.

    Differs: other code bases take the sum over latents; the balance with the smoothness then shifts by 16,384 at 512 px.
    """
    target = (latents - gradient).detach()
    return 0.5 * ((latents - target) ** 2).flatten(1).mean(dim=1)


def anchor_loss(disparity: Tensor, base: Tensor, confidence: Tensor, min_disparity: float) -> Tensor:
    """Return the mean of ``confidence`` times the squared logarithm of each member's pseudo-depth over the base's.

    Differs: not in the paper. A relight tells slopes, and slopes leave open how far apart two surfaces are where one hides the other; the estimate
    that refinement starts from knows more about that.

    Args:
        disparity: (B, H, W), after the ReLU.
        base: (1, H, W), the depth model's own.
        confidence: (1, H, W), positive, in the base; see `engine.method.confidence`.
        min_disparity: m of the pseudo-depth.
    """
    return (confidence * torch.log((disparity + min_disparity) / (base + min_disparity)).square()).flatten(1).mean(dim=1)


def laplacian_smoothness(disparity: Tensor) -> Tensor:
    """Return the mean absolute Laplacian (3 by 3, zero padded) of each member's min-max-normalised disparity.

    Minimum and maximum are detached. A constant map has smoothness 0 plus nothing at its zero border.

    Args:
        disparity: (B, H, W), after the ReLU.
    """
    low, high = torch.aminmax(disparity.detach().flatten(1), dim=1)
    extent = (high - low).clamp(min=torch.finfo(disparity.dtype).eps)
    normalised = (disparity - low[:, None, None]) / extent[:, None, None]
    padded = functional.pad(normalised, (1, 1, 1, 1))
    beside = padded[:, 1:-1, :-2] + padded[:, 1:-1, 2:] + padded[:, :-2, 1:-1] + padded[:, 2:, 1:-1]
    return (beside - 4 * normalised).abs().flatten(1).mean(dim=1)
