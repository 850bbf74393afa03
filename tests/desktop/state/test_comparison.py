from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from desktop.state.comparison import Comparison, comparison_from_result
from engine.api.errors import NumericalError
from engine.api.result import RefineResult
from engine.api.settings import MeshSettings
from engine.geometry.normals import normals_from_depth


def result_with(disparity_refined: np.ndarray) -> RefineResult:
    base = np.linspace(1, 2, 12, dtype=np.float32).reshape(3, 4)
    return RefineResult(
        image_srgb=np.zeros((3, 4, 3), np.uint8),
        disparity_base=base,
        disparity_refined=disparity_refined,
        uncertainty=np.zeros_like(base),
        fov_deg=40.0,
        fov_source="exif",
        provenance={"models": {"depth": {"title": "Model A"}}, "complete": False},
    )


def test_both_sides_share_one_range_and_one_depth(comparison: Comparison) -> None:
    assert comparison.value_range == pytest.approx((1.0, 2.0))
    settings = MeshSettings(near_far_ratio=5.0)
    near, far = comparison.depth("refined", settings).min(), comparison.depth("base", settings).max()
    assert (near, far) == (pytest.approx(1.0), pytest.approx(5.0))
    same = comparison.disparity_base == comparison.disparity_refined
    np.testing.assert_array_equal(comparison.depth("base", settings)[same], comparison.depth("refined", settings)[same])


def test_change_is_a_share_of_the_range_and_above_zero_where_it_got_nearer(comparison: Comparison) -> None:
    assert comparison.change.max() == pytest.approx(0.2, rel=1e-5)
    assert comparison.change.min() == 0


def test_normals_follow_the_sliders(comparison: Comparison) -> None:
    settings = MeshSettings(near_far_ratio=3.0, fov_deg=70.0)
    expected = normals_from_depth(comparison.depth("refined", settings), comparison.camera(settings))
    np.testing.assert_array_equal(comparison.normals("refined", settings), expected)
    assert comparison.normals("refined", settings) is comparison.normals("refined", settings)
    assert not np.array_equal(comparison.normals("refined", MeshSettings()), expected)


def test_maps_of_different_sizes_are_no_comparison(comparison: Comparison) -> None:
    with pytest.raises(ValueError, match="differ in size"):
        replace(comparison, uncertainty=np.zeros((2, 2), np.float32))


def test_a_result_brings_its_names_and_says_that_it_was_stopped() -> None:
    comparison = comparison_from_result(result_with(np.ones((3, 4), np.float32)), "photo.jpg", job_id="ab")
    assert (comparison.label_base, comparison.label_refined) == ("Model A", "Refined, stopped early")
    assert (comparison.fov_deg, comparison.job_id, comparison.has_several_members) == (40.0, "ab", False)
    assert comparison.is_refinement


def test_a_result_that_is_not_finite_is_refused() -> None:
    with pytest.raises(NumericalError):
        comparison_from_result(result_with(np.full((3, 4), np.nan, np.float32)), "photo.jpg")
