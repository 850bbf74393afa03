"""Unit normals of points that lie on a grid.

The normal is the cross product of differences to the neighbours: exact on every plane, whatever its tilt. It sums the four triangles
around a point, each of which the camera sees from its front, so a normal always faces the camera.

Shapes: R C grid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .camera import Camera, FloatArray

_ROWS_PER_BLOCK = 128


def grid_normals(points: FloatArray, joined_x: NDArray[np.bool_] | None = None, joined_y: NDArray[np.bool_] | None = None) -> FloatArray:
    """Return unit normals (R, C, 3), right-handed and facing the camera at the origin.

    Differences are central inside, one-sided at the border and beside a cut. A point joined to nothing faces the camera.

    Args:
        points: (R, C, 3); rows run down, columns to the right.
        joined_x: (R, C - 1), whether a point and the one to its right lie on one surface; all do where None.
        joined_y: (R - 1, C), the same for the point below.
    """
    normals = np.cross(_tangents(points, 0, joined_y), _tangents(points, 1, joined_x))  # down x right = toward the viewer
    lone = ~normals.any(axis=-1)
    normals[lone] = -points[lone]
    normals /= np.sqrt(np.einsum("rci,rci->rc", normals, normals))[..., None]
    return normals


def _tangents(points: FloatArray, axis: int, joined: NDArray[np.bool_] | None) -> FloatArray:
    """Return (R, C, 3): the step from each point's joined neighbour before it to the one after it."""
    steps = np.diff(points, axis=axis)
    if joined is not None:
        steps *= joined[..., None]
    tangents = np.zeros_like(points)
    before, after = [slice(None)] * 2, [slice(None)] * 2
    before[axis], after[axis] = slice(None, -1), slice(1, None)
    tangents[tuple(before)] += steps
    tangents[tuple(after)] += steps
    return tangents


def normals_from_depth(depth: FloatArray, camera: Camera) -> FloatArray:
    """Return the unit normals (H, W, 3) of a whole depth map (H, W); by blocks of rows, so large pictures need little extra memory."""
    height = depth.shape[0]
    normals = np.empty((*depth.shape, 3), np.result_type(depth, np.float32))
    for start in range(0, height, _ROWS_PER_BLOCK):
        stop = min(start + _ROWS_PER_BLOCK, height)
        first, last = max(start - 1, 0), min(stop + 1, height)
        points = camera.unproject(depth[first:last], rows=np.arange(first, last))
        normals[start:stop] = grid_normals(points)[start - first : stop - first]
    return normals
