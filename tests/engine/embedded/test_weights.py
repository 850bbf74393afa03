"""The committed weights: they load as the engine loads them, are small, say what made them, and know more than a guess."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from engine.embedded.seeds import seeded
from engine.embedded.world.families import LABELLED
from engine.embedded.world.scene import draw_scenes
from engine.evaluation.metrics import depth_metrics
from engine.evaluation.protocols import align_standard
from engine.method.members import base_disparity
from engine.models.catalogue import EMBEDDED_WEIGHTS, find_weights
from engine.models.depth_anything import DepthAnything
from engine.models.embedded_prior import CANVAS_MULTIPLE_PX, CANVAS_PX, EmbeddedPrior

CPU = torch.device("cpu")
SCENES = 24
MIB = 2**20


def abs_rel(disparity: np.ndarray, depth: np.ndarray) -> float:
    valid = np.ones(depth.shape, bool)
    return depth_metrics(align_standard(disparity, depth, valid), depth, valid)["abs_rel"]


def test_the_depth_model_beats_a_constant_and_a_ramp_on_fresh_scenes() -> None:
    model = DepthAnything(find_weights("embedded", "depth"), CPU)
    size = (model.input_px * 3 // 4 // model.patch_px * model.patch_px, model.input_px)
    scenes = draw_scenes(seeded("cpu", "weights test"), LABELLED, SCENES, size)
    ramp = np.repeat(np.linspace(0, 1, size[0])[:, None], size[1], axis=1)
    errors = []
    for image_srgb, depth in zip(scenes.image_srgb, scenes.depth[:, 0].numpy(), strict=True):
        predicted = base_disparity(model, model.encode(image_srgb[None]))[0].numpy()
        errors.append([abs_rel(guess, depth) for guess in (predicted, ramp, np.ones_like(ramp))])
    predicted_error, ramp_error, constant_error = np.mean(errors, axis=0)
    assert predicted_error < 0.9 * ramp_error
    assert predicted_error < 0.75 * constant_error


def test_the_depth_models_raw_disparity_keeps_the_range_that_the_method_needs() -> None:
    """z = 7 / (d + 0.1) is 2.5 at the median of the scenes it learned from; a collapsed range would give no relief."""
    model = DepthAnything(find_weights("embedded", "depth"), CPU)
    scenes = draw_scenes(seeded("cpu", "range test"), LABELLED, 8, (80, 112))
    raw = torch.cat([base_disparity(model, model.encode(image[None])) for image in scenes.image_srgb])
    assert 1.5 < raw.median() < 4.5
    assert raw.flatten(1).std(dim=1).mean() > 0.2


def test_the_prior_loads_and_denoises_finitely_with_its_recorded_settings() -> None:
    prior = EmbeddedPrior.load(find_weights("embedded", "prior"), CPU)
    record = json.loads((EMBEDDED_WEIGHTS / "prior" / "prior.json").read_text(encoding="utf-8"))
    assert (record["canvas_px"], record["canvas_multiple_px"], record["pixel_unshuffle"]) == (CANVAS_PX, CANVAS_MULTIPLE_PX, prior.fold_px)
    latents = torch.randn(2, *prior.latent_shape(48, 64), generator=torch.Generator().manual_seed(0))
    canvas_srgb = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(1))
    picture = prior.condition(canvas_srgb, torch.ones_like(canvas_srgb), "", "")
    seeing, blind = prior.predict_noise(latents, torch.tensor([600, 900]), picture, guided=True)
    assert blind is not None
    assert seeing.isfinite().all() and blind.isfinite().all()
    assert not torch.equal(seeing, blind)


@pytest.mark.parametrize("part", ["depth", "prior"])
def test_the_settings_that_made_the_weights_stand_beside_them(part: str) -> None:
    record = json.loads((EMBEDDED_WEIGHTS / part / "training.json").read_text(encoding="utf-8"))
    for training in record.get("mean_of", [record]):
        assert training["steps_done"] > 0
        assert (training["settings"]["families"] == ["labelled"]) == (part == "depth")


def test_all_weights_together_are_below_40_mb() -> None:
    assert sum(file.stat().st_size for file in EMBEDDED_WEIGHTS.rglob("*") if file.is_file()) < 40 * MIB
