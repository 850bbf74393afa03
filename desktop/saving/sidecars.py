"""The sidecar of one saved file: what it holds, by which convention, and how it came about; `photo.npy` gets `photo.npy.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from desktop.state.comparison import Comparison, Which
from engine import __version__
from engine.api.result import FovSource
from engine.api.settings import MeshSettings
from engine.export.sidecar import CONVENTION, FORMAT_VERSION, camera_facts, depth_facts

FileKind = Literal["mesh", "depth", "disparity", "normals", "comparison"]

_CONVENTIONS: dict[FileKind, tuple[str, ...]] = {
    "mesh": ("frame", "depth"),
    "depth": ("array", "depth"),
    "disparity": ("array", "disparity"),
    "normals": ("array", "frame", "normals"),
    "comparison": ("disparity", "normals"),
}


def sidecar_path(path: Path) -> Path:
    """Return where the sidecar of ``path`` lies."""
    return path.with_name(f"{path.name}.json")


def resolved_fov(comparison: Comparison, settings: MeshSettings) -> tuple[float, FovSource]:
    """Return the angle of view that files are made with, and where it came from."""
    return (comparison.fov_deg, comparison.fov_source) if settings.fov_deg is None else (settings.fov_deg, "option")


def file_facts(comparison: Comparison, kind: FileKind, sides: tuple[Which, ...], settings: MeshSettings, **more: object) -> dict[str, Any]:
    """Return the JSON object of a sidecar.

    Args:
        sides: which of the two depths the file holds.
        more: what is particular to the file, such as ``mesh`` or ``png``.
    """
    return {
        "format": "redepth.file",
        "format_version": FORMAT_VERSION,
        "redepth": __version__,
        "kind": kind,
        "picture": comparison.name,
        "sides": {side: comparison.label(side) for side in sides},
        "size_px": list(comparison.size_px),
        "convention": {name: CONVENTION[name] for name in _CONVENTIONS[kind]},
        "camera": camera_facts(comparison.camera(settings), resolved_fov(comparison, settings)[1]),
        "depth": depth_facts(comparison.value_range, settings.near_far_ratio, "disparity") | {"range_of": "both sides"},
        **more,
        "notes": list(comparison.notes),
        "provenance": comparison.provenance,
    }
