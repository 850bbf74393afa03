"""Finding the gate's thresholds: on refinements whose worth is known, and beside the committed weights."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.api.settings import settings_from_preset
from engine.embedded.calibrate_gate import (
    KEPT_GAIN,
    Seen,
    find_thresholds,
    outcome,
    see_scenes,
    try_thresholds,
    weights_digests,
    worst_tenth,
)
from engine.embedded.trial import Scene, draw_trial_scenes, scene_errors
from engine.embedded.world.families import UNSEEN
from engine.gate.score import Score
from engine.gate.thresholds import Thresholds
from engine.method.ensemble import combine
from engine.models.catalogue import EMBEDDED_WEIGHTS, find_weights
from engine.pipeline import load_models

ALL = Thresholds(detail_full=1e6, detail_none=2e6, broad_full=1e6, broad_none=2e6)


def seen(number: int, *, better: bool, local_score: float, picture_score: float) -> Seen:
    """Return a scene whose refinement takes its base halfway to the truth, or as far away from it."""
    random = torch.Generator().manual_seed(number)
    down, across = torch.meshgrid(torch.linspace(-1, 1, 36), torch.linspace(-1, 1, 48), indexing="ij")
    waves = [torch.sin(6 * torch.rand(1, generator=random) * across + 6 * torch.rand(1, generator=random) * down) for _ in range(4)]
    truth, error = 2 + 0.5 * down + 0.2 * waves[0], 0.15 * waves[1] + 0.05 * torch.sin(20 * across + number) * torch.cos(17 * down)
    base = truth + error
    members = (truth + (0.5 if better else 1.5) * error).expand(2, -1, -1)
    scene = Scene(image_srgb=np.zeros((36, 48, 3), np.float32), depth=(1 / truth).numpy())
    return Seen(
        image_srgb=torch.full((3, 36, 48), 0.5),
        base=base,
        members=members,
        ensemble=combine(members, base),
        score=Score(local=torch.full((36, 48), local_score), picture=picture_score),
        scene=scene,
        base_errors=scene_errors(base.numpy(), scene, fov_deg=55.0),
    )


def scenes(better_scores: Sequence[float], worse_scores: Sequence[float]) -> list[Seen]:
    good = [seen(number, better=True, local_score=score, picture_score=score) for number, score in enumerate(better_scores)]
    return good + [seen(100 + number, better=False, local_score=score, picture_score=score) for number, score in enumerate(worse_scores)]


def test_a_score_that_tells_good_from_bad_is_put_to_use() -> None:
    found, made = find_thresholds(scenes(np.linspace(-0.6, -0.3, 4), np.linspace(-0.1, 0.2, 4)))
    everything = try_thresholds(scenes(np.linspace(-0.6, -0.3, 4), np.linspace(-0.1, 0.2, 4)), ALL)
    assert made.worst_tenth <= 0.04 < everything.worst_tenth
    assert made.abs_rel < -0.1
    assert found.broad_share > 0


def test_harm_is_lowered_as_far_as_most_of_the_gain_is_kept() -> None:
    """The one scene that gets worse scores as two do that get better: shutting it out costs a little gain, and is worth it."""
    mixed = scenes(np.linspace(-0.6, -0.2, 9), [-0.21])
    everything = try_thresholds(mixed, ALL)
    _, made = find_thresholds(mixed)
    assert everything.cost < made.cost <= KEPT_GAIN * everything.cost < 0
    assert made.worst_tenth < 0.3 * everything.worst_tenth


def test_where_refinement_only_harms_next_to_nothing_is_kept() -> None:
    harmful = scenes([], np.linspace(-0.6, 0.2, 5))
    _, made = find_thresholds(harmful)
    assert made.abs_rel < 0.3 * try_thresholds(harmful, ALL).abs_rel


def test_where_refinement_always_helps_most_is_kept() -> None:
    helpful = scenes(np.linspace(-0.6, 0.2, 5), [])
    found, made = find_thresholds(helpful)
    assert found.broad_share == 1
    assert made.abs_rel < 0.6 * try_thresholds(helpful, ALL).abs_rel < 0


def test_the_outcome_is_counted_in_shares_of_scenes() -> None:
    changes = np.array([-0.1] * 18 + [0.01, 0.05])
    made = outcome(changes, changes)
    assert (made.harmed, made.worst_tenth) == pytest.approx((0.05, 0.03))
    assert made.cost == pytest.approx(2 * changes.mean())
    assert worst_tenth(np.array([0.2, -0.1])) == pytest.approx(0.2)


def test_what_is_seen_of_a_scene_repeats_and_is_what_the_gate_sees() -> None:
    settings = settings_from_preset("quick", device="cpu", steps=2)
    models = load_models(settings)

    def see() -> Seen:
        (only,) = see_scenes(draw_trial_scenes(UNSEEN, 1, seed=5, size=(72, 96)), models, settings)
        return only

    first, second = see(), see()
    shapes: list[Tensor] = [first.base, first.members[0], first.score.local, first.image_srgb[0], torch.from_numpy(first.scene.depth)]
    assert len({tensor.shape for tensor in shapes}) == 1
    assert torch.equal(first.score.local, second.score.local)
    assert first.base_errors == second.base_errors


def test_the_thresholds_beside_the_weights_were_found_with_these_weights() -> None:
    record = json.loads((EMBEDDED_WEIGHTS / "prior" / "gate.json").read_text(encoding="utf-8"))
    weights = {role: find_weights("embedded", role) for role in ("depth", "prior")}  # type: ignore[arg-type]
    assert record["found_on"]["weights"] == weights_digests(weights), "run python -m engine.embedded.calibrate_gate --write"
    assert Thresholds.from_json(record["thresholds"]) != Thresholds()
