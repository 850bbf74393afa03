"""The comparison picture: what the depth model saw, what refinement made of it, and where the two differ.

Base and refined share one colour range, the extremes of both, and one range of depth for their normals; only so can they be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..api.result import FovSource, RefineResult
from ..geometry.camera import Camera
from ..geometry.disparity import DisparityRange, depth_from_disparity, disparity_range
from ..geometry.normals import normals_from_depth
from .colours import change_to_srgb8, disparity_to_srgb8, normals_to_srgb8
from .panels import Legend, Panel, draw_sheet

_LONGEST_PANEL_PX = 880
_SHORTEST_LONG_SIDE_PX = 480
_CHANGE_QUANTILE = 0.99
_SMALLEST_CHANGE_LIMIT = 1e-3
_DISPARITY_NOTE = "disparity, bright = near; both maps share this range"
_SINGLE_NOTE = "disparity, bright = near"
_FOV_WORDS = {"exif": "from EXIF", "option": "as given", "default": "assumed"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """Two disparities of one picture, as the sheet shows them.

    Attributes:
        image_srgb: (H, W, 3) uint8.
        disparity_base, disparity_refined: (H, W) float32 in one scale.
        label_base, label_refined: their names.
        heading, facts: the lines at the top of the sheet.
        is_single: whether there is nothing to compare: one map stands on both sides.
    """

    image_srgb: NDArray[np.uint8]
    disparity_base: NDArray[np.float32]
    disparity_refined: NDArray[np.float32]
    label_base: str
    label_refined: str
    heading: str
    facts: str
    is_single: bool = False


def pair_from_result(result: RefineResult) -> Pair:
    """Return base against refined of a refinement."""
    model = str(result.provenance["models"]["depth"]["title"])
    return Pair(
        image_srgb=result.image_srgb,
        disparity_base=result.disparity_base,
        disparity_refined=result.disparity_refined,
        label_base=model,
        label_refined="Refined",
        heading=f"{model}, refined on this picture",
        facts=facts_line(result.size_px, result.provenance),
    )


def draw_comparison(pair: Pair, near_far_ratio: float, fov_deg: float, fov_source: FovSource) -> Image.Image:
    """Return the sheet: picture, both disparities, their change, the normals of both, names and legends."""
    return draw_sheet(pair.heading, pair.facts, comparison_panels(pair, near_far_ratio, fov_deg, fov_source))


def comparison_panels(pair: Pair, near_far_ratio: float, fov_deg: float, fov_source: FovSource) -> list[Panel]:
    """Return the sheet's six panels, all of one size; three where there is only one map."""
    height, width = pair.disparity_base.shape
    size = _panel_size(width, height)
    value_range = disparity_range(pair.disparity_base, pair.disparity_refined)
    base, refined = _resized(pair.disparity_base, size), _resized(pair.disparity_refined, size)
    picture = np.asarray(Image.fromarray(pair.image_srgb).resize(size, Image.Resampling.LANCZOS))
    legend = _disparity_legend(value_range)

    def normals_panel(label: str, disparity: NDArray[np.float32]) -> Panel:
        normals = normals_from_depth(depth_from_disparity(disparity, near_far_ratio, value_range), Camera(*size, fov_deg))
        return Panel(f"Normals, {label}", "red = right, green = up, blue = toward the viewer", normals_to_srgb8(normals))

    shown = Panel("Picture", f"angle of view {fov_deg:.3g}° across the longer side, {_FOV_WORDS[fov_source]}", picture)
    base_panel = Panel(pair.label_base, _SINGLE_NOTE if pair.is_single else _DISPARITY_NOTE, disparity_to_srgb8(base, value_range), legend)
    if pair.is_single:
        return [shown, base_panel, normals_panel(pair.label_base, base)]
    return [
        shown,
        base_panel,
        Panel(pair.label_refined, _DISPARITY_NOTE, disparity_to_srgb8(refined, value_range), legend),
        _change_panel(pair, base, refined, value_range),
        normals_panel(pair.label_base, base),
        normals_panel(pair.label_refined, refined),
    ]


def _panel_size(width: int, height: int) -> tuple[int, int]:
    """Return the panels' size: the picture's own where that is readable, else the nearest size that is."""
    longer = max(width, height)
    scale = min(max(longer, _SHORTEST_LONG_SIDE_PX), _LONGEST_PANEL_PX) / longer
    return max(1, round(width * scale)), max(1, round(height * scale))


def _resized(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BILINEAR))


def _change_panel(pair: Pair, base: NDArray[np.float32], refined: NDArray[np.float32], value_range: DisparityRange) -> Panel:
    """Return the change in shares of the common range; the legend's ends hold all but the largest hundredth of it."""
    width = 1.0 if value_range.is_flat else value_range.high - value_range.low
    size = np.abs(pair.disparity_refined - pair.disparity_base)
    mean, largest = float(size.mean(dtype=np.float64)) / width, float(size.max()) / width
    change = (refined - base) / width
    limit = max(float(np.quantile(np.abs(change), _CHANGE_QUANTILE)), _SMALLEST_CHANGE_LIMIT)
    ramp = change_to_srgb8(np.linspace(-limit, limit, 256)[None], limit)
    note = f"refined - base: mean {100 * mean:.2g} %, largest {100 * largest:.2g} % of the range"
    labels = (f"farther -{100 * limit:.2g} %", "0", f"nearer +{100 * limit:.2g} %")
    return Panel("Change", note, change_to_srgb8(change, limit), Legend(ramp, labels))


def _disparity_legend(value_range: DisparityRange) -> Legend:
    low, high = value_range
    ramp = disparity_to_srgb8(np.linspace(0, 1, 256)[None])
    return Legend(ramp, (f"far {low:.3g}", f"{(low + high) / 2:.3g}", f"near {high:.3g}"))


def facts_line(size_px: tuple[int, int], provenance: dict[str, Any]) -> str:
    """Return size and settings in one line; the size alone where nothing else is known."""
    facts = [f"{size_px[0]} x {size_px[1]} px"]
    if provenance:
        settings = provenance["settings"]
        method = settings["method"]
        facts += [
            f"prior {provenance['models']['prior']['title']}",
            f"preset {settings['preset']}",
            f"members {method['members']}",
            f"steps {method['steps']}",
            f"seed {method['seed']}",
        ]
        if not provenance["complete"]:
            facts.append("stopped early")
        gate = provenance.get("gate")  # None where none ran; results of older versions do not say
        if gate is not None:
            facts.append(f"quality gate kept {100 * gate['share_kept']:.0f} %")
    return " · ".join(facts)
