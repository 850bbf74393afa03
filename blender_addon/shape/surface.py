"""The surface that the sliders describe.

    disparity = base + refined_share * (refined - base)         both in one range, so 0 and 1 show exactly the engine's two maps
    1 / depth = a + b * normalised disparity                    `engine.geometry.disparity`, by the near/far ratio
    point = depth * ray * scale                                 `engine.geometry.camera`

``scale`` puts the depth of half the disparity range into the picture's plane. Moving any slider moves vertices along their rays, so the
mesh lies over the picture all the time; the order of vertices never changes, faces only with the cut and the resolution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..engine.geometry.camera import Camera
from ..engine.geometry.disparity import depth_from_disparity
from ..engine.geometry.mesh import Joins, PixelGrid, grid_faces, grid_joins, grid_points, grid_uv
from .maps import Float32Map, Maps
from .smoothing import smoothed


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Where the sliders stand.

    Attributes:
        size: length of the picture's longer side.
        fov_deg: angle of view across the longer side.
        refined_share: 0 = the depth model's own depth, 1 = refined.
        near_far_ratio: distance of the farthest point over that of the nearest.
        depth_scale: grows the scene about the camera; at 1 its middle lies in the picture's plane.
        edge_cut: in pixel footprints, see `engine.geometry.mesh.grid_joins`; 0 = never.
        smoothing: 0 to 1, see `shape.smoothing`.
        long_side_vertices: grid resolution.
    """

    size: float
    fov_deg: float
    refined_share: float = 1.0
    near_far_ratio: float = 4.0
    depth_scale: float = 1.0
    edge_cut: float = 12.0
    smoothing: float = 0.0
    long_side_vertices: int = 768

    @property
    def camera_distance(self) -> float:
        """How far from the picture's plane it fills the matched camera's view."""
        return self.size / 2 / math.tan(math.radians(self.fov_deg) / 2)

    @property
    def unit(self) -> float:
        """Length of a depth of 1, the nearest point's."""
        middle_depth = 2 / (1 + 1 / self.near_far_ratio)
        return self.camera_distance * self.depth_scale / middle_depth


class Surface:
    """The maps at one grid's pixels, ready to be shaped again and again.

    Attributes:
        grid: the picture's pixels that carry vertices.
    """

    def __init__(self, maps: Maps, long_side_vertices: int) -> None:
        self.maps = maps
        stored = maps.grid
        rows, columns = _even(len(stored.rows), len(stored.columns), long_side_vertices)
        self.grid = PixelGrid(stored.rows[rows], stored.columns[columns])
        self._base, self._refined = (np.ascontiguousarray(values[np.ix_(rows, columns)]) for values in (maps.base, maps.refined))
        self._range = maps.range

    @property
    def vertex_count(self) -> int:
        """How many vertices it has."""
        return self._base.size

    def camera(self, shape: Shape) -> Camera:
        """Return the matched camera."""
        return Camera(self.maps.width_px, self.maps.height_px, shape.fov_deg)

    def depth(self, shape: Shape) -> Float32Map:
        """Return depth (R, C) along the view axis, nearest 1, farthest the near/far ratio (within them where smoothed)."""
        disparity = self._refined
        if shape.refined_share != 1:
            disparity = self._base + np.float32(shape.refined_share) * (self._refined - self._base)
        depth = depth_from_disparity(disparity, shape.near_far_ratio, self._range)
        return smoothed(depth, self.camera(shape), self.grid, shape.edge_cut, shape.smoothing) if shape.smoothing else depth

    def vertices(self, shape: Shape, depth: Float32Map) -> NDArray[np.float32]:
        """Return the vertices (V, 3) for ``depth`` (R, C)."""
        points = grid_points(depth, self.camera(shape), self.grid)
        points *= np.float32(shape.unit)
        points[..., 2] += np.float32(shape.camera_distance)
        return points.reshape(-1, 3)

    def joins(self, shape: Shape, depth: Float32Map) -> Joins:
        """Return which neighbours are joined."""
        return grid_joins(depth, self.camera(shape), self.grid, shape.edge_cut)

    def faces(self, shape: Shape, depth: Float32Map) -> NDArray[np.int32]:
        """Return the triangles (F, 3), counter-clockwise seen from the camera."""
        return grid_faces(depth, self.joins(shape, depth))

    def uv(self, shape: Shape) -> NDArray[np.float32]:
        """Return texture coordinates (V, 2)."""
        return grid_uv(self.camera(shape), self.grid).reshape(-1, 2)


def _even(rows: int, columns: int, long_side_vertices: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return an even choice of stored rows and columns, first and last included."""
    step = max(1.0, (max(rows, columns) - 1) / max(1, long_side_vertices - 1))

    def choice(count: int) -> NDArray[np.int64]:
        return np.rint(np.linspace(0, count - 1, max(2, round((count - 1) / step) + 1))).astype(np.int64)

    return choice(rows), choice(columns)
