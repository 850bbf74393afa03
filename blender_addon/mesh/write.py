"""Triangles into a Blender mesh by the fast path: attributes set as whole arrays, a second for a million vertices."""

from __future__ import annotations

from collections.abc import Mapping

import bpy
import numpy as np
from numpy.typing import NDArray

UV_NAME = "UVMap"


def write_mesh(
    mesh: bpy.types.Mesh,
    vertices: NDArray[np.float32],
    faces: NDArray[np.int32],
    uv: NDArray[np.float32],
    colours: Mapping[str, NDArray[np.float32]] | None = None,
) -> None:
    """Replace what ``mesh`` holds; its materials stay.

    Args:
        vertices: (V, 3).
        faces: (F, 3).
        uv: (V, 2).
        colours: name → (V, 4) linear colours, as attributes of the vertices.
    """
    mesh.clear_geometry()
    mesh.vertices.add(len(vertices))
    mesh.loops.add(faces.size)
    mesh.polygons.add(len(faces))
    write_positions(mesh, vertices)
    mesh.attributes[".corner_vert"].data.foreach_set("value", faces.ravel())
    mesh.polygons.foreach_set("loop_start", np.arange(0, faces.size, 3, dtype=np.int32))
    layer = mesh.uv_layers.new(name=UV_NAME, do_init=False)
    layer.uv.foreach_set("vector", uv[faces.ravel()].ravel())
    for name, values in (colours or {}).items():
        attribute = mesh.color_attributes.new(name=name, type="FLOAT_COLOR", domain="POINT")
        attribute.data.foreach_set("color", np.ascontiguousarray(values, np.float32).ravel())
    mesh.update(calc_edges=True)


def write_positions(mesh: bpy.types.Mesh, vertices: NDArray[np.float32]) -> None:
    """Move the vertices of ``mesh`` to ``vertices`` (V, 3)."""
    mesh.attributes["position"].data.foreach_set("vector", vertices.ravel())


def corner_vertices(mesh: bpy.types.Mesh) -> NDArray[np.int32]:
    """Return the vertices at the corners of all faces, (3 F,) where all are triangles."""
    corners = np.empty(len(mesh.loops), np.int32)
    if len(corners):
        mesh.attributes[".corner_vert"].data.foreach_get("value", corners)
    return corners
