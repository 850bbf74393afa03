"""`result.json`: what the files of a result mean and how they were made, so that anyone can use or repeat them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from ..api.errors import NumericalError
from ..api.result import FovSource, RefineResult
from ..api.settings import MeshSettings
from ..geometry.camera import Camera, FloatArray
from ..geometry.disparity import DisparityRange, disparity_range, inverse_depth_line
from ..geometry.mesh import GridMesh
from .depth_files import png16_line
from .meshes import texture_size_px

FORMAT_VERSION = 1

CONVENTION = {
    "array": "rows from the top, (H, W)",
    "frame": "x right, y up, z toward the viewer, camera at the origin",
    "disparity": "larger = nearer, affine-invariant",
    "depth": "larger = farther, along the view axis, relative: nearest point 1, farthest near_far_ratio",
    "uncertainty": "standard deviation of the ensemble members, in the unit of disparity_refined",
    "gate": "share of the refinement kept by the quality gate, 0 = the base stands, 1 = all of it; no file where no gate ran",
    "normals": "unit vectors in the frame, (n + 1) / 2 * 255 as red, green, blue",
}


def resolved_fov(result: RefineResult, mesh: MeshSettings) -> tuple[float, FovSource]:
    """Return the angle of view that the depth and mesh files use, and where it came from."""
    return (result.fov_deg, result.fov_source) if mesh.fov_deg is None else (mesh.fov_deg, "option")


def result_facts(result: RefineResult, settings: MeshSettings, depth: FloatArray, mesh: GridMesh) -> dict[str, Any]:
    """Return the JSON object of `result.json`.

    Args:
        depth: (H, W), the depth that was written.
        mesh: the mesh that was written.
    """
    width, height = result.size_px
    fov_deg, fov_source = resolved_fov(result, settings)
    png_scale, png_shift = png16_line(depth)
    return {
        "format": "redepth.result",
        "format_version": FORMAT_VERSION,
        "size_px": [width, height],
        "convention": CONVENTION,
        "camera": camera_facts(Camera(width, height, fov_deg), fov_source),
        "depth": depth_facts(disparity_range(result.disparity_refined), settings.near_far_ratio, "disparity_refined"),
        "depth_refined_png": {"formula": "depth = scale * level + shift", "scale": png_scale, "shift": png_shift},
        "mesh": mesh_facts(settings, mesh, result.size_px),
        "provenance": result.provenance,
    }


def camera_facts(camera: Camera, fov_source: FovSource) -> dict[str, Any]:
    """Return the camera as `result.json` states it."""
    return {
        "fov_deg": camera.fov_deg,
        "fov_source": fov_source,
        "fov_across": "longer side",
        "horizontal_fov_deg": camera.horizontal_fov_deg,
        "vertical_fov_deg": camera.vertical_fov_deg,
        "focal_px": camera.focal_px,
    }


def depth_facts(value_range: DisparityRange, near_far_ratio: float, disparity_name: str) -> dict[str, Any]:
    """Return how depth follows from the disparity of that name."""
    scale, shift = inverse_depth_line(value_range, near_far_ratio)
    return {
        "formula": f"depth = 1 / (scale * {disparity_name} + shift)",
        "scale": scale,
        "shift": shift,
        "near_far_ratio": near_far_ratio,
        "disparity_range": list(value_range),
    }


def mesh_facts(settings: MeshSettings, mesh: GridMesh, size_px: tuple[int, int]) -> dict[str, Any]:
    """Return the settings of a mesh and how large it and its texture became."""
    return asdict(settings) | {"vertices": len(mesh.vertices), "faces": len(mesh.faces), "texture_px": list(texture_size_px(*size_px))}


def encode_json(facts: dict[str, Any]) -> bytes:
    """Return ``facts`` as strict JSON text that any reader accepts.

    Raises:
        NumericalError: a number is not finite, which JSON cannot say.
    """
    try:
        return (json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
    except ValueError as exc:
        raise NumericalError("The result's facts hold a number that is not finite.", hint="Refine again with lower learning rates.") from exc
