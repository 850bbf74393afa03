"""The sheet of one scene: its figures are those that the proof measures, and a perfect refinement shows gain alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.api.settings import settings_from_preset
from engine.embedded.scene_sheet import scene_sheet
from engine.embedded.trial import Trial, draw_trial_scenes, refine_scene
from engine.embedded.world.families import UNSEEN
from engine.export import panels
from engine.export.panels import Panel
from engine.pipeline import load_models


def test_the_sheet_shows_what_was_measured_and_where_refinement_gained(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_from_preset("quick", device="cpu", steps=1, members=1)
    (scene,) = draw_trial_scenes(UNSEEN, 1, seed=3, size=(72, 96))
    trial = refine_scene(scene, load_models(settings), settings)
    truth = (1 / scene.depth).astype(np.float32)
    perfect = Trial(refined=trial.refined, gated=replace(trial.gated, disparity_refined=truth))
    drawn: dict[str, Panel] = {}

    def keep(sheet: object, draw: object, corner: object, width: int, panel: Panel) -> None:
        drawn[panel.name] = panel

    with monkeypatch.context() as patch:
        patch.setattr(panels, "_draw_panel", keep)
        scene_sheet(scene, perfect, "heading")
    assert list(drawn) == ["Picture", "Truth", "Depth model", "Refined", "Gain", "Normals, truth", "Normals, depth model", "Normals, refined"]
    assert drawn["Refined"].note == "AbsRel 0.000" and drawn["Normals, refined"].note == "mean error 0.0°"
    assert float(drawn["Depth model"].note.split()[1]) > 0.02
    np.testing.assert_array_equal(drawn["Refined"].picture, drawn["Truth"].picture)
    sheet = scene_sheet(scene, trial, "heading")
    assert sheet.width > 4 * 3 * 96
