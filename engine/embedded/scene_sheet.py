"""Draw what refinement makes of one made scene beside the truth; scene k of a seed is the one that `prove` measures under that seed.

python -m engine.embedded.scene_sheet FILE.png [--seed 0] [--scene 0]

H W pixels.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..api.settings import settings_from_preset
from ..evaluation.protocols import align_standard
from ..export.colours import change_to_srgb8, disparity_to_srgb8, normals_to_srgb8
from ..export.panels import Legend, Panel, draw_sheet
from ..geometry.camera import Camera
from ..geometry.disparity import disparity_range
from ..geometry.normals import normals_from_depth
from ..pipeline import load_models
from .trial import DRAWN_AT_ONCE, Scene, Trial, draw_trial_scenes, refine_scene, scene_errors, seen_once
from .world.families import UNSEEN

_ENLARGED = 3
_GAIN_LIMIT = 0.1


def scene_sheet(scene: Scene, trial: Trial, heading: str) -> Image.Image:
    """Return the picture, exact, base and refined depth (aligned by the standard protocol), where refinement came nearer the truth, and normals."""
    result = trial.gated
    exact = scene.depth.astype(np.float64)
    everywhere = np.ones(exact.shape, bool)
    maps = {"Depth model": result.disparity_base, "Refined": result.disparity_refined}
    depths = {name: align_standard(disparity, exact, everywhere) for name, disparity in maps.items()}
    errors = {name: scene_errors(disparity, scene, fov_deg=result.fov_deg) for name, disparity in maps.items()}
    shown = {"Truth": exact} | depths
    value_range = disparity_range((1 / exact).astype(np.float32))
    camera = Camera(exact.shape[1], exact.shape[0], result.fov_deg)
    notes = {name: f"AbsRel {found['abs_rel']:.3f}" for name, found in errors.items()} | {"Truth": "exact disparity, bright = near"}
    slopes = {name: f"mean error {found['normal_deg']:.1f}°" for name, found in errors.items()} | {"Truth": "red = right, green = up"}
    base_error, refined_error = (np.abs(depth / exact - 1) for depth in depths.values())
    gain = Panel("Gain", "relative depth error: base - refined", _enlarged(change_to_srgb8(base_error - refined_error, _GAIN_LIMIT)), _gain_legend())
    panels = [Panel("Picture", "made scene", _enlarged((scene.image_srgb * 255).round().astype(np.uint8)))]
    panels += [Panel(name, notes[name], _enlarged(disparity_to_srgb8(1 / depth, value_range))) for name, depth in shown.items()]
    panels += [gain]
    panels += [
        Panel(f"Normals, {name.lower()}", slopes[name], _enlarged(normals_to_srgb8(normals_from_depth(depth, camera))))
        for name, depth in shown.items()
    ]
    gate = result.provenance["gate"]
    return draw_sheet(heading, f"embedded default, quality gate kept {100 * gate['share_kept']:.0f} %", panels)


def _gain_legend() -> Legend:
    ramp = change_to_srgb8(np.linspace(-_GAIN_LIMIT, _GAIN_LIMIT, 256)[None], _GAIN_LIMIT)
    return Legend(ramp, (f"worse {100 * _GAIN_LIMIT:.0f} %", "0", f"better {100 * _GAIN_LIMIT:.0f} %"))


def _enlarged(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(np.repeat(picture, _ENLARGED, axis=0), _ENLARGED, axis=1)


def main() -> None:
    """Draw the sheet that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scene", type=int, default=0)
    options = parser.parse_args()
    settings = settings_from_preset("default", device="cpu")
    first = options.scene // DRAWN_AT_ONCE * DRAWN_AT_ONCE
    scene = list(draw_trial_scenes(UNSEEN, options.scene - first + 1, options.seed, first=first))[-1]
    trial = refine_scene(scene, seen_once(load_models(settings)), settings)
    scene_sheet(scene, trial, f"Scene {options.scene} of seed {options.seed}, of a family that the depth model never saw").save(options.file)


if __name__ == "__main__":
    main()
