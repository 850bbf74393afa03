"""What a relit preview needs of one depth: albedo, normals and depth, at the size that it is shown in.

Disparity is scaled down before it becomes depth, so a window's worth of pixels is all that the geometry costs, whatever the picture's size.

Shapes: H W picture, h w preview.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from desktop.state.comparison import Comparison, Which
from engine.api.settings import MeshSettings
from engine.geometry.camera import Camera
from engine.geometry.disparity import depth_from_disparity
from engine.geometry.normals import normals_from_depth

from .srgb import linear_from_srgb8

LARGEST_PREVIEW_PX = 1_000_000

Pixel = TypeVar("Pixel", np.float32, np.uint8)


@dataclass(frozen=True, kw_only=True, eq=False)
class Surface:
    """One depth as seen by its camera.

    Attributes:
        albedo: (h, w, 3) float32 in [0, 1], linear light.
        normals: (h, w, 3) float32 unit vectors, x right, y up, z toward the viewer.
        depth: (h, w) float32, larger = farther, positive along the view axis.
        camera: of w x h pixels.
    """

    albedo: NDArray[np.float32]
    normals: NDArray[np.float32]
    depth: NDArray[np.float32]
    camera: Camera


def preview_size_px(picture_px: tuple[int, int], room_px: tuple[int, int]) -> tuple[int, int]:
    """Return width and height of the preview: as large as fits in ``room_px``, never finer than the picture or `LARGEST_PREVIEW_PX`."""
    width, height = picture_px
    scale = min(1.0, room_px[0] / width, room_px[1] / height, (LARGEST_PREVIEW_PX / (width * height)) ** 0.5)
    return max(2, int(width * scale)), max(2, int(height * scale))


def surface_from_comparison(comparison: Comparison, which: Which, settings: MeshSettings, size_px: tuple[int, int]) -> Surface:
    """Return the surface of one side, in the range of depth that both sides share.

    Args:
        size_px: width and height of the preview.
    """
    disparity = scaled(comparison.disparity(which), size_px)
    depth = depth_from_disparity(disparity, settings.near_far_ratio, comparison.value_range)
    camera = Camera(*size_px, comparison.resolved_fov_deg(settings))
    normals = normals_from_depth(depth, camera).astype(np.float32, copy=False)
    return Surface(albedo=linear_from_srgb8(scaled(comparison.image_srgb, size_px)), normals=normals, depth=depth, camera=camera)


def scaled(values: NDArray[Pixel], size_px: tuple[int, int]) -> NDArray[Pixel]:
    """Return a map (H, W) or picture (H, W, 3) at another size; where it shrinks, by means that overlap, which leave no grid in the normals."""
    height, width = values.shape[:2]
    if (width, height) == size_px:
        return values
    return np.asarray(Image.fromarray(np.ascontiguousarray(values)).resize(size_px, Image.Resampling.BILINEAR), values.dtype)
