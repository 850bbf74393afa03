"""The gate, from top to bottom: is the refinement still about the same shape → what do the signs allow in each region → base and refined mixed.

Two bands are judged apart, for shading shows slopes and hardly depth: detail is kept where the signs of its own region allow it; the broad change,
in which the depth errors live, also has to be carried by the prior's score over the whole picture. Shapes as in `engine.gate`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from ..api.settings import MethodSettings
from ..method.ensemble import Ensemble
from ..method.protocols import DiffusionPrior
from ..method.refine import Problem
from . import signs
from .bands import BROAD_SHARE, ramp, smooth, split
from .finding import Finding
from .rules import TOLD_FROM, Rule, drift_rule, region_rules
from .score import Score, compare_scores
from .thresholds import Thresholds

WHOLE_LIMITS = {"correlation": 0.5, "range_kept": 0.25}
PICTURE_DRIFT = (0.5, 0.7)  # All and nothing of the broad change; at most 0.45 in 192 refinements of made scenes.
UNCHANGED = 1e-6
_SEAM_SHARE = 0.031


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What is left of a refinement.

    Attributes:
        disparity: (H, W), base and refined mixed, in the scale of the base.
        kept: (H, W) in [0, 1], share of the change kept, smooth.
    """

    disparity: Tensor
    kept: Tensor
    finding: Finding


def judge(
    problem: Problem,
    prior: DiffusionPrior,
    settings: MethodSettings,
    base: Tensor,
    members: Tensor,
    ensemble: Ensemble,
    thresholds: Thresholds,
    *,
    on_draw: Callable[[int], None] = lambda draws_done: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Judged | None:
    """Return what may be kept of ``ensemble``, or None after a stop.

    Args:
        base: (H, W).
        members: (B, H, W), of which ``ensemble`` is the mean.
        on_draw: told how many of `engine.gate.score.DRAWS` questions the prior has answered.
    """
    decided = judge_whole(base, members, ensemble)
    if decided is not None:
        return decided
    score = compare_scores(problem, prior, settings, base, ensemble.disparity, on_draw=on_draw, should_stop=should_stop)
    return None if score is None else judge_regions(problem.image_srgb[0], base, members, ensemble, score, thresholds)


def judge_whole(base: Tensor, members: Tensor, ensemble: Ensemble) -> Judged | None:
    """Return the judgement where it does not depend on the prior: nothing changed, or the shape was lost; else None."""
    found = {"correlation": signs.correlation(base, members), "range_kept": signs.range_kept(base, members)}
    change = (ensemble.disparity - base).abs().max()
    if ensemble.related and change <= UNCHANGED * base.abs().max():
        return _uniform(base, 1.0, found, ())
    if not ensemble.related or found["correlation"] < WHOLE_LIMITS["correlation"]:
        return _uniform(base, 0.0, found, ("The refined disparity no longer rises with the base: the refinement failed on this picture.",))
    if found["range_kept"] < WHOLE_LIMITS["range_kept"]:
        return _uniform(base, 0.0, found, ("The refinement flattened the picture: most of the base's range was lost.",))
    return None


def judge_regions(image_srgb: Tensor, base: Tensor, members: Tensor, ensemble: Ensemble, score: Score, thresholds: Thresholds) -> Judged:
    """Return base and refined mixed by what the signs of each region and the picture's ``score`` allow.

    Args:
        image_srgb: (3, H, W) in [0, 1].
    """
    broad, detail = split(ensemble.disparity - base)
    rules = region_rules(image_srgb, base, ensemble.disparity, members, score, thresholds)
    steady = drift_rule(base, broad)
    detail_share = smooth(torch.stack([rule.share for rule in rules]).prod(dim=0), _SEAM_SHARE)
    picture_drift = signs.picture_drift(base, broad)
    trust = broad_trust(score, thresholds) * float(ramp(torch.tensor(picture_drift), *PICTURE_DRIFT))
    broad_share = trust * smooth(detail_share * steady.share, BROAD_SHARE)
    kept = _share_of_change(detail, detail_share, broad, broad_share)
    reasons = [rule.reason for rule in (*rules, steady)] + [_broad_reason(trust, picture_drift, score, thresholds)]
    found = {"score": score.picture, "correlation": signs.correlation(base, members), "range_kept": signs.range_kept(base, members)}
    found["picture_drift"] = picture_drift
    finding = Finding(
        share_kept=round(float(kept.mean()), 4),
        signs=_rounded(found | {rule.name: float(rule.sign.mean()) for rule in (*rules, steady)}),
        thresholds=_limits((*rules, steady), thresholds),
        reasons=tuple(reason for reason in reasons if reason),
    )
    return Judged(disparity=base + detail_share * detail + broad_share * broad, kept=kept, finding=finding)


def broad_trust(score: Score, thresholds: Thresholds) -> float:
    """Return the share of the broad change that the picture's score allows; the answer of `judge_regions` is linear in it."""
    return thresholds.broad_share * float(ramp(torch.tensor(score.picture), thresholds.broad_full, thresholds.broad_none))


def _uniform(base: Tensor, share: float, found: Mapping[str, float], reasons: tuple[str, ...]) -> Judged:
    """Return a judgement of the picture as a whole; where nothing is kept, and where nothing changed, the base is the answer."""
    finding = Finding(share_kept=share, signs=_rounded(found), thresholds=dict(WHOLE_LIMITS), reasons=reasons)
    return Judged(disparity=base, kept=torch.full_like(base, share), finding=finding)


def _share_of_change(detail: Tensor, detail_share: Tensor, broad: Tensor, broad_share: Tensor) -> Tensor:
    """Return the share kept of both bands together, each weighed by its size around the pixel."""
    tiny = torch.finfo(detail.dtype).tiny
    detail_size, broad_size = (smooth(band**2, _SEAM_SHARE).clamp(min=tiny).sqrt() for band in (detail, broad))
    return ((detail_share * detail_size + broad_share * broad_size) / (detail_size + broad_size)).clamp(0, 1)


def _broad_reason(trust: float, picture_drift: float, score: Score, thresholds: Thresholds) -> str | None:
    if trust > 1 - TOLD_FROM:
        return None
    kept = f"{100 * trust:.0f} % of the broad change was kept" if trust >= TOLD_FROM else "Of the broad change nothing was kept"
    if picture_drift > PICTURE_DRIFT[0]:
        return f"{kept}: as a whole it drifts too far from the base."
    if score.picture > thresholds.broad_full:
        return f"{kept}: the prior's score of the whole picture gained too little for more."
    return f"{kept}: with this prior, more made depth worse too often in trials."


def _limits(rules: Sequence[Rule], thresholds: Thresholds) -> dict[str, float]:
    own = {f"{rule.name}_{end}": limit for rule in rules[1:] for end, limit in (("full", rule.full), ("none", rule.none))}
    drift = dict(zip(("picture_drift_full", "picture_drift_none"), PICTURE_DRIFT, strict=True))
    return _rounded(WHOLE_LIMITS | asdict(thresholds) | drift | own)


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}
