"""What lies behind the cut edges: a second sheet that goes on from the far side under the near one.

Where the mesh is cut, light and camera would look into nothing. The back layer begins a little outside the cut, on the far surface, runs
under the near surface, and ends where the two meet (the foot of a jug on its table) or at `REACH_SHARE` of the picture. Its inverse depth
and its colours solve Laplace's equation with the far side as the only given border, so they come from the far surface alone; the pixels
right at the edge, where colours are mixed, do not count. It invents nothing: a smooth, plausible backing, no picture of what is hidden.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..engine.geometry.mesh import Joins, grid_faces
from .surface import Shape, Surface

LONG_SIDE_VERTICES = 256
REACH_SHARE = 0.15
RIM = 3
_ROUNDS = 100
_BEHIND = np.float32(0.999)
_MEETS = np.float32(1.02)

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
    near, given = _sides(depth, joins)
    if not near.any():
        return None
    inverse = np.reciprocal(depth)
    filled, flowed, meeting = _filled(np.concatenate([inverse[..., None], fill], axis=-1), near, given)
    covered = flowed | meeting
    behind = np.reciprocal(np.where(covered, np.minimum(filled[..., 0], inverse), inverse) * _BEHIND)
    vertices = surface.vertices(shape, behind)
    faces = grid_faces(behind, _sheet_joins(surface.joins(shape, behind), flowed, covered))
    used = np.unique(faces)
    renumbered = np.searchsorted(used, faces).astype(np.int32)
    count = fill.shape[-1]
    return BackLayer(vertices=vertices[used], faces=renumbered, uv=surface.uv(shape)[used], fill=filled[..., 1:].reshape(-1, count)[used])


def _sheet_joins(joins: Joins, flowed: BoolMap, covered: BoolMap) -> Joins:
    """Return what of the sheet hangs together: all that flowed, and its ends where they are no jump by ``joins``."""
    x = (joins.x | (flowed[:, 1:] & flowed[:, :-1])) & covered[:, 1:] & covered[:, :-1]
    y = (joins.y | (flowed[1:] & flowed[:-1])) & covered[1:] & covered[:-1]
    return Joins(x, y)


def _sides(depth: NDArray[np.float32], joins: Joins) -> tuple[BoolMap, BoolMap]:
    """Return (R, C) masks: where to begin to fill, both sides of every cut; and what is given, the far side a little away from it."""
    near, far = np.zeros(depth.shape, bool), np.zeros(depth.shape, bool)
    rows, before, after = slice(None), slice(None, -1), slice(1, None)
    for joined, first, second in ((joins.x, (rows, before), (rows, after)), (joins.y, (before, rows), (after, rows))):
        first_is_nearer = depth[first] < depth[second]
        near[first] |= ~joined & first_is_nearer
        near[second] |= ~joined & ~first_is_nearer
        far[first] |= ~joined & ~first_is_nearer
        far[second] |= ~joined & first_is_nearer
    edge = near | far
    rim = far
    for _ in range(RIM):
        rim = _grown(rim, joins)
    return edge, rim & ~edge & ~_grown(near, joins)


def _grown(mask: BoolMap, joins: Joins) -> BoolMap:
    """Return ``mask`` and what is joined to it."""
    grown = mask.copy()
    grown[:, 1:] |= mask[:, :-1] & joins.x
    grown[:, :-1] |= mask[:, 1:] & joins.x
    grown[1:] |= mask[:-1] & joins.y
    grown[:-1] |= mask[1:] & joins.y
    return grown


def _filled(values: NDArray[np.float32], start: BoolMap, given: BoolMap) -> tuple[NDArray[np.float32], BoolMap, BoolMap]:
    """Return ``values`` (R, C, K), the first of them inverse depth, as they flow from ``given`` under what is nearer.

    Also returns where (R, C) they flowed to, and where the sheet meets the surface that it runs under.
    """
    surface = values[..., 0]
    filled, known = values * given[..., None], given.astype(np.float32)
    meeting, closed = np.zeros(given.shape, bool), np.zeros(given.shape, bool)  # closed: meets, or lies farther than what would hide there
    reach = max(2, round(REACH_SHARE * max(given.shape)))
    for step in range(reach):  # first guess: outward from what is given, each point the mean of its known neighbours
        weights = _neighbour_sum(known[..., None])[..., 0]
        fresh = (known == 0) & (weights > 0) & ~closed
        if step < 2:
            fresh &= start  # into the cut, not back over the far surface
        if not fresh.any():
            break
        filled[fresh] = _neighbour_sum(filled * known[..., None])[fresh] / weights[fresh, None]
        farther = fresh & (surface * _MEETS < filled[..., 0])
        meets = fresh & ~farther & ~start & (surface <= filled[..., 0] * _MEETS)
        meeting |= meets
        closed |= meets | farther
        known[fresh & ~meets & ~farther] = 1
    weights = np.maximum(_neighbour_sum(known[..., None]), 1)
    inside = ((known > 0) & ~given)[..., None]
    mask = known[..., None]
    for _ in range(_ROUNDS):
        np.copyto(filled, _neighbour_sum(filled * mask) / weights, where=inside)
    beside = _neighbour_sum(filled * mask) / weights
    np.copyto(filled, beside, where=meeting[..., None])
    meets = meeting & (np.abs(surface - beside[..., 0]) < (_MEETS - 1) * surface)  # the first guess may have been nearer than what came of it
    filled[..., 0][meets] = surface[meets]
    return filled, known > 0, meeting


def _neighbour_sum(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the sum of the four neighbours' values."""
    total = np.zeros_like(values)
    total[1:] += values[:-1]
    total[:-1] += values[1:]
    total[:, 1:] += values[:, :-1]
    total[:, :-1] += values[:, 1:]
    return total
