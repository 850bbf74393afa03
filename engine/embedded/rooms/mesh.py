"""One model made ready for rendering: true size, few triangles, normals of its own, and a map of what its top can carry. V vertices, T triangles."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from meshoptimizer import SIMPLIFY_PRUNE, simplify

from .catalogue import Piece
from .obj import Corners, Skin

Array = np.ndarray
TOP_CELLS = 24
_SIMPLIFY_ERROR = 0.04
_CREASE_COS = np.cos(np.radians(40))


@dataclass(frozen=True)
class Mesh:
    """Positions and unit normals (V, 3) in metres, uvs (V, 2), skin (V,) of ``skins``, triangles (T, 3). The base rests on y = 0, centred."""

    positions: Array
    normals: Array
    uvs: Array
    skin: Array
    triangles: Array
    skins: list[Skin]


def fit_to_size(positions: Array, piece: Piece) -> Array:
    """Return ``positions`` (V, 3) turned as the catalogue asks and scaled, axis by axis, to its size.

    A few entries ask for a turn that their files already have: whichever of the two fits the catalogue's proportions better is taken.
    """
    size = np.array(piece.size_m)
    candidates = [positions]
    if piece.rotation:
        candidates.append(positions @ np.array(piece.rotation).reshape(3, 3).T)
    spans = [np.maximum(np.ptp(candidate, axis=0), 1e-9) for candidate in candidates]
    misfits = [np.ptp(np.log(size / span)) for span in spans]
    best = int(np.argmin(misfits))
    if best == 0 and len(misfits) > 1 and misfits[1] < misfits[0] + 0.05:
        best = 1  # as good either way: the catalogue's word counts
    low = candidates[best].min(axis=0)
    centred = (candidates[best] - low) / spans[best] - np.array([0.5, 0.0, 0.5])
    return centred * size


def build_mesh(corners: Corners, piece: Piece, max_triangles: int) -> Mesh:
    """Return the mesh of a catalogue's model with about ``max_triangles`` at most; empty where all of it is glass."""
    used, index = np.unique(corners.corners[..., 0], return_inverse=True)
    positions = fit_to_size(corners.positions, piece)[used]  # by all that the file holds, glass too
    key = (index.reshape(-1, 3) * len(corners.uvs) + corners.corners[..., 1]) * len(corners.skins) + corners.skin[:, None]
    vertices, triangles = np.unique(key, return_inverse=True)
    triangles = triangles.reshape(-1, 3)
    skin = vertices % len(corners.skins)
    position, uv = np.divmod(vertices // len(corners.skins), len(corners.uvs))
    placed = positions[position].astype(np.float32)
    triangles = _simplified(placed, triangles, max_triangles)
    return with_normals(Mesh(placed, np.zeros_like(placed), corners.uvs[uv], skin, triangles, corners.skins))


def _simplified(positions: Array, triangles: Array, max_triangles: int) -> Array:
    """Return (T, 3) triangles over the same vertices: fewer where there were more than ``max_triangles``."""
    if len(triangles) > max_triangles:
        indices = np.ascontiguousarray(triangles, dtype=np.uint32).ravel()
        fewer = np.zeros_like(indices)
        count = simplify(
            fewer,
            indices,
            np.ascontiguousarray(positions),
            target_index_count=3 * max_triangles,
            target_error=_SIMPLIFY_ERROR,
            options=SIMPLIFY_PRUNE,
        )
        return fewer[:count].reshape(-1, 3).astype(np.int64)
    return triangles


def _face_vectors(positions: Array, triangles: Array) -> Array:
    """Return (T, 3) face normals as long as twice the face's area."""
    a, b, c = (positions[triangles[:, corner]].astype(np.float64) for corner in range(3))
    return np.cross(b - a, c - a)


def with_normals(mesh: Mesh) -> Mesh:
    """Return ``mesh`` with normals from its faces, smooth where neighbours meet at less than 40°, whichever way faces are wound."""
    faces = _face_vectors(mesh.positions, mesh.triangles)
    solid = np.linalg.norm(faces, axis=1) > 1e-10
    mesh, faces = replace(mesh, triangles=mesh.triangles[solid]), faces[solid]
    if not len(faces):
        return mesh
    units = faces / np.linalg.norm(faces, axis=1, keepdims=True)
    _, place = np.unique(np.round(mesh.positions, 5), axis=0, return_inverse=True)
    corner_place = place.reshape(-1)[mesh.triangles].ravel()
    corner_face = np.repeat(np.arange(len(faces)), 3)
    order = np.argsort(corner_place, kind="stable")
    _, start, count = np.unique(corner_place[order], return_index=True, return_counts=True)
    group = np.repeat(np.arange(len(start)), count)
    many = count[group]
    mine = np.repeat(np.arange(len(order)), many)
    other = np.arange(len(mine)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(start[group], many)
    facing = np.einsum("ij,ij->i", units[corner_face[order[mine]]], units[corner_face[order[other]]])
    weight = np.where(np.abs(facing) > _CREASE_COS, np.sign(facing), 0.0)
    added = weight[:, None] * faces[corner_face[order[other]]]
    sums = np.stack([np.bincount(order[mine], added[:, axis], len(order)) for axis in range(3)], axis=1)
    normals = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-20)
    stored = np.round(normals * 127).astype(np.int64)
    key = mesh.triangles.ravel() * 256**3 + ((stored + 128) @ np.array([1, 256, 256**2]))
    unique, first, triangles = np.unique(key, return_index=True, return_inverse=True)
    vertex = unique // 256**3
    return replace(
        mesh,
        positions=mesh.positions[vertex],
        normals=stored[first].astype(np.float32) / 127,
        uvs=mesh.uvs[vertex],
        skin=mesh.skin[vertex],
        triangles=triangles.reshape(-1, 3),
    )


def top_heights(mesh: Mesh, size_m: Array) -> Array:
    """Return (24, 24) float32 heights of the mesh seen from above, rows along z and columns along x over its bounding box; -1 where nothing is.

    A cell has the height of what covers its middle, or of the highest vertex in it.
    """
    heights = np.full(TOP_CELLS**2, -1.0)
    share = mesh.positions[:, [0, 2]] / size_m[[0, 2]] + 0.5
    cell = np.clip((share * TOP_CELLS).astype(np.int64), 0, TOP_CELLS - 1)
    np.maximum.at(heights, cell[:, 1] * TOP_CELLS + cell[:, 0], mesh.positions[:, 1])
    middle = (np.arange(TOP_CELLS) + 0.5) / TOP_CELLS
    x, z = np.tile(middle, TOP_CELLS), np.repeat(middle, TOP_CELLS)
    for chosen in np.array_split(mesh.triangles, max(1, len(mesh.triangles) // 256)):
        (ax, az), (bx, bz), (cx, cz) = (share[chosen[:, corner]].T[..., None].astype(np.float64) for corner in range(3))
        area = (bx - ax) * (cz - az) - (bz - az) * (cx - ax)
        flat = np.abs(area) > 1e-9
        divisor = np.where(flat, area, 1.0)
        u = ((x - ax) * (cz - az) - (z - az) * (cx - ax)) / divisor
        v = ((bx - ax) * (z - az) - (bz - az) * (x - ax)) / divisor
        a, b, c = (mesh.positions[chosen[:, corner], 1][:, None] for corner in range(3))
        inside = flat & (u >= 0) & (v >= 0) & (u + v <= 1)
        heights = np.maximum(heights, np.where(inside, a + u * (b - a) + v * (c - a), -1.0).max(axis=0, initial=-1.0))
    return heights.reshape(TOP_CELLS, TOP_CELLS).astype(np.float32)
