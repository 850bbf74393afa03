"""Smoothing that keeps planes plane and edges sharp.

It works on 1 / depth, which is linear over every plane, and moves a point toward the straight line between two opposite neighbours, so
planes of any tilt stay as they are, on grids of uneven steps too. Neighbours beyond a cut are not looked at. Each round looks twice as far
as the one before (1, 2, 4, ... points), so a few rounds smooth widely at little cost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..engine.geometry.camera import Camera
from ..engine.geometry.mesh import PixelGrid
from .maps import Float32Map

ROUNDS = 4
_PULL = np.float32(0.25)


def smoothed(depth: Float32Map, camera: Camera, grid: PixelGrid, edge_cut: float, amount: float) -> Float32Map:
    """Return ``depth`` (R, C) smoothed.

    Args:
        edge_cut: what counts as an edge, in footprints as in `engine.geometry.mesh.grid_joins`; 0 = nothing does.
        amount: 0 to 1; each quarter adds a round that looks twice as far.
    """
    inverse = np.reciprocal(depth)
    limit = edge_cut / camera.focal_px
    for number in range(ROUNDS):
        weight = np.float32(min(1.0, max(0.0, amount * ROUNDS - number))) * _PULL
        if weight == 0:
            break
        for axis, pixels in ((0, grid.rows), (1, grid.columns)):
            _pull(inverse, axis, 2**number, weight, limit, pixels)
    return np.reciprocal(inverse, out=inverse)


def _pull(inverse: Float32Map, axis: int, step: int, weight: np.float32, limit: float, pixels: NDArray[np.int64]) -> None:
    """Move each point toward the line between its two neighbours ``step`` points away along ``axis``, where no cut lies between."""
    lines = inverse if axis == 0 else inverse.T
    if len(lines) <= 2 * step:
        return
    before, after = lines[:-step], lines[step:]
    change = after - before
    spans = (pixels[step:] - pixels[:-step]).astype(np.float32)[:, None]
    both_joined = np.float32(1)
    if limit:
        # Depths differ by at most a footprint of the nearer one  <=>  |1/a - 1/b| <= footprint share * the smaller of 1/a and 1/b.
        # The footprint is that of one step however far we look: a wider one would let jumps pass that the mesh is cut at.
        # From half of it on the pull fades, so that no crease is left where it ends.
        share = np.abs(change) / (np.minimum(before, after) * (spans * np.float32(limit / step)))
        joined = np.clip(2 - 2 * share, 0, 1)
        both_joined = np.minimum(joined[step:], joined[:-step])
    both_spans = spans[:-step] + spans[step:]
    bend = change[step:] * (2 * spans[:-step] / both_spans)
    bend -= change[:-step] * (2 * spans[step:] / both_spans)
    bend *= both_joined * weight
    lines[step:-step] += bend
