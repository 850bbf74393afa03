"""A depth map as a triangle mesh: vertices on a grid of pixels, faces cut where the surface breaks.

Vertices sit on the centres of real pixels and take their depth unmixed. Averaging depth over the pixels between (or interpolating it)
would bend every silhouette into a ramp of points that lie on neither surface; picking pixels keeps planes exactly planar, keeps mesh
and depth file equal, and lets each vertex project onto its pixel's centre. The price, aliasing of noise, is nil on smooth depth.

For sliders that move vertices without rebuilding: `PixelGrid.sample` the disparity once, then call `grid_points` on each change (order
and number of vertices stay); `grid_faces` when the cut changes.

Shapes: H W picture, R C grid, V = R * C vertices, F faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .camera import Camera, FloatArray, PixelIndices
from .normals import grid_normals


@dataclass(frozen=True)
class GridMesh:
    """Triangles with one winding, counter-clockwise seen from the camera.

    Attributes:
        vertices: (V, 3) float32 in the frame x right, y up, z toward the viewer.
        faces: (F, 3) int32 indices of vertices.
        uv: (V, 2) float32 in [0, 1], u to the right, v up.
        normals: (V, 3) float32 unit vectors facing the camera.
    """

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    uv: NDArray[np.float32]
    normals: NDArray[np.float32]

    def without_loose_vertices(self) -> GridMesh:
        """Return the same faces with only the vertices they use, in the same order."""
        used = np.zeros(len(self.vertices), bool)
        used[self.faces] = True
        new_index = np.cumsum(used, dtype=np.int32) - 1
        return GridMesh(self.vertices[used], new_index[self.faces], self.uv[used], self.normals[used])


@dataclass(frozen=True)
class PixelGrid:
    """The pixels that carry vertices: every crossing of ``rows`` (R,) and ``columns`` (C,), first and last of the picture included."""

    rows: PixelIndices
    columns: PixelIndices

    def sample(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return a map (H, W, ...) at the grid's pixels, (R, C, ...)."""
        return values[np.ix_(self.rows, self.columns)]


class Joins(NamedTuple):
    """Which neighbours lie on one surface: x (R, C - 1) to the right, y (R - 1, C) below."""

    x: NDArray[np.bool_]
    y: NDArray[np.bool_]


def pixel_grid(camera: Camera, long_side_vertices: int) -> PixelGrid:
    """Return an even grid over the picture with about square cells, never finer than its pixels.

    Raises:
        ValueError: the picture or the grid has fewer than two pixels on a side.
    """
    if min(camera.width_px, camera.height_px, long_side_vertices) < 2:
        raise ValueError(f"a mesh needs two vertices a side: {camera.width_px} x {camera.height_px} pixels, {long_side_vertices} vertices")
    step_px = max(1.0, (max(camera.width_px, camera.height_px) - 1) / (long_side_vertices - 1))
    return PixelGrid(_even_pixels(camera.height_px, step_px), _even_pixels(camera.width_px, step_px))


def _even_pixels(size_px: int, step_px: float) -> PixelIndices:
    count = max(2, round((size_px - 1) / step_px) + 1)
    return np.rint(np.linspace(0, size_px - 1, count)).astype(np.int64)


def grid_points(grid_depth: FloatArray, camera: Camera, grid: PixelGrid) -> FloatArray:
    """Return the points (R, C, 3) of depth sampled on the grid (R, C)."""
    return camera.unproject(grid_depth, grid.rows, grid.columns)


def grid_uv(camera: Camera, grid: PixelGrid) -> NDArray[np.float32]:
    """Return texture coordinates (R, C, 2) of the grid's pixel centres, u to the right, v up."""
    u = (grid.columns + 0.5) / camera.width_px
    v = 1 - (grid.rows + 0.5) / camera.height_px
    return np.stack(np.meshgrid(u, v), axis=-1).astype(np.float32)


def grid_joins(grid_depth: FloatArray, camera: Camera, grid: PixelGrid, edge_cut: float) -> Joins:
    """Return which neighbours are joined: those whose depths differ by at most ``edge_cut`` footprints.

    A footprint is the width that the step between the two pixels covers at the nearer one's depth: depth / focal length * step. The
    limit is so the tangent of the steepest slope that stays whole, for every scale, angle of view and grid resolution.

    Args:
        grid_depth: (R, C), depth sampled on the grid.
        edge_cut: in footprints; 0 joins everything.
    """
    if edge_cut == 0:
        rows, columns = grid_depth.shape
        return Joins(np.ones((rows, columns - 1), bool), np.ones((rows - 1, columns), bool))
    limit = edge_cut / camera.focal_px
    left, right, above, below = grid_depth[:, :-1], grid_depth[:, 1:], grid_depth[:-1], grid_depth[1:]
    limit_x = (limit * np.diff(grid.columns)).astype(grid_depth.dtype)[None, :]
    limit_y = (limit * np.diff(grid.rows)).astype(grid_depth.dtype)[:, None]
    return Joins(abs(left - right) <= np.minimum(left, right) * limit_x, abs(above - below) <= np.minimum(above, below) * limit_y)


def grid_faces(grid_depth: FloatArray, joins: Joins) -> NDArray[np.int32]:
    """Return the faces (F, 3): two a cell, without those that have an unjoined side.

    A cell is split along the diagonal over which depth changes less, so the split follows ridges and silhouettes.

    Args:
        grid_depth: (R, C), depth sampled on the grid.
    """
    rows, columns = grid_depth.shape
    index = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]  # a b
    above, below, left, right = joins.x[:-1], joins.x[1:], joins.y[:, :-1], joins.y[:, 1:]  # c d
    falling = abs(grid_depth[:-1, :-1] - grid_depth[1:, 1:]) <= abs(grid_depth[:-1, 1:] - grid_depth[1:, :-1])  # split a-d, else b-c
    faces = np.empty((rows - 1, columns - 1, 2, 3), np.int32)
    faces[..., 0, 0], faces[..., 0, 1], faces[..., 0, 2] = a, c, np.where(falling, d, b)
    faces[..., 1, 0], faces[..., 1, 1], faces[..., 1, 2] = d, b, np.where(falling, a, c)
    kept = np.stack([left & np.where(falling, below, above), right & np.where(falling, above, below)], axis=-1)
    return faces[kept]


def grid_mesh(depth: FloatArray, camera: Camera, *, long_side_vertices: int, edge_cut: float) -> GridMesh:
    """Return the mesh of a depth map, with all grid vertices, those in no face too.

    Args:
        depth: (H, W), positive along the view axis.
        long_side_vertices: grid resolution along the longer side, at most one vertex a pixel.
        edge_cut: see `grid_joins`.

    Raises:
        ValueError: ``depth`` does not fit the camera, or fewer than two vertices on a side.
    """
    if depth.shape != (camera.height_px, camera.width_px):
        raise ValueError(f"depth of shape {depth.shape} does not fit a camera of {camera.width_px} x {camera.height_px} pixels")
    grid = pixel_grid(camera, long_side_vertices)
    return mesh_on_grid(grid.sample(depth), camera, grid, edge_cut)


def mesh_on_grid(grid_depth: FloatArray, camera: Camera, grid: PixelGrid, edge_cut: float) -> GridMesh:
    """Return the mesh of depth already sampled on the grid (R, C); see `grid_mesh`."""
    points = grid_points(grid_depth, camera, grid)
    joins = grid_joins(grid_depth, camera, grid, edge_cut)
    normals = grid_normals(points, joins.x, joins.y)
    columns = [np.ascontiguousarray(array.reshape(-1, array.shape[-1]), np.float32) for array in (points, grid_uv(camera, grid), normals)]
    return GridMesh(columns[0], grid_faces(grid_depth, joins), columns[1], columns[2])
