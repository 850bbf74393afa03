"""What maps say around each of their samples: extremes of a window, how much neighbours count, and the value that they agree on.

Shapes: H W map, n samples asked about, K neighbours.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]

_LEAST_LIKENESS = np.float32(1e-4)
_QUARTILES = (0.25, 0.75)


def disc(radius: float) -> list[tuple[int, int]]:
    """Return the offsets (down, right) of all samples whose centre lies within ``radius`` of a sample's."""
    reach = range(-int(radius), int(radius) + 1)
    return [(down, right) for down, right in itertools.product(reach, repeat=2) if np.hypot(down, right) <= radius]


def window_extreme(values: Map, extreme: np.ufunc, reach: int = 2) -> Map:
    """Return the ``extreme`` (np.minimum or np.maximum) of the samples at most ``reach`` rows and columns from each, (H, W)."""
    for axis in (0, 1):
        padding = [(reach, reach) if each == axis else (0, 0) for each in (0, 1)]
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, padding, mode="edge"), 2 * reach + 1, axis=axis)
        values = extreme.reduce(windows, axis=-1)
    return values


def likeness(colour: Map, neighbour: Map, sigma: float) -> Map:
    """Return (n,) how alike the sRGB colours (n, 3) of each row are, at most about 1 and never quite 0: some vote always counts.

    Args:
        sigma: of the colours' distance, all channels together.
    """
    unlike = colour - neighbour
    return np.exp(np.einsum("nc,nc->n", unlike, unlike) * np.float32(-0.5 / sigma**2)) + _LEAST_LIKENESS


def interquartile_mean(votes: Map, weights: Map) -> Map:
    """Return the mean (n,) of each row of ``votes`` (n, K) between the quartiles of its ``weights`` (n, K)."""
    order = np.argsort(votes, axis=1, kind="stable")
    votes, weights = np.take_along_axis(votes, order, axis=1), np.take_along_axis(weights, order, axis=1)
    reached = np.cumsum(weights, axis=1)
    low, high = (reached[:, -1:] * np.float32(quartile) for quartile in _QUARTILES)
    counted = np.maximum(np.minimum(reached, high) - np.maximum(reached - weights, low), 0.0)
    return (counted * votes).sum(axis=1) / counted.sum(axis=1)


def smoothstep(values: Map, begins: float, certain: float) -> Map:
    """Return 0 below ``begins``, 1 above ``certain`` and a cubic between, (H, W)."""
    t = np.clip((values - np.float32(begins)) / np.float32(certain - begins), 0.0, 1.0)
    return (t * t * (3.0 - 2.0 * t)).astype(np.float32)
