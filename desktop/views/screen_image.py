"""A painted layer as images that Qt draws fast at any size: the layer itself and halves of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QBuffer, QRectF
from PySide6.QtGui import QImage, QPainter

from ..state.painting import Painted, Scale

_SMALLEST_SIDE_PX = 256
_SHARP_FROM = 3.0


@dataclass(frozen=True, kw_only=True, eq=False)
class ScreenImage:
    """What a pane shows: its name, how to read it, its legend, and images each half as large as the one before.

    ``pixels`` are the arrays that ``levels`` look into; they must live as long. ``bar`` is the legend's colours, None without a legend.
    """

    name: str
    note: str
    scale: Scale | None
    levels: tuple[QImage, ...]
    bar: QImage | None
    pixels: tuple[NDArray[np.uint8], ...]


def screen_image(painted: Painted) -> ScreenImage:
    """Return ``painted`` ready to be drawn; made in any thread.

    Numpy does the work: unlike Qt's own functions it lets other threads run meanwhile.
    """
    pixels = [_bgrx(painted.colours)]
    while min(pixels[-1].shape[:2]) >= 2 * _SMALLEST_SIDE_PX:
        pixels.append(_halved(pixels[-1]))
    levels = tuple(QImage(level.data, level.shape[1], level.shape[0], 4 * level.shape[1], QImage.Format.Format_RGB32) for level in pixels)
    bar = image_from_srgb8(painted.scale.colours[None]) if painted.scale is not None else None
    return ScreenImage(name=painted.name, note=painted.note, scale=painted.scale, levels=levels, bar=bar, pixels=tuple(pixels))


def _bgrx(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return colours (H, W, 3) as blue, green, red and an unused byte (H, W, 4), which is how Qt keeps what it draws fastest."""
    pixels = np.full((*colours.shape[:2], 4), 255, np.uint8)
    pixels[..., :3] = colours[..., ::-1]
    return pixels


def _halved(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the means of each two by two pixels; an odd last row or column is left out."""
    height, width = (side - side % 2 for side in pixels.shape[:2])
    even = pixels[:height, :width]
    total = even[0::2, 0::2].astype(np.uint16)
    for part in (even[0::2, 1::2], even[1::2, 0::2], even[1::2, 1::2]):
        total += part
    total += 2
    total >>= 2
    return total.astype(np.uint8)


def image_from_srgb8(colours: NDArray[np.uint8]) -> QImage:
    """Return colours (H, W, 3) as an image that owns its pixels."""
    colours = np.ascontiguousarray(colours)
    height, width = colours.shape[:2]
    return QImage(colours.data, width, height, 3 * width, QImage.Format.Format_RGB888).convertToFormat(QImage.Format.Format_RGB32)


def png_of(image: QImage) -> bytes:
    """Return an image as the content of a PNG file."""
    content = QBuffer()
    content.open(QBuffer.OpenModeFlag.WriteOnly)
    image.save(content, "PNG")  # type: ignore[call-overload]
    return bytes(content.data().data())


def draw(painter: QPainter, image: ScreenImage, target: QRectF, visible: QRectF, screen_scale: float) -> None:
    """Draw the part of ``image`` that lies in ``visible``, where all of it would fill ``target``; both in logical pixels.

    Args:
        screen_scale: physical screen pixels a pixel of the finest level.
    """
    level = 0
    while level + 1 < len(image.levels) and screen_scale * 2 ** (level + 1) <= 1:
        level += 1
    pixels = image.levels[level]
    shown = target.intersected(visible)
    if shown.isEmpty():
        return
    across, down = pixels.width() / target.width(), pixels.height() / target.height()
    source = QRectF((shown.x() - target.x()) * across, (shown.y() - target.y()) * down, shown.width() * across, shown.height() * down)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, screen_scale * 2**level < _SHARP_FROM)
    painter.drawImage(shown, pixels, source)
