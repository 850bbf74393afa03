"""Separable resampling as one matrix an axis: every row sums to 1, and a linear ramp comes back as a linear ramp.

Sample i of n covers [i, i + 1) / n of the picture, so sizes differ without a shift. Outside the outermost samples' centres nothing is extrapolated.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]


def sample_positions(count: int, from_count: int) -> NDArray[np.float64]:
    """Return where the centres of ``count`` samples lie among ``from_count`` samples, in their index, held to [0, from_count - 1]."""
    positions = (np.arange(count) + 0.5) * from_count / count - 0.5
    return np.clip(positions, 0.0, from_count - 1.0)


def linear_matrix(count: int, from_count: int) -> Matrix:
    """Return (count, from_count) weights of linear interpolation."""
    distance = sample_positions(count, from_count)[:, None] - np.arange(from_count)
    return np.maximum(0.0, 1.0 - np.abs(distance)).astype(np.float32)


def cubic_matrix(count: int, from_count: int) -> Matrix:
    """Return (count, from_count) weights of Catmull-Rom interpolation; samples beyond the border continue its last two as a line."""
    distance = sample_positions(count, from_count)[:, None] - np.arange(-1, from_count + 1)
    t = np.abs(distance)
    near, far = 1.5 * t**3 - 2.5 * t**2 + 1.0, -0.5 * t**3 + 2.5 * t**2 - 4.0 * t + 2.0
    padded = np.where(t < 1.0, near, np.where(t < 2.0, far, 0.0))
    weights = padded[:, 1:-1].copy()
    inner = min(1, from_count - 1)
    weights[:, 0] += 2.0 * padded[:, 0]
    weights[:, inner] -= padded[:, 0]
    weights[:, -1] += 2.0 * padded[:, -1]
    weights[:, -1 - inner] -= padded[:, -1]
    return weights.astype(np.float32)


def reduction_matrix(count: int, from_count: int) -> Matrix:
    """Return (count, from_count) weights that average the line between ``from_count`` samples over each of ``count`` <= ``from_count`` cells."""
    per_cell = 4 * math.ceil(from_count / count)
    return linear_matrix(count * per_cell, from_count).reshape(count, per_cell, from_count).mean(axis=1)


def resize_linear(field: Matrix, size: tuple[int, int]) -> Matrix:
    """Return ``field`` (h, w) at ``size`` (height, width): linear between its samples, or their mean along an axis that shrinks; within its range."""
    down, right = (
        linear_matrix(count, from_count) if count >= from_count else reduction_matrix(count, from_count)
        for count, from_count in zip(size, field.shape, strict=True)
    )
    resized: Matrix = np.linalg.multi_dot([down, field, right.T])
    return resized.clip(field.min(), field.max(), out=resized)


def area_means(image: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Return the mean colour (height, width, C) of each cell that ``image`` (H, W, C) is divided into; cells at least a pixel large."""
    full_height, full_width, channels = image.shape
    row_means = np.empty((height, full_width, channels), np.float32)
    for row in range(height):
        first, weights = _cover(row, height, full_height)
        row_means[row] = np.tensordot(weights, image[first : first + len(weights)], axes=1)
    means = np.empty((height, width, channels), np.float32)
    for column in range(width):
        first, weights = _cover(column, width, full_width)
        means[:, column] = np.tensordot(row_means[:, first : first + len(weights)], weights, axes=((1,), (0,)))
    return means


def _cover(cell: int, cells: int, samples: int) -> tuple[int, NDArray[np.float32]]:
    """Return the first sample under ``cell`` of ``cells`` and the share of the cell that each sample from there on covers."""
    start, stop = cell * samples / cells, (cell + 1) * samples / cells
    first = math.floor(start)
    edges = np.arange(first, math.ceil(stop - 1e-9) + 1).clip(start, stop)
    return first, (np.diff(edges) / (stop - start)).astype(np.float32)
