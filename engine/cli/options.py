"""Settings as command-line options: one for every field of the settings classes, named after it.

Type and choices come from the field's annotation, so an option can never drift from the setting; ranges are checked by the settings themselves.
Only the words are written here.
"""

from __future__ import annotations

import argparse
import types
from dataclasses import fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ..api.settings import MeshSettings, MethodSettings, RefineSettings, settings_from_preset

FLAGS = {"fov_deg": "--fov", "long_side_vertices": "--mesh-vertices"}

HELP: dict[str, str] = {
    "preset": "paper: the released values (1000 steps, 10 members); default; quick",
    "depth_model": "embedded (default; ships with Re-Depth), small, base, large, a hub name or a folder",
    "prior": "embedded (default), sd15, sd21, a hub name or a folder",
    "autoencoder": "kl: the prior's own; tiny: a distilled one at a tenth of the cost",
    "prompt": "what the picture shows; without it a caption where a captioner is here, else the empty text",
    "negative_prompt": "what the picture shall not look like",
    "device": "auto takes the best there is and says which",
    "precision": "of the prior's weights; auto fits the device",
    "input_px": "long side of the depth model's input; 0 = the model's own",
    "gate": "keep the base where signs speak against the refinement (default), or take all of the refinement",
    "steps": "optimiser steps a member",
    "lights_per_step": "random lights a step and member, averaged",
    "members": "independent runs, averaged; their spread is the uncertainty",
    "members_per_batch": "how many members share a pass through the prior; 0 = all; fewer need less memory",
    "seed": "same seed, same result on the same device",
    "embeddings_lr": "learning rate of the encoder's tokens",
    "head_lr": "learning rate of the decoder",
    "scale_offset_lr": "learning rate of the depth scale's offset",
    "adam_eps": "AdamW's eps; larger holds still what has next to no gradient",
    "guidance_scale": "how strongly the prompt steers",
    "timestep_min": "lowest noise level drawn, of 0 to 999",
    "timestep_max": "highest noise level drawn, of 0 to 999",
    "weighting": "weight of the guidance by noise level",
    "smoothness_weight": "weight of the Laplacian loss",
    "anchor_weight": "weight of the distance from the depth model's own estimate; 0 = none",
    "canvas": "square: letterboxed as released; fit: the picture's own aspect",
    "depth_scale": "s of z = (s + tanh o) / (d + m)",
    "min_disparity": "m of z = (s + tanh o) / (d + m)",
    "fov_deg": "angle of view across the longer side; without it from EXIF, else 55",
    "near_far_ratio": "distance of the farthest point over that of the nearest (default 4)",
    "edge_cut": "cut faces where depths differ by more than this many pixel footprints; 0 = never (default 12)",
    "long_side_vertices": "vertices along the longer side (default 768)",
}

_METAVARS: dict[type, str] = {int: "N", float: "X", str: "TEXT"}


def add_settings_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for every field of `RefineSettings` and `MethodSettings`."""
    own = [name for name in _field_names(RefineSettings) if name != "method"]
    _add_group(parser, "models and device", "", RefineSettings, own)
    _add_group(parser, "method", "The numbers of the method; each overrides the preset's.", MethodSettings, _field_names(MethodSettings))


def add_mesh_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for every field of `MeshSettings`."""
    _add_group(parser, "mesh", "", MeshSettings, _field_names(MeshSettings))


def add_fov_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--fov`` alone, for verbs that make no mesh."""
    _add_group(parser, "camera", "", MeshSettings, ["fov_deg"])


def refine_settings(arguments: argparse.Namespace) -> RefineSettings:
    """Return the settings that ``arguments`` ask for.

    Raises:
        SettingsError: a value outside its range, or two that contradict each other.
    """
    given = _given(arguments, RefineSettings) | _given(arguments, MethodSettings)
    return settings_from_preset(given.pop("preset", "default"), **given)


def mesh_settings(arguments: argparse.Namespace) -> MeshSettings:
    """Return the mesh settings that ``arguments`` ask for.

    Raises:
        SettingsError: a value outside its range.
    """
    return MeshSettings(**_given(arguments, MeshSettings))


def _add_group(parser: argparse.ArgumentParser, title: str, text: str, settings: type, names: list[str]) -> None:
    group = parser.add_argument_group(title, text or None)
    hints = get_type_hints(settings)
    for name in names:
        flag = FLAGS.get(name, "--" + name.replace("_", "-"))
        group.add_argument(flag, dest=name, default=argparse.SUPPRESS, help=HELP[name], **_value_options(hints[name]))


def _value_options(hint: Any) -> dict[str, Any]:
    """Return argparse's type, choices and metavar for a field annotated ``hint``; a bool gets ``--name`` and ``--no-name``."""
    if hint is bool:
        return {"action": argparse.BooleanOptionalAction}
    if get_origin(hint) is Literal:
        return {"choices": get_args(hint)}
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (part for part in get_args(hint) if part is not type(None))
    return {"type": hint, "metavar": _METAVARS[hint]}


def _field_names(settings: type) -> list[str]:
    return [field.name for field in fields(settings)]


def _given(arguments: argparse.Namespace, settings: type) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in _field_names(settings) if hasattr(arguments, name)}
