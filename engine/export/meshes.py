"""Meshes as files: GLB, PLY and STL, written by trimesh, and OBJ with MTL and PNG.

All keep our frame, which is glTF's: x right, y up, z toward the viewer, camera at the origin. GLB and OBJ carry the picture as their
texture (longer side at most 8192 pixels, which graphics cards can be trusted with; a larger picture is scaled down), PLY carries it as
one colour a vertex, STL only the shape. Vertices that no face uses are left out.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import trimesh
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin
from trimesh.exchange.gltf import export_glb
from trimesh.exchange.ply import export_ply
from trimesh.exchange.stl import export_stl
from trimesh.visual import ColorVisuals, TextureVisuals
from trimesh.visual.material import PBRMaterial

from ..api.errors import OutputError
from ..geometry.mesh import GridMesh
from .files import write_set
from .obj import mtl_text, obj_text

TEXTURE_LIMIT_PX = 8192
_JPEG_QUALITY = 95


def write_mesh(path: Path, mesh: GridMesh, image_srgb: NDArray[np.uint8]) -> list[Path]:
    """Write ``mesh`` in the format that the suffix of ``path`` names; return the files, ``path`` last.

    Args:
        image_srgb: (H, W, 3) uint8, the picture that ``mesh.uv`` refers to.

    Raises:
        OutputError: an unknown suffix, a mesh without faces, or a file that cannot be written.
    """
    contents = encode_mesh(path, mesh, image_srgb)
    write_set(contents)
    return list(contents)


def encode_mesh(path: Path, mesh: GridMesh, image_srgb: NDArray[np.uint8]) -> dict[Path, bytes]:
    """Return the files that `write_mesh` would write with their content, ``path`` last.

    Raises:
        OutputError: an unknown suffix, or a mesh without faces.
    """
    encode = _ENCODERS.get(path.suffix.lower())
    if encode is None:
        raise OutputError(
            f"{path.name} names no mesh format.", hint=f"Choose a name that ends in {', '.join(MESH_SUFFIXES)}.", code="output.mesh_format"
        )
    if not len(mesh.faces):
        raise OutputError("Every face of the mesh is cut away.", hint="Raise edge_cut, or set it to 0 for no cuts.", code="output.mesh_empty")
    return {path.with_name(name): content for name, content in encode(path, mesh.without_loose_vertices(), image_srgb).items()}


def texture_size_px(width_px: int, height_px: int) -> tuple[int, int]:
    """Return the size of the texture for a picture: its own, or scaled to `TEXTURE_LIMIT_PX`."""
    scale = min(1.0, TEXTURE_LIMIT_PX / max(width_px, height_px))
    return max(1, round(width_px * scale)), max(1, round(height_px * scale))


def _texture(image_srgb: NDArray[np.uint8]) -> Image.Image:
    picture = Image.fromarray(image_srgb)
    size = texture_size_px(*picture.size)
    return picture if size == picture.size else picture.resize(size, Image.Resampling.LANCZOS)


class _EncodedJpeg(JpegImagePlugin.JpegImageFile):
    """A JPEG that is saved as the very bytes it was read from; trimesh would encode it a second time, at quality 75."""

    def __init__(self, encoded: bytes) -> None:
        super().__init__(io.BytesIO(encoded))
        self._encoded = encoded

    def save(self, fp: IO[bytes], format: str | None = None, **params: Any) -> None:  # type: ignore[override]
        fp.write(self._encoded)


def _jpeg(picture: Image.Image) -> _EncodedJpeg:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return _EncodedJpeg(file.getvalue())


def _trimesh(mesh: GridMesh, visual: TextureVisuals | ColorVisuals | None = None) -> trimesh.Trimesh:
    return trimesh.Trimesh(mesh.vertices, mesh.faces, vertex_normals=mesh.normals, visual=visual, process=False)


def _encode_glb(path: Path, mesh: GridMesh, image_srgb: NDArray[np.uint8]) -> dict[str, bytes]:
    material = PBRMaterial(name=path.stem, baseColorTexture=_jpeg(_texture(image_srgb)), metallicFactor=0.0, roughnessFactor=1.0, doubleSided=True)
    scene = trimesh.Scene()
    scene.add_geometry(_trimesh(mesh, TextureVisuals(uv=mesh.uv, material=material)), geom_name=path.stem, node_name=path.stem)
    return {path.name: export_glb(scene, include_normals=True)}


def _encode_obj(path: Path, mesh: GridMesh, image_srgb: NDArray[np.uint8]) -> dict[str, bytes]:
    name = re.sub(r"\s+", "_", path.stem)  # many readers end the names of materials and files at a space
    picture_name = f"{name}_texture.png"  # without the suffix it might be the name of the photo itself
    picture = io.BytesIO()
    _texture(image_srgb).save(picture, "PNG")
    mtl = mtl_text(name, picture_name)
    return {picture_name: picture.getvalue(), f"{name}.mtl": mtl, path.name: obj_text(mesh, f"{name}.mtl", name)}


def _encode_ply(path: Path, mesh: GridMesh, image_srgb: NDArray[np.uint8]) -> dict[str, bytes]:
    height, width = image_srgb.shape[:2]
    columns = np.floor(mesh.uv[:, 0] * width).astype(np.int64)
    rows = np.floor((1 - mesh.uv[:, 1]) * height).astype(np.int64)
    coloured = _trimesh(mesh, ColorVisuals(vertex_colors=image_srgb[rows, columns]))
    return {path.name: export_ply(coloured, vertex_normal=True)}


def _encode_stl(path: Path, mesh: GridMesh, image_srgb: NDArray[np.uint8]) -> dict[str, bytes]:
    return {path.name: export_stl(_trimesh(mesh))}


_ENCODERS: dict[str, Callable[[Path, GridMesh, NDArray[np.uint8]], dict[str, bytes]]] = {
    ".glb": _encode_glb,
    ".obj": _encode_obj,
    ".ply": _encode_ply,
    ".stl": _encode_stl,
}
MESH_SUFFIXES = tuple(_ENCODERS)
