"""Trials go through the real engine with the embedded models; few steps suffice to see that both outcomes come from one refinement."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.api.settings import RefineSettings, settings_from_preset
from engine.embedded.trial import Scene, draw_trial_scenes, picture_of, refine_scene, scene_errors, seen_once
from engine.embedded.world.families import UNSEEN
from engine.pipeline import LoadedModels, load_models, refine_picture

SIZE = (72, 96)


@pytest.fixture(scope="module")
def settings() -> RefineSettings:
    return settings_from_preset("quick", device="cpu", steps=2, members=2)


@pytest.fixture(scope="module")
def models(settings: RefineSettings) -> LoadedModels:
    return load_models(settings)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return list(draw_trial_scenes(UNSEEN, 5, seed=3, size=SIZE))


def test_a_scene_depends_on_the_seed_and_its_number_alone(scenes: list[Scene]) -> None:
    assert len(scenes) == 5
    for scene, again in zip(scenes, draw_trial_scenes(UNSEEN, 2, seed=3, size=SIZE), strict=False):
        np.testing.assert_array_equal(scene.image_srgb, again.image_srgb)
        np.testing.assert_array_equal(scene.depth, again.depth)
    (other,) = draw_trial_scenes(UNSEEN, 1, seed=4, size=SIZE)
    assert np.abs(other.depth - scenes[0].depth).max() > 0


def test_both_outcomes_come_from_one_refinement(scenes: list[Scene], models: LoadedModels, settings: RefineSettings) -> None:
    trial = refine_scene(scenes[0], models, settings)
    np.testing.assert_array_equal(trial.gated.disparity_base, trial.refined.disparity_base)
    np.testing.assert_array_equal(trial.gated.uncertainty, trial.refined.uncertainty)
    assert trial.refined.kept is None
    assert trial.gated.kept is not None
    assert trial.gated.provenance["gate"] is not None


def test_a_scene_is_seen_once_and_every_refinement_of_it_is_the_same(
    scenes: list[Scene], models: LoadedModels, settings: RefineSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded, conditioned = [], []
    encode, condition = models.depth.encode, models.prior.condition
    monkeypatch.setattr(models.depth, "encode", lambda image_srgb: encoded.append(image_srgb) or encode(image_srgb))
    monkeypatch.setattr(models.prior, "condition", lambda *seen: conditioned.append(seen) or condition(*seen))
    once, ungated = seen_once(models), replace(settings, gate=False)
    for scene in scenes[:2]:
        first, second = (refine_picture(picture_of(scene), once, ungated) for _ in range(2))
        assert first.disparity_refined.tobytes() == second.disparity_refined.tobytes()
        assert refine_scene(scene, once, settings).refined.disparity_refined.tobytes() == first.disparity_refined.tobytes()
    assert len(encoded) == len(conditioned) == 2
    plain = refine_picture(picture_of(scenes[1]), models, ungated)
    assert plain.disparity_refined.tobytes() == second.disparity_refined.tobytes()
    assert len(encoded) == len(conditioned) == 3


def test_errors_vanish_for_the_truth_and_grow_with_noise(scenes: list[Scene]) -> None:
    truth = (3 / scenes[1].depth - 0.2).astype(np.float32)
    noise = np.random.default_rng(0).normal(size=truth.shape).astype(np.float32)
    exact, near, far = (scene_errors(truth + level * noise, scenes[1], fov_deg=55.0) for level in (0, 0.01, 0.1))
    assert exact["abs_rel"] == pytest.approx(0, abs=1e-5)
    assert exact["normal_deg"] == pytest.approx(0, abs=0.1)
    assert exact["abs_rel"] < near["abs_rel"] < far["abs_rel"]
    assert exact["normal_deg"] < near["normal_deg"] < far["normal_deg"]
