"""Metrics against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.evaluation.metrics import FLOOR_SHARE, METRICS, depth_metrics, normal_error_deg
from engine.geometry.camera import Camera

TRUE = np.array([[1.0, 2.0, 4.0, 9.0]])
VALID = np.array([[True, True, True, False]])


def test_perfect_depth_has_no_error() -> None:
    errors = depth_metrics(TRUE, TRUE, VALID)
    assert {name for name, value in errors.items() if value == 0} == {"abs_rel", "sq_rel", "rmse", "rmse_log", "silog", "log_10"}
    assert [errors[f"delta{k}"] for k in (1, 2, 3)] == [1.0, 1.0, 1.0]


def test_values_worked_out_by_hand() -> None:
    depth = np.array([[1.5, 1.0, 4.0, -50.0]])  # errors +0.5, -1, 0; the last is invalid
    errors = depth_metrics(depth, TRUE, VALID)
    logs = [math.log(1.5), math.log(0.5), 0.0]
    mean_log, mean_square_log = sum(logs) / 3, sum(value**2 for value in logs) / 3
    assert errors == pytest.approx(
        {
            "abs_rel": (0.5 + 0.5) / 3,
            "sq_rel": (0.25 + 0.5) / 3,
            "rmse": math.sqrt(1.25 / 3),
            "rmse_log": math.sqrt(mean_square_log),
            "silog": 100 * math.sqrt(mean_square_log - mean_log**2),
            "log_10": (math.log10(1.5) + math.log10(2.0)) / 3,
            "delta1": 1 / 3,
            "delta2": 2 / 3,
            "delta3": 2 / 3,
        },
        rel=1e-12,
    )


def test_silog_alone_is_blind_to_scale() -> None:
    depth = np.array([[1.1, 1.7, 4.4, 1.0]])
    once, thrice = depth_metrics(depth, TRUE, VALID), depth_metrics(3 * depth, TRUE, VALID)
    assert {name for name in once if thrice[name] == pytest.approx(once[name], rel=1e-9)} == {"silog"}


def test_depth_behind_the_camera_counts_as_very_wrong() -> None:
    errors = depth_metrics(np.array([[1.0, 2.0, -4.0, 1.0]]), TRUE, VALID)
    assert errors["abs_rel"] == pytest.approx(2 / 3)
    assert errors["rmse_log"] == pytest.approx(math.log(4.0 / FLOOR_SHARE) / math.sqrt(3))
    assert errors["delta3"] == pytest.approx(2 / 3)


def test_every_metric_is_named_once() -> None:
    assert set(METRICS) == set(depth_metrics(TRUE, TRUE, VALID)) | {"normal_deg"}


def plane_depth(camera: Camera, tilt_deg: float, distance: float = 5.0) -> np.ndarray:
    """Depth of a plane through (0, 0, -distance), turned by ``tilt_deg`` about the vertical axis."""
    across = ((np.arange(camera.width_px) + 0.5) - 0.5 * camera.width_px) / camera.focal_px
    depth = distance / (1.0 - across * math.tan(math.radians(tilt_deg)))
    return np.broadcast_to(depth, (camera.height_px, camera.width_px)).copy()


@pytest.mark.parametrize("tilts", [(0.0, 0.0), (0.0, 25.0), (-10.0, 30.0)])
def test_angle_between_planes(tilts: tuple[float, float]) -> None:
    camera = Camera(24, 16, 50.0)
    first, second = (plane_depth(camera, tilt) for tilt in tilts)
    everywhere = np.ones(first.shape, bool)
    assert normal_error_deg(3.0 * first, second, everywhere, camera) == pytest.approx(abs(tilts[0] - tilts[1]), abs=1e-9)


def test_normals_reach_across_no_hole() -> None:
    camera = Camera(24, 16, 50.0)
    depth = plane_depth(camera, 20.0)
    valid = np.random.default_rng(5).random(depth.shape) < 0.9
    spoilt = np.where(valid, depth, 0.0)
    assert normal_error_deg(depth, spoilt, valid, camera) == pytest.approx(0.0, abs=1e-9)


def test_scattered_truth_has_no_normals() -> None:
    camera = Camera(24, 16, 50.0)
    depth = plane_depth(camera, 0.0)
    chequers = np.indices(depth.shape).sum(axis=0) % 2 == 0
    assert normal_error_deg(depth, depth, chequers, camera) is None


def test_normals_of_depth_behind_the_camera_are_finite() -> None:
    camera = Camera(24, 16, 50.0)
    depth = plane_depth(camera, 0.0)
    half_behind = np.where(np.arange(24) < 12, depth, -depth)
    error = normal_error_deg(half_behind, depth, np.ones(depth.shape, bool), camera)
    assert error is not None
    assert 0 < error < 180
