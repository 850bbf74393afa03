"""The sRGB transfer curve, as IEC 61966-2-1 states it: a straight piece near black, then a power of 2.4."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

# The shaders' half of the same curve: linear light in [0, 1] to display values.
GLSL_FROM_LINEAR = """
vec3 srgb_from_linear(vec3 linear) {
    return mix(12.92 * linear, 1.055 * pow(linear, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, linear));
}
"""


@cache
def _linear_levels() -> NDArray[np.float32]:
    """Return the linear light (256,) of each 8-bit level."""
    display = np.arange(256) / 255
    return np.where(display <= 0.04045, display / 12.92, ((display + 0.055) / 1.055) ** 2.4).astype(np.float32)


def linear_from_srgb8(image_srgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return linear light in [0, 1], of the same shape."""
    return _linear_levels()[image_srgb]
