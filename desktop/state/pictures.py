"""Pictures for the screen, before the engine has seen them: upright, sRGB, 8 bit. The engine reads the file itself, in full precision.

Shapes: H W picture.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from engine.api.errors import PictureError

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")
_DECODER_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    TypeError,
    KeyError,
    IndexError,
    RuntimeError,
    Image.DecompressionBombError,
    ImageCms.PyCMSError,
)


def load_for_screen(path: Path, longest_px: int | None = None) -> NDArray[np.uint8]:
    """Return the picture (H, W, 3) uint8, upright and in sRGB.

    Args:
        longest_px: what its longer side is reduced to, for thumbnails; None keeps its size.

    Raises:
        PictureError: missing, no picture, or damaged.
    """
    if not path.is_file():
        raise PictureError(f"There is no file {path}.", hint="Check the spelling and the folder.", code="picture.missing")
    try:
        with warnings.catch_warnings(), Image.open(path) as picture:
            warnings.simplefilter("ignore")  # of tags that are odd and do not matter here
            if longest_px is not None:
                picture.draft("RGB", (longest_px, longest_px))  # lets a large JPEG be decoded at a fraction of its size
            shown = _to_srgb8(ImageOps.exif_transpose(picture))
    except _DECODER_ERRORS as exc:
        sentence = f"{path.name} cannot be shown: it is no picture that this program reads, or it is damaged."
        raise PictureError(sentence, hint="Save it anew as JPEG or PNG from an image editor.", code="picture.not_a_picture") from exc
    if longest_px is not None:
        shown.thumbnail((longest_px, longest_px))
    return np.asarray(shown)


def _to_srgb8(picture: Image.Image) -> Image.Image:
    if picture.mode in ("I;16", "I;16B", "I"):
        return Image.fromarray((np.asarray(picture).astype(np.uint32).clip(0, 65535) // 257).astype(np.uint8)).convert("RGB")
    if picture.mode == "F":
        return Image.fromarray(np.rint(np.nan_to_num(np.asarray(picture)).clip(0, 1) * 255).astype(np.uint8)).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA", "P"):
        opaque = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(opaque, picture.convert("RGBA")).convert("RGB")
    profile = picture.info.get("icc_profile")
    if profile and picture.mode in ("RGB", "CMYK"):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        return converted if converted is not None else picture.convert("RGB")
    return picture.convert("RGB")


def pictures_in(folder: Path) -> list[Path]:
    """Return the folder's pictures by name, without its subfolders."""
    return sorted(
        (path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file()), key=lambda path: path.name.lower()
    )
