"""TIFF with more than 8 bits a sample, integer or float, through tifffile, which keeps every bit."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tifffile import EXTRASAMPLE, PHOTOMETRIC, SAMPLEFORMAT, TiffFile, TiffPage

from ..api.errors import PictureError
from ..api.messages import Notice
from .pixels import CHANNELS, CheckSize, ColourSpace, Pixels, split_alpha

TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_SPACES: dict[int, ColourSpace] = {
    PHOTOMETRIC.MINISWHITE: "gray",
    PHOTOMETRIC.MINISBLACK: "gray",
    PHOTOMETRIC.RGB: "rgb",
    PHOTOMETRIC.SEPARATED: "cmyk",
}
_LARGEST_SAMPLES = 8
_ICC_TAG = 34675


def read_deep_tiff(file: BinaryIO, name: str, check_size: CheckSize) -> Pixels | None:
    """Return the first page of the TIFF in ``file``, or None where it has 8 bits a sample or fewer (then Pillow reads it whole).

    Integers keep at most 16 bits, floats become float32.

    Raises:
        PictureError: ``picture.unsupported`` for a kind of sample that is not converted, or what ``check_size`` raises.
        Exception: whatever tifffile raises for a damaged file, for `load` to put in words.
    """
    file.seek(0)
    with TiffFile(file) as tiff:
        page = tiff.pages.first
        check_size(page.imagewidth, page.imagelength)
        if page.bitspersample <= 8:
            return None
        space = _space(page, name)
        stored = page.asarray()
        if page.axes == "SYX":
            stored = np.moveaxis(stored, 0, 2)
        icc = page.tags.valueof(_ICC_TAG)
        pages = len(tiff.pages)
    stored = _full_range(stored, page.bitspersample)
    if page.photometric == PHOTOMETRIC.MINISWHITE:
        stored = (1.0 if stored.dtype.kind == "f" else 65535) - stored
    has_alpha = len(page.extrasamples) > 0 and page.extrasamples[0] in (EXTRASAMPLE.ASSOCALPHA, EXTRASAMPLE.UNASSALPHA)
    colour, alpha = split_alpha(stored, space)
    return Pixels(
        colour=colour,
        space=space,
        alpha=alpha if has_alpha else None,
        premultiplied=has_alpha and page.extrasamples[0] == EXTRASAMPLE.ASSOCALPHA,
        icc=icc,
        exif=_exif(file),
        notices=(Notice(code="picture.first_frame", text=f"The file holds {pages} pictures; the first was used."),) if pages > 1 else (),
    )


def _space(page: TiffPage, name: str) -> ColourSpace:
    space = _SPACES.get(page.photometric)
    formats = (SAMPLEFORMAT.UINT, SAMPLEFORMAT.IEEEFP)
    readable = page.sampleformat in formats and page.axes in ("YX", "YXS", "SYX") and page.samplesperpixel <= _LARGEST_SAMPLES
    if space is None or not readable or page.samplesperpixel < CHANNELS[space]:
        sentence = f"{name} is a TIFF with samples that Re-Depth does not read."
        raise PictureError(sentence, hint="Save it as RGB with 8, 16 or 32 bits.", code="picture.unsupported")
    return space


def _full_range(stored: NDArray[Any], bits: int) -> NDArray[Any]:
    """Return float32, or uint16 stretched so that full intensity is 65535."""
    if stored.dtype.kind == "f":
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # what does not fit becomes infinite, and is refused later
            return stored.astype(np.float32, copy=False)
    if bits == 16:
        return stored
    return np.rint(stored * (65535.0 / (2.0**bits - 1.0))).astype(np.uint16)


def _exif(file: BinaryIO) -> Image.Exif:
    """Return the file's own tags: a TIFF file and an EXIF block are the same structure."""
    file.seek(0)
    exif = Image.Exif()
    exif.load_from_fp(file)
    return exif
