"""JPEG, PNG, WebP, GIF, BMP and 8-bit TIFF, through Pillow; 16-bit PNG, which Pillow would cut to 8 bits, through libpng."""

from __future__ import annotations

import struct
from typing import BinaryIO

import imagecodecs
import numpy as np
from PIL import Image

from ..api.errors import PictureError
from ..api.messages import Notice
from .pixels import CheckSize, ColourSpace, Pixels, split_alpha

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP")

_MODES: dict[str, tuple[str, ColourSpace]] = {
    "1": ("L", "gray"),
    "L": ("L", "gray"),
    "LA": ("LA", "gray"),
    "La": ("LA", "gray"),
    "P": ("RGB", "rgb"),
    "PA": ("RGBA", "rgb"),
    "RGB": ("RGB", "rgb"),
    "RGBX": ("RGB", "rgb"),
    "YCbCr": ("RGB", "rgb"),
    "RGBA": ("RGBA", "rgb"),
    "RGBa": ("RGBA", "rgb"),
    "CMYK": ("CMYK", "cmyk"),
}
"""Pillow's mode as stored: the mode to read it as, and that one's colour space."""


def read_with_pillow(file: BinaryIO, name: str, check_size: CheckSize) -> Pixels:
    """Return the first frame of the picture in ``file``, at its own depth.

    Raises:
        PictureError: ``picture.unsupported`` for a colour mode that is not converted, or what ``check_size`` raises.
        Exception: whatever Pillow or libpng raise for a damaged file, for `load` to put in words.
    """
    png_depth = _check_png_header(file, check_size)
    with Image.open(file, formats=FORMATS) as image:
        check_size(*image.size)
        notices = _frame_notices(image)
        icc = image.info.get("icc_profile")
        image.load()
        exif = image.getexif()
        if png_depth == 16:
            file.seek(0)
            stored = imagecodecs.png_decode(file.read())
            space: ColourSpace = "rgb" if stored.ndim == 3 and stored.shape[2] >= 3 else "gray"
        else:
            stored, space = _eight_bit_array(image, name)
    colour, alpha = split_alpha(stored, space)
    return Pixels(colour=colour, space=space, alpha=alpha, icc=icc, exif=exif, notices=notices)


def _check_png_header(file: BinaryIO, check_size: CheckSize) -> int:
    """Return the bits a sample of a PNG, 0 for another format; Pillow hides the size of an empty or gigantic one, so it is checked here."""
    file.seek(0)
    head = file.read(25)
    file.seek(0)
    if len(head) < 25 or not head.startswith(b"\x89PNG") or head[12:16] != b"IHDR":
        return 0
    width, height, depth = struct.unpack(">IIB", head[16:25])
    check_size(width, height)
    return int(depth)


def _eight_bit_array(image: Image.Image, name: str) -> tuple[np.ndarray, ColourSpace]:
    if image.mode not in _MODES:
        sentence = f"{name} stores its colours as {image.mode}, which Re-Depth does not read."
        raise PictureError(sentence, hint="Save it as an RGB picture.", code="picture.unsupported")
    mode, space = _MODES[image.mode]
    if "transparency" in image.info and not mode.endswith("A"):
        mode += "A"
    converted = image if image.mode == mode else image.convert("RGBA").convert(mode)
    return np.asarray(converted), space


def _frame_notices(image: Image.Image) -> tuple[Notice, ...]:
    frames = getattr(image, "n_frames", 1)
    if frames == 1 or image.format == "MPO":  # a photo with a second view or a gain map behind it, not an animation
        return ()
    return (Notice(code="picture.first_frame", text=f"The file holds {frames} pictures; the first was used."),)
