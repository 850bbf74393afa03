"""Alignment: recovers scale and shift exactly, and keeps to the two protocols where the prediction is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation.protocols import PROTOCOLS, align_paper, align_standard, fit_scale_shift


@pytest.fixture
def depth_gt() -> np.ndarray:
    return np.random.default_rng(1).uniform(1.0, 8.0, (12, 17))


@pytest.fixture
def valid() -> np.ndarray:
    return np.random.default_rng(2).random((12, 17)) < 0.7


def test_fit_recovers_the_line_and_ignores_invalid_pixels(depth_gt: np.ndarray, valid: np.ndarray) -> None:
    target = np.where(valid, 3.0 * depth_gt - 2.0, 1e6)
    assert fit_scale_shift(depth_gt, target, valid) == pytest.approx((3.0, -2.0), abs=1e-12)


def test_fit_agrees_with_a_general_least_squares_solver(depth_gt: np.ndarray, valid: np.ndarray) -> None:
    target = np.random.default_rng(3).normal(size=depth_gt.shape)
    design = np.stack([depth_gt[valid], np.ones(valid.sum())], axis=1)
    expected = np.linalg.lstsq(design, target[valid], rcond=None)[0]
    assert fit_scale_shift(depth_gt, target, valid) == pytest.approx(tuple(expected), abs=1e-12)


def test_fit_of_a_constant_gives_the_mean(depth_gt: np.ndarray, valid: np.ndarray) -> None:
    scale, shift = fit_scale_shift(np.full_like(depth_gt, 4.0), depth_gt, valid)
    assert (scale, shift) == (0.0, pytest.approx(depth_gt[valid].mean()))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (40.0, -3.0), (1e-3, 7.0)])
def test_perfect_disparity_of_any_scale_and_shift_gives_the_truth(
    protocol: str, scale: float, shift: float, depth_gt: np.ndarray, valid: np.ndarray
) -> None:
    disparity = scale / depth_gt + shift
    np.testing.assert_allclose(PROTOCOLS[protocol](disparity, depth_gt, valid)[valid], depth_gt[valid], rtol=1e-9)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_invalid_truth_is_never_used(protocol: str, depth_gt: np.ndarray, valid: np.ndarray) -> None:
    disparity = np.random.default_rng(4).uniform(0.5, 1.0, depth_gt.shape)
    zeroed = PROTOCOLS[protocol](disparity, np.where(valid, depth_gt, 0.0), valid)
    np.testing.assert_array_equal(zeroed, PROTOCOLS[protocol](disparity, depth_gt, valid))


def test_standard_goes_no_farther_than_the_farthest_truth() -> None:
    depth_gt = np.array([[1.0, 2.0, 4.0, 0.0]])
    valid = depth_gt > 0
    disparity = np.array([[1.0, 0.5, 0.25, -30.0]])  # the last aligns to a negative disparity
    np.testing.assert_allclose(align_standard(disparity, depth_gt, valid), [[1.0, 2.0, 4.0, 4.0]], rtol=1e-12)


def test_paper_inverts_only_where_positive_and_fits_again_in_depth() -> None:
    depth_gt = np.array([[1.0, 2.0, 4.0, 5.0]])
    valid = np.array([[True, True, True, False]])
    disparity = np.array([[1.0, 0.5, 0.25, -30.0]])
    np.testing.assert_allclose(align_paper(disparity, depth_gt, valid), [[1.0, 2.0, 4.0, 0.0]], atol=1e-12)
    # On a wrong prediction the second fit leaves depth errors that sum to zero over the valid pixels; `standard` does not.
    wrong = np.array([[1.0, 0.9, 0.25, 0.3]])
    assert (align_paper(wrong, depth_gt, valid) - depth_gt)[valid].sum() == pytest.approx(0.0, abs=1e-12)
    assert abs((align_standard(wrong, depth_gt, valid) - depth_gt)[valid].sum()) > 0.1


def test_float32_input_is_aligned_in_float64(depth_gt: np.ndarray, valid: np.ndarray) -> None:
    assert align_paper((1 / depth_gt).astype(np.float32), depth_gt.astype(np.float32), valid).dtype == np.float64
