"""Signs that need no prior: what a real change of shape looks like, and where a picture cannot show one. Shapes as in `engine.gate`."""

from __future__ import annotations

import torch
from torch import Tensor

from ..method.ensemble import scale_and_shift
from .bands import BROAD_SHARE, smooth

_WINDOW_SHARE = 0.0625
_FINE_SHARE = 0.031
_GRAIN_PX = 1.0
_NOTHING = 1e-12


def correlation(base: Tensor, members: Tensor) -> float:
    """Return Pearson's correlation of ``base`` (H, W) with the mean of ``members`` (B, H, W), in [-1, 1]; 0 where one of them is flat."""
    mean = members.mean(dim=0)
    together = ((mean - mean.mean()) * (base - base.mean())).mean()
    return float(together / (mean.std(correction=0) * base.std(correction=0) + _NOTHING))


def range_kept(base: Tensor, members: Tensor) -> float:
    """Return the standard deviation of the members' mean over that of ``base``, before any alignment: 1 = as much relief as before."""
    return float(members.mean(dim=0).std(correction=0) / (base.std(correction=0) + _NOTHING))


def disagreement(base: Tensor, members: Tensor) -> Tensor:
    """Return how far the members' changes of slope (B, H, W) scatter, in units of their mean change of slope; 0 for one member."""
    scale, shift = scale_and_shift(members, base)
    aligned = (members * scale[:, None, None] + shift[:, None, None]).float()
    across, down = _slopes(aligned - base)
    scatter = (across.var(dim=0, correction=0) + down.var(dim=0, correction=0)).contiguous()
    size = across.mean(dim=0) ** 2 + down.mean(dim=0) ** 2
    return (_window(scatter) / (_window(size) + _NOTHING)).sqrt()


def drift(base: Tensor, broad: Tensor) -> Tensor:
    """Return the broad change's size in units of the base's standard deviation: bends and lost range away from any edge."""
    return (smooth(broad**2, BROAD_SHARE) / (base.var(correction=0) + _NOTHING)).sqrt()


def picture_drift(base: Tensor, broad: Tensor) -> float:
    """Return `drift` over the whole picture, as a tilt shows it."""
    return float(((broad**2).mean() / (base.var(correction=0) + _NOTHING)).sqrt())


def reversal(base: Tensor, refined: Tensor) -> Tensor:
    """Return how much of the base's slopes is gone from ``refined`` (both (H, W)): 0 = they stand, 1 = flat, 2 = turned around.

    A tenth of the picture's mean slope counts as unchanged, so that a wall without slopes may get some.
    """
    before, after = (_slopes(smooth(disparity, _FINE_SHARE)[None]) for disparity in (base, refined))
    size = (before[0] ** 2 + before[1] ** 2)[0]
    along = (before[0] * after[0] + before[1] * after[1])[0]
    unchanged = 0.1 * size.mean() + _NOTHING
    return 1 - (_window(along) + unchanged) / (_window(size) + unchanged)


def grain(detail: Tensor) -> Tensor:
    """Return the share of the detail's energy within a pixel or so, in [0, 1]: near 0.75 for noise, below 0.1 for what a decoder makes."""
    fine = detail - smooth(detail, _GRAIN_PX / max(detail.shape))
    return _window(fine**2) / (_window(detail**2) + _NOTHING)


def embossing(detail: Tensor, luminance: Tensor) -> Tensor:
    """Return how closely fine detail follows the picture's brightness itself, in [0, 1]: shading follows slopes, only print follows height."""
    height, print_ = (values - smooth(values, _FINE_SHARE) for values in (detail, luminance))
    return _window(height * print_).abs() / (_window(height**2) * _window(print_**2) + _NOTHING**2).sqrt()


def darkness(luminance: Tensor) -> Tensor:
    """Return 1 - luminance: where a picture is black, no light shows shape."""
    return 1 - luminance


def saturation(image_srgb: Tensor) -> Tensor:
    """Return the smallest channel of (3, H, W): near 1 the sensor shows white whatever the shape."""
    return image_srgb.amin(dim=0)


def sky(image_srgb: Tensor, base: Tensor) -> Tensor:
    """Return 1 where the picture looks like sky, else 0: far, bright, at least as blue as red, and without contrast."""
    luminance = image_srgb.mean(dim=0)
    low, high = base.quantile(0.02), base.quantile(0.98)
    far = base <= low + 0.2 * (high - low)
    plain = (luminance - smooth(luminance, _FINE_SHARE)).abs() < 0.015
    return (far & plain & (luminance > 0.5) & (image_srgb[2] >= image_srgb[0])).float()


def _window(values: Tensor) -> Tensor:
    return smooth(values, _WINDOW_SHARE)


def _slopes(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return forward differences of (B, H, W) along x and y, 0 at the far border."""
    across = torch.diff(values, dim=2, append=values[..., -1:])
    down = torch.diff(values, dim=1, append=values[:, -1:])
    return across, down
