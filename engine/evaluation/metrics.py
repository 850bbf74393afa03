"""The errors of depth against measured depth, over the valid pixels V. z predicted, z* true, n = |V|.

| name | definition | unit |
|---|---|---|
| abs_rel | mean of abs(z - z*) / z* | 1 |
| sq_rel | mean of (z - z*)² / z* | that of depth |
| rmse | root of the mean of (z - z*)² | that of depth |
| rmse_log | root of the mean of e², e = ln z - ln z* | 1 |
| silog | 100 · root of (mean of e² - (mean of e)²) | % |
| log_10 | mean of abs(log10 z - log10 z*) | 1 |
| delta1, 2, 3 | share of pixels with max(z / z*, z* / z) < 1.25, 1.25², 1.25³ | 1 |
| normal_deg | mean angle between the surface normals of z and z* | degrees |

Logarithms, ratios and normals need z > 0, which the ``paper`` protocol does not promise: for these alone z is raised to `FLOOR_SHARE` of the
smallest true depth, so a pixel behind the camera counts as very wrong instead of as nothing.

Truth that was stored in whole numbers (many stereo sets are) has stairs instead of slopes: its normals are wrong by tens of degrees, and
normal_deg then compares two predictions but says little about either.

Shapes: H W pixels. Everything is computed in float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry.camera import Camera
from ..geometry.normals import normals_from_depth

FloatMap = NDArray[np.floating]
BoolMap = NDArray[np.bool_]

FLOOR_SHARE = 1e-3


@dataclass(frozen=True)
class Metric:
    """How a metric is named in a table, and which direction is better."""

    title: str
    higher_is_better: bool = False


METRICS: dict[str, Metric] = {
    "abs_rel": Metric("AbsRel"),
    "sq_rel": Metric("SqRel"),
    "rmse": Metric("RMSE"),
    "rmse_log": Metric("RMSElog"),
    "silog": Metric("SIlog"),
    "log_10": Metric("log10"),
    "delta1": Metric("δ1", higher_is_better=True),
    "delta2": Metric("δ2", higher_is_better=True),
    "delta3": Metric("δ3", higher_is_better=True),
    "normal_deg": Metric("normals °"),
}


def depth_metrics(depth: FloatMap, depth_gt: FloatMap, valid: BoolMap) -> dict[str, float]:
    """Return every metric of `METRICS` but ``normal_deg``.

    Args:
        depth: (H, W), aligned to the truth.
        depth_gt: (H, W), positive on ``valid``.
        valid: (H, W) bool, at least one pixel.
    """
    true = depth_gt[valid].astype(np.float64)
    difference = depth[valid].astype(np.float64) - true
    positive = np.maximum(true + difference, FLOOR_SHARE * true.min())
    log_difference = np.log(positive) - np.log(true)
    ratio = np.maximum(positive / true, true / positive)
    return {
        "abs_rel": float(np.mean(np.abs(difference) / true)),
        "sq_rel": float(np.mean(difference**2 / true)),
        "rmse": float(np.sqrt(np.mean(difference**2))),
        "rmse_log": float(np.sqrt(np.mean(log_difference**2))),
        "silog": float(100.0 * np.std(log_difference)),
        "log_10": float(np.mean(np.abs(log_difference)) / np.log(10.0)),
        "delta1": float(np.mean(ratio < 1.25)),
        "delta2": float(np.mean(ratio < 1.25**2)),
        "delta3": float(np.mean(ratio < 1.25**3)),
    }


def normal_error_deg(depth: FloatMap, depth_gt: FloatMap, valid: BoolMap, camera: Camera) -> float | None:
    """Return the mean angle in degrees between the surface normals of prediction and truth, both seen by ``camera``.

    A pixel counts where it and its four neighbours are valid, so no normal reaches across a hole; depth edges count like any other place.

    Args:
        depth, depth_gt, valid: as in `depth_metrics`.
        camera: of (H, W); uniform scale of both depths cancels, the angle of view does not.

    Returns:
        0 to 180, or None where no pixel has valid neighbours, as with scattered laser points.
    """
    inner = _valid_with_neighbours(valid)
    if not inner.any():
        return None
    nearest, typical = float(depth_gt[valid].min()), float(depth_gt[valid].mean())
    floored = np.maximum(depth.astype(np.float64), FLOOR_SHARE * nearest)
    holes_filled = np.where(valid, depth_gt, typical).astype(np.float64)
    first, second = normals_from_depth(floored, camera)[inner], normals_from_depth(holes_filled, camera)[inner]
    return float(np.degrees(np.mean(_angle_between(first, second))))


def _valid_with_neighbours(valid: BoolMap) -> BoolMap:
    inner = np.zeros_like(valid)
    inner[1:-1, 1:-1] = valid[1:-1, 1:-1] & valid[:-2, 1:-1] & valid[2:, 1:-1] & valid[1:-1, :-2] & valid[1:-1, 2:]
    return inner


def _angle_between(first: FloatMap, second: FloatMap) -> NDArray[np.float64]:
    """Return the angles (n,) in radians between unit vectors (n, 3); unlike arccos of the dot product, exact near 0."""
    return 2.0 * np.arctan2(np.linalg.norm(first - second, axis=-1), np.linalg.norm(first + second, axis=-1))
