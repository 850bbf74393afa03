"""Scenes for checks, made by the data API; runs in Blender's Python."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Euler, Matrix, Vector

JOB = "ab" * 16
SAMPLE = Path(os.environ["REDEPTH_SAMPLES"]) / "still_life.jpg"
SIZE_PX = (256, 192)


def picture(name: str = "picture", size_px: tuple[int, int] = SIZE_PX, **options: Any) -> bpy.types.Image:
    """Return a generated image: red grows to the right, green upward."""
    image = bpy.data.images.new(name, *size_px, **options)
    across, up = np.meshgrid(np.linspace(0, 1, size_px[0], dtype=np.float32), np.linspace(0, 1, size_px[1], dtype=np.float32))
    image.pixels.foreach_set(np.stack([across, up, np.full_like(up, 0.25), np.ones_like(up)], -1).ravel())
    image.update()
    return image


def reference(
    image: bpy.types.Image, matrix: Matrix | None = None, size: float = 5.0, offset: tuple[float, float] = (-0.5, -0.5)
) -> bpy.types.Object:
    """Return an active reference image."""
    empty = bpy.data.objects.new("reference", None)
    empty.empty_display_type, empty.data = "IMAGE", image
    empty.empty_display_size, empty.empty_image_offset = size, offset
    link(empty)
    empty.matrix_world = matrix or Matrix()
    bpy.context.view_layer.update()
    return empty


def link(thing: bpy.types.Object) -> bpy.types.Object:
    """Link an object into the scene and make it active."""
    bpy.context.scene.collection.objects.link(thing)
    bpy.context.view_layer.objects.active = thing
    return thing


def plane(image: bpy.types.Image, width: float, height: float, matrix: Matrix) -> bpy.types.Object:
    """Return an active image plane in its own x-z plane, with a material that shows ``image``."""
    mesh = bpy.data.meshes.new("plane")
    corners = [(-width / 2, 0, 0), (width / 2, 0, 0), (width / 2, 0, height), (-width / 2, 0, height)]
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    layer = mesh.uv_layers.new(name="UVMap")
    for loop, uv in zip(layer.data, [(0, 0), (1, 0), (1, 1), (0, 1)], strict=True):
        loop.uv = uv
    material = bpy.data.materials.new("shows")
    if material.node_tree is None:
        material.use_nodes = True
    material.node_tree.nodes.new("ShaderNodeTexImage").image = image
    mesh.materials.append(material)
    thing = link(bpy.data.objects.new("plane", mesh))
    thing.matrix_world = matrix
    bpy.context.view_layer.update()
    return thing


def camera(matrix: Matrix, background: bpy.types.Image | None = None) -> bpy.types.Object:
    """Return an active camera, which is the scene's too."""
    thing = link(bpy.data.objects.new("camera", bpy.data.cameras.new("camera")))
    thing.matrix_world = matrix
    if background is not None:
        thing.data.show_background_images = True
        thing.data.background_images.new().image = background
    bpy.context.scene.camera = thing
    bpy.context.view_layer.update()
    return thing


def turned() -> Matrix:
    """Return a place somewhere, turned about all axes."""
    return Matrix.LocRotScale(Vector((1, -2, 3)), Euler((1.1, 0.4, -0.7)), None)


def build(image: bpy.types.Image | None = None, place: Any = None, **options: Any) -> bpy.types.Object:
    """Build the finished job by the operator, and return the mesh."""
    wish: dict[str, Any] = {}
    if image is not None:
        wish["image"] = image.name
    if place is not None:
        wish["place"] = place.to_json()
    outcome = bpy.ops.redepth.build_mesh(job=JOB, name="picture", wish=json.dumps(wish), **options)
    assert outcome == {"FINISHED"}
    bpy.context.view_layer.update()
    return bpy.context.view_layer.objects.active


def vertices(thing: bpy.types.Object) -> np.ndarray:
    """Return (V, 3) vertices in the object's own frame."""
    flat = np.empty(3 * len(thing.data.vertices), np.float32)
    thing.data.vertices.foreach_get("co", flat)
    return flat.reshape(-1, 3)


def faces(thing: bpy.types.Object) -> np.ndarray:
    """Return (F, 3) triangles."""
    flat = np.empty(len(thing.data.loops), np.int32)
    thing.data.loops.foreach_get("vertex_index", flat)
    return flat.reshape(-1, 3)


def uv(thing: bpy.types.Object) -> np.ndarray:
    """Return (V, 2) texture coordinates of the vertices that faces use; others are NaN."""
    flat = np.empty(2 * len(thing.data.loops), np.float32)
    thing.data.uv_layers.active.data.foreach_get("uv", flat)
    known = np.full((len(thing.data.vertices), 2), np.nan, np.float32)
    known[faces(thing).ravel()] = flat.reshape(-1, 2)
    return known


def seen_px(thing: bpy.types.Object, eye: bpy.types.Object, size_px: tuple[int, int] = SIZE_PX) -> np.ndarray:
    """Return where (V, 2) the render puts the vertices, in pixels across and down, by the camera's own projection matrix."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    projection = eye.calc_matrix_camera(depsgraph, x=size_px[0], y=size_px[1])
    turn = Matrix.LocRotScale(eye.matrix_world.to_translation(), eye.matrix_world.to_quaternion(), None).inverted()
    whole = np.array(projection @ turn @ thing.matrix_world)
    own = vertices(thing).astype(np.float64)
    clip = np.column_stack([own, np.ones(len(own))]) @ whole.T
    across, up = (clip[:, :2] / clip[:, 3:]).T
    return np.column_stack([(across + 1) / 2 * size_px[0], (1 - up) / 2 * size_px[1]])


def centres_px(uv_of_vertices: np.ndarray, size_px: tuple[int, int] = SIZE_PX) -> np.ndarray:
    """Return the pixels (V, 2), across and down, that texture coordinates point at."""
    return np.column_stack([uv_of_vertices[:, 0] * size_px[0], (1 - uv_of_vertices[:, 1]) * size_px[1]])
