"""What stands at one pixel, and along one line, of both sides.

Shapes: H W picture, N samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.api.settings import MeshSettings
from engine.geometry.disparity import depth_from_disparity
from engine.geometry.normals import grid_normals

from .comparison import SIDES, Comparison, Which
from .view import Point

Normal = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class SideProbe:
    """One side at a pixel: disparity, relative depth at the given near/far ratio, unit normal (x right, y up, z toward the viewer)."""

    disparity: float
    depth: float
    normal: Normal


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Both sides at a pixel.

    Attributes:
        column, row: the pixel, from the upper left.
        srgb: of the picture, 0 to 255.
        base, refined: the two sides.
        change: refined - base as a share of the common range, above 0 = nearer.
        depth_change: refined depth / base depth - 1.
        turn_deg: angle between the two normals.
        uncertainty: spread of the members as a share of the common range; None where unknown.
        kept: share that the quality gate kept; None without a gate.
        true_depth: measured depth there, None where nothing was measured.
    """

    column: int
    row: int
    srgb: tuple[int, int, int]
    base: SideProbe
    refined: SideProbe
    change: float
    depth_change: float
    turn_deg: float
    uncertainty: float | None
    kept: float | None
    true_depth: float | None


def probe(comparison: Comparison, at: Point, settings: MeshSettings) -> Probe | None:
    """Return what stands at the picture point ``at``, or None beside the picture."""
    column, row = int(np.floor(at[0])), int(np.floor(at[1]))
    width, height = comparison.size_px
    if not (0 <= column < width and 0 <= row < height):
        return None
    base, refined = (_side(comparison, which, column, row, settings) for which in SIDES)
    red, green, blue = (int(level) for level in comparison.image_srgb[row, column])
    cosine = float(np.clip(np.dot(base.normal, refined.normal), -1, 1))
    return Probe(
        column=column,
        row=row,
        srgb=(red, green, blue),
        base=base,
        refined=refined,
        change=(refined.disparity - base.disparity) / comparison.span,
        depth_change=refined.depth / base.depth - 1,
        turn_deg=float(np.degrees(np.arccos(cosine))),
        uncertainty=None if comparison.uncertainty is None else float(comparison.uncertainty[row, column]) / comparison.span,
        kept=None if comparison.kept is None else float(comparison.kept[row, column]),
        true_depth=_true_depth(comparison, column, row),
    )


def _side(comparison: Comparison, which: Which, column: int, row: int, settings: MeshSettings) -> SideProbe:
    """Return one side; its normal is the whole map's at that pixel, for a normal only needs the neighbours."""
    width, height = comparison.size_px
    rows, columns = np.arange(max(row - 1, 0), min(row + 2, height)), np.arange(max(column - 1, 0), min(column + 2, width))
    disparity = comparison.disparity(which)
    depth = depth_from_disparity(disparity[np.ix_(rows, columns)], settings.near_far_ratio, comparison.value_range)
    here = (row - int(rows[0]), column - int(columns[0]))
    x, y, z = (float(value) for value in grid_normals(comparison.camera(settings).unproject(depth, rows, columns))[here])
    return SideProbe(disparity=float(disparity[row, column]), depth=float(depth[here]), normal=(x, y, z))


def _true_depth(comparison: Comparison, column: int, row: int) -> float | None:
    truth = comparison.truth
    if truth is None:
        return None
    (width, height), (true_width, true_height) = comparison.size_px, truth.size_px
    at = int((row + 0.5) * true_height / height), int((column + 0.5) * true_width / width)
    return float(truth.depth[at]) if truth.valid[at] else None


@dataclass(frozen=True, kw_only=True, eq=False)
class Profile:
    """Both sides along a line: distance from its start in picture pixels, and disparity there, (N,) each; spread None where unknown."""

    distance_px: NDArray[np.float64]
    base: NDArray[np.float64]
    refined: NDArray[np.float64]
    uncertainty: NDArray[np.float64] | None


def profile(comparison: Comparison, start: Point, end: Point) -> Profile | None:
    """Return both sides along a line, a sample a pixel, interpolated between pixel centres; None for a line shorter than a pixel."""
    length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
    if length < 1:
        return None
    share = np.linspace(0, 1, int(np.ceil(length)) + 1)
    x, y = start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])
    spread = comparison.uncertainty
    return Profile(
        distance_px=share * length,
        base=_sampled(comparison.disparity_base, x, y),
        refined=_sampled(comparison.disparity_refined, x, y),
        uncertainty=_sampled(spread, x, y) if spread is not None and comparison.has_several_members else None,
    )


def _sampled(values: NDArray[np.float32], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``values`` between pixel centres at the points (x, y), held at the picture's border."""
    height, width = values.shape
    x, y = np.clip(x - 0.5, 0, width - 1), np.clip(y - 0.5, 0, height - 1)
    left, top = np.minimum(x.astype(int), max(width - 2, 0)), np.minimum(y.astype(int), max(height - 2, 0))
    right, below = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across, down = x - left, y - top
    upper = values[top, left] * (1 - across) + values[top, right] * across
    lower = values[below, left] * (1 - across) + values[below, right] * across
    return upper * (1 - down) + lower * down


@dataclass(frozen=True, kw_only=True, eq=False)
class Histogram:
    """How many pixels of both sides lie in each bin of one range: edges (N + 1,), shares (N,) that sum to 1."""

    edges: NDArray[np.float64]
    base: NDArray[np.float64]
    refined: NDArray[np.float64]


def histogram(comparison: Comparison, bins: int = 96) -> Histogram:
    """Return both sides' shares of pixels over `Comparison.value_range`."""
    low, high = comparison.value_range
    edges = np.linspace(low, max(high, low + 1e-6 * max(abs(low), 1.0)), bins + 1)
    base, refined = (np.histogram(comparison.disparity(which), edges)[0] / comparison.disparity_base.size for which in SIDES)
    return Histogram(edges=edges, base=base, refined=refined)
