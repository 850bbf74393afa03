"""The comparison picture: what the depth model saw, what refinement made of it, and where the two differ.

Base and refined share one colour range, the extremes of both, and one range of depth for their normals; only so can they be compared.
"""

from __future__ import annotations

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
_FOV_WORDS = {"exif": "from EXIF", "option": "as given", "default": "assumed"}


def draw_comparison(result: RefineResult, near_far_ratio: float, fov_deg: float, fov_source: FovSource) -> Image.Image:
    """Return the sheet: picture, base and refined disparity, their change, the normals of both, names and legends."""
    return draw_sheet(
        f"{_title(result, 'depth')}, refined on this picture", _facts(result), comparison_panels(result, near_far_ratio, fov_deg, fov_source)
    )


def comparison_panels(result: RefineResult, near_far_ratio: float, fov_deg: float, fov_source: FovSource) -> list[Panel]:
    """Return the sheet's six panels, all of one size."""
    size = _panel_size(*result.size_px)
    value_range = disparity_range(result.disparity_base, result.disparity_refined)
    base, refined = _resized(result.disparity_base, size), _resized(result.disparity_refined, size)
    picture = np.asarray(Image.fromarray(result.image_srgb).resize(size, Image.Resampling.LANCZOS))
    model = _title(result, "depth")
    legend = _disparity_legend(value_range)

    def normals_panel(name: str, disparity: NDArray[np.float32]) -> Panel:
        normals = normals_from_depth(depth_from_disparity(disparity, near_far_ratio, value_range), Camera(*size, fov_deg))
        return Panel(name, "red = right, green = up, blue = toward the viewer", normals_to_srgb8(normals))

    return [
        Panel("Picture", f"angle of view {fov_deg:.3g}° across the longer side, {_FOV_WORDS[fov_source]}", picture),
        Panel(model, _DISPARITY_NOTE, disparity_to_srgb8(base, value_range), legend),
        Panel("Refined", _DISPARITY_NOTE, disparity_to_srgb8(refined, value_range), legend),
        _change_panel(result, base, refined, value_range),
        normals_panel(f"Normals, {model}", base),
        normals_panel("Normals, refined", refined),
    ]


def _panel_size(width: int, height: int) -> tuple[int, int]:
    """Return the panels' size: the picture's own where that is readable, else the nearest size that is."""
    longer = max(width, height)
    scale = min(max(longer, _SHORTEST_LONG_SIDE_PX), _LONGEST_PANEL_PX) / longer
    return max(1, round(width * scale)), max(1, round(height * scale))


def _resized(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BILINEAR))


def _change_panel(result: RefineResult, base: NDArray[np.float32], refined: NDArray[np.float32], value_range: DisparityRange) -> Panel:
    """Return the change in shares of the common range; the legend's ends hold all but the largest hundredth of it."""
    width = 1.0 if value_range.is_flat else value_range.high - value_range.low
    size = np.abs(result.disparity_refined - result.disparity_base)
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


def _facts(result: RefineResult) -> str:
    width, height = result.size_px
    settings = result.provenance["settings"]
    method = settings["method"]
    facts = [
        f"{width} x {height} px",
        f"prior {_title(result, 'prior')}",
        f"preset {settings['preset']}",
        f"members {method['members']}",
        f"steps {method['steps']}",
        f"seed {method['seed']}",
    ]
    return " · ".join(facts if result.provenance["complete"] else [*facts, "stopped early"])


def _title(result: RefineResult, role: str) -> str:
    """Return the name for people of the model in ``role``."""
    return str(result.provenance["models"][role]["title"])
