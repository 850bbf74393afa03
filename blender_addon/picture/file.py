"""A file of a Blender image for the engine: the original where Blender shows just that, else its pixels as a PNG.

The original keeps EXIF, ICC profile and 16 bits. Pixels are written where there is no original (generated, packed in a format that the
engine does not read, painted on and not saved), and where the file says "turn me": Blender shows such a picture unturned, and the mesh
has to lie over what Blender shows.
"""

from __future__ import annotations

import re
import secrets
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from ..engine.api.disk import disk_errors_in_words
from ..engine.api.errors import PictureError
from .orientation import exif_orientation

_READ_BY_ENGINE = {"JPEG": ".jpg", "PNG": ".png", "TIFF": ".tif", "WEBP": ".webp", "BMP": ".bmp"}
_SRGB_SPACES = ("sRGB", "Filmic sRGB", "AgX Base sRGB")


@dataclass(frozen=True, kw_only=True)
class PictureFile:
    """A file that holds what an image shows.

    Attributes:
        path: where it is, or will be.
        encode: gives its content where it has yet to be written; takes seconds for large pictures, and no bpy, so any thread may call it.
    """

    path: Path
    encode: Callable[[], bytes] | None = None

    def write(self) -> None:
        """Write it, unless it is there.

        Raises:
            OutputError: the disk is full or refuses.
        """
        if self.encode is not None and not self.path.exists():
            with disk_errors_in_words(self.path):
                self.path.parent.mkdir(parents=True, exist_ok=True)
                part = self.path.with_name(f"{self.path.name}.part")
                part.write_bytes(self.encode())
                part.replace(self.path)


def picture_file(image: bpy.types.Image, folder: Path) -> PictureFile:
    """Return the file that holds what ``image`` shows; one that has to be written will lie in ``folder``, under a name of its own.

    Raises:
        PictureError: the image has no pixels.
    """
    if not image.is_dirty and image.source == "FILE" and image.file_format in _READ_BY_ENGINE and _shown_as_stored(image):
        if image.packed_file is not None:
            content = bytes(image.packed_file.data)
            if exif_orientation(content) == 1:
                return PictureFile(path=_new_path(folder, image.name, _READ_BY_ENGINE[image.file_format]), encode=lambda: content)
        else:
            path = Path(bpy.path.abspath(image.filepath, library=image.library))
            if path.is_file() and exif_orientation(path.read_bytes()) == 1:
                return PictureFile(path=path)
    rgba = shown_srgb(image)
    return PictureFile(path=_new_path(folder, image.name, ".png"), encode=lambda: encode_png(rgba))


def _shown_as_stored(image: bpy.types.Image) -> bool:
    """Whether Blender takes the file's values for sRGB, as the engine does."""
    return image.colorspace_settings.name in _SRGB_SPACES


def shown_srgb(image: bpy.types.Image) -> NDArray[np.float32]:
    """Return (H, W, 4) float32 in [0, 1], rows from the top: sRGB as the standard view shows it, and straight alpha.

    Raises:
        PictureError: the image has no pixels.
    """
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    if not pixels.size or not image.has_data:
        raise PictureError(f"{image.name} has no pixels.", hint="Reload it, or check that its file is there.")
    image.pixels.foreach_get(pixels)
    rgba = pixels.reshape(height, width, 4)[::-1]
    colour, alpha = rgba[..., :3], np.clip(rgba[..., 3:], 0, 1)
    if image.is_float and image.alpha_mode != "CHANNEL_PACKED":
        colour = np.divide(colour, alpha, out=np.array(colour), where=alpha > 0)
    if image.is_float or image.colorspace_settings.name not in _SRGB_SPACES:
        colour = srgb_from_linear(colour)
    return np.concatenate([np.clip(np.nan_to_num(colour), 0, 1), alpha], axis=-1, dtype=np.float32)


def srgb_from_linear(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return sRGB-encoded values of linear ones, held at [0, 1]."""
    linear = np.clip(np.nan_to_num(linear), 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.power(np.maximum(linear, 0.0031308), 1 / 2.4) - 0.055).astype(np.float32)


def linear_from_srgb(srgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return linear values of sRGB-encoded ones in [0, 1]."""
    return np.where(srgb <= 0.04045, srgb / 12.92, np.power((np.maximum(srgb, 0.04045) + 0.055) / 1.055, 2.4)).astype(np.float32)


def encode_png(rgba: NDArray[np.float32]) -> bytes:
    """Return a 16-bit PNG of ``rgba`` (H, W, 4) in [0, 1], marked as sRGB; without alpha where all of it is solid."""
    channels = 3 if float(rgba[..., 3].min()) == 1.0 else 4
    levels = np.rint(rgba[..., :channels] * 65535).astype(">u2")
    height, width = levels.shape[:2]
    rows = np.zeros((height, 1 + width * channels * 2), np.uint8)  # each row begins with its filter, 0 = none
    rows[:, 1:] = levels.reshape(height, -1).view(np.uint8)
    header = struct.pack(">IIBBBBB", width, height, 16, 2 if channels == 3 else 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"sRGB", b"\0"), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _new_path(folder: Path, name: str, suffix: str) -> Path:
    stem = re.sub(r"[^\w.-]+", "_", Path(name).stem).strip("._")[:60] or "picture"
    return folder / secrets.token_hex(4) / f"{stem}{suffix}"
