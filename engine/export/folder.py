"""The folder that a refinement leaves: arrays, depth, normals, mesh, comparison and, last, the sidecar.

A folder with a `result.json` is complete, and all files in it are of one result: an older sidecar is removed first. The arrays that
everything else can be made from again are written first.
"""

from __future__ import annotations

from pathlib import Path

from ..api.result import RefineResult
from ..api.settings import MeshSettings
from ..geometry.camera import Camera
from ..geometry.disparity import depth_from_disparity
from ..geometry.mesh import grid_mesh
from ..geometry.normals import normals_from_depth
from .comparison import draw_comparison, pair_from_result
from .depth_files import DepthFile, encode_exr, encode_npy, encode_png16
from .files import prepare_folder, remove_file, write_whole
from .meshes import write_mesh
from .picture_files import encode_normals_png, encode_png
from .sidecar import encode_json, resolved_fov, result_facts

SIDECAR_NAME = "result.json"
GATE_NAME = "gate.npy"


def write_result_folder(result: RefineResult, folder: Path, mesh_settings: MeshSettings) -> list[Path]:
    """Write all files of ``result`` into ``folder``, each whole or not at all; return them, `result.json` last.

    Args:
        mesh_settings: angle of view and near/far ratio for depth, normals and mesh alike; resolution and edge cut of the mesh.

    Raises:
        OutputError: the folder or a file cannot be written, or the edge cut leaves no face; files written before stay.
        NumericalError: the disparity or the provenance holds a number that is not finite.
    """
    prepare_folder(folder)
    fov_deg, fov_source = resolved_fov(result, mesh_settings)
    ratio = mesh_settings.near_far_ratio
    camera = Camera(*result.size_px, fov_deg)
    depth = depth_from_disparity(result.disparity_refined, ratio)
    mesh = grid_mesh(depth, camera, long_side_vertices=mesh_settings.long_side_vertices, edge_cut=mesh_settings.edge_cut)
    mesh = mesh.without_loose_vertices()
    depth_file = DepthFile(values=depth, kind="depth", fields={"near_far_ratio": ratio, "fov_deg": fov_deg, "fov_source": fov_source})

    remove_file(folder / SIDECAR_NAME)
    remove_file(folder / GATE_NAME)
    kept = result.kept
    encoders = {
        "disparity_base.npy": lambda: encode_npy(result.disparity_base),
        "disparity_refined.npy": lambda: encode_npy(result.disparity_refined),
        "uncertainty.npy": lambda: encode_npy(result.uncertainty),
        "depth_refined.exr": lambda: encode_exr(depth_file),
        "depth_refined.png": lambda: encode_png16(depth_file),
        "normals.png": lambda: encode_normals_png(normals_from_depth(depth, camera)),
        "comparison.png": lambda: encode_png(draw_comparison(pair_from_result(result), ratio, fov_deg, fov_source)),
    }
    if kept is not None:
        encoders[GATE_NAME] = lambda: encode_npy(kept)
    paths = []
    for name, encode in encoders.items():
        paths.append(folder / name)
        write_whole(paths[-1], encode())
    paths += write_mesh(folder / "mesh.glb", mesh, result.image_srgb)
    paths.append(folder / SIDECAR_NAME)
    write_whole(paths[-1], encode_json(result_facts(result, mesh_settings, depth, mesh)))
    return paths
