"""What a refinement is asked to do: frozen settings, validated on creation, the same object on the wire.

`MethodSettings` holds the numbers of the paper and nothing else; `RefineSettings` adds the models, the prompt and the device;
`MeshSettings` says how the resulting disparity becomes a mesh (it needs no engine run to change).

Units are suffixes (``_px``, ``_deg``). Timesteps count 0..999, as in diffusers.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from .errors import SettingsError

Weighting = Literal["uniform", "sds", "fantasia3d", "x0"]
Canvas = Literal["square", "fit"]
Preset = Literal["paper", "default", "quick"]
DeviceName = Literal["auto", "cuda", "mps", "cpu"]
Precision = Literal["auto", "float32", "bfloat16", "float16"]
Autoencoder = Literal["kl", "tiny"]

EMBEDDED = "embedded"


def _require(true: bool, sentence: str, hint: str = "") -> None:
    if not true:
        raise SettingsError(sentence, hint=hint)


def _require_range(name: str, value: float, low: float, high: float) -> None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    _require(is_number and low <= value <= high, f"{name} is {value!r}, outside {low:g} to {high:g}.", f"Give {name} a value in that range.")


def _require_whole(name: str, value: int, low: int, high: int) -> None:
    _require(isinstance(value, int) and not isinstance(value, bool), f"{name} is {value!r}, not a whole number.", f"Give {name} a whole number.")
    _require_range(name, value, low, high)


def _require_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    listed = ", ".join(str(choice) for choice in choices)
    _require(value in choices, f"{name} is {value!r}, which is none of: {listed}.", f"Choose one of: {listed}.")


@dataclass(frozen=True, kw_only=True)
class MethodSettings:
    """The numbers of the method; defaults are the values of the authors' released code.

    Attributes:
        steps: optimiser steps a member.
        lights_per_step: random lights of a member in each step, whose gradients are averaged; 1, as released. More make a step steadier and dearer.
        members: independent runs from the same start, averaged.
        members_per_batch: how many members share a pass through the prior; 0 = all. Changes memory and speed, not the result.
        seed: member k draws from a generator of its own, seeded with (seed, k).
        embeddings_lr, head_lr, scale_offset_lr: AdamW learning rates of tokens, DPT head and the scalar o.
        adam_eps: AdamW's eps, which PyTorch sets to 1e-8; a larger one holds still what has next to no gradient.
        guidance_scale: g' of the usual formula ``uncond + g'(text - uncond)``; the released code's g is g' - 1.
        timestep_min, timestep_max: inclusive range that t is drawn from, of 1000.
        weighting: w(t) of the SDS gradient: uniform 1, sds 1-ᾱ, fantasia3d √ᾱ(1-ᾱ), x0 √((1-ᾱ)/ᾱ) (the gradient x - x0_hat).
        smoothness_weight: of the Laplacian loss.
        anchor_weight: of the squared logarithm of the depth over the base's, which counts more where the base is sure; 0 = none, as released.
        canvas: ``square`` letterboxes with zeros as released; ``fit`` keeps the picture's aspect, rounded to what the prior takes.
        depth_scale, min_disparity: s and m of z = (s + tanh o) / (d + m).
    """

    steps: int = 1000
    lights_per_step: int = 1
    members: int = 10
    members_per_batch: int = 0
    seed: int = 0
    embeddings_lr: float = 1e-3
    head_lr: float = 2e-6
    scale_offset_lr: float = 1e-3
    adam_eps: float = 1e-8
    guidance_scale: float = 51.0
    timestep_min: int = 20
    timestep_max: int = 600
    weighting: Weighting = "uniform"
    smoothness_weight: float = 1.0
    anchor_weight: float = 0.0
    canvas: Canvas = "square"
    depth_scale: float = 7.0
    min_disparity: float = 0.1

    def __post_init__(self) -> None:
        _require_whole("steps", self.steps, 1, 100_000)
        _require_whole("lights_per_step", self.lights_per_step, 1, 64)
        _require_whole("members", self.members, 1, 64)
        _require_whole("members_per_batch", self.members_per_batch, 0, 64)
        _require_whole("seed", self.seed, 0, 2**53 - 1)
        for name in ("embeddings_lr", "head_lr", "scale_offset_lr"):
            _require_range(name, getattr(self, name), 0.0, 1.0)
        _require_range("adam_eps", self.adam_eps, 1e-16, 1.0)
        _require_range("guidance_scale", self.guidance_scale, -1000.0, 1000.0)
        _require_whole("timestep_min", self.timestep_min, 0, 999)
        _require_whole("timestep_max", self.timestep_max, 0, 999)
        _require(
            self.timestep_min <= self.timestep_max, f"timestep_min {self.timestep_min} is above timestep_max {self.timestep_max}.", "Swap the two."
        )
        _require_choice("weighting", self.weighting, get_args(Weighting))
        _require_range("smoothness_weight", self.smoothness_weight, 0.0, 1e6)
        _require_range("anchor_weight", self.anchor_weight, 0.0, 1e6)
        _require_choice("canvas", self.canvas, get_args(Canvas))
        _require_range("depth_scale", self.depth_scale, 1.001, 1e6)
        _require_range("min_disparity", self.min_disparity, 1e-6, 1e6)


@dataclass(frozen=True, kw_only=True)
class RefineSettings:
    """One refinement, complete: models, prompt, device and the method's numbers.

    Attributes:
        preset: the name that the method's numbers started from (overrides included in ``method``).
        depth_model: ``embedded``, ``small``, ``base``, ``large``, a hub name or a folder.
        prior: ``embedded``, ``sd15``, ``sd21``, a hub name or a folder.
        autoencoder: ``kl``, the prior's own, or ``tiny``, a distilled one that costs a tenth.
        prompt: the text for the prior; None asks for a caption where a captioner's weights are here, else the empty text.
        negative_prompt: the text that guidance moves away from.
        device, precision: ``auto`` takes the best that the machine has, and the result says which.
        input_px: long side of the depth model's input; 0 = the model's own (518 for Depth Anything V2).
        gate: compare the refinement with the base afterwards, and keep the base where the signs speak for it (`engine.gate`).
    """

    preset: Preset = "default"
    depth_model: str = EMBEDDED
    prior: str = EMBEDDED
    autoencoder: Autoencoder = "kl"
    prompt: str | None = None
    negative_prompt: str = ""
    device: DeviceName = "auto"
    precision: Precision = "auto"
    input_px: int = 0
    gate: bool = True
    method: MethodSettings

    def __post_init__(self) -> None:
        _require_choice("preset", self.preset, get_args(Preset))
        for name in ("depth_model", "prior"):
            value = getattr(self, name)
            _require(isinstance(value, str) and bool(value.strip()), f"{name} is empty.", f"Name a {name}, for example {EMBEDDED}.")
        _require_choice("autoencoder", self.autoencoder, get_args(Autoencoder))
        _require(self.prompt is None or isinstance(self.prompt, str), "prompt is not a text.")
        _require(isinstance(self.negative_prompt, str), "negative_prompt is not a text.")
        _require_choice("device", self.device, get_args(DeviceName))
        _require_choice("precision", self.precision, get_args(Precision))
        if self.input_px != 0:
            _require_whole("input_px", self.input_px, 56, 2048)
        _require(isinstance(self.gate, bool), f"gate is {self.gate!r}, neither true nor false.", "Give gate true or false.")

    def to_json(self) -> dict[str, Any]:
        """Return the settings as a JSON object; `from_json` gives an equal object back."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> RefineSettings:
        """Return the settings described by ``value``.

        Raises:
            SettingsError: an unknown or missing field, or a value outside its range.
        """
        own = _checked_fields(cls, value)
        method = own.pop("method", None)
        _require(isinstance(method, dict), "The settings lack the object 'method'.")
        return cls(method=MethodSettings(**_checked_fields(MethodSettings, method)), **own)


@dataclass(frozen=True, kw_only=True)
class MeshSettings:
    """How disparity becomes a mesh.

    Attributes:
        fov_deg: angle of view across the picture's longer side; None = from EXIF, else 55.
        near_far_ratio: distance of the farthest point over that of the nearest.
        edge_cut: faces are cut where neighbouring depths differ by more than this many pixel footprints; 0 = never.
        long_side_vertices: grid resolution along the longer side.
    """

    fov_deg: float | None = None
    near_far_ratio: float = 4.0
    edge_cut: float = 12.0
    long_side_vertices: int = 768

    def __post_init__(self) -> None:
        if self.fov_deg is not None:
            _require_range("fov_deg", self.fov_deg, 1.0, 170.0)
        _require_range("near_far_ratio", self.near_far_ratio, 1.01, 1000.0)
        _require_range("edge_cut", self.edge_cut, 0.0, 1e6)
        _require_whole("long_side_vertices", self.long_side_vertices, 2, 8192)


_SD_PRESETS: dict[str, MethodSettings] = {
    "paper": MethodSettings(),
    "default": MethodSettings(steps=300, members=4),
    "quick": MethodSettings(steps=100, members=1),
}

# The embedded prior sees the input picture, works on small pixels and was taught to mend estimated surfaces: it wants values of its own. Chosen on
# made scenes of the family that the depth model never saw. A lighter anchor gains more there on average and does more harm where it harms.
_EMBEDDED_METHOD = MethodSettings(
    steps=14,
    lights_per_step=2,
    members=2,
    embeddings_lr=4.2e-2,
    head_lr=0.0,
    adam_eps=5e-6,
    guidance_scale=1.0,
    timestep_min=250,
    timestep_max=550,
    weighting="x0",
    smoothness_weight=0.005,
    anchor_weight=5.0,
    canvas="fit",
)
_EMBEDDED_PRESETS: dict[str, MethodSettings] = {
    "paper": MethodSettings(),
    "default": _EMBEDDED_METHOD,
    "quick": replace(_EMBEDDED_METHOD, steps=10, members=1),
}


def settings_from_preset(preset: str, *, depth_model: str = EMBEDDED, prior: str = EMBEDDED, **overrides: Any) -> RefineSettings:
    """Return a preset's settings for this pair of models, with single fields overridden.

    Args:
        preset: ``paper`` (the released values), ``default`` or ``quick``.
        overrides: any field of `MethodSettings` or `RefineSettings`.

    Raises:
        SettingsError: unknown preset, unknown field or a value outside its range.
    """
    _require_choice("preset", preset, get_args(Preset))
    presets = _EMBEDDED_PRESETS if prior == EMBEDDED else _SD_PRESETS
    method_names = {field.name for field in fields(MethodSettings)}
    method_overrides = {name: overrides.pop(name) for name in list(overrides) if name in method_names}
    value = {"preset": preset, "depth_model": depth_model, "prior": prior, "method": asdict(presets[preset]) | method_overrides} | overrides
    return RefineSettings.from_json(value)


def _checked_fields(cls: type, value: dict[str, Any]) -> dict[str, Any]:
    known = {field.name for field in fields(cls)}
    unknown = sorted(set(value) - known)
    _require(not unknown, f"Unknown setting {', '.join(unknown)}.", f"Known are: {', '.join(sorted(known))}.")
    return dict(value)
