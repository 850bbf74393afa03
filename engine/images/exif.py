"""What EXIF says about a picture: which way is up, and how wide the lens saw."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from ..api.messages import Notice

NARROWEST_FOV_DEG = 1.0
WIDEST_FOV_DEG = 150.0
_FILM_DIAGONAL_MM = math.hypot(36.0, 24.0)
_MM_PER_UNIT = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
_SENSOR_LONG_SIDE_MM = (1.0, 120.0)


def upright(array: NDArray[Any], exif: Image.Exif) -> NDArray[Any]:
    """Return a view of ``array`` (H, W, ...) turned and mirrored as the EXIF orientation 1..8 asks; other values leave it as it is."""
    orientation = exif.get(ExifTags.Base.Orientation, 1)
    if orientation in (5, 6, 7, 8):
        array = np.swapaxes(array, 0, 1)
    rows = slice(None, None, -1) if orientation in (3, 4, 7, 8) else slice(None)
    columns = slice(None, None, -1) if orientation in (2, 3, 6, 7) else slice(None)
    return array[rows, columns]


def fov_from_exif(exif: Image.Exif, size_px: tuple[int, int]) -> tuple[float | None, tuple[Notice, ...]]:
    """Return the angle of view across the longer side in degrees, or None, and what there is to say about it.

    ``FocalLengthIn35mmFilm`` comes first. Makers compute it so that the *diagonal* angle equals that of 36 x 24 mm film
    (CIPA DCG-001), so the picture's own diagonal stands for 43.27 mm here; for 3:2 pictures this equals the other reading, by the
    longer side. Else ``FocalLength`` with the sensor's size, from ``FocalPlaneXResolution`` and the pixel count it refers to.
    """
    lens = exif.get_ifd(ExifTags.IFD.Exif)
    long_side, diagonal = max(size_px), math.hypot(*size_px)
    film_focal_mm = _positive(lens.get(ExifTags.Base.FocalLengthIn35mmFilm))
    focal_mm = _positive(lens.get(ExifTags.Base.FocalLength))
    if film_focal_mm is not None:
        fov_deg = _angle_deg(_FILM_DIAGONAL_MM * long_side / diagonal, film_focal_mm)
    elif focal_mm is not None and (sensor_mm := _sensor_long_side_mm(lens, long_side)) is not None:
        fov_deg = _angle_deg(sensor_mm, focal_mm)
    else:
        return None, ()
    if NARROWEST_FOV_DEG <= fov_deg <= WIDEST_FOV_DEG:
        return fov_deg, ()
    return None, (Notice(code="picture.focal_ignored", text=f"The EXIF focal length gives an angle of view of {fov_deg:.2g}°, so it was not used."),)


def _sensor_long_side_mm(lens: dict[int, Any], long_side_px: int) -> float | None:
    """Return the sensor's longer side; a resized picture keeps the original pixel count in EXIF, which then counts."""
    resolution = _positive(lens.get(ExifTags.Base.FocalPlaneXResolution))
    mm_per_unit = _MM_PER_UNIT.get(lens.get(ExifTags.Base.FocalPlaneResolutionUnit, 2))
    if resolution is None or mm_per_unit is None:
        return None
    stated_px = [_positive(lens.get(tag)) for tag in (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)]
    across_px = max((count for count in stated_px if count is not None), default=float(long_side_px))
    sensor_mm = across_px / resolution * mm_per_unit
    low, high = _SENSOR_LONG_SIDE_MM
    return sensor_mm if low <= sensor_mm <= high else None


def _angle_deg(width: float, distance: float) -> float:
    return math.degrees(2.0 * math.atan2(width / 2.0, distance))


def _positive(value: Any) -> float | None:
    """Return an EXIF number as a float; None where it is absent, not a number, not finite, zero (EXIF's "unknown") or negative."""
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) and number > 0.0 else None
