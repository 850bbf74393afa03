"""Smooth means, the change's two bands, and ramps. Every length is a share of the map's longer side."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

BROAD_SHARE = 0.094


def smooth(values: Tensor, sigma_share: float) -> Tensor:
    """Return the Gaussian mean of ``values`` (H, W), of what lies inside the map.

    Args:
        sigma_share: standard deviation as a share of the longer side.
    """
    sigma_px = sigma_share * max(values.shape)
    reach = max(1, math.ceil(3 * sigma_px))
    at = torch.arange(-reach, reach + 1, dtype=values.dtype, device=values.device)
    weights = torch.exp(-(at**2) / (2 * sigma_px**2))
    stacked = torch.stack([values, torch.ones_like(values)])[:, None]
    across = functional.conv2d(stacked, weights[None, None, None], padding=(0, reach))
    summed, weight = functional.conv2d(across, weights[None, None, :, None], padding=(reach, 0))[:, 0]
    return summed / weight


def split(change: Tensor) -> tuple[Tensor, Tensor]:
    """Return ``change`` (H, W) as (broad, detail), which sum to it; a plane is broad up to the border, where a smooth mean alone would bend it."""
    plane = _nearest_plane(change)
    broad = plane + smooth(change - plane, BROAD_SHARE)
    return broad, change - broad


def _nearest_plane(values: Tensor) -> Tensor:
    """Return the plane (H, W) that is nearest to ``values`` in least squares."""
    height, width = values.shape
    across = torch.linspace(-1, 1, width, dtype=values.dtype, device=values.device)
    down = torch.linspace(-1, 1, height, dtype=values.dtype, device=values.device)[:, None]
    slopes = ((values * axis).mean() / (axis**2).mean() * axis for axis in (across, down))
    return values.mean() + sum(slopes)


def ramp(sign: Tensor, full: float, none: float) -> Tensor:
    """Return the share that ``sign`` allows, linear from 1 at ``full`` to 0 at ``none``, on whichever side ``none`` lies."""
    return ((none - sign) / (none - full)).clamp(0, 1)
