from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from engine.api.errors import OutOfMemoryError
from engine.api.messages import PHASES, Event, Notice, Progress
from engine.api.result import RefineResult
from engine.api.settings import RefineSettings, settings_from_preset
from engine.gate.score import DRAWS
from engine.images.clean import clean_disparity
from engine.images.picture import Picture
from engine.images.upsample import upsample_disparity
from engine.method.refine import RefinedMembers
from engine.models.depth_anything import DepthAnything
from engine.pipeline import LoadedModels, load_models, member_batches, model_input, refine_picture


@pytest.fixture
def picture() -> Picture:
    image_srgb = np.random.default_rng(3).random((90, 120, 3), dtype=np.float32)
    return Picture(
        image_srgb=image_srgb, fov_deg=40.0, sha256="ab", source_name="noise.png", notices=(Notice(code="picture.first_frame", text="One."),)
    )


@pytest.fixture
def settings(depth_folder: Path, stable_diffusion_folder: Path) -> RefineSettings:
    return settings_from_preset(
        "quick",
        depth_model=str(depth_folder),
        prior=str(stable_diffusion_folder),
        device="cpu",
        steps=3,
        members=2,
        members_per_batch=1,
        prompt="a cup",
    )


@pytest.fixture
def models(settings: RefineSettings) -> LoadedModels:
    return load_models(settings)


def test_a_picture_is_refined_at_its_own_size(picture: Picture, models: LoadedModels, settings: RefineSettings) -> None:
    result = refine_picture(picture, models, settings)
    for array in (result.disparity_base, result.disparity_refined, result.uncertainty):
        assert array.shape == (90, 120)
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
    assert result.image_srgb.shape == (90, 120, 3)
    assert np.abs(result.image_srgb / 255 - picture.image_srgb).max() <= 0.5 / 255 + 1e-6
    assert np.abs(result.disparity_refined - result.disparity_base).max() > 0
    assert result.uncertainty.min() >= 0 and result.uncertainty.max() > 0


def test_maps_are_cleaned_only_where_the_depth_model_needs_it(
    picture: Picture, models: LoadedModels, settings: RefineSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleaned: list[NDArray[np.float32]] = []
    monkeypatch.setattr(
        "engine.pipeline.clean_disparity", lambda disparity, image_srgb: cleaned.append(disparity) or clean_disparity(disparity, image_srgb)
    )
    plain = refine_picture(picture, models, settings)
    assert not cleaned
    assert plain.provenance["maps_cleaned"] is False
    models.depth.needs_cleaning = True
    result = refine_picture(picture, models, settings)
    assert len(cleaned) == 2
    assert result.provenance["maps_cleaned"] is True
    size = cleaned[0].shape
    guide = model_input(picture.image_srgb, max(size), models.depth.patch_px)[0].permute(1, 2, 0).numpy()
    assert guide.shape[:2] == size
    for raw, theirs, before in zip(
        cleaned, (result.disparity_base, result.disparity_refined), (plain.disparity_base, plain.disparity_refined), strict=True
    ):
        np.testing.assert_array_equal(theirs, upsample_disparity(clean_disparity(raw, guide), picture.image_srgb))
        np.testing.assert_array_equal(before, upsample_disparity(raw, picture.image_srgb))
    assert np.abs(result.disparity_base - plain.disparity_base).max() > 0


def test_same_request_same_bytes(picture: Picture, models: LoadedModels, settings: RefineSettings) -> None:
    first, second = (refine_picture(picture, models, settings) for _ in range(2))
    assert first.disparity_refined.tobytes() == second.disparity_refined.tobytes()
    assert first.uncertainty.tobytes() == second.uncertainty.tobytes()


def test_provenance_says_everything_and_is_json(picture: Picture, models: LoadedModels, settings: RefineSettings) -> None:
    provenance = refine_picture(picture, models, settings).provenance
    assert json.loads(json.dumps(provenance, allow_nan=False)) == provenance
    assert RefineSettings.from_json(provenance["settings"]) == settings
    assert provenance["complete"] is True
    assert provenance["steps_done"] == provenance["steps_asked"] == 6
    assert (provenance["prompt"], provenance["prompt_source"]) == ("a cup", "user")
    assert set(provenance["models"]) == {"depth", "prior"}
    assert provenance["device"] == "cpu"
    assert provenance["notices"] == [{"code": "picture.first_frame", "text": "One."}]
    assert set(provenance["seconds"]) == {"load", "base", "refine", "gate", "upsample"}


def test_progress_is_typed_and_in_order(picture: Picture, settings: RefineSettings) -> None:
    events: list[Event] = []
    models = load_models(settings, on_event=events.append)
    refine_picture(picture, models, settings, on_event=events.append)
    phases = [event.phase for event in events if isinstance(event, Progress)]
    assert phases == sorted(phases, key=PHASES.index)
    steps = [event for event in events if isinstance(event, Progress) and event.phase == "refine"]
    assert [(event.member, event.step) for event in steps] == [(member, step) for member in (1, 2) for step in (1, 2, 3)]
    assert all(set(event.losses) == {"guidance", "smoothness"} for event in steps)
    assert steps[-1].eta_s == 0 and steps[0].eta_s > 0
    gate = [event for event in events if isinstance(event, Progress) and event.phase == "gate"]
    assert [(event.step, event.steps) for event in gate] == [(step, DRAWS) for step in range(DRAWS + 1)]
    assert gate[0].eta_s is None and all(event.eta_s is not None for event in gate[1:])
    assert gate[-1].eta_s == 0


def test_the_gate_mixes_refined_and_base_by_the_share_it_keeps(picture: Picture, models: LoadedModels, settings: RefineSettings) -> None:
    result = refine_picture(picture, models, settings)
    assert result.kept is not None
    assert (result.kept.shape, result.kept.dtype) == ((90, 120), np.float32)
    assert result.kept.min() >= 0 and result.kept.max() <= 1
    gate = result.provenance["gate"]
    assert set(gate) == {"verdict", "share_kept", "signs", "thresholds", "reasons"}
    assert gate["share_kept"] == pytest.approx(result.kept.mean(), abs=0.02)


def test_without_the_gate_nothing_is_judged(picture: Picture, models: LoadedModels, settings: RefineSettings) -> None:
    result = refine_picture(picture, models, replace(settings, gate=False))
    assert (result.kept, result.provenance["gate"]) == (None, None)
    assert "gate" not in result.provenance["seconds"]


def test_a_stop_while_the_gate_asks_leaves_the_refinement_unjudged(picture: Picture, models: LoadedModels, settings: RefineSettings) -> None:
    asked: list[Event] = []

    def count(event: Event) -> None:
        if isinstance(event, Progress) and event.phase == "gate":
            asked.append(event)

    result = refine_picture(picture, models, settings, on_event=count, should_stop=lambda: len(asked) == 2)
    assert len(asked) == 2
    assert (result.provenance["complete"], result.kept, result.provenance["gate"]) == (True, None, None)
    ungated = refine_picture(picture, models, replace(settings, gate=False))
    assert result.disparity_refined.tobytes() == ungated.disparity_refined.tobytes()


@pytest.mark.parametrize("stop_at", [0, 2, 4])
def test_a_stop_keeps_what_was_reached(picture: Picture, models: LoadedModels, settings: RefineSettings, stop_at: int) -> None:
    steps: list[Progress] = []

    def count(event: Event) -> None:
        if isinstance(event, Progress) and event.phase == "refine":
            steps.append(event)

    result = refine_picture(picture, models, settings, on_event=count, should_stop=lambda: len(steps) >= stop_at)
    assert result.provenance["complete"] is False
    assert result.provenance["steps_done"] == len(steps) == stop_at
    assert (result.kept, result.provenance["gate"]) == (None, None)
    unchanged = np.array_equal(result.disparity_refined, result.disparity_base)
    assert unchanged == (stop_at == 0)


class Store:
    """Members kept in memory, as a job folder keeps them on disk."""

    def __init__(self) -> None:
        self.kept: dict[range, RefinedMembers] = {}

    def load(self, members: range) -> RefinedMembers | None:
        return self.kept.get(members)

    def save(self, members: range, batch: RefinedMembers) -> None:
        self.kept[members] = batch


def test_a_second_try_goes_on_and_ends_with_the_same_bytes(picture: Picture, models: LoadedModels, settings: RefineSettings) -> None:
    undisturbed, store, seen = refine_picture(picture, models, settings), Store(), []
    steps: list[Event] = []
    refine_picture(picture, models, settings, on_event=steps.append, should_stop=lambda: len(steps) > 6, member_store=store)
    assert list(store.kept) == [range(0, 1)], "only the finished member is kept"
    resumed = refine_picture(picture, models, settings, on_event=seen.append, member_store=store)
    assert resumed.disparity_refined.tobytes() == undisturbed.disparity_refined.tobytes()
    assert {event.member for event in seen if isinstance(event, Progress) and event.phase == "refine"} == {2}


def test_previews_are_the_members_mean(picture: Picture, models: LoadedModels, settings: RefineSettings) -> None:
    previews: list[NDArray[np.float32]] = []
    refine_picture(picture, models, settings, on_preview=previews.append)
    assert previews
    assert all(preview.shape == (42, 56) for preview in previews)


@pytest.mark.parametrize(
    ("option", "exif", "expected"), [(70.0, 40.0, (70.0, "option")), (None, 40.0, (40.0, "exif")), (None, None, (55.0, "default"))]
)
def test_fov_comes_from_option_then_exif_then_default(
    picture: Picture, models: LoadedModels, settings: RefineSettings, option: float | None, exif: float | None, expected: tuple[float, str]
) -> None:
    unsteered = Picture(image_srgb=picture.image_srgb, fov_deg=exif, sha256="", source_name="", notices=())
    result = refine_picture(unsteered, models, settings, fov_deg=option, should_stop=lambda: True)
    assert (result.fov_deg, result.fov_source) == expected


def test_an_empty_prompt_is_said(
    picture: Picture, models: LoadedModels, settings: RefineSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    result = refine_picture(picture, models, replace(settings, prompt=None), should_stop=lambda: True)
    assert (result.provenance["prompt"], result.provenance["prompt_source"]) == ("", "none")
    assert "prompt.none" in [notice["code"] for notice in result.provenance["notices"]]


def _raise(error: Exception) -> Callable[..., RefineResult]:
    def fail(*arguments: object, **options: object) -> RefineResult:
        raise error

    return fail


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("could not create a primitive"),
        MemoryError(),
    ],
)
def test_memory_errors_name_the_next_setting(
    picture: Picture, models: LoadedModels, settings: RefineSettings, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DepthAnything, "encode", _raise(error))
    with pytest.raises(OutOfMemoryError, match="autoencoder tiny"):
        refine_picture(picture, models, settings)


def test_memory_errors_with_several_lights_name_those_first(
    picture: Picture, models: LoadedModels, settings: RefineSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DepthAnything, "encode", _raise(MemoryError()))
    with pytest.raises(OutOfMemoryError, match="lights-per-step 1"):
        refine_picture(picture, models, replace(settings, method=replace(settings.method, lights_per_step=2)))


def test_other_runtime_errors_pass_unchanged(
    picture: Picture, models: LoadedModels, settings: RefineSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DepthAnything, "encode", _raise(RuntimeError("shape mismatch")))
    with pytest.raises(RuntimeError, match="shape mismatch"):
        refine_picture(picture, models, settings)


@pytest.mark.parametrize(
    ("size", "expected"), [((90, 120), (42, 56)), ((120, 90), (56, 42)), ((500, 10), (56, 14)), ((56, 56), (56, 56)), ((10, 13), (42, 56))]
)
def test_model_input_keeps_aspect_in_multiples(size: tuple[int, int], expected: tuple[int, int]) -> None:
    tensor = model_input(np.full((*size, 3), 0.25, dtype=np.float32), 56, 14)
    assert tensor.shape == (1, 3, *expected)
    torch.testing.assert_close(tensor, torch.full_like(tensor, 0.25))


def test_batches_cover_every_member_once() -> None:
    assert member_batches(5, 2) == [range(0, 2), range(2, 4), range(4, 5)]
    assert member_batches(5, 0) == [range(0, 5)]
