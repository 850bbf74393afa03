"""Arrays as image datablocks of the .blend file, and back. Rows run from the top in arrays and from the bottom in images."""

from __future__ import annotations

import bpy
import numpy as np
from numpy.typing import NDArray


def store_maps(name: str, pixels: NDArray[np.float32], width: int, height: int, image: bpy.types.Image | None = None) -> bpy.types.Image:
    """Return a packed 32-bit float Non-Color image of ``pixels`` (height * width * 4,), rows from the bottom; ``image`` is used again if it fits."""
    if image is None or tuple(image.size) != (width, height):
        image = bpy.data.images.new(name, width, height, alpha=True, float_buffer=True, is_data=True)
        image.alpha_mode = "CHANNEL_PACKED"
    image.pixels.foreach_set(np.ascontiguousarray(pixels, np.float32).ravel())
    image.update()
    image.pack()
    return image


def read_maps(image: bpy.types.Image) -> NDArray[np.float32]:
    """Return an image's pixels (height * width * 4,), rows from the bottom."""
    pixels = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels


def rgba_pixels(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the pixels of an image that shows ``values`` (H, W) in grey, or (H, W, 3) in colour."""
    height, width = values.shape[:2]
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :3] = values[::-1, :, None] if values.ndim == 2 else values[::-1]
    return rgba.ravel()


def picture_image(name: str, image_srgb: NDArray[np.uint8]) -> bpy.types.Image:
    """Return a packed 8-bit sRGB image of ``image_srgb`` (H, W, 3)."""
    height, width = image_srgb.shape[:2]
    image = bpy.data.images.new(name, width, height, alpha=False)
    image.pixels.foreach_set(rgba_pixels(image_srgb.astype(np.float32) / np.float32(255)))
    image.update()
    image.pack()
    return image
