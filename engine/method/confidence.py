"""How sure a depth model is of its estimate, from place to place: by how far its estimates of the picture, seen in several ways, differ.

Differs: not in the paper. Shapes: V views, H W pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from .ensemble import scale_and_shift

_WINDOW_SHARE = 0.1  # Of the longer side.


def confidence(base: Tensor, views: Tensor, min_disparity: float) -> Tensor:
    """Return the confidence (1, H, W) in ``base``: positive, mean 1, smooth; high where the views agree.

    It is the inverse of the variance over the views of the logarithm of their pseudo-depth, a mean over a window, and the picture's mean added:
    a floor that keeps agreement by chance from counting as certainty.

    Args:
        base: (1, H, W), disparity.
        views: (V, H, W), disparities of the same picture, each of any scale and shift.
        min_disparity: m of the pseudo-depth.
    """
    scale, shift = scale_and_shift(views, base[0])
    aligned = (views * scale[:, None, None] + shift[:, None, None]).to(base.dtype).clamp(min=0)
    varying = torch.log(aligned + min_disparity).var(dim=0, correction=0, keepdim=True)
    reach = round(_WINDOW_SHARE * max(base.shape[-2:]) / 2)
    variance = avg_pool2d(varying, 2 * reach + 1, stride=1, padding=reach, count_include_pad=False)
    weight = 1 / (variance + variance.mean()).clamp(min=torch.finfo(base.dtype).eps)
    return weight / weight.mean()
