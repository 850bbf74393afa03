"""`load_picture`: from a file that a user names to a `Picture`, or a sentence that says why not.

Codes of `PictureError`: ``picture.missing``, ``.folder``, ``.not_a_file``, ``.permission``, ``.unreadable``, ``.empty``, ``.not_a_picture``,
``.truncated`` (cut short or damaged), ``.too_small``, ``.too_large``, ``.bomb``, ``.unsupported``, ``.not_finite``, ``.above_white``.
Size is checked from the header, before anything is decoded.
"""

from __future__ import annotations

import functools
import hashlib
import os
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from ..api.errors import PictureError
from .colour import srgb_from_pixels
from .decode import read_with_pillow
from .exif import fov_from_exif, upright
from .picture import Picture
from .pixels import CheckSize, Pixels
from .tiff import TIFF_SIGNATURES, read_deep_tiff

SMALLEST_SIDE_PX = 16
LARGEST_PX = 120_000_000
LARGEST_FILE_BYTES = 4 << 30

_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM", *TIFF_SIGNATURES)
_BOMB_BYTES_PER_PX = 0.01
_ANOTHER_FORMAT = "Give a JPEG, PNG, WebP, TIFF, GIF or BMP file; save other formats (HEIC, RAW, PSD) as one of these."
_COPY_AGAIN = "Copy or download it again, or save it anew from an image editor."

# What the decoders raise when bytes are missing or wrong; imagecodecs' own errors are RuntimeErrors.
_DECODER_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
)


def load_picture(path: str | os.PathLike[str]) -> Picture:
    """Return the picture in the file at ``path``, upright and in sRGB.

    Takes JPEG, PNG, WebP, TIFF, GIF and BMP: 8 and 16 bit, float TIFF, grey, palette, CMYK, transparent, animated (first frame);
    16-bit and float files keep their precision. Sides from 16 px, at most 120 megapixels.

    Raises:
        PictureError: with one of this module's codes.
    """
    path = Path(path)
    name = path.name
    with _opened(path) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file_bytes = os.fstat(file.fileno()).st_size
        with _decoder_errors_in_words(file, name, file_bytes):
            pixels = _read(file, name, functools.partial(_check_size, name, file_bytes))
            fov_deg, fov_notices = fov_from_exif(pixels.exif, (pixels.colour.shape[1], pixels.colour.shape[0]))
    image_srgb, colour_notices = srgb_from_pixels(pixels, name)
    return Picture(
        image_srgb=np.ascontiguousarray(upright(image_srgb, pixels.exif)),
        fov_deg=fov_deg,
        sha256=sha256,
        source_name=name,
        notices=(*pixels.notices, *fov_notices, *colour_notices),
    )


def _read(file: BinaryIO, name: str, check_size: CheckSize) -> Pixels:
    file.seek(0)
    if file.read(4) in TIFF_SIGNATURES and (pixels := read_deep_tiff(file, name, check_size)) is not None:
        return pixels
    return read_with_pillow(file, name, check_size)


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    """Open an ordinary, non-empty file for reading; the system's refusals in words."""
    name = path.name
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise PictureError(f"{path} is a folder, not a picture.", hint="Name one picture inside it.", code="picture.folder")
        if not stat.S_ISREG(status.st_mode):
            raise PictureError(f"{path} is not an ordinary file.", hint="Give a picture that is stored on disk.", code="picture.not_a_file")
        if status.st_size == 0:
            raise PictureError(f"{name} is empty.", hint=_COPY_AGAIN, code="picture.empty")
        if status.st_size > LARGEST_FILE_BYTES:
            raise _too_large(f"{name} is a file of {status.st_size / 1e9:.1f} GB, above the limit of {LARGEST_FILE_BYTES / 1e9:.1f} GB.")
        file = path.open("rb")
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise PictureError(f"There is no file {path}.", hint="Check the spelling and the folder.", code="picture.missing") from exc
    except PermissionError as exc:
        raise PictureError(f"{path} may not be read.", hint="Give yourself permission to read it.", code="picture.permission") from exc
    except (OSError, ValueError) as exc:  # ValueError: a null character in the name
        raise PictureError(f"{path} cannot be opened: {exc}.", hint="Check the name and the disk.", code="picture.unreadable") from exc
    with file:
        yield file


@contextmanager
def _decoder_errors_in_words(file: BinaryIO, name: str, file_bytes: int) -> Iterator[None]:
    """Turn what decoders raise into `PictureError`, and keep their warnings to themselves."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except PictureError:
        raise
    except Image.DecompressionBombError as exc:  # Pillow's own limit, which hides the exact size
        raise _oversized(name, file_bytes, 2 * (Image.MAX_IMAGE_PIXELS or LARGEST_PX), "more than ") from exc
    except _DECODER_ERRORS as exc:
        file.seek(0)
        head = file.read(12)
        if not head.startswith(_SIGNATURES) and head[8:] != b"WEBP":
            raise PictureError(f"{name} is not a picture that Re-Depth reads.", hint=_ANOTHER_FORMAT, code="picture.not_a_picture") from exc
        raise PictureError(f"{name} is cut short or damaged.", hint=_COPY_AGAIN, code="picture.truncated") from exc


def _check_size(name: str, file_bytes: int, width: int, height: int) -> None:
    if min(width, height) < SMALLEST_SIDE_PX:
        sentence = f"{name} is {width} x {height} px; the shorter side must be at least {SMALLEST_SIDE_PX} px."
        raise PictureError(sentence, hint="Use a larger version of it.", code="picture.too_small")
    if width * height > LARGEST_PX:
        raise _oversized(name, file_bytes, width * height)


def _oversized(name: str, file_bytes: int, pixels: int, at_least: str = "") -> PictureError:
    claim = f"{at_least}{pixels / 1e6:,.0f} megapixels"
    if file_bytes < _BOMB_BYTES_PER_PX * pixels:
        sentence = f"{name} claims {claim} in a file of {file_bytes:,} bytes: its header is wrong, or it is a decompression bomb."
        return PictureError(sentence, hint="Do not trust this file; if it is yours, save it anew.", code="picture.bomb")
    return _too_large(f"{name} has {claim}, above the limit of {LARGEST_PX / 1e6:.0f}.")


def _too_large(sentence: str) -> PictureError:
    return PictureError(sentence, hint="Reduce it in an image editor first.", code="picture.too_large")
