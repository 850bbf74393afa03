"""Base against refined over many pictures: means, wins, and how sure the mean change is.

The pictures are paired (each is measured before and after), so the bootstrap draws pictures, never single values: a hard picture moves both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
CONFIDENCE_PERCENT = 95.0


@dataclass(frozen=True, kw_only=True)
class MeanChange:
    """A mean over pictures with the ends of its paired bootstrap 95 % interval; both ends None for a single picture."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One metric, base against refined.

    Attributes:
        images: pictures that have this metric.
        mean_base, mean_refined: means over them.
        win_rate: share of pictures where refined is strictly better, 0 to 1.
        difference: of refined - base, in the metric's unit.
        relative_change: of (refined - base) / base for each picture, 0.05 = 5 %; None where a base value is 0.
    """

    images: int
    mean_base: float
    mean_refined: float
    win_rate: float
    difference: MeanChange
    relative_change: MeanChange | None


def compare(base: NDArray[np.float64], refined: NDArray[np.float64], *, higher_is_better: bool, seed: int = 0) -> Comparison:
    """Return how ``refined`` stands against ``base``.

    Args:
        base, refined: (n,), the same pictures in the same order, n >= 1.
        seed: of the bootstrap; the same seed gives the same interval.
    """
    difference = refined - base
    better = difference > 0 if higher_is_better else difference < 0
    return Comparison(
        images=len(base),
        mean_base=float(base.mean()),
        mean_refined=float(refined.mean()),
        win_rate=float(better.mean()),
        difference=bootstrap_mean(difference, seed=seed),
        relative_change=bootstrap_mean(difference / base, seed=seed) if (base != 0).all() else None,
    )


def bootstrap_mean(values: NDArray[np.float64], *, seed: int = 0) -> MeanChange:
    """Return the mean of ``values`` (n,) with its percentile bootstrap interval from `RESAMPLES` draws of n with replacement."""
    mean = float(values.mean())
    if len(values) < 2:
        return MeanChange(mean=mean, low=None, high=None)
    draws = np.random.default_rng(seed).integers(len(values), size=(RESAMPLES, len(values)))
    tail = (100.0 - CONFIDENCE_PERCENT) / 2
    low, high = np.percentile(values[draws].mean(axis=1), [tail, 100.0 - tail])
    return MeanChange(mean=mean, low=float(low), high=float(high))
