"""The running depth, live: an image datablock that any Image Editor can show, and an icon of it for the panel."""

from __future__ import annotations

import bpy
import bpy.utils.previews
import numpy as np
from numpy.typing import NDArray

from .running.controller import Task

IMAGE_NAME = "Re-Depth preview"
_ICON_NAME = "depth"
_ICON_PX = 160

_shown = (0, 0)
_icons: bpy.utils.previews.ImagePreviewCollection | None = None


def show_preview(task: Task) -> None:
    """Show the latest disparity of ``task``, near = bright, if it is not shown already."""
    global _shown
    disparity, shown = task.follower.preview, (task.number, task.follower.previews)
    if disparity is None or shown == _shown:
        return
    _shown = shown
    rgba = preview_pixels(disparity)
    height, width = disparity.shape
    image = bpy.data.images.get(IMAGE_NAME)
    if image is None:
        image = bpy.data.images.new(IMAGE_NAME, width, height)
    elif tuple(image.size) != (width, height):
        image.scale(width, height)
    image.pixels.foreach_set(rgba.ravel())
    image.update()
    _show_icon(rgba)


def preview_pixels(disparity: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (h, w, 4) grey pixels of ``disparity`` (h, w), rows from the bottom, the nearest white."""
    low, high = float(disparity.min()), float(disparity.max())
    rgba = np.ones((*disparity.shape, 4), np.float32)
    rgba[..., :3] = ((disparity[::-1] - low) / max(high - low, 1e-12))[..., None]
    return rgba


def icon_id() -> int:
    """Return the icon of the latest preview, or 0 before the first."""
    return _icons[_ICON_NAME].icon_id if _icons is not None and _ICON_NAME in _icons else 0


def drop_preview() -> None:
    """Remove image and icon."""
    global _shown, _icons
    _shown = (0, 0)
    image = bpy.data.images.get(IMAGE_NAME)
    if image is not None:
        bpy.data.images.remove(image)
    if _icons is not None:
        bpy.utils.previews.remove(_icons)
        _icons = None


def _show_icon(rgba: NDArray[np.float32]) -> None:
    global _icons
    if bpy.app.background:
        return
    if _icons is None:
        _icons = bpy.utils.previews.new()
    icon = _icons[_ICON_NAME] if _ICON_NAME in _icons else _icons.new(_ICON_NAME)
    step = max(1, -(-max(rgba.shape[:2]) // _ICON_PX))
    small = np.ascontiguousarray(rgba[::step, ::step])
    icon.image_size = (small.shape[1], small.shape[0])
    icon.image_pixels_float.foreach_set(small.ravel())
