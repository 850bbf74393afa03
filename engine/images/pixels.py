"""What a decoder hands on: the file's own numbers, before any decision about colour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray
from PIL import Image

from ..api.messages import Notice

ColourSpace = Literal["gray", "rgb", "cmyk"]
CHANNELS: dict[ColourSpace, int] = {"gray": 1, "rgb": 3, "cmyk": 4}

CheckSize = Callable[[int, int], None]
"""Called with width and height from the header, before anything is decoded; raises `PictureError`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pixels:
    """Decoded pixels as stored, not yet turned upright.

    Attributes:
        colour: (H, W, C) uint8 or uint16 over their full range, or float32 with white at 1; C as in `CHANNELS`.
        alpha: (H, W) in the type of ``colour``, or None where there is none.
        premultiplied: whether ``colour`` is already multiplied by ``alpha``.
        icc: the embedded ICC profile, or None.
        exif: every EXIF field, the orientation among them.
    """

    colour: NDArray[Any]
    space: ColourSpace
    alpha: NDArray[Any] | None = None
    premultiplied: bool = False
    icc: bytes | None = None
    exif: Image.Exif
    notices: tuple[Notice, ...] = ()


def split_alpha(stored: NDArray[Any], space: ColourSpace) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return the colour channels (H, W, C) of ``stored`` (H, W) or (H, W, C...) and the channel after them, None where there is none."""
    if stored.ndim == 2:
        stored = stored[:, :, None]
    count = CHANNELS[space]
    return stored[:, :, :count], stored[:, :, count] if stored.shape[2] > count else None
