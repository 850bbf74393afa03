from __future__ import annotations

import numpy as np
import pytest

from engine.geometry.camera import Camera
from engine.geometry.normals import grid_normals, normals_from_depth


def rays(camera: Camera) -> np.ndarray:
    """Points at depth 1 behind each pixel (H, W, 3)."""
    return camera.unproject(np.ones((camera.height_px, camera.width_px)))


@pytest.mark.parametrize("normal", [(0, 0, 1), (0.6, 0, 0.8), (0, -0.6, 0.8), (0.48, 0.36, 0.8), (-0.7, 0.1, 0.3)])
@pytest.mark.parametrize("size", [(12, 8), (8, 12)])
def test_a_plane_has_its_own_normal_everywhere(normal: tuple[float, float, float], size: tuple[int, int]) -> None:
    camera = Camera(*size, 30.0)
    unit = np.array(normal) / np.linalg.norm(normal)
    depth = -unit[2] / (rays(camera) @ unit)  # where the rays meet the plane through (0, 0, -1)
    assert depth.min() > 0
    np.testing.assert_allclose(normals_from_depth(depth, camera), np.broadcast_to(unit, (*depth.shape, 3)), atol=1e-10)


def test_a_sphere_has_radial_normals() -> None:
    camera, centre, radius = Camera(401, 401, 30.0), np.array([0.2, -0.1, -5.0]), 2.0
    directions = rays(camera)
    square, along = (directions**2).sum(-1), directions @ centre
    depth = (along - np.sqrt(along**2 - square * (centre @ centre - radius**2))) / square
    radial = (camera.unproject(depth) - centre) / radius
    normals = normals_from_depth(depth, camera)
    inner = np.s_[1:-1, 1:-1]
    assert np.abs(normals - radial)[inner].max() < 2e-4
    assert np.abs(normals - radial).max() < 1e-2  # one-sided at the border: first order
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1, atol=1e-12)


def test_every_normal_faces_the_camera_however_rough_the_depth() -> None:
    camera = Camera(40, 30, 80.0)
    depth = np.random.default_rng(0).uniform(0.1, 10, (30, 40))
    toward_camera = -camera.unproject(depth)
    assert ((normals_from_depth(depth, camera) * toward_camera).sum(-1) > 0).all()


def test_blocks_of_rows_leave_no_seam() -> None:
    camera = Camera(5, 300)
    depth = np.random.default_rng(0).uniform(1, 2, (300, 5)).astype(np.float32)
    np.testing.assert_array_equal(normals_from_depth(depth, camera), grid_normals(camera.unproject(depth)))


def test_normals_do_not_reach_across_a_cut() -> None:
    camera = Camera(6, 4)
    depth = np.ones((4, 6))
    depth[:, 3:] = 2.0
    points = camera.unproject(depth)
    joined_x = np.ones((4, 5), bool)
    joined_x[:, 2] = False
    facing = np.broadcast_to([0.0, 0.0, 1.0], points.shape)
    np.testing.assert_allclose(grid_normals(points, joined_x), facing, atol=1e-12)
    assert np.abs(grid_normals(points) - facing).max() > 0.5


def test_a_lone_point_faces_the_camera() -> None:
    camera = Camera(3, 3, 60.0)
    points = camera.unproject(np.full((3, 3), 2.0))
    alone = grid_normals(points, np.zeros((3, 2), bool), np.zeros((2, 3), bool))
    np.testing.assert_allclose(alone, -points / np.linalg.norm(points, axis=-1, keepdims=True), atol=1e-12)
