"""One picture as the rest of the engine sees it: upright, sRGB, float."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..api.messages import Notice


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """A picture that passed every check.

    Attributes:
        image_srgb: (H, W, 3) float32 in [0, 1], upright, sRGB-encoded.
        fov_deg: angle of view across the longer side, from EXIF; None where EXIF does not tell.
        sha256: of the file's bytes, 64 hexadecimal digits.
        source_name: the file's name, without its folder.
        notices: what was decided on the way, such as what lies behind transparent parts.
    """

    image_srgb: NDArray[np.float32]
    fov_deg: float | None
    sha256: str
    source_name: str
    notices: tuple[Notice, ...] = ()

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        height, width, _ = self.image_srgb.shape
        return width, height
