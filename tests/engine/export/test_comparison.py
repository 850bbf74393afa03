from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from engine.api.result import RefineResult
from engine.export.colours import change_to_srgb8, disparity_to_srgb8
from engine.export.comparison import comparison_panels, draw_comparison, pair_from_result
from engine.export.panels import Panel

ResultOf = Callable[..., RefineResult]


def panels_of(result: RefineResult) -> dict[str, Panel]:
    return {panel.name: panel for panel in comparison_panels(pair_from_result(result), 4.0, 50.0, "exif")}


def test_panels_name_the_model_and_have_one_size(result: RefineResult) -> None:
    panels = panels_of(result)
    assert list(panels) == ["Picture", "Model A", "Refined", "Change", "Normals, Model A", "Normals, Refined"]
    assert {panel.picture.shape for panel in panels.values()} == {(360, 480, 3)}


def test_base_and_refined_share_one_range_and_legend(result_of: ResultOf) -> None:
    ramp = np.tile(np.linspace(0, 4, 480, dtype=np.float32), (360, 1))
    panels = panels_of(result_of(480, 360, disparity_base=ramp / 2, disparity_refined=ramp))
    assert panels["Model A"].legend.labels == panels["Refined"].legend.labels == ("far 0", "2", "near 4")
    np.testing.assert_array_equal(panels["Model A"].picture[0, -1], disparity_to_srgb8(np.array([[0.0, 0.5, 1.0]]))[0, 1])
    np.testing.assert_array_equal(panels["Refined"].picture[0, -1], disparity_to_srgb8(np.array([[0.0, 1.0]]))[0, 1])


def test_change_is_in_shares_of_the_range_with_a_symmetric_legend(result_of: ResultOf) -> None:
    base = np.tile(np.linspace(0, 4, 480, dtype=np.float32), (360, 1))
    refined = base.copy()
    refined[:180] -= 0.2 * base[:180] / 4
    change = panels_of(result_of(480, 360, disparity_base=base, disparity_refined=refined))["Change"]
    assert change.legend.labels == ("farther -4.9 %", "0", "nearer +4.9 %")
    assert change.note == "refined - base: mean 1.2 %, largest 5 % of the range"
    unchanged, farthest = change_to_srgb8(np.array([[0.0, -1.0]]), 1.0)[0]
    np.testing.assert_array_equal(change.picture[-1, -1], unchanged)
    np.testing.assert_array_equal(change.picture[0, -1], farthest)


def test_equal_maps_show_no_change(result_of: ResultOf, result: RefineResult) -> None:
    panels = panels_of(result_of(disparity_base=result.disparity_refined))
    np.testing.assert_array_equal(panels["Model A"].picture, panels["Refined"].picture)
    np.testing.assert_array_equal(panels["Normals, Model A"].picture, panels["Normals, Refined"].picture)
    assert len(np.unique(panels["Change"].picture.reshape(-1, 3), axis=0)) == 1


def test_a_single_map_gets_three_panels(result: RefineResult) -> None:
    pair = pair_from_result(result)
    single = replace(pair, disparity_refined=pair.disparity_base, is_single=True)
    panels = comparison_panels(single, 4.0, 50.0, "exif")
    assert [panel.name for panel in panels] == ["Picture", "Model A", "Normals, Model A"]
    assert "both" not in panels[1].note


def test_constant_disparity_can_be_compared(result_of: ResultOf) -> None:
    flat = np.full((36, 48), 3.0, np.float32)
    panels = panels_of(result_of(disparity_base=flat, disparity_refined=flat))
    assert (panels["Normals, Refined"].picture == [128, 128, 255]).all()


@pytest.mark.parametrize("size", [(900, 600), (600, 900), (2000, 100), (100, 2000), (40, 40), (3, 2)])
def test_sheets_are_readable_at_any_aspect(size: tuple[int, int], result_of: ResultOf) -> None:
    result = result_of(*size)
    panel = panels_of(result)["Picture"].picture
    assert 480 <= max(panel.shape[:2]) <= 880
    assert panel.shape[1] / panel.shape[0] == pytest.approx(size[0] / size[1], rel=0.03)
    sheet = draw_comparison(pair_from_result(result), 4.0, 50.0, "exif")
    assert 0.5 < sheet.width / sheet.height < 4


def test_a_stopped_refinement_says_so(result: RefineResult, result_of: ResultOf) -> None:
    stopped = result_of(provenance=result.provenance | {"complete": False})
    whole = np.asarray(draw_comparison(pair_from_result(result), 4.0, 50.0, "exif"))
    differs = (np.asarray(draw_comparison(pair_from_result(stopped), 4.0, 50.0, "exif")) != whole).any(axis=(1, 2))
    assert 0 < differs.sum() < 40  # only the line of facts


def test_long_names_stay_inside_the_sheet(result: RefineResult, result_of: ResultOf) -> None:
    models = {"depth": {"title": "organisation/" + "very-long-model-name-" * 20}, "prior": {"title": "p"}}
    sheet = np.asarray(draw_comparison(pair_from_result(result_of(provenance=result.provenance | {"models": models})), 4.0, 50.0, "exif"))
    np.testing.assert_array_equal(sheet[:, -20:], np.broadcast_to(sheet[0, -1], sheet[:, -20:].shape))
