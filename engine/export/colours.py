"""Maps as colours: one perceptually even map for disparity, one diverging map for change, the usual code for normals.

Shapes: H W picture.
"""

from __future__ import annotations

from functools import cache

import cmap
import numpy as np
from numpy.typing import NDArray

from ..geometry.camera import FloatArray
from ..geometry.disparity import DisparityRange, normalise

_ROWS_PER_BLOCK = 256


@cache
def _table(name: str) -> NDArray[np.uint8]:
    """Return the 256 colours (256, 3) of a colour map."""
    return np.rint(cmap.Colormap(name).lut(256)[:, :3] * 255).astype(np.uint8)


def _colour(unit_values: FloatArray, name: str) -> NDArray[np.uint8]:
    return _table(name)[np.rint(unit_values * 255).astype(np.uint8)]


def disparity_to_srgb8(disparity: FloatArray, value_range: DisparityRange | None = None) -> NDArray[np.uint8]:
    """Return colours (H, W, 3), dark purple = far end of the range, light yellow = near end."""
    return _colour(normalise(disparity, value_range), "matplotlib:inferno")


def change_to_srgb8(change: FloatArray, limit: float) -> NDArray[np.uint8]:
    """Return colours (H, W, 3) of -limit to limit: blue = farther, white = unchanged, red = nearer; beyond it the end's colour."""
    return _colour(np.clip(change / (2 * limit) + 0.5, 0, 1), "crameri:vik")


def normals_to_srgb8(normals: FloatArray) -> NDArray[np.uint8]:
    """Return the normal map (H, W, 3): (n + 1) / 2 * 255, so what faces the viewer is (128, 128, 255)."""
    colours = np.empty(normals.shape, np.uint8)
    for start in range(0, len(normals), _ROWS_PER_BLOCK):
        block = slice(start, start + _ROWS_PER_BLOCK)
        colours[block] = np.rint(np.clip(normals[block] * 127.5 + 127.5, 0, 255))
    return colours
