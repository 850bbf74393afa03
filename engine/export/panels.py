"""A sheet of named panels in one size, drawn with Pillow: caption above each picture, legend below, facts at the top.

Pillow's own font knows little beyond Latin-1, so captions keep to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_BACKGROUND, _MAT, _FRAME = (24, 26, 30), (14, 15, 17), (70, 74, 82)
_TITLE, _TEXT = (244, 245, 247), (166, 172, 182)
_MARGIN, _GAP, _BAR_HEIGHT, _LEGEND_HEIGHT, _CAPTION_HEIGHT, _HEADING_HEIGHT = 36, 28, 14, 48, 62, 84
_SMALLEST_CELL = 340
_SHEET_ASPECT = 1.6


@dataclass(frozen=True)
class Legend:
    """A strip of colours (1, N, 3) uint8 with labels spread evenly under it."""

    colours: NDArray[np.uint8]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Panel:
    """One picture (h, w, 3) uint8 with its name, a note on how to read it, and perhaps a legend."""

    name: str
    note: str
    picture: NDArray[np.uint8]
    legend: Legend | None = None


def draw_sheet(heading: str, facts: str, panels: Sequence[Panel]) -> Image.Image:
    """Return the sheet: panels of one size in as many columns as bring it nearest to a screen's shape."""
    height, width = panels[0].picture.shape[:2]
    cell = (max(width, _SMALLEST_CELL), _CAPTION_HEIGHT + height + _LEGEND_HEIGHT)
    columns = _best_columns(len(panels), cell)
    rows = len(panels) // columns
    size = (
        2 * _MARGIN + columns * cell[0] + (columns - 1) * _GAP,
        2 * _MARGIN + _HEADING_HEIGHT + rows * cell[1] + (rows - 1) * _GAP,
    )
    sheet = Image.new("RGB", size, _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    _write(draw, (_MARGIN, _MARGIN - 6), heading, 30, _TITLE, size[0] - 2 * _MARGIN)
    _write(draw, (_MARGIN, _MARGIN + 36), facts, 17, _TEXT, size[0] - 2 * _MARGIN)
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        corner = (_MARGIN + column * (cell[0] + _GAP), _MARGIN + _HEADING_HEIGHT + row * (cell[1] + _GAP))
        _draw_panel(sheet, draw, corner, cell[0], panel)
    return sheet


def _best_columns(count: int, cell: tuple[int, int]) -> int:
    """Return the number of columns, of those that leave no gap, whose sheet is nearest to a screen's aspect."""
    fitting = [columns for columns in range(1, count + 1) if count % columns == 0]
    return min(fitting, key=lambda columns: abs(math.log(columns**2 * cell[0] / (count * cell[1]) / _SHEET_ASPECT)))


def _draw_panel(sheet: Image.Image, draw: ImageDraw.ImageDraw, corner: tuple[int, int], cell_width: int, panel: Panel) -> None:
    left, top = corner
    _write(draw, (left, top), panel.name, 22, _TITLE, cell_width)
    _write(draw, (left, top + 29), panel.note, 15, _TEXT, cell_width)
    height, width = panel.picture.shape[:2]
    top += _CAPTION_HEIGHT
    draw.rectangle((left - 1, top - 1, left + cell_width, top + height), fill=_MAT, outline=_FRAME)
    sheet.paste(Image.fromarray(panel.picture), (left + (cell_width - width) // 2, top))
    if panel.legend is not None:
        _draw_legend(sheet, draw, (left, top + height + 10), cell_width, panel.legend)


def _draw_legend(sheet: Image.Image, draw: ImageDraw.ImageDraw, corner: tuple[int, int], width: int, legend: Legend) -> None:
    left, top = corner
    bar = Image.fromarray(legend.colours).resize((width, _BAR_HEIGHT), Image.Resampling.NEAREST)
    sheet.paste(bar, corner)
    font = _font(15)
    last = len(legend.labels) - 1
    for number, label in enumerate(legend.labels):
        share = number / last
        at = left + share * (width - draw.textlength(label, font=font))
        draw.text((at, top + _BAR_HEIGHT + 4), label, fill=_TEXT, font=font)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _write(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int, colour: tuple[int, int, int], width: int) -> None:
    """Draw ``text``, in smaller letters where it would not fit in ``width``, and shortened where that is not enough."""
    while size > 12 and draw.textlength(text, font=_font(size)) > width:
        size -= 1
    font = _font(size)
    while len(text) > 1 and draw.textlength(text, font=font) > width:
        text = text[:-2].rstrip() + "…"
    draw.text(at, text, fill=colour, font=font)
