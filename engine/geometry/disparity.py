"""Affine-invariant disparity made into depth with a near/far ratio that the user chooses.

    n = (disparity - low) / (high - low)          normalised: 0 farthest, 1 nearest
    depth = 1 / (a + b n),  a = 1 / ratio,  b = 1 - a          so the nearest depth is 1 and the farthest is ``ratio``

``low`` and ``high`` are the exact extremes: dropping outliers would flatten the nearest tip of a surface without a word. Maps that
shall be compared share one range, `disparity_range` over all of them.

Shapes: H W picture.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..api.errors import NumericalError
from .camera import FloatArray

# Below this share of the values themselves a spread is rounding noise of float32, not shape.
_SMALLEST_RELATIVE_SPREAD = 1e-6


class DisparityRange(NamedTuple):
    """Disparity of the farthest and the nearest point."""

    low: float
    high: float

    @property
    def is_flat(self) -> bool:
        """True where the spread is within float32 rounding: a plane facing the camera."""
        return self.high - self.low <= _SMALLEST_RELATIVE_SPREAD * max(abs(self.low), abs(self.high))


def disparity_range(*maps: FloatArray) -> DisparityRange:
    """Return the lowest and highest value of all ``maps``.

    Raises:
        NumericalError: a value is not finite.
    """
    extremes = [float(extreme) for values in maps for extreme in (np.min(values), np.max(values))]
    if not np.isfinite(extremes).all():
        raise NumericalError("The disparity holds values that are not finite.", hint="Refine again with lower learning rates.")
    return DisparityRange(min(extremes), max(extremes))


def normalise(disparity: FloatArray, value_range: DisparityRange | None = None) -> NDArray[np.float32]:
    """Return ``disparity`` (H, W) mapped linearly to [0, 1], 1 = nearest; a flat range gives 1 everywhere.

    Args:
        value_range: what becomes 0 and 1, the map's own extremes where None; values outside are held at its ends.

    Raises:
        NumericalError: a value is not finite.
    """
    own_range = disparity_range(disparity)
    value_range = value_range or own_range
    if value_range.is_flat:
        return np.ones(disparity.shape, np.float32)
    low, high = np.float32(value_range.low), np.float32(value_range.high)
    normalised = disparity.astype(np.float32)
    normalised -= low
    normalised /= high - low
    return np.clip(normalised, 0, 1, out=normalised)


def inverse_depth_line(value_range: DisparityRange, near_far_ratio: float) -> tuple[float, float]:
    """Return (scale, shift) of ``1 / depth = scale * disparity + shift``, the line that `depth_from_disparity` follows."""
    if value_range.is_flat:
        return 0.0, 1.0
    scale = (1 - 1 / near_far_ratio) / (value_range.high - value_range.low)
    return scale, 1 / near_far_ratio - scale * value_range.low


def depth_from_disparity(disparity: FloatArray, near_far_ratio: float, value_range: DisparityRange | None = None) -> NDArray[np.float32]:
    """Return depth (H, W), 1 at the nearest and ``near_far_ratio`` at the farthest point of the range.

    A flat disparity gives the plane at depth 1.

    Args:
        disparity: (H, W), larger = nearer.
        near_far_ratio: distance of the farthest point over that of the nearest, at least 1.
        value_range: see `normalise`.

    Raises:
        NumericalError: a value is not finite.
        ValueError: a ratio below 1.
    """
    if not near_far_ratio >= 1:
        raise ValueError(f"near_far_ratio is {near_far_ratio}, below 1")
    depth = normalise(disparity, value_range)
    depth *= 1 - 1 / near_far_ratio
    depth += 1 / near_far_ratio
    return np.reciprocal(depth, out=depth)
