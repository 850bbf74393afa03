"""Two ways to turn affine-invariant disparity into depth that can be measured against the truth.

A model's disparity d is known up to scale and shift. Both protocols take these from the truth by least squares over the valid pixels V:

    1 / depth_gt ≈ a·d + b

`align_paper` follows the released evaluation of Re-Depth Anything: where a·d + b is positive it inverts, then fits a second scale and shift in
depth. The second fit uses the truth once more and may leave depths that are not positive. `align_standard` follows the usual practice for
affine-invariant disparity (MiDaS, Depth Anything): no depth beyond the largest true one, invert, done.

Shapes: H W pixels. All functions work in float64.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatMap = NDArray[np.floating]
BoolMap = NDArray[np.bool_]
Align = Callable[[FloatMap, FloatMap, BoolMap], NDArray[np.float64]]


def fit_scale_shift(values: FloatMap, target: FloatMap, valid: BoolMap) -> tuple[float, float]:
    """Return (scale, shift) that minimise the sum over ``valid`` of (scale·values + shift - target)².

    Values that are the same everywhere have no scale: then scale is 0 and shift the mean of the target.
    """
    x, y = values[valid].astype(np.float64), target[valid].astype(np.float64)
    x_mean, y_mean = x.mean(), y.mean()
    variance = np.mean((x - x_mean) ** 2)
    scale = np.mean((x - x_mean) * (y - y_mean)) / variance if variance > 0 else 0.0
    return float(scale), float(y_mean - scale * x_mean)


def align_paper(disparity: FloatMap, depth_gt: FloatMap, valid: BoolMap) -> NDArray[np.float64]:
    """Return the depth of ``disparity`` by the protocol of the released code.

    Args:
        disparity: (H, W), larger = nearer.
        depth_gt: (H, W), positive on ``valid``.
        valid: (H, W) bool, at least one pixel.

    Returns:
        (H, W) in the unit of ``depth_gt``; may hold values that are not positive.

    Source: Re-Depth Anything, evaluation of the released code. Differs: least squares in float64 there in float32.
    """
    disparity_aligned = _align_disparity(disparity, depth_gt, valid)
    depth = _inverse_where_positive(disparity_aligned)
    scale, shift = fit_scale_shift(depth, depth_gt, valid)
    return scale * depth + shift


def align_standard(disparity: FloatMap, depth_gt: FloatMap, valid: BoolMap) -> NDArray[np.float64]:
    """Return the depth of ``disparity``, aligned in disparity alone and no farther than the farthest true depth.

    Arguments as in `align_paper`; the returned depth is positive everywhere.
    """
    disparity_min = 1.0 / float(depth_gt[valid].max())
    return 1.0 / np.maximum(_align_disparity(disparity, depth_gt, valid), disparity_min)


PROTOCOLS: dict[str, Align] = {"paper": align_paper, "standard": align_standard}


def _align_disparity(disparity: FloatMap, depth_gt: FloatMap, valid: BoolMap) -> NDArray[np.float64]:
    scale, shift = fit_scale_shift(disparity, _inverse_where_positive(depth_gt), valid)
    return scale * disparity.astype(np.float64) + shift


def _inverse_where_positive(values: FloatMap) -> NDArray[np.float64]:
    return np.divide(1.0, values, out=np.zeros(values.shape, np.float64), where=values > 0, dtype=np.float64)
