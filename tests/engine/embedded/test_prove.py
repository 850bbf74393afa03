"""The proof: its judgement on made numbers, and its errors on real scenes, whoever computes them."""

from __future__ import annotations

import numpy as np
import pytest

from engine.api.settings import settings_from_preset
from engine.embedded.controls import CONTROLS
from engine.embedded.prove import REFINED, SHOWN, UNGATED, SceneErrors, comparisons, is_proven, outcome_errors, prove, table
from engine.embedded.trial import DRAWN_AT_ONCE, draw_trial_scenes
from engine.embedded.world.families import UNSEEN
from engine.pipeline import load_models

SETTINGS = settings_from_preset("quick", device="cpu", steps=1, members=1)
OUTCOMES = (REFINED, UNGATED, *CONTROLS)


def made(changes: dict[str, dict[str, float]], *, scatter: float = 0.05, scenes: int = 40) -> list[SceneErrors]:
    """Return made errors: base around 0.2, and each outcome times 1 + its change, for all metrics that ``changes`` names, with scatter."""
    random = np.random.default_rng(0)
    errors = []
    for _ in range(scenes):
        base = {metric: random.uniform(0.1, 0.3) for metric in SHOWN}
        factors = {
            outcome: {metric: 1 + random.normal(changes.get(outcome, {}).get(metric, 0.02), scatter) for metric in SHOWN} for outcome in OUTCOMES
        }
        errors.append({"base": base} | {name: {metric: base[metric] * factor[metric] for metric in SHOWN} for name, factor in factors.items()})
    return errors


BETTER = {"abs_rel": -0.1, "normal_deg": -0.1}


@pytest.mark.parametrize(
    ("changes", "scatter", "proven"),
    [
        ({REFINED: BETTER}, 0.05, True),
        ({REFINED: BETTER}, 1.0, False),
        ({REFINED: {"abs_rel": -0.1}}, 0.05, False),
        ({REFINED: {"normal_deg": -0.1}}, 0.05, False),
        ({UNGATED: BETTER}, 0.05, False),
        ({REFINED: BETTER, "direct": BETTER}, 0.05, False),
        ({REFINED: BETTER, "unconditional": {"normal_deg": -0.1}}, 0.05, True),
        ({REFINED: BETTER, "smoothness": {"abs_rel": -5e-4, "normal_deg": -5e-4}}, 0.0, True),
        ({REFINED: BETTER, "smoothness": {"abs_rel": -2e-3, "normal_deg": -2e-3}}, 0.0, False),
        ({REFINED: {"abs_rel": -5e-4, "normal_deg": -0.1}}, 0.0, False),
    ],
)
def test_proven_means_both_errors_fall_surely_and_under_no_control(changes: dict[str, dict[str, float]], scatter: float, proven: bool) -> None:
    assert is_proven(comparisons(made(changes, scatter=scatter))) == proven


def test_the_table_states_means_intervals_and_wins_of_every_outcome() -> None:
    errors = made({REFINED: BETTER}, scatter=0.0, scenes=4)
    lines = table(comparisons(errors)).splitlines()
    assert len(lines) == len(SHOWN) * (1 + len(OUTCOMES))
    assert lines[0].split() == ["AbsRel", "base", f"{np.mean([scene['base']['abs_rel'] for scene in errors]):.4g}"]
    assert "-10.0% [-10.0%, -10.0%]" in lines[1] and "better 100%" in lines[1]
    assert lines[3].split()[:2] == ["control", "smoothness"] and "better   0%" in lines[3]


@pytest.mark.slow
def test_errors_depend_on_the_seed_and_not_on_who_computes_them() -> None:
    scenes = DRAWN_AT_ONCE + 1
    errors = prove(scenes, 3, 2, SETTINGS)
    assert len(errors) == scenes and all(set(scene) == {"base", *OUTCOMES} for scene in errors)
    last = next(draw_trial_scenes(UNSEEN, 1, 3, first=DRAWN_AT_ONCE))
    here = outcome_errors(last, load_models(SETTINGS), SETTINGS)
    for outcome, found in here.items():
        for metric, value in found.items():
            assert errors[-1][outcome][metric] == pytest.approx(value, rel=1e-3), (outcome, metric)
