"""Small depths with known shape, as the engine would give them."""

from __future__ import annotations

import importlib

import numpy as np
from numpy.typing import NDArray

from tests.blender_addon.staged import NAME

maps = importlib.import_module(f"{NAME}.shape.maps")
surfaces = importlib.import_module(f"{NAME}.shape.surface")

SIZE_PX = (96, 72)


def maps_of(base: NDArray[np.float32], refined: NDArray[np.float32] | None = None) -> object:
    height, width = base.shape
    refined = base if refined is None else refined
    empty = np.zeros_like(base)
    return maps.Maps(width_px=width, height_px=height, base=base, refined=refined, uncertainty=empty, kept=empty + 1)


def ramp(tilt: float = 0.02) -> NDArray[np.float32]:
    """Disparity of a tilted plane: linear in the picture."""
    width, height = SIZE_PX
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    return (1 + tilt * columns + 0.5 * tilt * rows).astype(np.float32)


def box_before_wall() -> NDArray[np.float32]:
    """Disparity 3 on a box in the middle, 1 on the wall behind it."""
    disparity = np.ones(SIZE_PX[::-1], np.float32)
    disparity[24:48, 32:64] = 3
    return disparity


def shape(**changes: float) -> object:
    return surfaces.Shape(**({"size": 2.0, "fov_deg": 50.0, "long_side_vertices": 96} | changes))
