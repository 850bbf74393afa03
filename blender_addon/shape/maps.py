"""The engine's maps as the .blend file keeps them: one float image of base, refined, uncertainty and kept share.

They are stored at the picture's pixels, of pictures longer than `STORED_PX` at an even choice of them; values are never mixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.api.result import RefineResult
from ..engine.geometry.camera import Camera
from ..engine.geometry.disparity import DisparityRange, disparity_range
from ..engine.geometry.mesh import PixelGrid, pixel_grid

STORED_PX = 2048

Float32Map = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Maps:
    """What the sliders work on.

    Attributes:
        width_px, height_px: of the picture.
        base, refined: (h, w) disparity, larger = nearer, in one scale.
        uncertainty: (h, w), spread of the members.
        kept: (h, w) share of the refinement that the engine's judge kept, 0 to 1.
    """

    width_px: int
    height_px: int
    base: Float32Map
    refined: Float32Map
    uncertainty: Float32Map
    kept: Float32Map

    @property
    def grid(self) -> PixelGrid:
        """The picture's pixels that are stored."""
        return stored_grid(self.width_px, self.height_px)

    @property
    def range(self) -> DisparityRange:
        """Farthest and nearest disparity of both: one range, so that sliding between them moves only what differs."""
        return disparity_range(self.base, self.refined)

    def pixels(self) -> NDArray[np.float32]:
        """Return them as an image's pixels: (h * w * 4,), rows from the bottom, red base, green refined, blue uncertainty, alpha kept."""
        return np.stack([self.base, self.refined, self.uncertainty, self.kept], axis=-1)[::-1].ravel()


def stored_grid(width_px: int, height_px: int) -> PixelGrid:
    """Return the pixels of a picture of this size that are stored."""
    return pixel_grid(Camera(width_px, height_px), STORED_PX)


def maps_from_result(result: RefineResult) -> Maps:
    """Return the maps of a finished refinement; one that nobody judged counts as kept whole."""
    width, height = result.size_px
    grid = stored_grid(width, height)
    stored: dict[str, Any] = {
        "base": grid.sample(result.disparity_base),
        "refined": grid.sample(result.disparity_refined),
        "uncertainty": grid.sample(result.uncertainty),
        "kept": np.ones((len(grid.rows), len(grid.columns)), np.float32) if result.kept is None else grid.sample(result.kept),
    }
    return Maps(width_px=width, height_px=height, **{name: np.ascontiguousarray(values, np.float32) for name, values in stored.items()})


def maps_from_pixels(pixels: NDArray[np.float32], width_px: int, height_px: int) -> Maps:
    """Return the maps that `Maps.pixels` wrote.

    Raises:
        ValueError: the pixels are not those of a picture of this size.
    """
    grid = stored_grid(width_px, height_px)
    image = pixels.reshape(len(grid.rows), len(grid.columns), 4)[::-1]
    base, refined, uncertainty, kept = (np.ascontiguousarray(image[..., channel]) for channel in range(4))
    return Maps(width_px=width_px, height_px=height_px, base=base, refined=refined, uncertainty=uncertainty, kept=kept)
