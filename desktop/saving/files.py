"""Saves one side of a comparison as a file of the user's choice, or both as a picture. Each is written whole or not at all, with its sidecar.

All go through `engine.export`. The depth of both sides spans one range, as it is shown; so base and refined can be laid over each other.
Whether an existing file may be replaced is the caller's to ask. `OnProgress` gets a share from 0 to 1 and what is done now; it may raise
to stop, and then nothing is written.

Shapes: H W picture.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from PIL import Image

from desktop.state.comparison import Comparison, Which
from engine.api.errors import OutputError
from engine.api.settings import MeshSettings
from engine.export.comparison import Pair, draw_comparison, facts_line
from engine.export.depth_files import DepthFile, Field, encode_exr, encode_npy, encode_png16, png16_line
from engine.export.files import Content, write_set
from engine.export.meshes import MESH_SUFFIXES, encode_mesh
from engine.export.picture_files import encode_normals_exr, encode_normals_png, encode_png
from engine.export.sidecar import encode_json, mesh_facts

from ..rendering.shapes import mesh_from_comparison
from .sidecars import file_facts, resolved_fov, sidecar_path

DEPTH_SUFFIXES = (".exr", ".npy", ".png")
NORMALS_SUFFIXES = (".png", ".exr", ".npy")
PICTURE_SUFFIXES = (".png",)

MapKind = Literal["depth", "disparity"]
OnProgress = Callable[[float, str], object]


def _silent(share: float, doing: str) -> None:
    """Take progress that nobody asked for."""


def save_mesh(comparison: Comparison, which: Which, settings: MeshSettings, path: Path, on_progress: OnProgress = _silent) -> list[Path]:
    """Write the mesh of one side as GLB, OBJ (with MTL and PNG), PLY or STL, by the suffix of ``path``; return all files, ``path`` last.

    Raises:
        OutputError: another suffix, every face cut away, or a file that cannot be written.
    """
    _require_suffix(path, MESH_SUFFIXES, "mesh")
    on_progress(0.0, "Building the mesh")
    mesh = mesh_from_comparison(comparison, which, settings).without_loose_vertices()
    on_progress(0.2, f"Encoding {len(mesh.faces):,} faces as {path.suffix[1:].upper()}")
    contents = encode_mesh(path, mesh, comparison.image_srgb)
    facts = file_facts(comparison, "mesh", (which,), settings, mesh=mesh_facts(settings, mesh, comparison.size_px))
    return _write(path, facts, dict(contents), on_progress)


def save_depth(
    comparison: Comparison,
    which: Which,
    settings: MeshSettings,
    path: Path,
    on_progress: OnProgress = _silent,
    *,
    kind: MapKind = "depth",
) -> list[Path]:
    """Write the depth of one side, or its disparity, as EXR or NPY (float32) or 16-bit PNG, by the suffix of ``path``; return all files.

    Raises:
        OutputError: another suffix, or a file that cannot be written.
    """
    _require_suffix(path, DEPTH_SUFFIXES, "depth")
    on_progress(0.0, f"Computing {kind}")
    values = comparison.depth(which, settings) if kind == "depth" else comparison.disparity(which)
    depth_file = DepthFile(values=values, kind=kind, fields=_header_fields(comparison, settings))
    on_progress(0.3, f"Encoding {path.suffix[1:].upper()}")
    scale, shift = png16_line(values)
    encoders: dict[str, Callable[[], Content]] = {
        ".exr": lambda: encode_exr(depth_file),
        ".npy": lambda: encode_npy(values),
        ".png": lambda: encode_png16(depth_file),
    }
    suffix = path.suffix.lower()
    more = {"png": {"formula": f"{kind} = scale * level + shift", "scale": scale, "shift": shift}} if suffix == ".png" else {}
    return _write(path, file_facts(comparison, kind, (which,), settings, **more), {path: encoders[suffix]()}, on_progress)


def save_normals(comparison: Comparison, which: Which, settings: MeshSettings, path: Path, on_progress: OnProgress = _silent) -> list[Path]:
    """Write the normals of one side as 8-bit PNG, EXR (N.X, N.Y, N.Z) or NPY (H, W, 3), by the suffix of ``path``; return all files.

    Raises:
        OutputError: another suffix, or a file that cannot be written.
    """
    _require_suffix(path, NORMALS_SUFFIXES, "normal map")
    on_progress(0.0, "Computing normals")
    normals = comparison.normals(which, settings)
    on_progress(0.4, f"Encoding {path.suffix[1:].upper()}")
    encoders: dict[str, Callable[[], Content]] = {
        ".png": lambda: encode_normals_png(normals),
        ".exr": lambda: encode_normals_exr(normals, _header_fields(comparison, settings)),
        ".npy": lambda: encode_npy(normals),
    }
    return _write(path, file_facts(comparison, "normals", (which,), settings), {path: encoders[path.suffix.lower()]()}, on_progress)


def save_comparison_picture(comparison: Comparison, settings: MeshSettings, path: Path, on_progress: OnProgress = _silent) -> list[Path]:
    """Write a PNG sheet: the picture, both disparities, their change and the normals of both, with names and legends; return all files.

    Raises:
        OutputError: another suffix, or a file that cannot be written.
    """
    _require_suffix(path, PICTURE_SUFFIXES, "picture")
    on_progress(0.0, "Drawing the comparison")
    sheet: Image.Image = draw_comparison(pair_of(comparison), settings.near_far_ratio, *resolved_fov(comparison, settings))
    on_progress(0.7, "Encoding PNG")
    return _write(path, file_facts(comparison, "comparison", ("base", "refined"), settings), {path: encode_png(sheet)}, on_progress)


def suggested_name(comparison: Comparison, which: Which | None, kind: str) -> str:
    """Return a file name without suffix, such as ``photo_refined_mesh``; without a side where the file holds both."""
    stem = "".join(letter if letter.isalnum() or letter in "-_. " else "_" for letter in Path(comparison.name).stem).strip() or "picture"
    return "_".join([stem, *([which] if which and not comparison.is_single else []), kind])


def pair_of(comparison: Comparison) -> Pair:
    """Return both sides as the sheet shows them, with what is known of how they were made."""
    return Pair(
        image_srgb=comparison.image_srgb,
        disparity_base=comparison.disparity_base,
        disparity_refined=comparison.disparity_refined,
        label_base=comparison.label_base,
        label_refined=comparison.label_refined,
        heading=comparison.name,
        facts=facts_line(comparison.size_px, comparison.provenance),
        is_single=comparison.is_single,
    )


def _header_fields(comparison: Comparison, settings: MeshSettings) -> dict[str, Field]:
    fov_deg, fov_source = resolved_fov(comparison, settings)
    return {"near_far_ratio": settings.near_far_ratio, "fov_deg": fov_deg, "fov_source": fov_source}


def _require_suffix(path: Path, suffixes: tuple[str, ...], what: str) -> None:
    if path.suffix.lower() not in suffixes:
        hint = f"Choose a name that ends in {', '.join(suffixes)}."
        raise OutputError(f"{path.name} names no format for a {what}.", hint=hint, code="output.format")


def _write(path: Path, facts: dict[str, object], contents: dict[Path, Content], on_progress: OnProgress) -> list[Path]:
    """Write the files and their sidecar together, ``path`` last; return them."""
    on_progress(0.85, f"Writing {path.name}")
    together = {sidecar_path(path): encode_json(facts), **contents}
    write_set(together)
    on_progress(1.0, f"Saved {path.name}")
    return list(together)
