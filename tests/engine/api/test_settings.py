from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, asdict, fields

import pytest

from engine.api.errors import SettingsError
from engine.api.settings import MeshSettings, MethodSettings, RefineSettings, settings_from_preset

RELEASED = {
    "steps": 1000,
    "lights_per_step": 1,
    "members": 10,
    "embeddings_lr": 1e-3,
    "head_lr": 2e-6,
    "scale_offset_lr": 1e-3,
    "adam_eps": 1e-8,
    "guidance_scale": 51.0,
    "timestep_min": 20,
    "timestep_max": 600,
    "weighting": "uniform",
    "smoothness_weight": 1.0,
    "anchor_weight": 0.0,
    "canvas": "square",
    "depth_scale": 7.0,
    "min_disparity": 0.1,
}


@pytest.mark.parametrize("prior", ["embedded", "sd15"])
def test_paper_preset_is_exactly_the_released_values(prior: str) -> None:
    method = asdict(settings_from_preset("paper", prior=prior).method)
    assert {name: method[name] for name in RELEASED} == RELEASED


@pytest.mark.parametrize("preset", ["paper", "default", "quick"])
@pytest.mark.parametrize("prior", ["embedded", "sd15"])
def test_settings_survive_the_wire(preset: str, prior: str) -> None:
    settings = settings_from_preset(preset, prior=prior, seed=2**53 - 1, prompt="ä cup")
    assert RefineSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_overrides_reach_both_levels() -> None:
    settings = settings_from_preset("quick", steps=7, prompt="cup", input_px=140)
    assert (settings.method.steps, settings.prompt, settings.input_px) == (7, "cup", 140)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 0), ("steps", 1.5), ("steps", True), ("members", 65), ("seed", -1), ("seed", 2**53), ("embeddings_lr", float("nan")),
        ("head_lr", -1e-9),
        ("adam_eps", 0.0), ("lights_per_step", 0), ("lights_per_step", 65), ("anchor_weight", -0.1),
        ("guidance_scale", float("inf")), ("timestep_min", 601), ("timestep_max", 1000), ("weighting", "cubic"), ("smoothness_weight", "1"),
        ("canvas", "round"), ("min_disparity", 0.0), ("depth_scale", 1.0), ("device", "tpu"), ("precision", "int8"), ("autoencoder", "huge"),
        ("depth_model", " "), ("prompt", 3), ("input_px", 10), ("no_such_field", 1),
    ],
)  # fmt: skip
def test_a_wrong_value_names_its_field(name: str, value: object) -> None:
    overrides = {name: value} if name != "depth_model" else {}
    models = {"depth_model": value} if name == "depth_model" else {}
    with pytest.raises(SettingsError, match=name):
        settings_from_preset("paper", prior="sd15", **models, **overrides)


@pytest.mark.parametrize(("name", "value"), [("fov_deg", 0), ("fov_deg", 171), ("near_far_ratio", 1.0), ("edge_cut", -1), ("long_side_vertices", 1)])
def test_a_wrong_mesh_value_names_its_field(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=name):
        MeshSettings(**{name: value})


def test_unknown_preset_lists_the_known() -> None:
    with pytest.raises(SettingsError, match="paper, default, quick"):
        settings_from_preset("best")


def test_settings_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        MethodSettings().steps = 3


def test_every_field_is_documented() -> None:
    for kind in (MethodSettings, RefineSettings, MeshSettings):
        missing = [field.name for field in fields(kind) if field.name not in kind.__doc__]
        assert not missing or missing == ["method"]
