"""Wavefront OBJ and MTL files as triangle corners. T triangles, V positions, U texture coordinates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from ...api.errors import InputError

Array = np.ndarray
_SEE_THROUGH = 0.3
_DARKEST = 0.06


@dataclass(frozen=True, kw_only=True)
class Skin:
    """What a material looks like: sRGB colour (3,) in [0, 1] and the path of its texture, whose colour then replaces it; gloss in [0, 1].

    ``dressed`` means that whoever places the model chooses its texture.
    """

    colour: tuple[float, float, float]
    texture: str | None
    gloss: float
    see_through: bool
    dressed: bool = False


@dataclass(frozen=True)
class Corners:
    """Triangles by corner: positions (V, 3) and uvs (U, 2) float64; ``corners`` (T, 3, 2) index them; ``skin`` (T,) indexes ``skins``."""

    positions: Array
    uvs: Array
    corners: Array
    skin: Array
    skins: list[Skin]


def read_mtl(text: str, folder: PurePosixPath, files: set[str]) -> dict[str, Skin]:
    """Return the materials of MTL ``text`` by name; a texture is looked for in ``folder``, among the zip's ``files``.

    A texture that the zip lacks leaves the material its colour. A colour that is almost black is lifted to 0.06: real surfaces are not darker.
    """
    skins: dict[str, Skin] = {}
    for block in re.split(r"^[ \t]*newmtl[ \t]+", text, flags=re.MULTILINE)[1:]:
        name, *lines = block.splitlines()
        fields = {words[0]: words[1:] for line in lines if (words := line.split())}
        kd = [max(float(value), _DARKEST) for value in fields.get("Kd", ["0.7"] * 3)[:3]]
        ks = [float(value) for value in fields.get("Ks", ["0"] * 3)[:3]]
        texture = str(folder / " ".join(fields.get("map_Kd", [])).replace("\\", "/"))
        skins[name.strip()] = Skin(
            colour=(min(kd[0], 1.0), min(kd[1], 1.0), min(kd[2], 1.0)),
            texture=texture if texture in files else None,
            gloss=min(max(ks), 1.0),
            see_through=float(fields.get("d", ["1"])[0]) <= _SEE_THROUGH,
        )
    return skins


def read_obj(data: bytes, skins: dict[str, Skin], name: str) -> Corners:
    """Return the opaque triangles of OBJ ``data``; polygons are cut as fans, glass is left out, faces without a material are grey.

    Raises:
        InputError: the file's faces cannot be understood; ``name`` says which file.
    """
    grey = Skin(colour=(0.7, 0.7, 0.7), texture=None, gloss=0.0, see_through=False)
    used: dict[str, int] = {}
    materials: list[Skin] = []
    vertex_lines: list[bytes] = []
    uv_lines: list[bytes] = []
    face_lines: list[bytes] = []
    face_skin: list[int] = []
    current = -1
    for line in data.splitlines():
        head = line[:2]
        if head == b"v ":
            vertex_lines.append(line)
        elif head == b"vt":
            uv_lines.append(line)
        elif head == b"f ":
            face_lines.append(line)
            face_skin.append(current)
        elif line[:6] == b"usemtl":
            material = line[7:].decode("latin-1").strip()
            if material not in used:
                used[material] = len(materials)
                materials.append(skins.get(material, grey))
            current = used[material]
    if -1 in face_skin:
        face_skin = [len(materials) if skin < 0 else skin for skin in face_skin]
        materials.append(grey)
    vertices = np.array([line.split()[1:4] for line in vertex_lines], dtype=np.float64)
    uvs = np.array([line.split()[1:3] for line in uv_lines] or [[b"0", b"0"]], dtype=np.float64)
    corners, skin = _triangulate(face_lines, np.array(face_skin, dtype=np.int64), name)
    opaque = ~np.array([material.see_through for material in materials], dtype=bool)[skin]
    corners, skin = corners[opaque], skin[opaque]
    if corners.size and (corners[..., 0].max() >= len(vertices) or corners.min() < 0):
        raise InputError(f"{name} has faces that name corners it does not have.", hint="Fetch the library again.")
    corners[..., 1] = np.minimum(corners[..., 1], len(uvs) - 1)
    return Corners(vertices, uvs, corners, skin, materials)


def _triangulate(lines: list[bytes], line_skin: Array, name: str) -> tuple[Array, Array]:
    """Return (T, 3, 2) zero-based position and texture indices of the faces' fans, and the skin (T,) of the face that each comes from."""
    corners, skins = [np.zeros((0, 3, 2), np.int64)], [np.zeros(0, np.int64)]
    slashes = np.array([line.split(maxsplit=2)[1].count(b"/") for line in lines], dtype=np.int64)
    for kind in np.unique(slashes):
        chosen = np.flatnonzero(slashes == kind)
        counts = np.array([len(lines[index].split()) - 1 for index in chosen])
        text = b" ".join(lines[index][2:] for index in chosen)
        numbers = np.array(text.replace(b"//", b"/1/").replace(b"/", b" ").split(), dtype=np.int64)
        if len(numbers) != counts.sum() * (kind + 1) or numbers.min() < 1:
            raise InputError(f"{name} has faces that name their corners in mixed or relative ways.", hint="Leave that model out of the library.")
        numbers = numbers.reshape(-1, kind + 1)
        pairs = np.stack([numbers[:, 0], numbers[:, 1] if kind else np.ones(len(numbers), np.int64)], axis=1) - 1
        triangles = np.maximum(counts - 2, 0)
        face = np.repeat(np.arange(len(chosen)), triangles)
        step = np.arange(len(face)) - np.repeat(np.cumsum(triangles) - triangles, triangles)
        first = (np.cumsum(counts) - counts)[face]
        corners.append(np.stack([pairs[first], pairs[first + step + 1], pairs[first + step + 2]], axis=1))
        skins.append(line_skin[chosen][face])
    return np.concatenate(corners), np.concatenate(skins)
