"""`Comparison`: two depths of one picture, and all that can be said about the pair without a window.

Left is what was there first (the depth model's own map, or the first file), right is what it is compared with (the refined map, or the
second file). Both are disparities in one scale and share one range, so that equal colours and equal heights mean equal depth.

Shapes: H W picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.api.result import FovSource, RefineResult
from engine.api.settings import MeshSettings
from engine.evaluation.manifest import GroundTruth
from engine.geometry.camera import DEFAULT_FOV_DEG, Camera
from engine.geometry.disparity import DisparityRange, depth_from_disparity, disparity_range
from engine.geometry.normals import normals_from_depth

FloatMap = NDArray[np.float32]
Which = Literal["base", "refined"]
SIDES: tuple[Which, Which] = ("base", "refined")


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Two depths of one picture.

    Attributes:
        name: the picture's or the files' name, for titles and file names.
        image_srgb: (H, W, 3) uint8 in sRGB; grey shading where ``has_picture`` is False.
        disparity_base, disparity_refined: (H, W) float32, larger = nearer, finite, in one scale; the same array where there is only one.
        label_base, label_refined: names for people, always shown on the maps.
        uncertainty: (H, W) float32 >= 0, spread of the members in the scale of the disparities; None where there are none.
        kept: (H, W) float32 in [0, 1], share of the refinement that the quality gate kept; None where there was no gate.
        fov_deg: angle of view across the longer side.
        fov_source: where ``fov_deg`` came from.
        provenance: as in `RefineResult`; empty for files that say nothing.
        notes: sentences about the pair that its viewer should know, such as a convention that was assumed.
        truth: measured depth on its own grid of the same view, or None.
        has_picture: whether ``image_srgb`` is a picture.
        job_id: the engine's job that made it; empty where there is none.
    """

    name: str
    image_srgb: NDArray[np.uint8]
    disparity_base: FloatMap
    disparity_refined: FloatMap
    label_base: str
    label_refined: str
    uncertainty: FloatMap | None = None
    kept: FloatMap | None = None
    fov_deg: float = DEFAULT_FOV_DEG
    fov_source: FovSource = "default"
    provenance: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    truth: GroundTruth | None = None
    has_picture: bool = True
    job_id: str = ""

    def __post_init__(self) -> None:
        shape = self.disparity_base.shape
        maps = [self.disparity_refined, *(values for values in (self.uncertainty, self.kept) if values is not None)]
        if len(shape) != 2 or self.image_srgb.shape != (*shape, 3) or any(values.shape != shape for values in maps):
            raise ValueError(f"the maps of {self.name} differ in size")

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        height, width = self.disparity_base.shape
        return width, height

    @property
    def is_refinement(self) -> bool:
        """Whether the two sides are a refinement's base and outcome, and not any two maps."""
        return bool(self.provenance)

    @property
    def is_single(self) -> bool:
        """Whether there is nothing to compare: one map stands on both sides."""
        return self.disparity_refined is self.disparity_base

    @cached_property
    def has_several_members(self) -> bool:
        """Whether ``uncertainty`` says anything: one member alone has no spread."""
        return self.uncertainty is not None and bool(self.uncertainty.any())

    @cached_property
    def value_range(self) -> DisparityRange:
        """The extremes of both maps: the locked colour range, and what depths, normals and meshes of both are made with."""
        return disparity_range(self.disparity_base, self.disparity_refined)

    @cached_property
    def span(self) -> float:
        """Width of `value_range`, 1 where it is flat; what changes are given in per cent of."""
        return 1.0 if self.value_range.is_flat else self.value_range.high - self.value_range.low

    @cached_property
    def change(self) -> FloatMap:
        """Refined - base (H, W) as a share of `span`: above 0 = nearer."""
        return (self.disparity_refined - self.disparity_base) / np.float32(self.span)

    def disparity(self, which: Which) -> FloatMap:
        """Return one side's disparity (H, W)."""
        return self.disparity_base if which == "base" else self.disparity_refined

    def label(self, which: Which) -> str:
        """Return one side's name for people."""
        return self.label_base if which == "base" else self.label_refined

    def resolved_fov_deg(self, settings: MeshSettings) -> float:
        """Return the angle of view that ``settings`` ask for, else the picture's own."""
        return self.fov_deg if settings.fov_deg is None else settings.fov_deg

    def camera(self, settings: MeshSettings) -> Camera:
        """Return the camera of the picture with the angle of view of ``settings``."""
        return Camera(*self.size_px, self.resolved_fov_deg(settings))

    def depth(self, which: Which, settings: MeshSettings) -> FloatMap:
        """Return one side's depth (H, W), 1 at the nearest point of both sides and the near/far ratio at the farthest of both."""
        return depth_from_disparity(self.disparity(which), settings.near_far_ratio, self.value_range)

    def normals(self, which: Which, settings: MeshSettings) -> FloatMap:
        """Return one side's unit normals (H, W, 3) float32, seen by `camera`; the last asked for of each side are kept."""
        key = (settings.near_far_ratio, self.resolved_fov_deg(settings))
        kept = self._normals.get(which)
        if kept is None or kept[0] != key:
            normals = normals_from_depth(self.depth(which, settings), self.camera(settings)).astype(np.float32, copy=False)
            kept = self._normals[which] = (key, normals)
        return kept[1]

    @cached_property
    def _normals(self) -> dict[Which, tuple[tuple[float, float], FloatMap]]:
        return {}


def comparison_from_result(result: RefineResult, name: str, *, job_id: str = "", truth: GroundTruth | None = None) -> Comparison:
    """Return base against refined of one refinement.

    Raises:
        NumericalError: a disparity is not finite.
    """
    model = str(result.provenance["models"]["depth"]["title"])
    stopped = "" if result.provenance["complete"] else ", stopped early"
    comparison = Comparison(
        name=name,
        image_srgb=np.asarray(result.image_srgb),
        disparity_base=np.asarray(result.disparity_base),
        disparity_refined=np.asarray(result.disparity_refined),
        label_base=model,
        label_refined=f"Refined{stopped}",
        uncertainty=np.asarray(result.uncertainty),
        kept=_optional_map(getattr(result, "kept", None)),
        fov_deg=result.fov_deg,
        fov_source=result.fov_source,
        provenance=result.provenance,
        truth=truth,
        job_id=job_id,
    )
    disparity_range(comparison.disparity_base, comparison.disparity_refined)
    return comparison


def _optional_map(values: FloatMap | None) -> FloatMap | None:
    return None if values is None else np.asarray(values)
