"""A painted layer as images that Qt draws fast at any size: the layer itself and halves of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QBuffer, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter

from ..state.painting import Painted, Scale

_SMALLEST_SIDE_PX = 256
_SHARP_FROM = 3.0


@dataclass(frozen=True, kw_only=True, eq=False)
class ScreenImage:
    """What a pane shows: its name, how to read it, its legend, and images each half as large as the one before."""

    name: str
    note: str
    scale: Scale | None
    levels: tuple[QImage, ...]


def screen_image(painted: Painted) -> ScreenImage:
    """Return ``painted`` ready to be drawn; made in any thread."""
    return ScreenImage(name=painted.name, note=painted.note, scale=painted.scale, levels=tuple(_levels(painted.colours)))


def _levels(colours: NDArray[np.uint8]) -> list[QImage]:
    levels = [image_from_srgb8(colours)]
    while min(levels[-1].width(), levels[-1].height()) >= 2 * _SMALLEST_SIDE_PX:
        half = QSize((levels[-1].width() + 1) // 2, (levels[-1].height() + 1) // 2)
        levels.append(levels[-1].scaled(half, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation))
    return levels


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
