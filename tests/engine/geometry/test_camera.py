from __future__ import annotations

import numpy as np
import pytest

from engine.geometry.camera import DEFAULT_FOV_DEG, Camera


def test_focal_length_follows_the_longer_side() -> None:
    assert Camera(200, 100, 90.0).focal_px == pytest.approx(100.0)
    assert Camera(100, 200, 90.0).focal_px == pytest.approx(100.0)


def test_both_angles_of_view() -> None:
    camera = Camera(200, 100, 90.0)
    assert camera.horizontal_fov_deg == pytest.approx(90.0)
    assert camera.vertical_fov_deg == pytest.approx(np.degrees(2 * np.arctan(0.5)))
    assert Camera(100, 200, 90.0).vertical_fov_deg == pytest.approx(90.0)
    assert Camera(3, 2).fov_deg == DEFAULT_FOV_DEG == 55.0


def test_frame_is_x_right_y_up_z_toward_the_viewer() -> None:
    points = Camera(3, 3, 90.0).unproject(np.full((3, 3), 3.0))
    np.testing.assert_allclose(points[1, 1], [0, 0, -3], atol=1e-12)
    np.testing.assert_allclose(points[0, 0], [-2, 2, -3], atol=1e-12)
    np.testing.assert_allclose(points[2, 2], [2, -2, -3], atol=1e-12)


@pytest.mark.parametrize("size", [(7, 5), (5, 7), (1, 4)])
def test_projecting_unprojected_depth_gives_pixel_centres(size: tuple[int, int]) -> None:
    width, height = size
    camera = Camera(width, height, 70.0)
    depth = np.random.default_rng(0).uniform(0.1, 100.0, (height, width))
    pixels = camera.project(camera.unproject(depth))
    expected = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
    np.testing.assert_allclose(pixels, expected, atol=1e-12)


def test_unprojecting_a_subset_equals_the_subset_of_all_points() -> None:
    camera = Camera(9, 6, 40.0)
    depth = np.random.default_rng(1).uniform(1, 2, (6, 9)).astype(np.float32)
    rows, columns = np.array([0, 3, 5]), np.array([1, 8])
    points = camera.unproject(depth[np.ix_(rows, columns)], rows, columns)
    assert points.dtype == np.float32
    np.testing.assert_array_equal(points, camera.unproject(depth)[np.ix_(rows, columns)])


@pytest.mark.parametrize("arguments", [(0, 5, 55.0), (5, 0, 55.0), (5, 5, 0.0), (5, 5, 180.0), (5, 5, float("nan"))])
def test_impossible_cameras_are_refused(arguments: tuple[int, int, float]) -> None:
    with pytest.raises(ValueError):
        Camera(*arguments)


def test_wrong_depth_and_points_behind_the_camera_are_refused() -> None:
    camera = Camera(4, 3)
    with pytest.raises(ValueError, match="does not fit"):
        camera.unproject(np.ones((4, 3)))
    with pytest.raises(ValueError, match="in front"):
        camera.project(np.array([[0.0, 0.0, 1.0]]))
