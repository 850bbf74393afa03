"""Find the quality gate's thresholds for the embedded prior, by trial on made scenes that the depth model never saw.

python -m engine.embedded.calibrate_gate [--scenes 128] [--seed 1000] [--write]

Each scene is refined once; then candidates are tried on what the gate saw of it. Of those that keep at least nine tenths of what all of the
refinement gains, or the best of them if that is more, AbsRel and normal error together, the one is taken by which the worst tenth of the scenes
loses least. Candidates are quantiles of the score's own distribution, so the search does not depend on the scale of the prior's answers.
``--write`` puts the thresholds beside the prior's weights. To be repeated for new weights of either model.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..api.settings import RefineSettings, settings_from_preset
from ..gate.judge import broad_trust, judge_regions
from ..gate.score import Score, compare_scores
from ..gate.thresholds import Thresholds
from ..geometry.camera import DEFAULT_FOV_DEG
from ..method.ensemble import Ensemble, combine
from ..method.refine import prepare, refine_members
from ..models.catalogue import Weights
from ..models.gate_thresholds import FILE_NAME
from ..pipeline import LoadedModels, load_models, model_input
from .trial import Scene, draw_trial_scenes, scene_errors
from .world.families import UNSEEN

KEPT_GAIN = 0.9
HARM_LIMIT = 0.02
_DETAIL_QUANTILES = ((1.0, 1.0), (0.9, 0.99), (0.75, 0.95), (0.6, 0.9), (0.3, 0.9), (0.3, 0.7), (0.1, 0.5))
_BROAD_QUANTILES = ((1.0, 1.0), (0.95, 1.0), (0.7, 0.98), (0.4, 0.8), (0.2, 0.6), (0.1, 0.5), (0.05, 0.35))
_SMALLEST_STEP = 1e-3
_BROAD_SHARES = (1.0, 0.75, 0.5, 0.25)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the gate sees of one refined scene, at the depth model's size and before cleaning, with the scene and the errors of its base."""

    image_srgb: Tensor
    base: Tensor
    members: Tensor
    ensemble: Ensemble
    score: Score
    scene: Scene
    base_errors: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What thresholds make of many scenes: changes against the base, -0.05 = 5 % better.

    Attributes:
        abs_rel, normal: means over the scenes.
        worst_tenth: mean AbsRel change of the tenth that lost most.
        harmed: share of scenes whose AbsRel grew by more than 2 %.
    """

    abs_rel: float
    normal: float
    worst_tenth: float
    harmed: float

    @property
    def cost(self) -> float:
        """What the search makes small: both errors count alike."""
        return self.abs_rel + self.normal


def see_scenes(scenes: Iterator[Scene], models: LoadedModels, settings: RefineSettings) -> list[Seen]:
    """Return each scene refined, with what the gate measures of it."""
    seen = []
    for scene in scenes:
        seen.append(_see(scene, models, settings))
        if len(seen) % 8 == 0:
            _log.info("%d scenes refined", len(seen))
    return seen


def _see(scene: Scene, models: LoadedModels, settings: RefineSettings) -> Seen:
    image_srgb = model_input(scene.image_srgb, models.depth.input_px, models.depth.patch_px)
    problem = prepare(models.depth, models.prior, image_srgb, prompt="", negative_prompt="", settings=settings.method)
    base = problem.base[0]
    members = refine_members(problem, models.depth, models.prior, settings.method, range(settings.method.members)).disparity
    ensemble = combine(members, base)
    score = compare_scores(problem, models.prior, settings.method, base, ensemble.disparity)
    assert score is not None  # nothing stops it here
    true_disparity = functional.interpolate(1 / torch.from_numpy(scene.depth)[None, None], size=base.shape, mode="area")[0, 0]
    small = Scene(image_srgb=scene.image_srgb, depth=(1 / true_disparity).numpy())
    base_errors = scene_errors(base.numpy(), small, fov_deg=DEFAULT_FOV_DEG)
    return Seen(image_srgb=image_srgb[0], base=base, members=members, ensemble=ensemble, score=score, scene=small, base_errors=base_errors)


def try_thresholds(seen: Sequence[Seen], thresholds: Thresholds) -> Outcome:
    """Return what ``thresholds`` make of the scenes."""
    judged = [judge_regions(each.image_srgb, each.base, each.members, each.ensemble, each.score, thresholds).disparity for each in seen]
    return _outcome_of(seen, judged)


def _outcome_of(seen: Sequence[Seen], disparities: Sequence[Tensor]) -> Outcome:
    changes = np.array([_changes(each, disparity) for each, disparity in zip(seen, disparities, strict=True)])
    return outcome(changes[:, 0], changes[:, 1])


def _changes(seen: Seen, disparity: Tensor) -> tuple[float, float]:
    errors = scene_errors(disparity.numpy(), seen.scene, fov_deg=DEFAULT_FOV_DEG)
    abs_rel, normal = (errors[name] / seen.base_errors[name] - 1 for name in ("abs_rel", "normal_deg"))
    return abs_rel, normal


def worst_tenth(changes: NDArray[np.float64]) -> float:
    """Return the mean of the largest tenth (at least one) of ``changes`` (n,)."""
    return float(np.sort(changes)[-max(1, len(changes) // 10) :].mean())


def outcome(abs_rel: NDArray[np.float64], normal: NDArray[np.float64]) -> Outcome:
    """Return the outcome of changes (n,) a scene."""
    harmed = float((abs_rel > HARM_LIMIT).mean())
    return Outcome(abs_rel=float(abs_rel.mean()), normal=float(normal.mean()), worst_tenth=worst_tenth(abs_rel), harmed=harmed)


def find_thresholds(seen: Sequence[Seen]) -> tuple[Thresholds, Outcome]:
    """Return the best thresholds and what they make of ``seen``."""
    local = np.concatenate([each.score.local.numpy()[::4, ::4].ravel() for each in seen])
    everything = _outcome_of(seen, [each.ensemble.disparity for each in seen])
    tried = []
    for quantiles in _DETAIL_QUANTILES:
        full, none = _limits(local, quantiles)
        found = _try_broad(seen, Thresholds(detail_full=full, detail_none=none, broad_share=0.0))
        tried += found
        _log.info("%d candidates tried; %s", len(tried), _told(*_best(tried, everything)))
    return _best(tried, everything)


def _best(tried: Sequence[tuple[Thresholds, Outcome]], everything: Outcome) -> tuple[Thresholds, Outcome]:
    least_cost = min(everything.cost, *(made.cost for _, made in tried))
    enough = [pair for pair in tried if pair[1].cost <= least_cost + (1 - KEPT_GAIN) * abs(least_cost)]
    return min(enough, key=lambda pair: pair[1].worst_tenth) if enough else min(tried, key=lambda pair: pair[1].cost)


def _try_broad(seen: Sequence[Seen], detail: Thresholds) -> list[tuple[Thresholds, Outcome]]:
    """Return ``detail`` with nothing kept of the broad change, and with less and less of it as long as that gains about as much."""
    trusting = replace(detail, broad_full=1e6, broad_none=2e6, broad_share=1.0)
    without, whole = ([judge_regions(e.image_srgb, e.base, e.members, e.ensemble, e.score, t).disparity for e in seen] for t in (detail, trusting))
    found = [(detail, _outcome_of(seen, without))]
    picture = np.array([each.score.picture for each in seen])
    for quantiles in _BROAD_QUANTILES:
        full, none = _limits(picture, quantiles)
        last_cost = np.inf
        for share in _BROAD_SHARES:
            candidate = replace(detail, broad_full=full, broad_none=none, broad_share=share)
            trust = [broad_trust(each.score, candidate) for each in seen]
            mixed = [torch.lerp(first, second, weight) for first, second, weight in zip(without, whole, trust, strict=True)]
            found.append((candidate, _outcome_of(seen, mixed)))
            cost = found[-1][1].cost
            if 0 > cost > last_cost * KEPT_GAIN:
                break  # A smaller share only gains less.
            last_cost = min(last_cost, cost)
    return found


def _limits(scores: NDArray[np.floating], quantiles: tuple[float, float]) -> tuple[float, float]:
    """Return the quantiles of ``scores``, apart even where many scores are equal."""
    full, none = np.quantile(scores, quantiles).tolist()
    return full, max(none, full + _SMALLEST_STEP)


def _told(thresholds: Thresholds, made: Outcome) -> str:
    limits = " ".join(f"{name} {value:+.3f}" for name, value in asdict(thresholds).items())
    changes = f"AbsRel {made.abs_rel:+.2%}, normals {made.normal:+.2%}, worst tenth {made.worst_tenth:+.2%}, harmed {made.harmed:.0%}"
    return f"{limits}: {changes}"


def weights_digests(weights: Mapping[str, Weights]) -> dict[str, str]:
    """Return a digest of the weight files of each model, by role: it tells whether thresholds were found with these weights."""
    return {role: _digest(sorted(found.folder.glob("*.safetensors"))) for role, found in sorted(weights.items())}


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def main() -> None:
    """Find the thresholds as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--scenes", type=int, default=128)
    parser.add_argument("--seed", type=int, default=1000, help="keep it apart from the seeds that you report on")
    parser.add_argument("--write", action="store_true", help="write the thresholds beside the prior's weights")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    settings = settings_from_preset("default", device="cpu")
    models = load_models(settings)
    seen = see_scenes(draw_trial_scenes(UNSEEN, options.scenes, options.seed), models, settings)
    thresholds, reached = find_thresholds(seen)
    _log.info("best %s", _told(thresholds, reached))
    if options.write:
        found, made = ({name: round(value, 4) for name, value in asdict(each).items()} for each in (thresholds, reached))
        by = {"scenes": options.scenes, "seed": options.seed, "family": UNSEEN.name, "weights": weights_digests(models.weights)} | made
        file = models.weights["prior"].folder / FILE_NAME
        file.write_text(json.dumps({"thresholds": found, "found_on": by}, indent=2) + "\n", encoding="utf-8")
        _log.info("written to %s", file)


if __name__ == "__main__":
    main()
