"""Bring a predicted map to the pixel grid of the truth.

The prediction is resampled, never the truth: a prediction is known at every pixel, while the truth has holes, and interpolating across a hole or a
depth edge invents surfaces that were never measured. So each true value is compared where it was measured, and masks stay as they are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def resample_map(values: NDArray[np.floating], size_px: tuple[int, int]) -> NDArray[np.float64]:
    """Return ``values`` on a grid of ``size_px`` that covers the same picture.

    Enlarging interpolates linearly between pixel centres; shrinking averages with a triangle as wide as the new pixels, so nothing aliases.

    Args:
        values: (H, W), finite everywhere.
        size_px: width and height of the new grid.

    Returns:
        (height, width) float64, within the range of ``values``.
    """
    width, height = size_px
    if values.shape == (height, width):
        return values.astype(np.float64)
    rows = _triangle_weights(values.shape[0], height)
    columns = _triangle_weights(values.shape[1], width)
    return rows @ values.astype(np.float64) @ columns.T


def _triangle_weights(old: int, new: int) -> NDArray[np.float64]:
    """Return (new, old) float64: what each old sample gives to each new one; every row sums to 1."""
    step = old / new
    centres = (np.arange(new) + 0.5) * step - 0.5
    distance = np.abs(centres[:, None].clip(0, old - 1) - np.arange(old)[None, :])
    weights = np.maximum(0.0, 1.0 - distance / max(step, 1.0))
    return weights / weights.sum(axis=1, keepdims=True)
