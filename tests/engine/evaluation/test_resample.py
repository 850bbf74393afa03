"""Resampling between grids of one picture."""

from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation.resample import resample_map


def test_same_size_is_untouched() -> None:
    values = np.random.default_rng(0).random((5, 7)).astype(np.float32)
    np.testing.assert_array_equal(resample_map(values, (7, 5)), values)


@pytest.mark.parametrize("size_px", [(3, 2), (14, 10), (9, 31), (1, 1)])
def test_a_constant_stays(size_px: tuple[int, int]) -> None:
    resampled = resample_map(np.full((5, 7), 2.5), size_px)
    assert resampled.shape == size_px[::-1]
    np.testing.assert_allclose(resampled, 2.5, rtol=1e-12)


def test_enlarging_interpolates_between_pixel_centres() -> None:
    np.testing.assert_allclose(resample_map(np.array([[0.0, 4.0]]), (4, 1)), [[0.0, 1.0, 3.0, 4.0]])


def test_shrinking_averages_instead_of_skipping() -> None:
    stripes = np.tile([0.0, 1.0], (8, 16))
    np.testing.assert_allclose(resample_map(stripes, (4, 1)), np.full((1, 4), 0.5), atol=0.07)


def test_a_ramp_keeps_its_place() -> None:
    ramp = np.tile((np.arange(60) + 0.5) / 60, (6, 1))
    np.testing.assert_allclose(resample_map(ramp, (20, 3))[:, 1:-1], np.tile((np.arange(20) + 0.5) / 20, (3, 1))[:, 1:-1], atol=1e-12)
    np.testing.assert_allclose(resample_map(ramp, (90, 6))[:, 1:-1], np.tile((np.arange(90) + 0.5) / 90, (6, 1))[:, 1:-1], atol=1e-12)


def test_range_is_never_left() -> None:
    values = np.random.default_rng(1).random((13, 11))
    for size_px in [(4, 5), (50, 40)]:
        resampled = resample_map(values, size_px)
        assert values.min() <= resampled.min()
        assert resampled.max() <= values.max()
