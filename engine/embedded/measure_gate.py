"""Measure what the quality gate does on made scenes that the depth model never saw: gain and harm with and without it, and what its signs know.

python -m engine.embedded.measure_gate [--scenes 64] [--seed 1]

Every scene goes through the functions behind ``refine``. Take other seeds than the one that the thresholds were found with.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..api.settings import RefineSettings, settings_from_preset
from ..evaluation.compare import bootstrap_mean
from ..pipeline import load_models
from .calibrate_gate import HARM_LIMIT, worst_tenth
from .trial import Scene, Trial, draw_trial_scenes, refine_scene, scene_errors, seen_once
from .world.families import UNSEEN

_METRICS = {"abs_rel": "AbsRel", "normal_deg": "normals"}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class MeasuredTrial:
    """Relative change against the base of one scene, metric -> (all of the refinement, what the gate kept); and the gate's account."""

    changes: dict[str, tuple[float, float]]
    signs: dict[str, float]
    share_kept: float


def measure_scenes(scenes: int, seed: int, settings: RefineSettings) -> list[MeasuredTrial]:
    """Return ``scenes`` fresh scenes, refined and measured with and without the gate."""
    models = seen_once(load_models(settings))
    trials: list[MeasuredTrial] = []
    for scene in draw_trial_scenes(UNSEEN, scenes, seed):
        trials.append(measure_trial(refine_scene(scene, models, settings), scene))
        if len(trials) % 8 == 0:
            _log.info("%d of %d scenes", len(trials), scenes)
    return trials


def measure_trial(trial: Trial, scene: Scene) -> MeasuredTrial:
    """Return what refinement, and the gate after it, changed in the errors of ``scene``."""
    maps = (trial.refined.disparity_base, trial.refined.disparity_refined, trial.gated.disparity_refined)
    base, refined, gated = (scene_errors(disparity, scene, fov_deg=trial.refined.fov_deg) for disparity in maps)
    gate = trial.gated.provenance["gate"]
    changes = {name: (refined[name] / base[name] - 1, gated[name] / base[name] - 1) for name in _METRICS}
    return MeasuredTrial(changes=changes, signs=gate["signs"], share_kept=gate["share_kept"])


def rank_correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return Spearman's correlation of two series (n,), in [-1, 1]; equal values share their mean rank, a constant series gives 0."""
    ranks = [_mean_ranks(values) for values in (first, second)]
    if min(rank.std() for rank in ranks) == 0:
        return 0.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def discrimination(sign: NDArray[np.float64], worse: NDArray[np.bool_]) -> float | None:
    """Return the area under the ROC curve: how likely ``sign`` (n,) is larger where ``worse`` (n,) holds; 0.5 = no power, None without both kinds."""
    count = int(worse.sum())
    if count in (0, len(worse)):
        return None
    ranks = _mean_ranks(sign) + 1
    return float((ranks[worse].sum() - count * (count + 1) / 2) / (count * (len(worse) - count)))


def _mean_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts + 1) / 2)[inverse]


def report(trials: Sequence[MeasuredTrial]) -> str:
    """Return the table of gains and harms, and what each sign of the whole picture knows about them."""
    lines = [f"{len(trials)} scenes, change against the base; mean [95 % interval], share improved, worst tenth, worst, share worse by over 2 %"]
    for metric, title in _METRICS.items():
        for column, name in enumerate(("all of the refinement", "what the gate kept")):
            changes = np.array([trial.changes[metric][column] for trial in trials])
            lines.append(f"  {title:<8} {name:<22} {_told(changes)}")
    kept = np.array([trial.share_kept for trial in trials])
    lines.append(f"share kept: mean {kept.mean():.2f}, from {kept.min():.2f} to {kept.max():.2f}")
    lines.append("signs against the change that all of the refinement makes: rank correlation; area under the ROC curve for 'worse than base'")
    for name in dict.fromkeys(name for trial in trials for name in trial.signs):
        having = [trial for trial in trials if name in trial.signs]
        sign = np.array([trial.signs[name] for trial in having])
        powers = [_power(sign, np.array([trial.changes[metric][0] for trial in having])) for metric in _METRICS]
        lines.append(f"  {name:<14} " + "   ".join(f"{title} {power}" for title, power in zip(_METRICS.values(), powers, strict=True)))
    return "\n".join(lines)


def _told(changes: NDArray[np.float64]) -> str:
    mean = bootstrap_mean(changes)
    interval = "" if mean.low is None or mean.high is None else f" [{mean.low:+.1%}, {mean.high:+.1%}]"
    spread = f"worst tenth {worst_tenth(changes):+.1%}, worst {changes.max():+.1%}, harmed {(changes > HARM_LIMIT).mean():.0%}"
    return f"{mean.mean:+.1%}{interval}, improved {(changes < 0).mean():.0%}, {spread}"


def _power(sign: NDArray[np.float64], changes: NDArray[np.float64]) -> str:
    area = discrimination(sign, changes > 0)
    return f"{rank_correlation(sign, changes):+.2f}; {'-' if area is None else f'{area:.2f}'}"


def main() -> None:
    """Measure as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scenes", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    settings = settings_from_preset("default", device="cpu")
    sys.stdout.write(report(measure_scenes(options.scenes, options.seed, settings)) + "\n")


if __name__ == "__main__":
    main()
