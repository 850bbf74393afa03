from __future__ import annotations

import numpy as np
import pytest

from engine.api.errors import NumericalError
from engine.geometry.disparity import depth_from_disparity, disparity_range, inverse_depth_line, normalise


@pytest.fixture
def disparity() -> np.ndarray:
    return np.random.default_rng(0).uniform(-3, 40, (6, 8)).astype(np.float32)


def test_nearest_is_one_and_farthest_is_the_ratio(disparity: np.ndarray) -> None:
    depth = depth_from_disparity(disparity, 7.0)
    assert depth.dtype == np.float32
    assert depth.min() == depth.flat[disparity.argmax()] == 1.0
    assert depth.max() == depth.flat[disparity.argmin()] == pytest.approx(7.0, rel=1e-6)


def test_the_middle_of_the_range_is_the_harmonic_mean() -> None:
    np.testing.assert_allclose(depth_from_disparity(np.array([[0.0, 5.0, 10.0]]), 4.0), [[4.0, 1.6, 1.0]], rtol=1e-6)


def test_depth_ignores_scale_and_shift_of_disparity(disparity: np.ndarray) -> None:
    np.testing.assert_allclose(depth_from_disparity(3 * disparity + 11, 4.0), depth_from_disparity(disparity, 4.0), rtol=1e-5)


def test_the_stated_line_gives_the_depth(disparity: np.ndarray) -> None:
    scale, shift = inverse_depth_line(disparity_range(disparity), 4.0)
    np.testing.assert_allclose(1 / (scale * disparity + shift), depth_from_disparity(disparity, 4.0), rtol=1e-5)


def test_maps_that_share_a_range_agree_where_they_are_equal(disparity: np.ndarray) -> None:
    other = disparity.copy()
    other[0, 0] = 80.0
    shared = disparity_range(disparity, other)
    assert shared == (disparity.min(), 80.0)
    first, second = depth_from_disparity(disparity, 4.0, shared), depth_from_disparity(other, 4.0, shared)
    np.testing.assert_array_equal(first.flat[1:], second.flat[1:])
    assert first[0, 0] > second[0, 0] == 1.0


def test_values_outside_the_range_are_held_at_its_ends() -> None:
    own = np.array([[-1.0, 0.0, 0.25, 1.0, 9.0]])
    shared = disparity_range(np.array([[0.0, 1.0]]))
    np.testing.assert_array_equal(normalise(own, shared), [[0, 0, 0.25, 1, 1]])


@pytest.mark.parametrize("level", [0.0, 5.0, -2.5e6])
def test_constant_disparity_is_the_plane_at_depth_one(level: float) -> None:
    noise = 1e-7 * level * np.array([[0, 1], [1, 0]])
    flat = (level + noise).astype(np.float32)
    np.testing.assert_array_equal(depth_from_disparity(flat, 4.0), np.ones((2, 2)))
    assert inverse_depth_line(disparity_range(flat), 4.0) == (0.0, 1.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(bad: float, disparity: np.ndarray) -> None:
    broken = disparity.copy()
    broken[2, 3] = bad
    for refuse in (lambda: depth_from_disparity(broken, 4.0), lambda: disparity_range(disparity, broken), lambda: disparity_range(broken, disparity)):
        with pytest.raises(NumericalError, match="not finite"):
            refuse()
    with pytest.raises(NumericalError):
        normalise(broken, disparity_range(disparity))


def test_a_ratio_below_one_is_refused(disparity: np.ndarray) -> None:
    with pytest.raises(ValueError, match="near_far_ratio"):
        depth_from_disparity(disparity, 0.9)


def test_the_input_is_not_changed(disparity: np.ndarray) -> None:
    before = disparity.copy()
    depth_from_disparity(disparity, 4.0)
    np.testing.assert_array_equal(disparity, before)
