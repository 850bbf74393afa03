"""The mesh of each side of a comparison, as it is shown in 3D and as it is saved, and what a camera turns about."""

from __future__ import annotations

import numpy as np

from desktop.state.comparison import SIDES, Comparison, Which
from engine.api.settings import MeshSettings
from engine.geometry.disparity import depth_from_disparity
from engine.geometry.mesh import GridMesh, mesh_on_grid, pixel_grid

from .orbit import Pivot

_MEDIAN_SAMPLES = 256


def mesh_from_comparison(comparison: Comparison, which: Which, settings: MeshSettings) -> GridMesh:
    """Return the mesh of one side, as it is shown and saved; both sides share one range of depth.

    Raises:
        NumericalError: the disparity is not finite.
        ValueError: the picture is less than two pixels wide or high.
    """
    camera = comparison.camera(settings)
    grid = pixel_grid(camera, settings.long_side_vertices)
    depth = depth_from_disparity(grid.sample(comparison.disparity(which)), settings.near_far_ratio, comparison.value_range)
    return mesh_on_grid(depth, camera, grid, settings.edge_cut)


def pivot_of(comparison: Comparison, settings: MeshSettings) -> Pivot:
    """Return what the camera turns about: the axis at the middle of both maps' depths, within the frustum from nearest to farthest."""
    step = max(1, max(comparison.size_px) // _MEDIAN_SAMPLES)
    sampled = np.stack([comparison.disparity(which)[::step, ::step] for which in SIDES])
    middle = depth_from_disparity(np.array([[np.median(sampled)]], np.float32), settings.near_far_ratio, comparison.value_range)
    photo = comparison.camera(settings)
    far = 1.0 if comparison.value_range.is_flat else settings.near_far_ratio
    corner = np.array([0.5 * photo.width_px / photo.focal_px * far, 0.5 * photo.height_px / photo.focal_px * far, 0.5 * (far - 1)])
    radius = max(float(np.linalg.norm(corner)), 1e-3)
    return Pivot(depth=float(middle[0, 0]), centre=(0.0, 0.0, -0.5 * (1 + far)), radius=radius, photo=photo)
