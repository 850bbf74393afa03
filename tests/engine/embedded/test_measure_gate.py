from __future__ import annotations

import numpy as np
import pytest

from engine.api.settings import settings_from_preset
from engine.embedded.measure_gate import MeasuredTrial, discrimination, measure_scenes, rank_correlation, report


def test_rank_correlation_sees_order_alone_and_shares_ranks() -> None:
    values = np.array([3.0, 1.0, 2.0, 5.0])
    assert rank_correlation(values, np.exp(values)) == pytest.approx(1)
    assert rank_correlation(values, -(values**3)) == pytest.approx(-1)
    assert rank_correlation(values, np.ones(4)) == 0
    assert rank_correlation(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 0.0, 5.0, 9.0])) == pytest.approx(np.sqrt(8) / 3)


def test_discrimination_is_the_area_under_the_curve() -> None:
    worse = np.array([False, False, True, True])
    assert discrimination(np.array([1.0, 2.0, 3.0, 4.0]), worse) == 1
    assert discrimination(np.array([4.0, 3.0, 2.0, 1.0]), worse) == 0
    assert discrimination(np.array([1.0, 3.0, 2.0, 4.0]), worse) == 0.75
    assert discrimination(np.ones(4), worse) == 0.5
    assert discrimination(np.ones(4), np.zeros(4, bool)) is None


def test_the_report_tells_gain_harm_and_power() -> None:
    def trial(refined: float, gated: float, score: float) -> MeasuredTrial:
        return MeasuredTrial(changes={"abs_rel": (refined, gated), "normal_deg": (refined, gated)}, signs={"score": score}, share_kept=0.5)

    told = report([trial(0.3, 0.01, 0.5), trial(-0.1, -0.05, -0.5)])
    assert "AbsRel   all of the refinement  +10.0%" in told
    assert "worst +30.0%, harmed 50%" in told
    assert "worst +1.0%, harmed 0%" in told
    assert "score          AbsRel +1.00; 1.00" in told


def test_fresh_scenes_are_measured_with_and_without_the_gate() -> None:
    settings = settings_from_preset("quick", device="cpu", steps=2)
    (first,) = measure_scenes(1, 9, settings)
    assert set(first.changes) == {"abs_rel", "normal_deg"}
    assert all(refined != 0 for refined, _ in first.changes.values())
    assert 0 <= first.share_kept <= 1
    assert measure_scenes(1, 9, settings) == [first]
