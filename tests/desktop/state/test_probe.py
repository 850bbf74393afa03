from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from desktop.state.comparison import Comparison
from desktop.state.probe import histogram, probe, profile
from engine.api.settings import MeshSettings
from engine.evaluation.manifest import GroundTruth

SETTINGS = MeshSettings(near_far_ratio=4.0)


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (5.5, 3.2), (15.9, 9.9), (47.999, 31.999)])
def test_it_tells_what_the_maps_hold(comparison: Comparison, x: float, y: float) -> None:
    found = probe(comparison, (x, y), SETTINGS)
    assert found is not None
    row, column = int(y), int(x)
    assert (found.row, found.column) == (row, column)
    for which in ("base", "refined"):
        side = getattr(found, which)
        assert side.disparity == comparison.disparity(which)[row, column]  # type: ignore[arg-type]
        assert side.depth == pytest.approx(comparison.depth(which, SETTINGS)[row, column])  # type: ignore[arg-type]
        assert side.normal == pytest.approx(comparison.normals(which, SETTINGS)[row, column], abs=1e-6)  # type: ignore[arg-type]
    assert found.change == pytest.approx(comparison.change[row, column], abs=1e-6)
    cosine = np.clip(np.dot(found.base.normal, found.refined.normal), -1, 1)
    assert found.turn_deg == pytest.approx(np.degrees(np.arccos(cosine)))
    assert found.srgb == (column, 0, 0)
    assert (found.kept, found.true_depth) == (None, None)


@pytest.mark.parametrize("point", [(-0.1, 3.0), (48.0, 3.0), (3.0, 32.0), (1e9, -1e9)])
def test_beside_the_picture_there_is_nothing(comparison: Comparison, point: tuple[float, float]) -> None:
    assert probe(comparison, point, SETTINGS) is None


def test_true_depth_is_found_on_its_own_grid(comparison: Comparison) -> None:
    depth = np.arange(1.0, 1 + 16 * 24).reshape(16, 24)
    valid = depth != depth[0, 0]
    measured = replace(comparison, truth=GroundTruth(depth=depth, valid=valid))
    found = probe(measured, (47.5, 31.5), SETTINGS)
    assert found is not None and found.true_depth == depth[15, 23]
    found = probe(measured, (0.5, 0.5), SETTINGS)
    assert found is not None and found.true_depth is None


def test_the_profile_of_a_ramp_is_a_line_with_the_bump_on_one_side(comparison: Comparison) -> None:
    found = profile(comparison, (0.5, 4.5), (47.5, 4.5))
    assert found is not None
    assert found.distance_px[0] == 0 and found.distance_px[-1] == 47
    np.testing.assert_allclose(found.base, 1 + found.distance_px / 47, atol=1e-6)
    np.testing.assert_allclose((found.refined - found.base)[:15], 0.2, atol=1e-6)
    np.testing.assert_allclose((found.refined - found.base)[17:], 0, atol=1e-6)
    assert found.uncertainty is not None
    np.testing.assert_allclose(found.uncertainty, 0.01, atol=1e-8)


def test_a_profile_reads_between_pixels_and_stops_at_the_border(comparison: Comparison) -> None:
    found = profile(comparison, (20.0, -10.0), (20.0, 100.0))
    assert found is not None
    np.testing.assert_allclose(found.base, (comparison.disparity_base[0, 19] + comparison.disparity_base[0, 20]) / 2, atol=1e-6)


def test_a_point_is_no_line(comparison: Comparison) -> None:
    assert profile(comparison, (5, 5), (5.2, 5.2)) is None


def test_histograms_count_every_pixel_once(comparison: Comparison) -> None:
    found = histogram(comparison, bins=10)
    assert found.base.sum() == found.refined.sum() == pytest.approx(1)
    np.testing.assert_allclose(found.base, 0.1, atol=0.03)
    flat = np.ones_like(comparison.disparity_base)
    assert histogram(replace(comparison, disparity_base=flat, disparity_refined=flat.copy())).base.sum() == pytest.approx(1)
