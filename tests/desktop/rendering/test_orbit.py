from __future__ import annotations

import numpy as np
import pytest

from desktop.rendering.orbit import OrbitCamera, Pivot, frame_half_sizes
from engine.geometry.camera import Camera

PHOTO = Camera(400, 300, 60.0)
PIVOT = Pivot(depth=1.6, centre=(0.0, 0.0, -2.5), radius=3.0, photo=PHOTO)
ON_PIVOT = np.array([[0.0, 0.0, -1.6]])


def pixels(camera: OrbitCamera, points: np.ndarray, size_px: tuple[int, int] = (400, 300)) -> np.ndarray:
    """Return where points (N, 3) appear, in pixels across and down, and how deep in [0, 1]."""
    clip = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ camera.clip_from_frame(PIVOT, size_px).T
    across, along_rows, depth = (clip[:, :3] / clip[:, 3:]).T
    return np.stack([(across + 1) / 2 * size_px[0], (along_rows + 1) / 2 * size_px[1], (depth + 1) / 2], axis=-1)


@pytest.fixture
def points() -> np.ndarray:
    generator = np.random.default_rng(0)
    depth = generator.uniform(1, 4, (3, 4))
    return PHOTO.unproject(depth, np.array([0, 150, 299]), np.array([0, 100, 250, 399])).reshape(-1, 3)


def test_the_photo_view_puts_every_point_on_its_own_pixel(points: np.ndarray) -> None:
    np.testing.assert_allclose(pixels(OrbitCamera(), points)[:, :2], PHOTO.project(points), atol=1e-9)


@pytest.mark.parametrize("size_px", [(800, 300), (300, 800), (100, 75)])
def test_a_canvas_of_any_shape_holds_the_whole_photo_in_its_middle(size_px: tuple[int, int], points: np.ndarray) -> None:
    scale = min(size_px[0] / 400, size_px[1] / 300)
    expected = (PHOTO.project(points) - (200, 150)) * scale + (size_px[0] / 2, size_px[1] / 2)
    np.testing.assert_allclose(pixels(OrbitCamera(), points, size_px)[:, :2], expected, atol=1e-9)


def test_nearer_points_are_nearer_in_the_depth_buffer_and_none_is_clipped(points: np.ndarray) -> None:
    for camera in (OrbitCamera(), OrbitCamera(yaw_deg=130, pitch_deg=-40, distance=4.0), OrbitCamera(distance=3.0)):
        depth = pixels(camera, points)[:, 2]
        away = (camera.eye(PIVOT) - points) @ camera.axes()[2]
        assert (np.argsort(depth) == np.argsort(away)).all()
        assert 0 < depth.min() < depth.max() < 1


def test_going_round_to_the_right_sees_the_right_side_and_rising_sees_the_top() -> None:
    aside = OrbitCamera().turned(90, 0)
    np.testing.assert_allclose(aside.eye(PIVOT), [1.6, 0, -1.6], atol=1e-12)
    nearer = np.array([[0.0, 0.0, -1.0]])  # toward where the photo was taken: on the left, seen from the right side
    assert pixels(aside, nearer)[0, 0] < 200
    above = OrbitCamera().turned(0, 89)
    assert above.eye(PIVOT)[1] == pytest.approx(1.6 * np.sin(np.radians(89)))
    assert pixels(above, nearer)[0, 1] > 150


@pytest.mark.parametrize("camera", [OrbitCamera(), OrbitCamera(yaw_deg=40, pitch_deg=25, distance=0.5), OrbitCamera(yaw_deg=-170, pitch_deg=-60)])
def test_a_pan_follows_the_pointer_and_zooming_keeps_the_middle(camera: OrbitCamera) -> None:
    before = pixels(camera, ON_PIVOT)[0, :2]
    np.testing.assert_allclose(pixels(camera.panned(30, -12, (400, 300), PHOTO), ON_PIVOT)[0, :2], np.add(before, (30, -12)), atol=1e-9)
    np.testing.assert_allclose(pixels(camera.zoomed(2.0), ON_PIVOT)[0, :2], before, atol=1e-9)
    beside = ON_PIVOT + 0.01 * camera.axes()[0]
    spread, nearer = (float(pixels(each, beside)[0, 0] - 200) for each in (camera, camera.zoomed(2.0)))
    assert nearer == pytest.approx(2 * spread)


def test_axes_are_a_right_handed_rotation() -> None:
    axes = np.array(OrbitCamera(yaw_deg=33, pitch_deg=-71).axes())
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1)


def test_turning_ends_straight_above_and_goes_round_for_ever() -> None:
    assert OrbitCamera().turned(0, 500).pitch_deg == 89
    assert OrbitCamera().turned(350, 0).yaw_deg == pytest.approx(-10)
    assert OrbitCamera().zoomed(1e9).distance > 0
    assert OrbitCamera().zoomed(1e-9).distance < 1000


def test_only_the_photo_view_says_so() -> None:
    assert OrbitCamera().is_photo_view
    assert not OrbitCamera().turned(1, 0).is_photo_view
    assert OrbitCamera().turned(30, 20).turned(-30, -20).is_photo_view


def test_the_frame_of_the_photos_shape_is_the_photos() -> None:
    assert frame_half_sizes(PHOTO, (800, 600)) == pytest.approx((np.tan(np.radians(30)), np.tan(np.radians(30)) * 0.75))
