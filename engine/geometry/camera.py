"""The pinhole camera that every point, mesh and viewer of Re-Depth agrees on.

Frame: x right, y up, z toward the viewer, camera at the origin, so a point at depth D has z = -D. Pixels are square, the principal
point is the picture's centre, and pixel (row, column) has its centre at (column + 0.5, row + 0.5).

Shapes: H W picture, R C any grid of its pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
PixelIndices = NDArray[np.int64]

DEFAULT_FOV_DEG = 55.0


@dataclass(frozen=True)
class Camera:
    """A picture's size and its angle of view across the longer side (Blender's sensor fit "auto").

    Raises:
        ValueError: a size below one pixel, or an angle outside 0 to 180 degrees.
    """

    width_px: int
    height_px: int
    fov_deg: float = DEFAULT_FOV_DEG

    def __post_init__(self) -> None:
        if self.width_px < 1 or self.height_px < 1:
            raise ValueError(f"a camera needs at least one pixel, not {self.width_px} x {self.height_px}")
        if not 0.0 < self.fov_deg < 180.0:
            raise ValueError(f"fov_deg is {self.fov_deg}, outside 0 to 180")

    @property
    def focal_px(self) -> float:
        """Focal length in pixels."""
        return 0.5 * max(self.width_px, self.height_px) / math.tan(math.radians(self.fov_deg) / 2)

    @property
    def horizontal_fov_deg(self) -> float:
        """Angle of view across the width."""
        return math.degrees(2 * math.atan(0.5 * self.width_px / self.focal_px))

    @property
    def vertical_fov_deg(self) -> float:
        """Angle of view across the height."""
        return math.degrees(2 * math.atan(0.5 * self.height_px / self.focal_px))

    def unproject(self, depth: FloatArray, rows: PixelIndices | None = None, columns: PixelIndices | None = None) -> FloatArray:
        """Return the points seen at pixel centres.

        Args:
            depth: (R, C), positive along the view axis.
            rows, columns: (R,) and (C,) pixel indices that ``depth`` was taken at; all of the picture's where None.

        Returns:
            (R, C, 3) points in the precision of ``depth``, at least float32.

        Raises:
            ValueError: ``depth`` does not have one value for each row and column.
        """
        rows = np.arange(self.height_px) if rows is None else rows
        columns = np.arange(self.width_px) if columns is None else columns
        if depth.shape != (len(rows), len(columns)):
            raise ValueError(f"depth of shape {depth.shape} does not fit {len(rows)} rows and {len(columns)} columns")
        points = np.empty((*depth.shape, 3), np.result_type(depth, np.float32))
        ray_x = ((columns + 0.5) - 0.5 * self.width_px) / self.focal_px
        ray_y = (0.5 * self.height_px - (rows + 0.5)) / self.focal_px
        np.multiply(depth, ray_x.astype(points.dtype)[None, :], out=points[..., 0])
        np.multiply(depth, ray_y.astype(points.dtype)[:, None], out=points[..., 1])
        np.negative(depth, out=points[..., 2])
        return points

    def project(self, points: FloatArray) -> FloatArray:
        """Return where points (..., 3) appear, as (..., 2) pixel coordinates (across, down); pixel centres end in .5.

        Raises:
            ValueError: a point is not in front of the camera.
        """
        depth = -points[..., 2]
        if not np.all(depth > 0):
            raise ValueError("a point is not in front of the camera")
        scale = self.focal_px / depth
        across = 0.5 * self.width_px + points[..., 0] * scale
        down = 0.5 * self.height_px - points[..., 1] * scale
        return np.stack([across, down], axis=-1)
