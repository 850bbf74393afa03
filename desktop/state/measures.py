"""Both sides of a comparison against measured depth: the numbers of `engine.evaluation`, and where the errors are.

Shapes: H W picture, h w the truth's own grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.evaluation.measure import measure
from engine.evaluation.metrics import METRICS
from engine.evaluation.protocols import align_standard
from engine.evaluation.resample import resample_map

from .comparison import Comparison, FloatMap, Which

_DRAW = 5e-4  # what would be shown as a change of 0.0 %


@dataclass(frozen=True, kw_only=True)
class MeasureRow:
    """One metric of both sides by one protocol; ``better`` is the side that wins, None where they differ by less than 0.05 %."""

    protocol: str
    title: str
    base: float
    refined: float
    better: Which | None


def measure_rows(comparison: Comparison) -> list[MeasureRow]:
    """Return every metric of both sides against ``comparison.truth``, which must be there; ``standard`` before ``paper``."""
    truth = comparison.truth
    assert truth is not None
    base = measure(comparison.disparity_base, truth, fov_deg=comparison.fov_deg)
    refined = measure(comparison.disparity_refined, truth, fov_deg=comparison.fov_deg)
    return [
        _row(protocol, key, base[protocol][key], refined[protocol][key])
        for protocol in sorted(base, reverse=True)
        for key in METRICS
        if key in base[protocol]
    ]


def _row(protocol: str, key: str, base: float, refined: float) -> MeasureRow:
    metric = METRICS[key]
    refined_wins = refined > base if metric.higher_is_better else refined < base
    is_draw = abs(refined - base) <= _DRAW * max(abs(base), abs(refined))
    better: Which | None = None if is_draw else "refined" if refined_wins else "base"
    return MeasureRow(protocol=protocol, title=metric.title, base=base, refined=refined, better=better)


def error_map(comparison: Comparison, which: Which) -> FloatMap:
    """Return |z - z*| / z* (H, W) of one side after the standard alignment, NaN where nothing was measured.

    It is computed on the truth's grid; each of the picture's pixels then shows the truth pixel that it lies on.
    """
    truth = comparison.truth
    assert truth is not None
    depth = align_standard(resample_map(comparison.disparity(which), truth.size_px), truth.depth, truth.valid)
    errors = np.full(truth.depth.shape, np.nan, np.float32)
    np.divide(np.abs(depth - truth.depth), truth.depth, out=errors, where=truth.valid, casting="same_kind")
    (width, height), (true_width, true_height) = comparison.size_px, truth.size_px
    return errors[_nearest(height, true_height)[:, None], _nearest(width, true_width)[None, :]]


def _nearest(new: int, old: int) -> NDArray[np.int64]:
    return np.minimum(((np.arange(new) + 0.5) * (old / new)).astype(np.int64), old - 1)
