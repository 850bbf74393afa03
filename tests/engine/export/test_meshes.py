from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from engine.api.errors import OutputError
from engine.api.result import RefineResult
from engine.export.meshes import texture_size_px, write_mesh
from engine.geometry.camera import Camera
from engine.geometry.disparity import depth_from_disparity
from engine.geometry.mesh import GridMesh, grid_mesh

VALIDATOR = Path(__file__).parents[3] / ".cache" / "gltf-validator"


@pytest.fixture
def mesh(result: RefineResult) -> GridMesh:
    depth = depth_from_disparity(result.disparity_refined, 4.0)
    depth[0, 0] = 100.0
    return grid_mesh(depth, Camera(*result.size_px, result.fov_deg), long_side_vertices=40, edge_cut=2)


def read_back(path: Path) -> trimesh.Trimesh:
    (read,) = trimesh.load_scene(path, process=False, maintain_order=True).geometry.values()  # load_mesh would drop the normals
    return read


def triangles(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    return np.asarray(vertices)[np.asarray(faces)]


def picture_at(image: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Return the texels (V, 3) that texture coordinates (v up) point at."""
    height, width = image.shape[:2]
    return image[((1 - uv[:, 1]) * height).astype(int), (uv[:, 0] * width).astype(int)].astype(int)


def test_the_sample_has_cuts_and_loose_vertices(mesh: GridMesh) -> None:
    assert len(mesh.without_loose_vertices().vertices) < len(mesh.vertices) == 40 * 30
    assert len(mesh.faces) < 2 * 39 * 29 - 50


@pytest.mark.parametrize("suffix", [".glb", ".obj", ".ply"])
def test_vertices_faces_and_normals_come_back(suffix: str, mesh: GridMesh, result: RefineResult, tmp_path: Path) -> None:
    files = write_mesh(tmp_path / f"mesh{suffix}", mesh, result.image_srgb)
    assert files[-1] == tmp_path / f"mesh{suffix}"
    assert sorted(files) == sorted(tmp_path.iterdir())
    read, expected = read_back(files[-1]), mesh.without_loose_vertices()
    np.testing.assert_array_equal(read.faces, expected.faces)
    np.testing.assert_allclose(read.vertices, expected.vertices, atol=1e-8)
    np.testing.assert_allclose(read.vertex_normals, expected.normals, atol=1e-6)


def test_stl_keeps_every_triangle(mesh: GridMesh, result: RefineResult, tmp_path: Path) -> None:
    (path,) = write_mesh(tmp_path / "mesh.STL", mesh, result.image_srgb)
    read = read_back(path)
    np.testing.assert_array_equal(triangles(read.vertices, read.faces), triangles(mesh.vertices, mesh.faces))


def test_glb_carries_the_picture_on_a_matt_double_sided_material(mesh: GridMesh, result: RefineResult, tmp_path: Path) -> None:
    (path,) = write_mesh(tmp_path / "mesh.glb", mesh, result.image_srgb)
    read = read_back(path)
    material = read.visual.material
    assert (material.metallicFactor, material.roughnessFactor, material.doubleSided, material.name) == (0.0, 1.0, True, "mesh")
    expected_uv = mesh.without_loose_vertices().uv
    np.testing.assert_allclose(read.visual.uv, expected_uv, atol=1e-6)
    texture = np.asarray(material.baseColorTexture.convert("RGB"))
    assert texture.shape == result.image_srgb.shape
    assert np.abs(picture_at(texture, read.visual.uv) - picture_at(result.image_srgb, expected_uv)).mean() < 3
    header, length = np.frombuffer(path.read_bytes()[:20], "<u4")[[0, 3]]
    assert header == 0x46546C67
    tree = json.loads(path.read_bytes()[20 : 20 + int(length)])
    assert tree["images"][0]["mimeType"] == "image/jpeg"
    assert tree["meshes"][0]["primitives"][0]["attributes"].keys() == {"POSITION", "NORMAL", "TEXCOORD_0"}


def test_glb_passes_the_khronos_validator(mesh: GridMesh, result: RefineResult, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not (VALIDATOR / "node_modules" / "gltf-validator").is_dir():
        pytest.skip(f"needs node and the npm package gltf-validator in {VALIDATOR}")
    (path,) = write_mesh(tmp_path / "mesh.glb", mesh, result.image_srgb)
    script = Path(__file__).with_name("validate_glb.mjs")
    run = subprocess.run([node, script, VALIDATOR, path], capture_output=True, text=True, timeout=60, check=True)
    report = json.loads(run.stdout)
    messages = [message for message in report["issues"]["messages"] if message["severity"] < 2]  # errors and warnings
    assert messages == []
    assert report["info"]["totalTriangleCount"] == len(mesh.faces)


def test_obj_names_its_files_after_the_mesh(mesh: GridMesh, result: RefineResult, tmp_path: Path) -> None:
    files = write_mesh(tmp_path / "my photo.obj", mesh, result.image_srgb)
    assert {path.name for path in files} == {"my photo.obj", "my_photo.mtl", "my_photo_texture.png"}
    words = (tmp_path / "my_photo.mtl").read_text().split("\n")
    assert "newmtl my_photo" in words
    assert "map_Kd my_photo_texture.png" in words
    assert "Kd 1.00000000 1.00000000 1.00000000" in words
    read = read_back(files[-1])
    np.testing.assert_array_equal(np.asarray(read.visual.material.image), result.image_srgb)
    np.testing.assert_allclose(read.visual.uv, mesh.without_loose_vertices().uv, atol=1e-7)


def test_ply_carries_the_colour_of_each_vertex(mesh: GridMesh, result: RefineResult, tmp_path: Path) -> None:
    (path,) = write_mesh(tmp_path / "mesh.ply", mesh, result.image_srgb)
    colours = read_back(path).visual.vertex_colors[:, :3]
    np.testing.assert_array_equal(colours, picture_at(result.image_srgb, mesh.without_loose_vertices().uv))


def test_textures_are_limited_to_what_graphics_cards_take(mesh: GridMesh, tmp_path: Path) -> None:
    assert texture_size_px(8192, 100) == (8192, 100)
    assert texture_size_px(6000, 16384) == (3000, 8192)
    assert texture_size_px(100_000, 2) == (8192, 1)
    write_mesh(tmp_path / "mesh.obj", mesh, np.zeros((4, 16384, 3), np.uint8))
    with Image.open(tmp_path / "mesh_texture.png") as texture:
        assert texture.size == (8192, 2)


def test_unknown_suffixes_and_empty_meshes_are_refused(mesh: GridMesh, result: RefineResult, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="mesh format") as caught:
        write_mesh(tmp_path / "mesh.fbx", mesh, result.image_srgb)
    assert ".glb" in caught.value.hint
    empty = GridMesh(mesh.vertices, mesh.faces[:0], mesh.uv, mesh.normals)
    with pytest.raises(OutputError, match="cut away") as caught:
        write_mesh(tmp_path / "mesh.glb", empty, result.image_srgb)
    assert "edge_cut" in caught.value.hint
    assert os.listdir(tmp_path) == []
