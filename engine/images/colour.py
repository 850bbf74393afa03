"""From a file's own colours to sRGB in [0, 1]: ICC profile, CMYK, linear float, transparency.

Decisions, each told in a `Notice` where it changes something:
    transparency   laid over white, in encoded values, as browsers show it
    no profile     integers are sRGB; CMYK becomes (1 - ink)(1 - black); floats are linear light, as renderers and 32-bit editors write them
    above white    clipped to 1; a picture with more than half of its pixels there is refused, for its white is surely not at 1
"""

from __future__ import annotations

import functools
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import ImageCms

from ..api.errors import PictureError
from ..api.messages import Notice
from .pixels import ColourSpace, Pixels

_STRIP_PX = 1 << 20
_ABOVE_WHITE = 1.0 + 1e-3
_LARGEST_SHARE_ABOVE_WHITE = 0.5
_ICC_SPACES: dict[bytes, ColourSpace] = {b"GRAY": "gray", b"RGB ": "rgb", b"CMYK": "cmyk"}


@np.errstate(under="ignore")  # light darker than any float is black
def srgb_from_pixels(pixels: Pixels, name: str) -> tuple[NDArray[np.float32], tuple[Notice, ...]]:
    """Return the picture as (H, W, 3) float32 sRGB in [0, 1], turned as it is stored, and the decisions taken.

    Works in strips of rows, so that it needs little more memory than its result.

    Raises:
        PictureError: ``picture.not_finite`` or ``picture.above_white``.
    """
    icc = _usable_profile(pixels)
    height, width, _ = pixels.colour.shape
    image_srgb = np.empty((height, width, 3), np.float32)
    above_white, transparent = 0, False
    rows = max(1, _STRIP_PX // width)
    for top in range(0, height, rows):
        strip = slice(top, top + rows)
        colour = _finite(pixels.colour[strip], name)
        alpha = None if pixels.alpha is None else np.clip(_unit(_finite(pixels.alpha[strip], name)), 0.0, 1.0)[:, :, None]
        if alpha is not None and pixels.premultiplied:
            colour = _divided_by_alpha(colour, alpha)
        if colour.dtype.kind == "f":
            above_white += int(np.count_nonzero(colour.max(axis=2) > _ABOVE_WHITE))
        encoded = np.clip(_encoded(colour, pixels.space, icc), 0.0, 1.0)
        if alpha is not None and alpha.min() < 1.0:
            transparent = True
            encoded = np.float32(1.0) + alpha * (encoded - np.float32(1.0))
        image_srgb[strip] = encoded
    share_above = above_white / (height * width)
    if share_above > _LARGEST_SHARE_ABOVE_WHITE:
        sentence = f"{share_above:.0%} of {name} is brighter than white."
        raise PictureError(sentence, hint="Scale its values so that white is 1 and save it again.", code="picture.above_white")
    return image_srgb, _decisions(pixels, icc, share_above, transparent)


def _decisions(pixels: Pixels, icc: bytes | None, share_above: float, transparent: bool) -> tuple[Notice, ...]:
    told = {
        "picture.profile_ignored": (
            pixels.icc is not None and icc is None,
            "The embedded ICC profile cannot be used with these pixels and was ignored.",
        ),
        "picture.cmyk_without_profile": (
            pixels.space == "cmyk" and icc is None,
            "The CMYK inks were converted without a profile; colours are approximate.",
        ),
        "picture.linear_light": (
            pixels.colour.dtype.kind == "f" and icc is None,
            "The floating-point values were taken as linear light with white at 1.",
        ),
        "picture.clipped": (share_above > 0.0, f"{share_above:.2%} of the pixels are brighter than white and were clipped to it."),
        "picture.over_white": (transparent, "The transparent parts were laid over white."),
    }
    return tuple(Notice(code=code, text=text) for code, (applies, text) in told.items() if applies)


def _encoded(colour: NDArray[Any], space: ColourSpace, icc: bytes | None) -> NDArray[np.float32]:
    """Return ``colour`` (H, W, C) as (H, W, 3) float32 in sRGB encoding, not yet clipped."""
    if icc is not None:
        return _through_profile(colour, icc)
    value = _unit(colour)
    if space == "cmyk":
        value = (1.0 - value[:, :, :3]) * (1.0 - value[:, :, 3:])
    if colour.dtype.kind == "f":
        value = _encoded_from_linear(value)
    return value if value.shape[2] == 3 else np.repeat(value, 3, axis=2)


def _usable_profile(pixels: Pixels) -> bytes | None:
    """Return the embedded profile if Little CMS can lead these pixels through it, else None."""
    icc = pixels.icc
    if icc is None or len(icc) < 128:
        return None
    fits = {"gray": ("gray", "rgb"), "rgb": ("rgb",), "cmyk": ("cmyk",)}[pixels.space]
    if _ICC_SPACES.get(icc[16:20]) not in fits:
        return None
    try:
        _through_profile(np.zeros((1, 1, pixels.colour.shape[2]), pixels.colour.dtype), icc)
    except imagecodecs.CmsError:
        return None
    return icc


def _through_profile(colour: NDArray[Any], icc: bytes) -> NDArray[np.float32]:
    """Return ``colour`` (H, W, C) as (H, W, 3) float32 sRGB by Little CMS.

    Its way from integers to 16 bits is several times faster, but exact (within a third of an 8-bit level) for 8-bit RGB alone:
    16-bit RGB and dark greys come out wrong by up to 6 %. All others take its float way.
    """
    space = _ICC_SPACES[icc[16:20]]
    if space == "gray":
        colour = colour[:, :, 0]
    elif colour.shape[2] == 1:
        colour = np.repeat(colour, 3, axis=2)
    outdtype = "uint16" if space == "rgb" and colour.dtype == np.uint8 else "float32"
    colour = np.ascontiguousarray(colour)
    return _unit(imagecodecs.cms_transform(colour, icc, _srgb_profile(), colorspace=space, outcolorspace="rgb", outdtype=outdtype))


@functools.cache
def _srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _finite(values: NDArray[Any], name: str) -> NDArray[Any]:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        sentence = f"{name} holds values that are not numbers (NaN or infinity)."
        raise PictureError(sentence, hint="Replace them in an image editor or a compositor, then save it again.", code="picture.not_finite")
    return values


def _unit(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return integers over their full range as float32 in [0, 1], floats as they are."""
    if values.dtype.kind == "f":
        return values
    return np.multiply(values, np.float32(1.0 / np.iinfo(values.dtype).max), dtype=np.float32)


def _divided_by_alpha(colour: NDArray[Any], alpha: NDArray[np.float32]) -> NDArray[Any]:
    """Return premultiplied ``colour`` as it is where opaque, in its own type; where nothing is, 0."""
    divided = np.divide(colour, alpha, out=np.zeros(colour.shape, np.float32), where=alpha > 0.0)
    return divided if colour.dtype.kind == "f" else np.clip(np.rint(divided), 0, np.iinfo(colour.dtype).max).astype(colour.dtype)


def _encoded_from_linear(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the sRGB encoding (IEC 61966-2-1) of linear light; values above 1 go on along the curve, negative ones become 0."""
    linear = np.maximum(linear, 0.0)
    curve = 1.055 * np.maximum(linear, 0.0031308) ** np.float32(1.0 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, curve).astype(np.float32, copy=False)
