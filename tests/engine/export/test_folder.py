from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from engine.api.errors import OutputError
from engine.api.result import RefineResult
from engine.api.settings import MeshSettings
from engine.export.depth_files import read_depth_file
from engine.export.folder import write_result_folder
from engine.geometry.camera import Camera
from engine.geometry.disparity import depth_from_disparity

SETTINGS = MeshSettings(long_side_vertices=24, edge_cut=3.0, near_far_ratio=5.0)
NAMES = {
    "comparison.png",
    "disparity_base.npy",
    "disparity_refined.npy",
    "uncertainty.npy",
    "depth_refined.exr",
    "depth_refined.png",
    "normals.png",
    "mesh.glb",
    "result.json",
}


def refuse_constant(name: str) -> None:
    raise ValueError(name)


def test_all_files_are_there_and_the_sidecar_is_last(result: RefineResult, tmp_path: Path) -> None:
    paths = write_result_folder(result, tmp_path / "new" / "folder", SETTINGS)
    assert {path.name for path in paths} == set(os.listdir(tmp_path / "new" / "folder")) == NAMES
    assert paths[-1].name == "result.json"
    facts = json.loads(paths[-1].read_text(encoding="utf-8"), parse_constant=refuse_constant)
    assert facts["provenance"] == result.provenance


def test_the_gates_map_is_a_file_of_its_own_and_an_older_one_does_not_stay(result: RefineResult, tmp_path: Path) -> None:
    kept = np.linspace(0, 1, result.disparity_base.size, dtype=np.float32).reshape(result.disparity_base.shape)
    write_result_folder(replace(result, kept=kept), tmp_path, SETTINGS)
    assert set(os.listdir(tmp_path)) == NAMES | {"gate.npy"}
    np.testing.assert_array_equal(np.load(tmp_path / "gate.npy"), kept, strict=True)
    write_result_folder(result, tmp_path, SETTINGS)
    assert set(os.listdir(tmp_path)) == NAMES


def test_arrays_and_pictures_have_the_pictures_size(result: RefineResult, tmp_path: Path) -> None:
    write_result_folder(result, tmp_path, SETTINGS)
    for name in ("disparity_base", "disparity_refined", "uncertainty"):
        values = np.load(tmp_path / f"{name}.npy")
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, getattr(result, name))
    with Image.open(tmp_path / "normals.png") as normals:
        assert (normals.mode, normals.size) == ("RGB", (48, 36))


def test_depth_files_and_mesh_are_one_depth(result: RefineResult, tmp_path: Path) -> None:
    write_result_folder(result, tmp_path, SETTINGS)
    depth = read_depth_file(tmp_path / "depth_refined.exr")
    np.testing.assert_array_equal(depth.values, depth_from_disparity(result.disparity_refined, 5.0))
    assert (depth.kind, depth.fields) == ("depth", {"near_far_ratio": 5.0, "fov_deg": 50.0, "fov_source": "exif"})
    png = read_depth_file(tmp_path / "depth_refined.png").values
    assert np.abs(png - depth.values).max() <= 0.51 * 4 / 65535 + 1e-6

    facts = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    vertices = trimesh.load_mesh(tmp_path / "mesh.glb", process=False).vertices
    assert len(vertices) == facts["mesh"]["vertices"]
    pixels = Camera(48, 36, facts["camera"]["fov_deg"]).project(np.asarray(vertices))
    columns, rows = np.rint(pixels - 0.5).astype(int).T
    np.testing.assert_allclose(pixels, np.stack([columns, rows], axis=-1) + 0.5, atol=1e-4)
    np.testing.assert_array_equal(-vertices[:, 2].astype(np.float32), depth.values[rows, columns])


def test_an_angle_that_was_asked_for_reaches_every_file(result: RefineResult, tmp_path: Path) -> None:
    write_result_folder(result, tmp_path, MeshSettings(fov_deg=90.0, long_side_vertices=24))
    fields = read_depth_file(tmp_path / "depth_refined.exr").fields
    camera = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["camera"]
    assert (fields["fov_deg"], fields["fov_source"]) == (camera["fov_deg"], camera["fov_source"]) == (90.0, "option")
    vertices = trimesh.load_mesh(tmp_path / "mesh.glb", process=False).vertices
    assert np.abs(vertices[:, 0] / vertices[:, 2]).max() == pytest.approx(47 / 48, abs=1e-6)


def test_the_same_result_gives_the_same_bytes(result: RefineResult, tmp_path: Path) -> None:
    first, second = (write_result_folder(result, tmp_path / name, SETTINGS) for name in "ab")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_a_disk_that_fills_up_leaves_whole_files_and_no_sidecar(result: RefineResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_result_folder(result, tmp_path, SETTINGS)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    replace = os.replace

    def full_at_the_mesh(source: Path, target: Path) -> None:
        if Path(target).name == "mesh.glb":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)

    monkeypatch.setattr(os, "replace", full_at_the_mesh)
    with pytest.raises(OutputError, match="disk is full"):
        write_result_folder(result, tmp_path, SETTINGS)
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert after == {name: content for name, content in before.items() if name != "result.json"}


def test_an_unwritable_folder_fails_before_any_work(result: RefineResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setattr("engine.export.folder.depth_from_disparity", lambda *arguments: pytest.fail("work began"))
    with pytest.raises(OutputError, match="not a folder"):
        write_result_folder(result, tmp_path / "file", SETTINGS)


def test_a_cut_that_leaves_no_face_keeps_the_arrays(result_of: Callable[..., RefineResult], tmp_path: Path) -> None:
    noise = np.random.default_rng(0).random((36, 48), dtype=np.float32)
    with pytest.raises(OutputError, match="cut away"):
        write_result_folder(result_of(disparity_refined=noise), tmp_path, MeshSettings(edge_cut=1e-9))
    assert NAMES - set(os.listdir(tmp_path)) == {"mesh.glb", "result.json"}
