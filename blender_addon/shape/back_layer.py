"""What lies behind the cut edges: a second sheet that goes on from the far side under the near one.

Where the mesh is cut, light and camera would look into nothing. The back layer begins a little outside the cut, on the far surface, and
runs under the near surface for a share of the picture. Its inverse depth and its colours solve Laplace's equation with the far side as
the only given border, so they come from the far surface alone. It invents nothing: a smooth, plausible backing, no picture of what is hidden.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..engine.geometry.mesh import Joins
from .surface import Shape, Surface

LONG_SIDE_VERTICES = 320
REACH_SHARE = 0.12
RIM = 3
_ROUNDS = 160
_BEHIND = np.float32(0.995)

BoolMap = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class BackLayer:
    """The sheet.

    Attributes:
        vertices: (V, 3) float32, only those that faces use.
        faces: (F, 3) int32.
        uv: (V, 2) float32, where the camera sees them in the picture.
        fill: (V, K) float32, what was filled in beside depth.
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    uv: NDArray[np.float32]
    fill: NDArray[np.float32]


def back_layer(surface: Surface, shape: Shape, fill: NDArray[np.float32]) -> BackLayer | None:
    """Return the sheet behind the cuts of ``shape``, or None where nothing is cut.

    Args:
        surface: of about `LONG_SIDE_VERTICES`. A jump that is cut in the mesh has to be cut here too, so give ``shape`` an edge cut that is
            smaller by as much as this grid is coarser.
        fill: (R, C, K) what to carry behind the near surface, on the grid of ``surface``.
    """
    depth = surface.depth(shape)
    joins = surface.joins(shape, depth)
    hole, given = _under_near_side(depth, joins)
    if not hole.any():
        return None
    inverse = np.reciprocal(depth)
    filled, known = _diffused(np.concatenate([inverse[..., None], fill], axis=-1), hole, given)
    behind = np.reciprocal(np.where(known, np.minimum(filled[..., 0], inverse), inverse) * _BEHIND)
    vertices = surface.vertices(shape, behind)
    faces = _faces_over(known)
    used = np.unique(faces)
    renumbered = np.searchsorted(used, faces).astype(np.int32)
    count = fill.shape[-1]
    return BackLayer(vertices=vertices[used], faces=renumbered, uv=surface.uv(shape)[used], fill=filled[..., 1:].reshape(-1, count)[used])


def _under_near_side(depth: NDArray[np.float32], joins: Joins) -> tuple[BoolMap, BoolMap]:
    """Return (R, C) masks: points on the near side within reach of a cut, and points on its far side within `RIM`."""
    near, far = np.zeros(depth.shape, bool), np.zeros(depth.shape, bool)
    for joined, axis in ((joins.x, 1), (joins.y, 0)):
        before, after = (slice(None, -1), slice(1, None))
        first, second = ((slice(None), before), (slice(None), after)) if axis else ((before, slice(None)), (after, slice(None)))
        first_is_nearer = depth[first] < depth[second]
        near[first] |= ~joined & first_is_nearer
        near[second] |= ~joined & ~first_is_nearer
        far[first] |= ~joined & ~first_is_nearer
        far[second] |= ~joined & first_is_nearer
    hole = near.copy()
    for _ in range(max(2, round(REACH_SHARE * max(depth.shape)))):
        hole = _grown(hole, joins) & ~(far & ~near)
    given = far & ~hole
    for _ in range(RIM):
        given = _grown(given, joins) & ~hole
    return hole, given


def _grown(mask: BoolMap, joins: Joins) -> BoolMap:
    """Return ``mask`` and what is joined to it."""
    grown = mask.copy()
    grown[:, 1:] |= mask[:, :-1] & joins.x
    grown[:, :-1] |= mask[:, 1:] & joins.x
    grown[1:] |= mask[:-1] & joins.y
    grown[:-1] |= mask[1:] & joins.y
    return grown


def _diffused(values: NDArray[np.float32], hole: BoolMap, given: BoolMap) -> tuple[NDArray[np.float32], BoolMap]:
    """Return ``values`` (R, C, K) with those in ``hole`` replaced by what flows in from ``given``, and where (R, C) there are values now."""
    values, known = values * given[..., None], given.astype(np.float32)
    while True:  # first guess: from the border inward, each point the mean of its known neighbours
        weights = _neighbour_sum(known[..., None])[..., 0]
        fresh = hole & (known == 0) & (weights > 0)
        if not fresh.any():
            break
        values[fresh] = _neighbour_sum(values)[fresh] / weights[fresh, None]
        known[fresh] = 1
    weights = np.maximum(_neighbour_sum(known[..., None]), 1)
    inside = (hole & (known > 0))[..., None]
    for _ in range(_ROUNDS):
        np.copyto(values, _neighbour_sum(values) / weights, where=inside)
    return values, known > 0


def _neighbour_sum(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the sum of the four neighbours' values."""
    total = np.zeros_like(values)
    total[1:] += values[:-1]
    total[:-1] += values[1:]
    total[:, 1:] += values[:, :-1]
    total[:, :-1] += values[:, 1:]
    return total


def _faces_over(mask: BoolMap) -> NDArray[np.int32]:
    """Return the triangles (F, 3) of all cells whose four corners are in ``mask``."""
    index = np.arange(mask.size, dtype=np.int32).reshape(mask.shape)
    whole = mask[:-1, :-1] & mask[:-1, 1:] & mask[1:, :-1] & mask[1:, 1:]
    a, b, c, d = (corner[whole] for corner in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]))
    return np.concatenate([np.stack([a, c, d], axis=-1), np.stack([d, b, a], axis=-1)])
