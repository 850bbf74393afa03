"""The light that a picture was taken in, guessed: what varies slowly along a surface is taken for light, the rest for colour.

A guided filter (He, Sun, Tang 2010) smooths the logarithm of luminance with the disparity as its guide, so the guess is smooth along
surfaces and may jump where depth jumps. Dividing by it ("delight") leaves a flatter base colour; it is a guess, for a large dark body is
told from a shadow by nothing here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .maps import Float32Map

LIGHT_PX = 256
RADIUS_SHARE = 0.08
_EDGE = 1e-3
_DARKEST = 0.02
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


def light_map(image_linear: NDArray[np.float32], disparity: Float32Map) -> Float32Map:
    """Return the guessed light, positive, with a geometric mean of 1.

    Args:
        image_linear: (h, w, 3) linear colour in [0, 1].
        disparity: (h, w), any scale.
    """
    luminance = np.log(np.maximum(image_linear @ _LUMINANCE, _DARKEST))
    spread = float(disparity.max() - disparity.min())
    guide = (disparity - disparity.min()) / np.float32(spread or 1.0)
    smooth = _guided(guide.astype(np.float64), luminance.astype(np.float64), max(1, round(RADIUS_SHARE * max(guide.shape))))
    return np.exp(smooth - smooth.mean()).astype(np.float32)


def small_size(width_px: int, height_px: int) -> tuple[int, int]:
    """Return width and height of the light map of a picture."""
    scale = min(1.0, LIGHT_PX / max(width_px, height_px))
    return max(2, round(width_px * scale)), max(2, round(height_px * scale))


def shrunk(values: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Return a map (H, W, ...) averaged over cells to (height, width, ...)."""
    rows, columns = (np.linspace(0, length, count + 1).astype(np.int64)[:-1] for length, count in zip(values.shape[:2], (height, width), strict=True))
    sums = np.add.reduceat(np.add.reduceat(values.astype(np.float64), rows, axis=0), columns, axis=1)
    counts = np.outer(np.diff([*rows, values.shape[0]]), np.diff([*columns, values.shape[1]]))
    return (sums / counts.reshape(counts.shape + (1,) * (values.ndim - 2))).astype(np.float32)


def _guided(guide: NDArray[np.float64], values: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    """Return ``values`` as what is locally linear in ``guide`` fits them best, over windows of 2 * radius + 1 (He et al., eq. 5 to 8)."""
    mean_guide, mean_values = _box(guide, radius), _box(values, radius)
    covariance = _box(guide * values, radius) - mean_guide * mean_values
    variance = np.maximum(_box(guide * guide, radius) - mean_guide * mean_guide, 0.0)
    slope = covariance / (variance + _EDGE)
    return _box(slope, radius) * guide + _box(mean_values - slope * mean_guide, radius)


def _box(values: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    """Return means over windows, which are smaller at the border."""
    for axis in (0, 1):
        length = values.shape[axis]
        sums = np.concatenate([np.zeros_like(np.take(values, [0], axis)), np.cumsum(values, axis)], axis)
        first, last = np.maximum(np.arange(length) - radius, 0), np.minimum(np.arange(length) + radius + 1, length)
        counts = (last - first).astype(np.float64)
        values = (np.take(sums, last, axis) - np.take(sums, first, axis)) / (counts[:, None] if axis == 0 else counts)
    return values
