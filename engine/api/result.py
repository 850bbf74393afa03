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
        disparity_refined: (H, W) float32, the members' mean, in the scale of ``disparity_base``.
        uncertainty: (H, W) float32 >= 0, spread (standard deviation) of the members after alignment to their mean; 0 for one member.
        fov_deg: angle of view across the longer side.
        fov_source: where ``fov_deg`` came from.
        provenance: JSON object with models, licences, prompt, preset, settings, seed, device, versions, seconds a phase, notices
            and ``complete`` (False after a cancel: then ``steps_done`` says how far it came).
    """

    image_srgb: NDArray[np.uint8]
    disparity_base: Float32Map
    disparity_refined: Float32Map
    uncertainty: Float32Map
    fov_deg: float
    fov_source: FovSource
    provenance: dict[str, Any]

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        height, width = self.disparity_base.shape
        return width, height
