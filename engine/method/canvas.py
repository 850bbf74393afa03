"""From the relit picture to the canvas that the prior sees. Shapes: B members, H W pixels of the depth model."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from ..api.settings import Canvas


def letterbox(images: Tensor, side_px: int) -> Tensor:
    """Return (B, C, side, side): the long side resized to ``side_px`` (bilinear, corners aligned), centred on zeros.

    Source: as released.
    """
    height, width = images.shape[-2:]
    scale = side_px / max(height, width)
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    resized = functional.interpolate(images, size=(new_height, new_width), mode="bilinear", align_corners=True)
    top, left = (side_px - new_height) // 2, (side_px - new_width) // 2
    return functional.pad(resized, (left, side_px - new_width - left, top, side_px - new_height - top))


def fit(images: Tensor, long_side_px: int, multiple_px: int) -> Tensor:
    """Return (B, C, h, w) with the picture's own aspect to the nearest multiple, no padding, antialiased.

    Differs: a square canvas spends 27 % of the prior's work on padding at 4:3, and a resize far below the depth model's resolution
    aliases without a filter.
    """
    height, width = images.shape[-2:]
    scale = long_side_px / max(height, width)
    size = tuple(max(multiple_px, round(side * scale / multiple_px) * multiple_px) for side in (height, width))
    return functional.interpolate(images, size=size, mode="bilinear", antialias=True, align_corners=False)


def to_canvas(images: Tensor, canvas: Canvas, side_px: int, multiple_px: int) -> Tensor:
    """Return ``images`` on the canvas that the settings ask for."""
    return letterbox(images, side_px) if canvas == "square" else fit(images, side_px, multiple_px)
