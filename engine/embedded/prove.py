"""Prove on fresh scenes that the embedded default refines depth, and that it is the prior's knowledge of the picture that does it.

python -m engine.embedded.prove [--scenes 64] [--seed 0] [--workers N] [--json FILE]

Makes scenes of the family whose depth the depth model never saw, refines them with the embedded default, and compares base and refined depth with
the exact one, by the standard protocol. Beside it stand the refinement without the quality gate and four controls (`controls`). The exit status is
0 only if the refinement lowers AbsRel and normal error with 95 % intervals below -0.1 %, and no control lowers both so. Less than that is no
improvement, however sure: the optimiser's weight decay alone moves both by hundredths of a percent, nearly alike on every scene.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from ..api.result import RefineResult
from ..api.settings import RefineSettings, settings_from_preset
from ..evaluation.compare import Comparison, compare
from ..evaluation.metrics import METRICS
from ..pipeline import LoadedModels, load_models, refine_picture
from ..startup import before_torch
from .controls import CONTROLS
from .trial import DRAWN_AT_ONCE, Scene, draw_trial_scenes, picture_of, refine_scene, scene_errors, seen_once
from .world.families import UNSEEN

log = logging.getLogger(__name__)

SHOWN = {"abs_rel": "AbsRel", "rmse": "RMSE", "delta1": "delta1", "normal_deg": "normals"}
JUDGED = ("abs_rel", "normal_deg")
NEGLIGIBLE = 1e-3
REFINED, UNGATED = "refined", "without the gate"

SceneErrors = dict[str, dict[str, float]]


def outcome_errors(scene: Scene, models: LoadedModels, settings: RefineSettings) -> SceneErrors:
    """Return ``base``, refined with and without the gate, and each control -> metric -> error of one scene."""

    def errors(disparity: np.ndarray, result: RefineResult) -> dict[str, float]:
        measured = scene_errors(disparity, scene, fov_deg=result.fov_deg)
        return {metric: measured[metric] for metric in SHOWN}

    trial = refine_scene(scene, models, settings)
    found = {
        "base": errors(trial.refined.disparity_base, trial.refined),
        REFINED: errors(trial.gated.disparity_refined, trial.gated),
        UNGATED: errors(trial.refined.disparity_refined, trial.refined),
    }
    picture = picture_of(scene)
    for name, control in CONTROLS.items():
        result = refine_picture(picture, control(models), replace(settings, gate=False))
        found[name] = errors(result.disparity_refined, result)
    return found


def prove(scenes: int, seed: int, workers: int, settings: RefineSettings) -> list[SceneErrors]:
    """Return the errors of ``scenes`` fresh scenes in order; they depend on the seed and the settings, not on ``workers``."""
    found: dict[int, list[SceneErrors]] = {}
    started = time.monotonic()
    # Spawned, for a forked child would inherit torch's threads in whatever state they are.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start_worker, (settings, _threads(workers))) as pool:
        jobs = {
            pool.submit(_prove_group, seed, first, min(DRAWN_AT_ONCE, scenes - first), settings): first for first in range(0, scenes, DRAWN_AT_ONCE)
        }
        for job in _in_sight(jobs):
            found[jobs[job]] = job.result()
            log.info("%d of %d scenes, %.0f s", sum(map(len, found.values())), scenes, time.monotonic() - started)
    return [errors for first in sorted(found) for errors in found[first]]


def _in_sight(jobs: dict[Future[list[SceneErrors]], int]) -> Iterator[Future[list[SceneErrors]]]:
    """Yield jobs as they end; a stop on the way drops those that have not begun."""
    try:
        yield from as_completed(jobs)
    finally:
        for job in jobs:
            job.cancel()


_models: LoadedModels


def _start_worker(settings: RefineSettings, threads: int) -> None:
    global _models
    torch.set_num_threads(threads)
    _models = seen_once(load_models(settings))


def _prove_group(seed: int, first: int, count: int, settings: RefineSettings) -> list[SceneErrors]:
    return [outcome_errors(scene, _models, settings) for scene in draw_trial_scenes(UNSEEN, count, seed, first=first)]


def _threads(workers: int) -> int:
    return max(1, (os.cpu_count() or 1) // workers)


def comparisons(errors: list[SceneErrors]) -> dict[str, dict[str, Comparison]]:
    """Return outcome -> metric -> comparison with the base."""

    def column(outcome: str, metric: str) -> np.ndarray:
        return np.array([scene[outcome][metric] for scene in errors])

    return {
        outcome: {
            metric: compare(column("base", metric), column(outcome, metric), higher_is_better=METRICS[metric].higher_is_better) for metric in SHOWN
        }
        for outcome in errors[0]
        if outcome != "base"
    }


def improves(outcome: dict[str, Comparison]) -> bool:
    """Return whether the judged errors fall, with their whole intervals, by more than is negligible."""
    changes = [outcome[metric].relative_change for metric in JUDGED]
    return all(change is not None and change.high is not None and change.high < -NEGLIGIBLE for change in changes)


def is_proven(found: dict[str, dict[str, Comparison]]) -> bool:
    """Return whether the refinement improves depth and no control does."""
    return improves(found[REFINED]) and not any(improves(found[control]) for control in CONTROLS)


def table(found: dict[str, dict[str, Comparison]]) -> str:
    """Return the table that the command prints: an outcome a row, for each metric the means, the relative change with its interval, and the wins."""
    lines = []
    for metric, title in SHOWN.items():
        unit = "°" if metric == "normal_deg" else ""
        lines.append(f"{title:<18} base {found[REFINED][metric].mean_base:.4g}{unit}")
        for outcome, metrics in found.items():
            comparison = metrics[metric]
            change = comparison.relative_change or comparison.difference
            low, high = (0.0 if end is None else end for end in (change.low, change.high))
            mark = "" if outcome in (REFINED, UNGATED) else "control "
            lines.append(
                f"  {mark + outcome:<24}{comparison.mean_refined:8.4g}{unit}  {change.mean:+7.1%} [{low:+.1%}, {high:+.1%}]"
                f"  better {comparison.win_rate:4.0%}"
            )
    return "\n".join(lines)


def main() -> int:
    """Prove as the command line asks; the exit status says whether it held."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scenes", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, help="file for every scene's errors")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    before_torch()  # Here it is for the workers, who inherit the environment.
    if options.scenes < 2 or options.workers < 1:
        parser.error("an interval needs two scenes, and the work a worker")
    errors = prove(options.scenes, options.seed, options.workers, settings_from_preset("default", device="cpu"))
    found = comparisons(errors)
    sys.stdout.write(f"{options.scenes} scenes of the family {UNSEEN.name!r}, seed {options.seed}, standard protocol\n{table(found)}\n")
    proven = is_proven(found)
    sys.stdout.write("Proven: the refinement improves depth and normals, and no control does.\n" if proven else "NOT proven.\n")
    if options.json is not None:
        summary = {outcome: {metric: asdict(comparison) for metric, comparison in metrics.items()} for outcome, metrics in found.items()}
        options.json.write_text(json.dumps({"summary": summary, "scenes": errors}, indent=2) + "\n", encoding="utf-8")
    return 0 if proven else 1


if __name__ == "__main__":
    sys.exit(main())
