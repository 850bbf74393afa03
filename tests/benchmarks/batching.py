"""Seconds per step of ensemble members run as one batch against one by one: ``python tests/benchmarks/batching.py``.

Runs the embedded pair on the CPU and, where there is a CUDA device, also there, beside random weights of the shapes of Stable Diffusion 1.5 and
Depth Anything V2 Small. Ratios come from one run, so that they compare on a busy machine too.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine.api.settings import MethodSettings, RefineSettings, settings_from_preset
from engine.method.protocols import DepthModel, DiffusionPrior
from engine.method.refine import Problem, prepare, refine_members
from engine.pipeline import load_models, model_input
from tests.benchmarks.random_weights import save_depth_anything_small, save_stable_diffusion_15

STEPS = 8
WARM_UP_STEPS = 2


def seconds_per_step(problem: Problem, depth: DepthModel, prior: DiffusionPrior, method: MethodSettings, batches: Sequence[Sequence[int]]) -> float:
    """Return the median seconds of one step of all members together."""
    total = 0.0
    for members in batches:
        times = [time.perf_counter()]

        def tick(report: object, times: list[float] = times) -> None:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            times.append(time.perf_counter())

        refine_members(problem, depth, prior, method, members, on_step=tick)
        total += statistics.median(end - start for start, end in zip(times[WARM_UP_STEPS:], times[WARM_UP_STEPS + 1 :], strict=False))
    return total


def compare(label: str, settings: RefineSettings) -> None:
    """Print one line for each number of members, on a picture of aspect 4:3."""
    models = load_models(settings)
    depth, prior = models.depth, models.prior
    image_srgb = model_input(np.random.default_rng(0).random((768, 1024, 3), dtype=np.float32), depth.input_px, depth.patch_px).to(
        models.compute.device
    )
    for members in (2, 3, 5):
        method = replace(settings.method, members=members, steps=STEPS)
        problem = prepare(depth, prior, image_srgb, prompt="", negative_prompt="", settings=method)
        batched = seconds_per_step(problem, depth, prior, method, [range(members)])
        one_by_one = seconds_per_step(problem, depth, prior, method, [[member] for member in range(members)])
        print(f"{label:<28} {members:>7} {batched:>12.3f} {one_by_one:>14.3f} {one_by_one / batched:>8.2f}x", flush=True)


def main() -> None:
    """Print the table."""
    print(f"{'models':<28} {'members':>7} {'batched s':>12} {'one by one s':>14} {'ratio':>9}")
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    for device in devices:
        compare(f"embedded, {device}", settings_from_preset("default", device=device))
    if "cuda" not in devices:
        print("No CUDA device: the Stable Diffusion 1.5 shape was not measured.")
        return
    with tempfile.TemporaryDirectory() as name:
        depth, prior = save_depth_anything_small(Path(name) / "depth"), save_stable_diffusion_15(Path(name) / "prior")
        compare("SD 1.5 shape, cuda", settings_from_preset("paper", depth_model=str(depth), prior=str(prior), device="cuda"))


if __name__ == "__main__":
    main()
