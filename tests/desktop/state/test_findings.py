from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from desktop.state.comparison import Comparison
from desktop.state.findings import findings, region_means, strongest_change
from engine.evaluation.manifest import GroundTruth


def titles(comparison: Comparison) -> list[str]:
    return [finding.title for finding in findings(comparison)]


def text_of(comparison: Comparison, title: str) -> str:
    return next(finding.text for finding in findings(comparison) if finding.title == title)


def test_they_say_how_much_where_and_how_sure(comparison: Comparison) -> None:
    share = (comparison.change > 0).mean()
    assert titles(comparison) == ["Looks trustworthy", f"{20 * share:.2g} % mean change", "Most in the upper left", "Members agree"]
    assert "by 20 %" in text_of(comparison, f"{20 * share:.2g} % mean change")
    assert "upper left" in text_of(comparison, "Most in the upper left")
    assert "nearer" in text_of(comparison, "Most in the upper left")


def test_a_spot_is_marked_and_not_a_single_odd_pixel(comparison: Comparison) -> None:
    large = Comparison(
        name="large",
        image_srgb=np.zeros((120, 160, 3), np.uint8),
        disparity_base=np.repeat(np.linspace(1, 2, 160, dtype=np.float32)[None], 120, axis=0),
        disparity_refined=np.repeat(np.linspace(1, 2, 160, dtype=np.float32)[None], 120, axis=0),
        label_base="a",
        label_refined="b",
    )
    assert strongest_change(large) is None
    large.disparity_refined[5, 150] += 0.9
    large.disparity_refined[60:80, 40:60] -= 0.3
    changed = replace(large, disparity_refined=large.disparity_refined.copy())
    point = strongest_change(changed)
    assert point is not None
    assert 40 <= point[0] <= 60
    assert 60 <= point[1] <= 80
    assert f"by {100 * 0.3 / changed.span:.2g} %" in findings(changed)[0].text


def test_change_within_the_spread_is_doubtful(comparison: Comparison) -> None:
    unsure = replace(comparison, uncertainty=np.full(comparison.disparity_base.shape, 0.15, np.float32))
    found = next(finding for finding in findings(unsure) if finding.title == "Members disagree")
    assert found.tone == "doubtful"
    assert "0 % of the pixels" in found.text


def test_one_member_says_nothing_about_doubt(comparison: Comparison) -> None:
    assert "One member" in titles(replace(comparison, uncertainty=np.zeros(comparison.disparity_base.shape, np.float32)))


def test_nothing_moved(comparison: Comparison) -> None:
    still = replace(comparison, disparity_refined=comparison.disparity_base + np.float32(1e-4))
    assert titles(replace(still, uncertainty=None)) == ["No change"]


def test_one_map_alone_is_no_comparison(comparison: Comparison) -> None:
    assert titles(replace(comparison, disparity_refined=comparison.disparity_base)) == ["One map"]


@pytest.mark.parametrize(("nearer_is_true", "title"), [(True, "Closer to the truth"), (False, "Farther from the truth")])
def test_truth_decides(comparison: Comparison, nearer_is_true: bool, title: str) -> None:
    true_disparity = comparison.disparity_refined if nearer_is_true else comparison.disparity_base
    truth = GroundTruth(depth=1.0 / true_disparity.astype(np.float64), valid=np.ones(true_disparity.shape, bool))
    assert title in titles(replace(comparison, truth=truth))


@pytest.mark.parametrize(("kept", "spread", "verdict"), [(1.0, 0.01, "Looks trustworthy"), (0.4, 0.01, "Trust it in part"), (0.4, 0.5, "Doubtful")])
def test_the_verdict_weighs_the_signs(comparison: Comparison, kept: float, spread: float, verdict: str) -> None:
    shape = comparison.disparity_base.shape
    judged = replace(comparison, provenance={"gate": {"share_kept": kept}}, uncertainty=np.full(shape, spread, np.float32))
    first = findings(judged)[0]
    assert first.title == verdict
    assert f"gate: {100 * kept:.0f} % kept" in first.text


def test_measured_truth_outweighs_the_other_signs(comparison: Comparison) -> None:
    truth = GroundTruth(depth=1.0 / comparison.disparity_refined.astype(np.float64), valid=np.ones(comparison.disparity_base.shape, bool))
    assert titles(replace(comparison, truth=truth, provenance={"gate": {"share_kept": 0.1}}))[0] == "Closer to the truth"


def test_what_differs_by_nothing_that_is_shown_is_a_draw(comparison: Comparison) -> None:
    truth = GroundTruth(depth=1.0 / comparison.disparity_base.astype(np.float64) ** 2, valid=np.ones(comparison.disparity_base.shape, bool))
    still = replace(comparison, truth=truth, disparity_refined=comparison.disparity_base * np.float32(1 + 1e-6))
    first = findings(still)[0]
    assert (first.title, first.tone) == ("As far from the truth", "plain")


def test_the_gate_and_an_early_stop_are_told(comparison: Comparison) -> None:
    provenance = {
        "gate": {"share_kept": 0.25, "reasons": ["The members disagree."]},
        "complete": False,
        "steps_done": 3,
        "steps_asked": 9,
        "notices": [{"code": "a", "text": "The picture was grey."}],
    }
    told = replace(comparison, provenance=provenance, notes=("A convention was assumed.",))
    assert {"Gate: 25 % kept", "Stopped early", "Note"} <= set(titles(told))
    assert "The members disagree." in text_of(told, "Gate: 25 % kept")
    assert [finding.text for finding in findings(told) if finding.title == "Note"] == ["A convention was assumed.", "The picture was grey."]


def test_regions_of_the_smallest_maps(comparison: Comparison) -> None:
    tiny = replace(
        comparison,
        image_srgb=np.zeros((2, 2, 3), np.uint8),
        disparity_base=np.array([[1, 2], [1, 2]], np.float32),
        disparity_refined=np.array([[1, 2], [1, 1]], np.float32),
        uncertainty=None,
    )
    assert region_means(tiny).shape == (3, 3)
    assert region_means(tiny).min() == -1
