"""How a comparison is looked at: which maps, which colours, which range. One frozen value, so that panes only redraw what changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from engine.api.settings import MeshSettings
from engine.export.colours import DEFAULT_COLOUR_MAP
from engine.geometry.disparity import DisparityRange

from .comparison import Comparison

Layout = Literal["overview", "side_by_side", "wipe", "single"]
MapLayer = Literal["disparity", "depth", "normals", "error"]
ExtraLayer = Literal["change", "sure_change", "uncertainty", "kept"]
Layer = Literal["picture", "disparity", "depth", "normals", "error", "change", "sure_change", "uncertainty", "kept"]
RangeMode = Literal["extremes", "percentile"]

LAYOUT_TITLES: dict[Layout, str] = {"overview": "Overview", "side_by_side": "Side by side", "wipe": "Wipe", "single": "Flip"}
MAP_TITLES: dict[MapLayer, str] = {"disparity": "Disparity", "depth": "Depth", "normals": "Normals", "error": "Error against truth"}
EXTRA_TITLES: dict[ExtraLayer, str] = {
    "change": "Change",
    "sure_change": "Change beyond doubt",
    "uncertainty": "Uncertainty",
    "kept": "Quality gate",
}
RANGE_TITLES: dict[RangeMode, str] = {"extremes": "Full range", "percentile": "1 to 99 %"}
_PERCENTILES = (1.0, 99.0)
_SAMPLES = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Look:
    """What the panes show.

    Attributes:
        map_layer: what base and refined are shown as.
        extra_layer: what is shown of their difference.
        colour_map: a name of `engine.export.colours.COLOUR_MAPS`.
        range_mode: what the ends of the one colour range of both maps are.
        wipe_share: where the wipe's edge is, 0 left to 1 right in the pane.
        flipped: whether the single pane shows base.
        mesh: near/far ratio and angle of view for depth and normals; edge cut and resolution for meshes.
    """

    layout: Layout = "overview"
    map_layer: MapLayer = "disparity"
    extra_layer: ExtraLayer = "change"
    colour_map: str = DEFAULT_COLOUR_MAP
    range_mode: RangeMode = "extremes"
    wipe_share: float = 0.5
    flipped: bool = False
    mesh: MeshSettings = field(default_factory=MeshSettings)


def colour_range(comparison: Comparison, mode: RangeMode) -> DisparityRange:
    """Return the disparities at the ends of the colour range that both maps share.

    Percentiles are of at most about 260,000 evenly spread pixels of each map.
    """
    if mode == "extremes":
        return comparison.value_range
    low, high = np.percentile(np.concatenate([evenly(comparison.disparity_base), evenly(comparison.disparity_refined)]), _PERCENTILES)
    return DisparityRange(float(low), float(high))


def evenly(values: np.ndarray) -> np.ndarray:
    """Return at most about 260,000 evenly spread values (n,) of a map."""
    step = max(1, int(np.ceil(np.sqrt(values.size / _SAMPLES))))
    return values[::step, ::step].ravel()


def shown_map_layers(comparison: Comparison) -> list[MapLayer]:
    """Return what base and refined of this comparison can be shown as."""
    return [layer for layer in MAP_TITLES if layer != "error" or comparison.truth is not None]


def shown_extra_layers(comparison: Comparison) -> list[ExtraLayer]:
    """Return what of the difference can be shown."""
    missing = {
        "sure_change": comparison.uncertainty is None or not comparison.has_several_members,
        "uncertainty": comparison.uncertainty is None,
        "kept": comparison.kept is None,
    }
    return [layer for layer in EXTRA_TITLES if not missing.get(layer, False)]
