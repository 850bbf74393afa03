"""Models and textures of one set of rooms in one file, small enough to travel.

M models, V vertices, I indices, K skins, L textures, S texture side.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any
from zipfile import BadZipFile

import numpy as np
from PIL import Image

from ...api.errors import InputError
from .catalogue import Piece
from .mesh import Mesh, top_heights
from .tiles import TILE_PX

Array = np.ndarray
PLAIN, DRESSED = -1, -2
_STEPS = 65535


@dataclass(frozen=True)
class Pack:
    """All that the renderer and the sampler need, as arrays.

    Attributes:
        positions: (V, 3) uint16, shares of the model's box in 65535ths; `Pack.points` gives metres.
        normals: (V, 3) int8, 127ths. uvs: (V, 2) float16, v up. skin: (V,) int32.
        indices: (I,) uint32, relative to the model's first vertex.
        first_vertex, first_index: (M + 1,) int64, where each model begins.
        size_m: (M, 3) float32; a model fills x, z in ± half its size and y from 0 to its size.
        elevation_m: (M,) float32. tops: (M, 24, 24) float16 heights from above, -1 where nothing is; all -1 where nothing may stand on it.
        names, categories, collections: (M,) str. opening: (M,) bool, a door or window.
        skin_colour: (K, 4) float32, sRGB and gloss. skin_layer: (K,) int32, texture, or `PLAIN`, or `DRESSED` where the scene chooses one.
        textures: (L, S, S, 3) uint8 sRGB, bottom row first. tile_role: (L,) int8, index of `tiles.ROLES`, or -1 for a model's own texture.
    """

    positions: Array
    normals: Array
    uvs: Array
    skin: Array
    indices: Array
    first_vertex: Array
    first_index: Array
    size_m: Array
    elevation_m: Array
    tops: Array
    names: Array
    categories: Array
    collections: Array
    opening: Array
    skin_colour: Array
    skin_layer: Array
    textures: Array
    tile_role: Array

    def __len__(self) -> int:
        return len(self.names)

    def points(self, model: int) -> Array:
        """Return the vertices (V, 3) float32 of ``model`` in metres."""
        share = self.positions[self.first_vertex[model] : self.first_vertex[model + 1]].astype(np.float32) / _STEPS
        return (share - np.array([0.5, 0, 0.5], np.float32)) * self.size_m[model]

    def to_bytes(self) -> bytes:
        """Return the pack as a compressed .npz file."""
        stream = io.BytesIO()
        np.savez_compressed(stream, **{field.name: getattr(self, field.name) for field in fields(self)})
        return stream.getvalue()


def read_pack(path: Path) -> Pack:
    """Read a pack.

    Raises:
        InputError: the file is not there or is no pack.
    """
    try:
        with np.load(path) as stored:
            return Pack(**{field.name: stored[field.name] for field in fields(Pack)})
    except (OSError, KeyError, ValueError, BadZipFile) as exc:
        raise InputError(f"{path} is no pack of rooms: {exc}.", hint="Make one with `python -m engine.embedded.rooms.make_pack`.") from exc


class Packer:
    """Collects models and textures, and joins them into a `Pack`."""

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {field.name: [] for field in fields(Pack)}
        self._layers: dict[str, int] = {}
        self._vertices, self._indices, self._skins = 0, 0, 0

    def add_texture(self, key: str, picture: Image.Image, role: int = -1) -> int:
        """Add ``picture`` under ``key`` unless it is there already; return its layer."""
        if key not in self._layers:
            small = picture.convert("RGB").resize((TILE_PX, TILE_PX), Image.Resampling.BOX, reducing_gap=None)
            self._layers[key] = len(self._layers)
            self._columns["textures"].append(np.asarray(small)[::-1])
            self._columns["tile_role"].append(role)
        return self._layers[key]

    def add_model(self, piece: Piece, mesh: Mesh, layers: dict[str, int]) -> None:
        """Add ``mesh`` with what the catalogue says of it; ``layers`` finds its textures' layers."""
        size = np.maximum(np.array(piece.size_m, np.float32), 1e-6)
        share = mesh.positions / size + np.array([0.5, 0, 0.5])
        columns = self._columns
        columns["first_vertex"].append(self._vertices)
        columns["first_index"].append(self._indices)
        columns["positions"].append((np.clip(share, 0, 1) * _STEPS).round().astype(np.uint16))
        columns["normals"].append((mesh.normals * 127).round().astype(np.int8))
        columns["uvs"].append(_near_zero(mesh))
        columns["skin"].append((mesh.skin + self._skins).astype(np.int32))
        columns["indices"].append(mesh.triangles.ravel().astype(np.uint32))
        columns["size_m"].append(size)
        columns["elevation_m"].append(piece.elevation_m)
        columns["tops"].append(top_heights(mesh, size).round(4) if piece.holds_things else np.full((24, 24), -1.0, np.float32))
        columns["names"].append(piece.name)
        columns["categories"].append(piece.category)
        columns["collections"].append(piece.collection)
        columns["opening"].append(piece.opening)
        for skin in mesh.skins:
            columns["skin_colour"].append((*skin.colour, skin.gloss))
            columns["skin_layer"].append(DRESSED if skin.dressed else layers.get(skin.texture or "", PLAIN))
        self._vertices += len(mesh.positions)
        self._indices += 3 * len(mesh.triangles)
        self._skins += len(mesh.skins)

    def pack(self) -> Pack:
        """Return what was collected."""
        joined = ("positions", "normals", "uvs", "skin", "indices")
        types: dict[str, Any] = {"elevation_m": np.float32, "size_m": np.float32, "tops": np.float16, "opening": bool, "skin_colour": np.float32}
        types |= {"skin_layer": np.int32, "tile_role": np.int8, "first_vertex": np.int64, "first_index": np.int64}
        self._columns["first_vertex"].append(self._vertices)
        self._columns["first_index"].append(self._indices)
        return Pack(
            **{name: np.concatenate(column) if name in joined else np.array(column, types.get(name)) for name, column in self._columns.items()}
        )


def _near_zero(mesh: Mesh) -> Array:
    """Return the uvs (V, 2) as float16, moved by whole tiles, skin by skin, to where float16 is fine."""
    uvs = mesh.uvs.copy()
    for skin in np.unique(mesh.skin):
        own = mesh.skin == skin
        uvs[own] -= np.floor(uvs[own].mean(axis=0))
    return np.clip(uvs, -500, 500).round(4).astype(np.float16)


def texture_key(collection: str, path: str) -> str:
    """Return the name under which a library's texture is kept."""
    return f"{collection}/{PurePosixPath(path)}"
