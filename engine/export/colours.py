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

# Name for people -> colour map; the first one is what files are written with. Light or warm = near in all of them.
COLOUR_MAPS = {
    "Inferno": "bids:inferno",
    "Magma": "bids:magma",
    "Viridis": "bids:viridis",
    "Cividis": "cividis:cividis",
    "Turbo": "google:turbo",
    "Spectral": "colorbrewer:spectral_r",
    "Grey": "matlab:gray",
}
DEFAULT_COLOUR_MAP = next(iter(COLOUR_MAPS))


@cache
def _table(name: str) -> NDArray[np.uint8]:
    """Return the 256 colours (256, 3) of a colour map."""
    return np.rint(cmap.Colormap(name).lut(256)[:, :3] * 255).astype(np.uint8)


def _colour(unit_values: FloatArray, name: str) -> NDArray[np.uint8]:
    return _table(name)[np.rint(unit_values * 255).astype(np.uint8)]


def disparity_to_srgb8(disparity: FloatArray, value_range: DisparityRange | None = None, colour_map: str = DEFAULT_COLOUR_MAP) -> NDArray[np.uint8]:
    """Return colours (H, W, 3); of the default map dark purple = far end of the range, light yellow = near end.

    Args:
        colour_map: a name of `COLOUR_MAPS`.
    """
    return _colour(normalise(disparity, value_range), COLOUR_MAPS[colour_map])


def share_to_srgb8(share: FloatArray) -> NDArray[np.uint8]:
    """Return colours (H, W, 3) of shares in [0, 1], held at its ends: black = 0, pale yellow = 1; for errors and spreads."""
    return _colour(np.clip(share, 0, 1), "crameri:lajolla")


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
