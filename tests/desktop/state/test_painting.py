from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from desktop.state.comparison import Comparison
from desktop.state.look import Layer, Look, colour_range, shown_extra_layers, shown_map_layers
from desktop.state.painting import paint
from engine.api.settings import MeshSettings
from engine.evaluation.manifest import GroundTruth

LAYERS: tuple[Layer, ...] = ("picture", "disparity", "depth", "normals", "error", "change", "sure_change", "uncertainty", "kept")


def complete(comparison: Comparison) -> Comparison:
    shape = comparison.disparity_base.shape
    valid = np.ones(shape, bool)
    valid[:4] = False
    truth = GroundTruth(depth=np.where(valid, 1.0 / comparison.disparity_refined.astype(np.float64), 0.0), valid=valid)
    return replace(comparison, kept=np.linspace(0, 1, shape[0] * shape[1], dtype=np.float32).reshape(shape), truth=truth)


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_has_a_name_and_the_pictures_size(comparison: Comparison, layer: Layer) -> None:
    for which in ("base", "refined"):
        painted = paint(complete(comparison), layer, which, Look())  # type: ignore[arg-type]
        assert painted.colours.shape == (*comparison.disparity_base.shape, 3)
        assert painted.colours.dtype == np.uint8
        assert painted.name
        if painted.scale is not None:
            assert len(painted.scale.labels) == 3


def test_equal_disparities_get_equal_colours_on_both_sides(comparison: Comparison) -> None:
    base, refined = (paint(comparison, "disparity", which, Look()).colours for which in ("base", "refined"))  # type: ignore[arg-type]
    same = comparison.disparity_base == comparison.disparity_refined
    np.testing.assert_array_equal(base[same], refined[same])
    assert (base[~same] != refined[~same]).any()


def test_the_legend_says_the_range_in_numbers(comparison: Comparison) -> None:
    scale = paint(comparison, "disparity", "base", Look()).scale
    assert scale is not None and scale.labels == ("far 1", "1.5", "near 2")
    scale = paint(comparison, "depth", "base", Look(mesh=MeshSettings(near_far_ratio=6.0))).scale
    assert scale is not None and scale.labels == ("far 6", "3.5", "near 1")


def test_percentiles_leave_out_the_ends_and_hold_for_both(comparison: Comparison) -> None:
    spiked = comparison.disparity_refined.copy()
    spiked[20, 20] = 40.0
    spiky = replace(comparison, disparity_refined=spiked)
    assert colour_range(spiky, "extremes").high == 40.0
    low, high = colour_range(spiky, "percentile")
    assert 1.0 <= low < 1.1
    assert 1.9 < high < 2.1


def test_doubtful_change_is_grey_and_sure_change_is_not(comparison: Comparison) -> None:
    half_sure = np.full(comparison.disparity_base.shape, 0.01, np.float32)
    half_sure[:, :8] = 1.0
    colours = paint(replace(comparison, uncertainty=half_sure), "sure_change", "base", Look()).colours
    assert len(np.unique(colours[0, 0])) == 1
    assert len(np.unique(colours[0, 12])) > 1


def test_errors_are_dark_where_there_are_none_and_grey_where_nothing_was_measured(comparison: Comparison) -> None:
    colours = paint(complete(comparison), "error", "refined", Look()).colours
    assert (colours[:4] == 96).all()
    assert colours[4:].max() < 60


def test_only_what_there_is_can_be_chosen(comparison: Comparison) -> None:
    assert shown_map_layers(comparison) == ["disparity", "depth", "normals"]
    assert shown_extra_layers(comparison) == ["change", "sure_change", "uncertainty"]
    assert shown_extra_layers(replace(comparison, uncertainty=None)) == ["change"]
    assert "error" in shown_map_layers(complete(comparison))
    assert "kept" in shown_extra_layers(complete(comparison))


def test_a_change_that_no_one_would_notice_stays_pale(comparison: Comparison) -> None:
    still = replace(comparison, disparity_refined=comparison.disparity_base + np.float32(1e-3))
    painted = paint(still, "change", "base", Look())
    assert painted.colours.min() > 150
    assert painted.scale is not None and painted.scale.labels[2] == "nearer 1 %"


def test_a_flat_map_can_be_painted(comparison: Comparison) -> None:
    flat = np.ones_like(comparison.disparity_base)
    for layer in ("disparity", "depth", "normals", "change"):
        paint(replace(comparison, disparity_base=flat, disparity_refined=flat.copy()), layer, "base", Look())  # type: ignore[arg-type]
