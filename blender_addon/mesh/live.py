"""What a slider does. Vertices move at once; faces, which take longer, follow when the slider has rested for a moment.

Everything is computed from the images in the .blend, so it goes on after the file is opened again, without the engine. What is kept here
between two moves is only a copy of those images, found by the image's session number; nothing of bpy is held.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import bpy
import numpy as np

from ..look import images, material
from ..picture.file import linear_from_srgb, shown_srgb
from ..shape import back_layer as backs
from ..shape.maps import Maps, maps_from_pixels
from ..shape.surface import Shape, Surface
from . import rig
from .write import corner_vertices, write_mesh, write_positions

REST_S = 0.25

_maps: dict[int, Maps] = {}
_surfaces: dict[tuple[int, int], Surface] = {}
_resting: dict[str, float] = {}
_paused = 0


@contextmanager
def paused() -> Iterator[None]:
    """Let properties be set without their updates, while a result is built."""
    global _paused
    _paused += 1
    try:
        yield
    finally:
        _paused -= 1


def forget() -> None:
    """Drop all copies, and what still waits: another file was opened, or a step undone."""
    _maps.clear()
    _surfaces.clear()
    _resting.clear()


def close() -> None:
    """Let go of the timer and of all copies."""
    if bpy.app.timers.is_registered(_recut_rested):
        bpy.app.timers.unregister(_recut_rested)
    forget()


def maps_of(result: bpy.types.Object) -> Maps:
    """Return the maps of a result."""
    image = result.redepth.maps
    if image.session_uid not in _maps:
        _maps[image.session_uid] = maps_from_pixels(images.read_maps(image), result.redepth.width_px, result.redepth.height_px)
    return _maps[image.session_uid]


def surface_of(result: bpy.types.Object, long_side_vertices: int) -> Surface:
    """Return the maps of a result at a resolution."""
    key = (result.redepth.maps.session_uid, long_side_vertices)
    if key not in _surfaces:
        for other in [other for other in _surfaces if other[0] == key[0] and other[1] != backs.LONG_SIDE_VERTICES]:
            del _surfaces[other]
        _surfaces[key] = Surface(maps_of(result), long_side_vertices)
    return _surfaces[key]


def is_adjustable(result: bpy.types.Object) -> bool:
    """Whether the mesh still has the vertices that the sliders know, and is not being edited."""
    group = result.redepth
    if result.mode == "EDIT" or group.maps is None:
        return False
    return len(result.data.vertices) == surface_of(result, group.long_side_vertices).vertex_count


def move(result: bpy.types.Object) -> None:
    """Move the vertices to where the sliders say, and the matched camera with the field of view."""
    if _paused or not is_adjustable(result):
        return
    shape = result.redepth.shape()
    surface = surface_of(result, shape.long_side_vertices)
    write_positions(result.data, surface.vertices(shape, surface.depth(shape)))
    result.data.update()
    place_camera(result)
    rig.place_lights(result)
    recut_soon(result)


def recut_soon(result: bpy.types.Object) -> None:
    """Cut the faces anew: after a rest where Blender has windows, else now."""
    if _paused:
        return
    if bpy.app.background:
        recut(result)
        return
    _resting[result.name] = time.monotonic()
    if not bpy.app.timers.is_registered(_recut_rested):
        bpy.app.timers.register(_recut_rested, first_interval=REST_S)


def _recut_rested() -> float | None:
    """Cut those whose sliders have rested; returns when to look again."""
    now = time.monotonic()
    for name in [name for name, moved_at in _resting.items() if now - moved_at >= REST_S]:
        del _resting[name]
        result = bpy.data.objects.get(name)
        if result is not None and result.redepth.is_result:
            recut(result)
    return REST_S / 2 if _resting else None


def recut(result: bpy.types.Object) -> None:
    """Cut the faces and make the back layer anew, if they are not as the sliders say already."""
    if not is_adjustable(result):
        return
    shape = result.redepth.shape()
    surface = surface_of(result, shape.long_side_vertices)
    depth = surface.depth(shape)
    faces = surface.faces(shape, depth)
    if not np.array_equal(faces.ravel(), corner_vertices(result.data)):
        write_mesh(result.data, surface.vertices(shape, depth), faces, surface.uv(shape))
    if result.redepth.back is not None:
        write_back_layer(result)


def rebuild(result: bpy.types.Object) -> None:
    """Make the mesh anew, at the resolution that is asked for."""
    if _paused or result.mode == "EDIT":
        return
    shape = result.redepth.shape()
    surface = surface_of(result, shape.long_side_vertices)
    depth = surface.depth(shape)
    write_mesh(result.data, surface.vertices(shape, depth), surface.faces(shape, depth), surface.uv(shape))


def write_back_layer(result: bpy.types.Object) -> None:
    """Make the mesh of the back layer; empty where nothing is cut."""
    group = result.redepth
    shape = group.shape()
    surface = surface_of(result, backs.LONG_SIDE_VERTICES)
    layer = backs.back_layer(surface, _for_back_layer(shape, group.width_px, group.height_px), _fill(result, surface))
    if layer is None:
        group.back.data.clear_geometry()
        return
    solid = np.ones((len(layer.vertices), 1), np.float32)
    colours = {
        material.FILL_ATTRIBUTE: np.concatenate([layer.fill[:, :3], solid], axis=1),
        material.LIGHT_ATTRIBUTE: np.concatenate([np.repeat(layer.fill[:, 3:], 3, axis=1), solid], axis=1),
    }
    write_mesh(group.back.data, layer.vertices, layer.faces, layer.uv, colours)


def _for_back_layer(shape: Shape, width_px: int, height_px: int) -> Shape:
    """Return the shape with an edge cut that finds on the back layer's coarser grid the jumps that the mesh is cut at."""
    longest = max(width_px, height_px)
    coarser = min(longest, shape.long_side_vertices) / min(longest, backs.LONG_SIDE_VERTICES)
    return replace(shape, edge_cut=shape.edge_cut / max(1.0, coarser))


def _fill(result: bpy.types.Object, surface: Surface) -> np.ndarray:
    """Return (R, C, 4): linear colour of the picture and the light that it was taken in, at the surface's pixels."""
    group = result.redepth
    colour = linear_from_srgb(surface.grid.sample(shown_srgb(group.picture)[..., :3]))
    width, height = group.light.size
    light = images.read_maps(group.light).reshape(height, width, 4)[::-1, :, 0]
    rows = np.minimum(surface.grid.rows * height // group.height_px, height - 1)
    columns = np.minimum(surface.grid.columns * width // group.width_px, width - 1)
    return np.concatenate([colour, light[np.ix_(rows, columns)][..., None]], axis=-1)


def place_camera(result: bpy.types.Object) -> None:
    """Put the matched camera where the picture fills its view."""
    group = result.redepth
    if group.camera is None:
        return
    shape = group.shape()
    longest = max(group.width_px, group.height_px)
    scale = result.matrix_world.to_scale()
    sides = (group.size * group.width_px / longest * scale.x, group.size * group.height_px / longest * scale.y)
    lens = group.camera.data
    group.camera.location = (0, 0, shape.camera_distance)
    lens.angle = 2 * math.atan(max(sides) / 2 / (shape.camera_distance * scale.z))
    nearest = shape.unit * scale.z
    lens.clip_start, lens.clip_end = nearest / 20, max(100.0, nearest * shape.near_far_ratio * 20)


def relight(result: bpy.types.Object) -> None:
    """Aim and set the lights of the rig."""
    if not _paused:
        rig.place_lights(result)


def delight(result: bpy.types.Object) -> None:
    """Set the strength of the delight, and which of its two materials each layer wears."""
    if _paused:
        return
    group = result.redepth
    pairs = ((result, group.lit, group.original), (group.back, group.back_lit, group.back_original))
    for layer, lit, original in pairs:
        if layer is None or lit is None or original is None:
            continue
        material.set_delight(lit, group.delight)
        wears = original if group.shows_original else lit
        if layer.data.materials:
            layer.data.materials[0] = wears
        else:
            layer.data.materials.append(wears)
