"""Layers as colours with their legends: what one pane shows, as an array, for any thread to make.

Shapes: H W picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.export.colours import change_to_srgb8, disparity_to_srgb8, normals_to_srgb8, share_to_srgb8
from engine.geometry.disparity import DisparityRange, depth_from_disparity, normalise

from .comparison import Comparison, Which
from .look import Layer, Look, colour_range, evenly
from .measures import error_map

DOUBT = 2.0
_CHANGE_QUANTILE = 0.995
_SMALLEST_CHANGE_LIMIT = 0.01  # of the range; or a change that no one would notice would get the strongest colours
_RAMP = 256
_SURE_GREY = 96
_LARGEST_ERROR = 0.3


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A legend: colours (N, 3) uint8 from left to right, and labels spread evenly under it."""

    colours: NDArray[np.uint8]
    labels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Painted:
    """One layer.

    Attributes:
        name: what it is, always shown on it.
        note: how to read it, one short line.
        colours: (H, W, 3) uint8, C-contiguous.
        scale: its legend, None where colours are no values.
    """

    name: str
    note: str
    colours: NDArray[np.uint8]
    scale: Scale | None


def paint(comparison: Comparison, layer: Layer, which: Which, look: Look) -> Painted:
    """Return ``layer`` of ``comparison`` in colours.

    Args:
        which: whose map; without meaning for layers of the pair.
    """
    if layer == "picture":
        note = f"{comparison.size_px[0]} × {comparison.size_px[1]} px, angle of view {comparison.fov_deg:.3g}°"
        name = "Picture" if comparison.has_picture else "No picture: left map, shaded"
        return Painted(name=name, note=note, colours=np.ascontiguousarray(comparison.image_srgb), scale=None)
    label = comparison.label(which)
    if layer == "disparity":
        value_range = colour_range(comparison, look.range_mode)
        colours = disparity_to_srgb8(comparison.disparity(which), value_range, look.colour_map)
        return Painted(name=label, note="disparity", colours=colours, scale=_disparity_scale(value_range, look))
    if layer == "depth":
        return _paint_depth(comparison, which, look)
    if layer == "normals":
        colours = normals_to_srgb8(comparison.normals(which, look.mesh))
        return Painted(name=f"{label}, normals", note="red = right, green = up, blue = toward you", colours=colours, scale=None)
    if layer == "error":
        return _paint_error(comparison, which)
    return _paint_pair(comparison, layer)


def _paint_depth(comparison: Comparison, which: Which, look: Look) -> Painted:
    """Colour by depth: the colour range is even in depth, not in disparity, near and far keep their colours."""
    ratio = look.mesh.near_far_ratio
    shown = colour_range(comparison, look.range_mode)
    near, far = (float(depth_from_disparity(np.array([[end]]), ratio, comparison.value_range)[0, 0]) for end in (shown.high, shown.low))
    nearness = -comparison.depth(which, look.mesh)
    colours = disparity_to_srgb8(nearness, DisparityRange(-far, -near), look.colour_map)
    labels = (f"far {far:.3g}", f"{(near + far) / 2:.3g}", f"near {near:.3g}")
    return Painted(name=comparison.label(which), note="relative depth", colours=colours, scale=Scale(colours=_disparity_ramp(look), labels=labels))


def _paint_error(comparison: Comparison, which: Which) -> Painted:
    errors = error_map(comparison, which)
    colours = share_to_srgb8(np.nan_to_num(errors) / _LARGEST_ERROR)
    colours[np.isnan(errors)] = _SURE_GREY
    ramp = share_to_srgb8(np.linspace(0, 1, _RAMP)[None])[0]
    labels = ("0", f"{50 * _LARGEST_ERROR:.0f} %", f"{100 * _LARGEST_ERROR:.0f} % and more")
    return Painted(
        name=f"{comparison.label(which)}, error",
        note="|z - true| / true, aligned; grey = not measured",
        colours=colours,
        scale=Scale(colours=ramp, labels=labels),
    )


def _paint_pair(comparison: Comparison, layer: Layer) -> Painted:
    if layer == "kept":
        kept = comparison.kept
        assert kept is not None
        colours = disparity_to_srgb8(kept, DisparityRange(0.0, 1.0), "Viridis")
        ramp = disparity_to_srgb8(np.linspace(0, 1, _RAMP)[None], DisparityRange(0.0, 1.0), "Viridis")[0]
        scale = Scale(colours=ramp, labels=("0 % = base stands", "50 %", "100 % kept"))
        return Painted(name="Quality gate", note="share of the refinement that was kept", colours=colours, scale=scale)
    if layer == "uncertainty":
        spread = comparison.uncertainty
        assert spread is not None
        limit = max(float(np.quantile(evenly(spread), _CHANGE_QUANTILE)) / comparison.span, _SMALLEST_CHANGE_LIMIT)
        colours = share_to_srgb8(spread / np.float32(limit * comparison.span))
        ramp = share_to_srgb8(np.linspace(0, 1, _RAMP)[None])[0]
        scale = Scale(colours=ramp, labels=("0", f"{50 * limit:.2g} %", f"{100 * limit:.2g} %"))
        return Painted(name="Uncertainty", note="spread of the members, % of the range", colours=colours, scale=scale)
    return _paint_change(comparison, only_sure=layer == "sure_change")


def _paint_change(comparison: Comparison, *, only_sure: bool) -> Painted:
    limit = change_limit(comparison)
    colours = change_to_srgb8(comparison.change, limit)
    if only_sure:
        colours[~sure_change(comparison)] = _SURE_GREY
    ramp = change_to_srgb8(np.linspace(-limit, limit, _RAMP)[None], limit)[0]
    labels = (f"farther {100 * limit:.2g} %", "0", f"nearer {100 * limit:.2g} %")
    sides = "refined - base" if comparison.is_refinement else "right - left"
    name, note = ("Change beyond doubt", f"grey: below {DOUBT:g} × the members' spread") if only_sure else ("Change", f"{sides}, % of the range")
    return Painted(name=name, note=note, colours=colours, scale=Scale(colours=ramp, labels=labels))


def change_limit(comparison: Comparison) -> float:
    """Return the change, as a share of the range, that gets the end colours: all but the largest half per cent lie within."""
    return max(float(np.quantile(np.abs(evenly(comparison.change)), _CHANGE_QUANTILE)), _SMALLEST_CHANGE_LIMIT)


def sure_change(comparison: Comparison) -> NDArray[np.bool_]:
    """Return where (H, W) the change is larger than `DOUBT` times the members' spread."""
    assert comparison.uncertainty is not None
    return np.abs(comparison.disparity_refined - comparison.disparity_base) > DOUBT * comparison.uncertainty


def shaded(disparity: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a grey picture (H, W, 3) of a map, where there is no other."""
    grey = np.rint(60 + 160 * normalise(disparity)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


def _disparity_ramp(look: Look) -> NDArray[np.uint8]:
    return disparity_to_srgb8(np.linspace(0, 1, _RAMP)[None], DisparityRange(0.0, 1.0), look.colour_map)[0]


def _disparity_scale(value_range: DisparityRange, look: Look) -> Scale:
    low, high = value_range
    return Scale(colours=_disparity_ramp(look), labels=(f"far {low:.3g}", f"{(low + high) / 2:.3g}", f"near {high:.3g}"))
