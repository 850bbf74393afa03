"""Cleaning of a map whose decoder blurs: between two surfaces its ramps become steps again, elsewhere its grain goes. At the map's own size.

    steps   around a ramp each sample's neighbours vote with weight = closeness x likeness of colour x flatness, and the mean of the votes
            between the quartiles wins: a ramp's own samples lie on neither surface and hardly count
    grain   opposite neighbours are averaged in pairs where a pair's mean is within a few thousandths of the map's range of the sample: planes
            stay planes, and no step is crossed

Published depth models are left as they are: their steps are sharp, and what is thin in their maps is there.

Source: Ma, He, Wei, Sun, Wu, Constant Time Weighted Median Filtering for Stereo Matching and Beyond, 2013 (steps);
Tomasi, Manduchi, Bilateral Filtering for Gray and Color Images, 1998 (grain).
Differs: ramps hardly vote, and an interquartile mean instead of a median; pairs instead of single neighbours.

H W map, n samples near a ramp, K neighbours that vote.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .windows import Map, disc, interquartile_mean, likeness, smoothstep, window_extreme

_REACH = 4  # samples within this distance vote: a little more than half of the widest ramp
_CLOSENESS_SIGMA = 2.5
_COLOUR_SIGMA = 0.15  # of sRGB in [0, 1], all channels together
_RAMP_BEGINS, _RAMP_CERTAIN, _FLAT_SIGMA = 0.01, 0.03, 0.02  # slope in excess of that of the surroundings, as a share of the map's range a sample
_LEAST_FLATNESS = 1e-2  # keeps a vote where nothing is flat, and things that are thin
_GRAIN_REACH, _GRAIN_SIGMA = 4, 2.0
_GRAIN_RANGE = 0.005  # as a share of the map's range
_CHUNK = 1 << 16
_VOTERS = disc(_REACH)


@np.errstate(under="ignore")  # a vote that weighs less than any float weighs nothing
def clean_disparity(disparity: Map, image_srgb: NDArray[np.float32]) -> Map:
    """Return ``disparity`` (H, W) cleaned, float32 in the same scale; ``image_srgb`` (H, W, 3) in [0, 1] shows where surfaces end.

    Deterministic; commutes with a·disparity + b, a > 0, up to rounding; no value leaves the range of those around it.

    Raises:
        ValueError: the shapes are not (H, W) and (H, W, 3), or the disparity is not finite.
    """
    if disparity.ndim != 2 or disparity.size == 0 or image_srgb.shape != (*disparity.shape, 3):
        raise ValueError(f"expected shapes (H, W) and (H, W, 3), got {disparity.shape} and {image_srgb.shape}")
    if not np.isfinite(disparity).all():
        raise ValueError("the disparity holds values that are not finite")
    disparity = disparity.astype(np.float32)
    whole_range = np.float32(np.ptp(disparity))
    if whole_range == 0.0:
        return disparity
    return _smooth_grain(_sharpen_steps(disparity, image_srgb, whole_range), whole_range)


def _sharpen_steps(disparity: Map, image_srgb: NDArray[np.float32], whole_range: np.float32) -> Map:
    down, right = (np.abs(_central_difference(disparity, axis)) for axis in (0, 1))
    slope = (np.maximum(down, right) / whole_range).astype(np.float32)
    excess = slope - window_extreme(slope, np.minimum, _REACH)
    flatness = np.exp(np.float32(-0.5 / _FLAT_SIGMA**2) * excess**2) + np.float32(_LEAST_FLATNESS)
    share = smoothstep(window_extreme(excess, np.maximum), _RAMP_BEGINS, _RAMP_CERTAIN)
    voters = _Voters(disparity, flatness, image_srgb)
    sharpened = disparity.copy()
    near_y, near_x = np.nonzero(share > 0.0)
    for start in range(0, len(near_y), _CHUNK):
        at = near_y[start : start + _CHUNK], near_x[start : start + _CHUNK]
        sharpened[at] += share[at] * (voters.vote(*at) - disparity[at])
    return sharpened


class _Voters:
    """The map's samples, in a frame of samples that have no weight, asked for the disparity of single samples."""

    def __init__(self, disparity: Map, flatness: Map, image_srgb: NDArray[np.float32]) -> None:
        self.width = disparity.shape[1] + 2 * _REACH
        self.disparity, self.flatness = (np.pad(values, _REACH).ravel() for values in (disparity, flatness))
        self.colour = np.pad(image_srgb, ((_REACH, _REACH), (_REACH, _REACH), (0, 0))).reshape(-1, 3)

    def vote(self, y: NDArray[np.intp], x: NDArray[np.intp]) -> Map:
        """Return what the neighbours of the samples at rows ``y`` and columns ``x`` (n,) agree on, (n,)."""
        middle = (y + _REACH) * self.width + x + _REACH
        colour = self.colour[middle]
        votes, weights = np.empty((2, len(y), len(_VOTERS)), np.float32)
        for k, (down, right) in enumerate(_VOTERS):
            q = middle + down * self.width + right
            closeness = np.float32(np.exp(-0.5 * (down**2 + right**2) / _CLOSENESS_SIGMA**2))
            votes[:, k] = self.disparity[q]
            weights[:, k] = closeness * likeness(colour, self.colour[q], _COLOUR_SIGMA) * self.flatness[q]
        return interquartile_mean(votes, weights)


def _smooth_grain(disparity: Map, whole_range: np.float32) -> Map:
    height, width = disparity.shape
    padded = _continued(disparity, _GRAIN_REACH)
    total, weights = disparity.copy(), np.ones_like(disparity)
    for down, right in disc(_GRAIN_REACH):
        if (down, right) <= (0, 0):
            continue  # its opposite stands for both
        one, other = (padded[_GRAIN_REACH + sign * down :, _GRAIN_REACH + sign * right :][:height, :width] for sign in (1, -1))
        pair = 0.5 * (one + other)
        apart = (pair - disparity) / (np.float32(_GRAIN_RANGE) * whole_range)
        weight = np.float32(2 * np.exp(-0.5 * (down**2 + right**2) / _GRAIN_SIGMA**2)) * np.exp(np.float32(-0.5) * apart**2)
        total += weight * pair
        weights += weight
    return total / weights


def _central_difference(values: Map, axis: int) -> Map:
    """Return the slope (H, W) along ``axis``, a sample; one-sided at the border."""
    return np.gradient(values, axis=axis) if values.shape[axis] > 1 else np.zeros_like(values)


def _continued(values: Map, reach: int) -> Map:
    """Return ``values`` with ``reach`` samples more on each side that continue the border's ramp."""
    for axis in (0, 1):
        padding = [(reach, reach) if each == axis else (0, 0) for each in (0, 1)]
        odd = values.shape[axis] > reach
        values = np.pad(values, padding, mode="reflect", reflect_type="odd") if odd else np.pad(values, padding, mode="edge")
    return values
