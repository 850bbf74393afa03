"""Where a picture lies in the scene: the rectangle that the mesh has to cover, seen from its matched camera.

The picture's own frame is the engine's, and a Blender camera's and an image Empty's too: x right, y up, z toward the viewer. Its origin
is the picture's centre, its longer side (in pixels) is ``size`` long. `Place.matrix` takes it to the world; so Blender's axes appear here only.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..engine.api.errors import InputError

DEFAULT_SIZE = 2.0
CAMERA_DISTANCE = 5.0
_EQUAL = 1e-4
_UPRIGHT = Matrix(((1, 0, 0, 0), (0, 0, -1, 0), (0, 1, 0, 0), (0, 0, 0, 1)))  # faces -Y, so the front view shows it


@dataclass(frozen=True, kw_only=True)
class Place:
    """A picture's place.

    Attributes:
        matrix: 16 numbers by rows, from the picture's frame to the world.
        size: length of the picture's longer side in that frame.
        fov_deg: angle of view across the longer side, where the scene fixes it, else None.
    """

    matrix: tuple[float, ...]
    size: float
    fov_deg: float | None = None

    @property
    def to_world(self) -> Matrix:
        """The matrix."""
        return Matrix([self.matrix[row * 4 : row * 4 + 4] for row in range(4)])

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object; ``Place(**value)`` takes it back."""
        return asdict(self)


def upright_place(at: Vector, size_px: tuple[int, int], size: float = DEFAULT_SIZE) -> Place:
    """Return a picture that stands upright on the point ``at`` and faces the front view."""
    height = size * size_px[1] / max(size_px)
    return _place(Matrix.Translation(at + Vector((0, 0, height / 2))) @ _UPRIGHT, size)


def place_of_rectangle(frame: Matrix, width: float, height: float, size_px: tuple[int, int], distance: float | None = None) -> Place:
    """Return the place of a picture stretched over ``width`` x ``height`` around the origin of ``frame``.

    Args:
        distance: how far in front of it the camera stands, where the scene fixes that.
    """
    per_px = width / size_px[0]
    stretch = height / size_px[1] / per_px
    if abs(stretch - 1) > _EQUAL:
        frame = frame @ Matrix.Diagonal((1, stretch, 1, 1))
    scale = frame.to_scale()
    size = per_px * max(size_px)
    if max(scale) - min(scale) <= _EQUAL * max(scale) and frame.is_negative is False:
        frame, size = Matrix.LocRotScale(frame.to_translation(), frame.to_quaternion(), None), size * sum(scale) / 3
    return _place(frame, size, None if distance is None else math.degrees(2 * math.atan(size / 2 / distance)))


def place_of_empty(empty: bpy.types.Object, size_px: tuple[int, int]) -> Place:
    """Return the place of a reference image, as Blender draws it: longer side ``empty_display_size``, moved by its offset."""
    aspect = empty.data.display_aspect
    sides = (size_px[0] * aspect[0], size_px[1] * aspect[1])
    width, height = (side / max(sides) * empty.empty_display_size for side in sides)
    offset = Vector(((empty.empty_image_offset[0] + 0.5) * width, (empty.empty_image_offset[1] + 0.5) * height, 0))
    return place_of_rectangle(empty.matrix_world @ Matrix.Translation(offset), width, height, size_px)


def place_of_plane(plane: bpy.types.Object, size_px: tuple[int, int]) -> Place:
    """Return the place of a picture on a flat mesh: where its texture coordinates put the picture's corners.

    Raises:
        InputError: the mesh has no texture coordinates, is not flat, or shows the picture skewed.
    """
    mesh = plane.data
    layer = mesh.uv_layers.active
    if layer is None or len(mesh.loops) < 3:
        raise InputError(f"{plane.name} has no texture coordinates.", hint="Unwrap it, or use the picture as a reference image.")
    uv = np.empty(2 * len(mesh.loops), np.float32)
    layer.data.foreach_get("uv", uv)
    points = np.array([mesh.vertices[loop.vertex_index].co for loop in mesh.loops])
    known = np.column_stack([uv.reshape(-1, 2) - 0.5, np.ones(len(points))])
    (across, up, centre), *_ = np.linalg.lstsq(known, points, rcond=None)
    rest = np.abs(known @ np.stack([across, up, centre]) - points).max()
    width, height = np.linalg.norm(across), np.linalg.norm(up)
    if rest > 1e-3 * max(width, height) or min(width, height) == 0 or abs(across @ up) > 1e-3 * width * height:
        raise InputError(f"{plane.name} is not a flat, straight picture.", hint="Use a plane, or a reference image.")
    x, y = Vector(across / width), Vector(up / height)
    frame = Matrix.Translation(Vector(centre)) @ Matrix((x, y, x.cross(y))).transposed().to_4x4()
    return place_of_rectangle(plane.matrix_world @ frame, float(width), float(height), size_px)


def place_of_result(mesh: bpy.types.Object) -> Place:
    """Return the place of the picture of a Re-Depth mesh: where it stands now, with its field of view."""
    return _place(mesh.matrix_world, mesh.redepth.size, math.degrees(mesh.redepth.fov_rad))


def place_of_background(scene: bpy.types.Scene, camera: bpy.types.Object, background: Any, size_px: tuple[int, int]) -> Place:
    """Return the place of a camera's background image, `CAMERA_DISTANCE` in front of it; the camera's own angle of view is kept.

    Raises:
        InputError: the camera or the picture is shifted, turned or not in perspective.
    """
    lens = camera.data
    if lens.type != "PERSP" or lens.shift_x or lens.shift_y:
        raise InputError(f"{camera.name} is shifted or not in perspective.", hint="Use a plain perspective camera, or a reference image.")
    if background.rotation or background.use_flip_x or background.use_flip_y or any(background.offset):
        raise InputError(f"The background image of {camera.name} is turned, flipped or moved.", hint="Reset it, or use a reference image.")
    corners = lens.view_frame(scene=scene)
    depth = -corners[0].z
    frame_width, frame_height = (max(c[i] for c in corners) - min(c[i] for c in corners) for i in (0, 1))
    frame_width, frame_height = frame_width * CAMERA_DISTANCE / depth, frame_height * CAMERA_DISTANCE / depth
    width, height = _framed(background.frame_method, frame_width, frame_height, size_px)
    width, height = width * background.scale, height * background.scale
    world = Matrix.LocRotScale(camera.matrix_world.to_translation(), camera.matrix_world.to_quaternion(), None)
    return place_of_rectangle(world @ Matrix.Translation((0, 0, -CAMERA_DISTANCE)), width, height, size_px, CAMERA_DISTANCE)


def _framed(method: str, width: float, height: float, size_px: tuple[int, int]) -> tuple[float, float]:
    """Return how large a picture appears in a camera's frame."""
    if method == "STRETCH":
        return width, height
    scales = (width / size_px[0], height / size_px[1])
    scale = min(scales) if method == "FIT" else max(scales)
    return size_px[0] * scale, size_px[1] * scale


def _place(matrix: Matrix, size: float, fov_deg: float | None = None) -> Place:
    return Place(matrix=tuple(float(value) for row in matrix for value in row), size=float(size), fov_deg=fov_deg)
