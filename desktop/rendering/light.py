"""The light that both depths are relit with, and how the surface answers it: Blinn-Phong in linear light.

    light_dir = normalise(x, y, height)         half_dir = normalise(light_dir + view_dir)
    lit   = albedo (ambient + visible diffuse max(0, normal . light_dir)) + visible specular max(0, normal . half_dir) ^ shininess
    relit = (1 - original) lit + original albedo, held within [0, 1], then as sRGB

The picture in linear light stands in for the albedo; with ``clay`` a middle grey does, so that shape alone shows. ``visible`` is 1; with
``shadows`` it falls to 0 where the surface itself stands between a point and the light. The frame is the camera's: x right, y up, z toward
the viewer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from engine.api.errors import SettingsError

CLAY_ALBEDO = 0.5

# Field -> lowest and highest value that it may take.
RANGES: dict[str, tuple[float, float]] = {
    "x": (-8.0, 8.0),
    "y": (-8.0, 8.0),
    "height": (0.05, 4.0),
    "ambient": (0.0, 2.0),
    "diffuse": (0.0, 4.0),
    "specular": (0.0, 2.0),
    "shininess": (1.0, 256.0),
    "original": (0.0, 1.0),
}


@dataclass(frozen=True, kw_only=True)
class Light:
    """A distant light, held by a handle over the picture.

    Attributes:
        x, y: the handle, in halves of the picture's shorter side from its centre, to the right and up.
        height: of the handle before the picture, in the same unit; small is grazing.
        ambient, diffuse, specular: weights of the three parts.
        shininess: exponent of the highlight.
        original: share of the unlit picture mixed in.
        clay: whether grey clay stands in for the picture.
        shadows: whether the surface casts shadows on itself.

    Raises:
        SettingsError: a number outside `RANGES`.
    """

    x: float = -0.6
    y: float = 0.6
    height: float = 1.0
    ambient: float = 0.15
    diffuse: float = 1.1
    specular: float = 0.1
    shininess: float = 24.0
    original: float = 0.0
    clay: bool = False
    shadows: bool = False

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"{name} of the light is {value:g}, outside {low:g} to {high:g}.", hint=f"Give {name} a value in that range.")

    @property
    def light_dir(self) -> tuple[float, float, float]:
        """Unit vector toward the light."""
        length = math.hypot(self.x, self.y, self.height)
        return self.x / length, self.y / length, self.height / length
