"""The gate itself: signs → share kept a pixel → refined and base mixed by that share."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..method.ensemble import Ensemble
from .finding import Finding

DISAGREEMENT_LIMIT = 1.0
WINDOW_SHARE = 0.08


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What is left of a refinement.

    Attributes:
        disparity: (H, W), base and refined mixed by ``kept``, in the scale of the base.
        kept: (H, W) in [0, 1], share of the refinement kept.
    """

    disparity: Tensor
    kept: Tensor
    finding: Finding


def judge(base: Tensor, ensemble: Ensemble) -> Judged:
    """Return ``ensemble`` where its members agree on the change, and ``base`` (H, W) where they do not."""
    if not ensemble.related:
        reason = "The refined disparity no longer rises with the base, so the base was kept."
        return _judged(base, ensemble, torch.zeros_like(base), {}, (reason,))
    window_px = max(3, round(WINDOW_SHARE * max(base.shape)) | 1)
    change = _box_mean((ensemble.disparity - base) ** 2, window_px).sqrt()
    spread = _box_mean(ensemble.spread**2, window_px).sqrt()
    disagreement = spread / change.clamp(min=1e-12)
    kept = _box_mean((disagreement <= DISAGREEMENT_LIMIT).float(), window_px)
    reasons = () if bool((kept >= 1).all()) else ("In some regions the members disagree more than they change the base.",)
    return _judged(base, ensemble, kept, {"disagreement": float(disagreement.median())}, reasons)


def _judged(base: Tensor, ensemble: Ensemble, kept: Tensor, signs: dict[str, float], reasons: tuple[str, ...]) -> Judged:
    finding = Finding(share_kept=float(kept.mean()), signs=signs, thresholds={"disagreement": DISAGREEMENT_LIMIT}, reasons=reasons)
    return Judged(disparity=base + kept * (ensemble.disparity - base), kept=kept, finding=finding)


def _box_mean(values: Tensor, window_px: int) -> Tensor:
    """Return the mean of ``values`` (H, W) over a square window, cut at the borders."""
    half = window_px // 2
    return functional.avg_pool2d(values[None, None], window_px, stride=1, padding=half, count_include_pad=False)[0, 0].clamp(max=values.max())
