"""Image-guided upsampling: a model-size disparity at the picture's own resolution, its edges where the picture has them.

    smooth areas   Catmull-Rom interpolation alone: ramps stay ramps, and no texture of the picture enters
    near a step    each map sample q around a pixel p predicts p's disparity by its own plane; the samples vote with
                   weight = closeness in the map x likeness of p's colour and q's mean colour, and the mean of the votes
                   between the quartiles wins: a vote chooses a side, where a plain average would mix the two

The two blend where the map begins to bend. Nothing leaves the range of the map's samples around a pixel, so there are no halos.
Source: Kopf, Cohen, Lischinski, Uyttendaele, Joint Bilateral Upsampling, 2007.
Differs: planes instead of constants, an interquartile mean instead of a mean, and only where the map has a step.

H W picture, h w map, n pixels near a step, K samples that vote.
"""

from __future__ import annotations

import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import numpy as np
from numpy.typing import NDArray

from .resample import area_means, cubic_matrix, linear_matrix, resize_linear, sample_positions
from .windows import Map, interquartile_mean, likeness, smoothstep, window_extreme

_REACH = 2.0  # map samples within this distance vote
_COLOUR_SIGMA = 0.1  # of sRGB in [0, 1], all channels together
_STEP_BEGINS, _STEP_CERTAIN = 0.01, 0.03  # second difference of the map, as a share of its whole range
_STRIP_PX = 1 << 16
_VOTERS = [(dy, dx) for dy, dx in itertools.product(range(-2, 3), repeat=2) if np.hypot(max(abs(dy) - 0.5, 0), max(abs(dx) - 0.5, 0)) < _REACH]


@np.errstate(under="ignore")  # a vote that weighs less than any float weighs nothing
def upsample_disparity(disparity: Map, image_srgb: NDArray[np.float32]) -> Map:
    """Return ``disparity`` (h, w) at the size of ``image_srgb`` (H, W, 3), as (H, W) float32 in the same scale.

    Any size ratio; along an axis where the picture has no more pixels than the map, values are averaged and nothing is guided.
    Deterministic; commutes with a·disparity + b, a > 0, up to rounding.

    Raises:
        ValueError: the shapes are not (h, w) and (H, W, 3), or the disparity is not finite.
    """
    if disparity.ndim != 2 or disparity.size == 0 or image_srgb.ndim != 3 or image_srgb.shape[2] != 3:
        raise ValueError(f"expected shapes (h, w) and (H, W, 3), got {disparity.shape} and {image_srgb.shape}")
    if not np.isfinite(disparity).all():
        raise ValueError("the disparity holds values that are not finite")
    disparity = disparity.astype(np.float32, copy=False)
    (height, width), (map_height, map_width) = image_srgb.shape[:2], disparity.shape
    if (height, width) == (map_height, map_width):
        return disparity.copy()
    if height > map_height and width > map_width:
        return _guided(disparity, image_srgb)
    return resize_linear(disparity, (height, width))


def _guided(disparity: Map, image_srgb: NDArray[np.float32]) -> Map:
    (height, width), (map_height, map_width) = image_srgb.shape[:2], disparity.shape
    voters = _Voters(disparity, image_srgb)
    stepness = _stepness(disparity) @ linear_matrix(width, map_width).T
    smooth = disparity @ cubic_matrix(width, map_width).T
    down, down_cubic = linear_matrix(height, map_height), cubic_matrix(height, map_height)
    lowest, highest = window_extreme(disparity, np.minimum), window_extreme(disparity, np.maximum)
    nearest_column = np.rint(voters.columns).astype(np.intp)
    full = np.empty((height, width), np.float32)
    rows = max(1, _STRIP_PX // width)

    def fill(top: int) -> None:
        strip = slice(top, min(top + rows, height))
        nearest = np.ix_(np.rint(voters.rows[strip]).astype(np.intp), nearest_column)
        values = down_cubic[strip] @ smooth
        share = down[strip] @ stepness
        y, x = np.nonzero(share > 0.0)
        if len(y):
            values[y, x] += share[y, x] * (voters.vote(y + top, x, image_srgb[y + top, x]) - values[y, x])
        np.clip(values, lowest[nearest], highest[nearest], out=full[strip])

    # numpy computes outside the interpreter's lock; what it does about an underflow is in the context.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for filled in [pool.submit(copy_context().run, fill, top) for top in range(0, height, rows)]:
            filled.result()
    return full


class _Voters:
    """The map's samples with their planes and mean colours, asked for the disparity of single pixels."""

    def __init__(self, disparity: Map, image_srgb: NDArray[np.float32]) -> None:
        self.map_height, self.map_width = disparity.shape
        planes = np.stack([disparity, _least_slope(disparity, 0), _least_slope(disparity, 1)], axis=2)
        samples = np.concatenate([planes, area_means(image_srgb, *disparity.shape)], axis=2)
        self.samples = samples.reshape(-1, 6)  # disparity, slope down, slope right, colour
        self.rows = sample_positions(image_srgb.shape[0], disparity.shape[0]).astype(np.float32)
        self.columns = sample_positions(image_srgb.shape[1], disparity.shape[1]).astype(np.float32)

    def vote(self, y: NDArray[np.intp], x: NDArray[np.intp], colour: Map) -> Map:
        """Return the disparity (n,) of the pixels at rows ``y`` and columns ``x`` (n,) with ``colour`` (n, 3)."""
        row, column = self.rows[y], self.columns[x]
        middle_row, middle_column = np.rint(row).astype(np.intp), np.rint(column).astype(np.intp)
        votes, weights = np.empty((2, len(y), len(_VOTERS)), np.float32)
        for k, (down, right) in enumerate(_VOTERS):
            i, j = middle_row + down, middle_column + right
            inside = (i >= 0) & (i < self.map_height) & (j >= 0) & (j < self.map_width)
            q = np.clip(i, 0, self.map_height - 1) * self.map_width + np.clip(j, 0, self.map_width - 1)
            sample = self.samples[q]
            away_down, away_right = (row - i).astype(np.float32), (column - j).astype(np.float32)
            closeness = np.maximum(0.0, 1.0 - (away_down**2 + away_right**2) / np.float32(_REACH**2)) ** 2
            weights[:, k] = inside * closeness * likeness(colour, sample[:, 3:], _COLOUR_SIGMA)
            votes[:, k] = sample[:, 0] + away_down * sample[:, 1] + away_right * sample[:, 2]
        return interquartile_mean(votes, weights)


def _least_slope(disparity: Map, axis: int) -> Map:
    """Return the slope of the flatter side of each sample, 0 where the two sides disagree in sign: a plane that no step tilts."""
    difference = np.diff(disparity, axis=axis)
    if difference.shape[axis] == 0:
        return np.zeros_like(disparity)
    first, last = difference.take([0], axis), difference.take([-1], axis)
    before, after = np.concatenate([first, difference], axis), np.concatenate([difference, last], axis)
    return np.where(before * after > 0.0, np.where(np.abs(before) < np.abs(after), before, after), np.float32(0.0))


def _stepness(disparity: Map) -> Map:
    """Return (h, w) in [0, 1]: 0 where the map is locally a plane, 1 near a step."""
    padded = np.pad(disparity, 1, mode="reflect", reflect_type="odd") if min(disparity.shape) > 1 else np.pad(disparity, 1, mode="edge")
    centre = 2.0 * disparity
    bend = np.maximum(
        np.abs(padded[:-2, 1:-1] + padded[2:, 1:-1] - centre),
        np.abs(padded[1:-1, :-2] + padded[1:-1, 2:] - centre),
    )
    whole_range = float(np.ptp(disparity))
    if whole_range == 0.0:
        return np.zeros_like(disparity)
    return smoothstep(window_extreme(bend, np.maximum) / whole_range, _STEP_BEGINS, _STEP_CERTAIN)
