"""A mesh as OBJ text with its MTL.

Written here and not by trimesh, which formats all numbers in one call: that keeps the interpreter's lock, and so a viewer's window still,
for seconds. Blocks of lines let other threads in between.

Shapes: V vertices, F faces.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..geometry.mesh import GridMesh

_LINES_PER_BLOCK = 2048


def obj_text(mesh: GridMesh, mtl_name: str, material_name: str) -> bytes:
    """Return the OBJ file: positions, texture coordinates, normals and faces, each corner with the same index in all three.

    Args:
        mtl_name, material_name: without spaces, at which many readers end a name.
    """
    return b"".join(text.encode() for text in _obj_blocks(mesh, mtl_name, material_name))


def mtl_text(material_name: str, texture_name: str) -> bytes:
    """Return the MTL file of a matt material that shows its texture as it is."""
    lines = [
        "# Re-Depth",
        f"newmtl {material_name}",
        "Ka 1.00000000 1.00000000 1.00000000",
        "Kd 1.00000000 1.00000000 1.00000000",
        "Ks 0.00000000 0.00000000 0.00000000",
        "illum 1",
        f"map_Kd {texture_name}",
    ]
    return ("\n".join(lines) + "\n").encode()


def _obj_blocks(mesh: GridMesh, mtl_name: str, material_name: str) -> Iterator[str]:
    yield f"# Re-Depth\nmtllib {mtl_name}\n"
    yield from _number_lines("v", mesh.vertices, 8)
    yield from _number_lines("vt", mesh.uv, 8)
    yield from _number_lines("vn", mesh.normals, 7)
    yield f"usemtl {material_name}\n"
    for start in range(0, len(mesh.faces), _LINES_PER_BLOCK):
        block = mesh.faces[start : start + _LINES_PER_BLOCK] + 1  # OBJ counts from 1
        corners = [f"{index}/{index}/{index}" for index in block.ravel().tolist()]
        yield ("f %s %s %s\n" * len(block)) % tuple(corners)


def _number_lines(keyword: str, values: NDArray[np.float32], digits: int) -> Iterator[str]:
    """Yield lines of ``keyword`` and a row of ``values``, block by block."""
    line = f"{keyword}{f' %.{digits}f' * values.shape[1]}\n"
    for start in range(0, len(values), _LINES_PER_BLOCK):
        block = values[start : start + _LINES_PER_BLOCK]
        yield (line * len(block)) % tuple(block.ravel().tolist())
