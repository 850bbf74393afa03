"""The camera that turns about both meshes: it starts where the photo was taken from, and nothing in it depends on the depth.

So one `OrbitCamera` serves both meshes, and stays meaningful while sliders stretch them. Distances are in `Pivot.depth`, the distance of
the point that it turns about, which lies on the photo's axis. Frame: x right, y up, z toward the viewer, photo camera at the origin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.geometry.camera import Camera

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_STEEPEST_DEG = 89.0
_NEAREST, _FARTHEST = 0.02, 50.0


@dataclass(frozen=True, kw_only=True)
class Pivot:
    """What there is to turn about.

    Attributes:
        depth: of the pivot on the photo's axis, above 0.
        centre, radius: a sphere that holds all vertices.
        photo: the camera that took the picture.
    """

    depth: float
    centre: tuple[float, float, float]
    radius: float
    photo: Camera


@dataclass(frozen=True, kw_only=True)
class OrbitCamera:
    """Where the meshes are seen from; without arguments, from the photo's camera.

    Attributes:
        yaw_deg: how far the eye has gone round to the right.
        pitch_deg: how far it has risen, within 89 degrees.
        distance: from the pivot, in pivot depths.
        pan: (x, y, z) of the point looked at from the pivot, in pivot depths.
    """

    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    distance: float = 1.0
    pan: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def is_photo_view(self) -> bool:
        """Whether the meshes are seen exactly as the photo shows them."""
        return self == OrbitCamera()

    def turned(self, yaw_deg: float, pitch_deg: float) -> OrbitCamera:
        """Return the camera gone further round; the pitch ends straight above and below."""
        yaw = math.remainder(self.yaw_deg + yaw_deg, 360.0)
        return replace(self, yaw_deg=yaw, pitch_deg=min(_STEEPEST_DEG, max(-_STEEPEST_DEG, self.pitch_deg + pitch_deg)))

    def zoomed(self, factor: float) -> OrbitCamera:
        """Return the camera ``factor`` times nearer, within limits."""
        return replace(self, distance=min(_FARTHEST, max(_NEAREST, self.distance / factor)))

    def panned(self, across_px: float, down_px: float, size_px: tuple[int, int], photo: Camera) -> OrbitCamera:
        """Return the camera moved so that what lies at the pivot's distance follows a pointer by so many pixels."""
        half_height = frame_half_sizes(photo, size_px)[1]
        step = 2 * half_height * self.distance / size_px[1]
        right, up, _ = self.axes()
        pan = np.asarray(self.pan) - right * (across_px * step) + up * (down_px * step)
        return replace(self, pan=(float(pan[0]), float(pan[1]), float(pan[2])))

    def axes(self) -> tuple[Vector, Vector, Vector]:
        """Return the camera's own x (right), y (up) and z (backward), unit vectors in the frame."""
        yaw, pitch = math.radians(self.yaw_deg), math.radians(self.pitch_deg)
        right = np.array([math.cos(yaw), 0.0, -math.sin(yaw)])
        back = np.array([math.sin(yaw) * math.cos(pitch), math.sin(pitch), math.cos(yaw) * math.cos(pitch)])
        return right, np.cross(back, right), back

    def eye(self, pivot: Pivot) -> Vector:
        """Return where the camera stands (3,)."""
        return pivot.depth * (np.array([0.0, 0.0, -1.0]) + self.pan + self.distance * self.axes()[2])

    def clip_from_frame(self, pivot: Pivot, size_px: tuple[int, int]) -> Matrix:
        """Return the matrix (4, 4) from points of the frame to OpenGL's clip space with y downward, so that row 0 of a picture is its top."""
        eye = self.eye(pivot)
        away = float(np.linalg.norm(eye - pivot.centre))
        far = away + pivot.radius
        near = max(away - pivot.radius, 1e-3 * far)
        view = np.eye(4)
        view[:3, :3] = self.axes()
        view[:3, 3] = -view[:3, :3] @ eye
        half_width, half_height = frame_half_sizes(pivot.photo, size_px)
        projection = np.zeros((4, 4))
        projection[0, 0], projection[1, 1] = 1 / half_width, -1 / half_height
        projection[2, 2:] = -(far + near) / (far - near), -2 * far * near / (far - near)
        projection[3, 2] = -1.0
        return projection @ view


def frame_half_sizes(photo: Camera, size_px: tuple[int, int]) -> tuple[float, float]:
    """Return half the width and height, at distance 1, of the narrowest view of a canvas's shape that holds the whole photo."""
    half_width, half_height = 0.5 * photo.width_px / photo.focal_px, 0.5 * photo.height_px / photo.focal_px
    aspect = size_px[0] / size_px[1]
    half_height = max(half_height, half_width / aspect)
    return half_height * aspect, half_height
