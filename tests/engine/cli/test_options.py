"""Options follow the settings, field by field."""

from __future__ import annotations

import argparse
from dataclasses import asdict, fields
from typing import Any

import pytest

from engine.api.errors import SettingsError
from engine.api.settings import MeshSettings, MethodSettings, RefineSettings, settings_from_preset
from engine.cli.options import FLAGS, HELP, add_fov_option, add_mesh_options, add_settings_options, mesh_settings, refine_settings

OTHER_VALUES: dict[str, Any] = {
    "preset": "quick",
    "depth_model": "base",
    "prior": "sd15",
    "autoencoder": "tiny",
    "prompt": "a cup",
    "negative_prompt": "blurred",
    "device": "cpu",
    "precision": "float32",
    "input_px": 280,
    "gate": False,
    "steps": 7,
    "lights_per_step": 3,
    "members": 5,
    "members_per_batch": 1,
    "seed": 11,
    "embeddings_lr": 0.02,
    "head_lr": 0.001,
    "scale_offset_lr": 0.5,
    "adam_eps": 1e-6,
    "guidance_scale": 3.5,
    "timestep_min": 100,
    "timestep_max": 960,
    "weighting": "fantasia3d",
    "smoothness_weight": 0.25,
    "anchor_weight": 2.5,
    "canvas": "square",
    "depth_scale": 5.0,
    "min_disparity": 0.3,
    "fov_deg": 40.0,
    "near_far_ratio": 9.0,
    "edge_cut": 3.0,
    "long_side_vertices": 99,
}


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_settings_options(parser)
    add_mesh_options(parser)
    return parser.parse_args(words)


def flag(name: str) -> str:
    return FLAGS.get(name, "--" + name.replace("_", "-"))


def test_every_field_has_its_words_and_no_word_is_left_over() -> None:
    names = {field.name for settings in (RefineSettings, MethodSettings, MeshSettings) for field in fields(settings)} - {"method"}
    assert set(HELP) == names == set(OTHER_VALUES)


def test_nothing_given_is_the_preset() -> None:
    assert refine_settings(parse()) == settings_from_preset("default")
    assert mesh_settings(parse()) == MeshSettings()


def test_preset_follows_the_prior() -> None:
    assert refine_settings(parse("--preset", "paper", "--prior", "sd15")).method == MethodSettings()


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_each_option_sets_its_field_and_nothing_else(name: str) -> None:
    words = [f"--no-{name}"] if OTHER_VALUES[name] is False else [flag(name), str(OTHER_VALUES[name])]
    arguments = parse(*words)
    settings, mesh = refine_settings(arguments), asdict(mesh_settings(arguments))
    given = mesh if name in mesh else asdict(settings.method) if name in asdict(settings.method) else asdict(settings)
    assert given[name] == OTHER_VALUES[name]
    assert type(given[name]) is type(OTHER_VALUES[name])
    if name not in ("preset", "prior"):
        changed = {key for key, value in asdict(settings).items() if value != asdict(settings_from_preset("default"))[key]}
        assert changed == (set() if name in mesh else {"method"} if name in asdict(settings.method) else {name})


@pytest.mark.parametrize(
    "words", [("--steps", "0"), ("--guidance-scale", "nan"), ("--timestep-min", "900", "--timestep-max", "600"), ("--prior", "")]
)
def test_values_outside_their_range_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError):
        refine_settings(parse(*words))


@pytest.mark.parametrize("words", [("--fov", "0"), ("--fov", "171"), ("--near-far-ratio", "1"), ("--mesh-vertices", "1")])
def test_mesh_values_outside_their_range_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError):
        mesh_settings(parse(*words))


def test_fov_alone() -> None:
    parser = argparse.ArgumentParser()
    add_fov_option(parser)
    assert mesh_settings(parser.parse_args(["--fov", "70"])).fov_deg == 70.0
