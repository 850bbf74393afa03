"""One finished refinement, as arrays and facts. Axis order (H, W), rows from the top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FovSource = Literal["exif", "option", "default"]

Float32Map = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class RefineResult:
    """What a refinement gives, at the picture's own resolution.

    Attributes:
        image_srgb: (H, W, 3) uint8, the upright picture in sRGB.
        disparity_base: (H, W) float32, the depth model's own, larger = nearer, affine-invariant.
        disparity_refined: (H, W) float32, the members' mean, in the scale of ``disparity_base``; where ``kept`` is below 1, mixed with the base.
        uncertainty: (H, W) float32 >= 0, spread (standard deviation) of the members after alignment to their mean; 0 for one member.
        kept: (H, W) float32 in [0, 1], the share of the refinement that the quality gate kept, 0 = the base stands; None where none ran: it was
            switched off, the refinement was stopped before its end, or an older version made the result.
        fov_deg: angle of view across the longer side.
        fov_source: where ``fov_deg`` came from.
        provenance: JSON object with models, licences, prompt, preset, settings, seed, device, versions, seconds a phase, notices
            and ``complete`` (False after a cancel: then ``steps_done`` says how far it came). ``gate`` is what the quality gate found
            (`engine.gate.finding`), None where none ran.
    """

    image_srgb: NDArray[np.uint8]
    disparity_base: Float32Map
    disparity_refined: Float32Map
    uncertainty: Float32Map
    fov_deg: float
    fov_source: FovSource
    provenance: dict[str, Any]
    kept: Float32Map | None = None

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        height, width = self.disparity_base.shape
        return width, height
