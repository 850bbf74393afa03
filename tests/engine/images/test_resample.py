"""Resampling of fields that have no edges to find."""

from __future__ import annotations

import numpy as np
import pytest

from engine.images.resample import resize_linear


def ramp(height, width):
    """Return a plane (height, width) sampled at the cells' centres of a unit square."""
    y, x = ((np.arange(count) + 0.5) / count for count in (height, width))
    return (2.0 * x + y[:, None]).astype(np.float32)


@pytest.mark.parametrize("size", [(90, 120), (7, 120), (90, 9), (6, 8)])
def test_a_plane_stays_a_plane_at_any_size(size):
    resized = resize_linear(ramp(18, 24), size)
    margin = [slice(count // 18 + 1, -count // 18 - 1) for count in size]  # beyond the outermost samples' centres nothing is extrapolated
    assert resized.shape == size
    assert resized.dtype == np.float32
    np.testing.assert_allclose(resized[tuple(margin)], ramp(*size)[tuple(margin)], atol=0.01)


def test_nothing_leaves_the_range_of_the_field():
    field = np.random.default_rng(0).random((18, 24), dtype=np.float32)
    field[3, 4], field[9, 9] = 0.0, 1.0
    for size in ((90, 120), (5, 7), (18, 24)):
        resized = resize_linear(field, size)
        assert 0.0 <= resized.min() < 0.5 < resized.max() <= 1.0
    np.testing.assert_array_equal(resized, field)


def test_an_axis_that_shrinks_is_averaged():
    checks = (np.indices((40, 60)).sum(axis=0) % 2).astype(np.float32)
    np.testing.assert_allclose(resize_linear(checks, (4, 6)), 0.5, atol=0.05)
