from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.api.errors import InputError
from engine.api.result import RefineResult
from engine.api.settings import MeshSettings
from engine.export.folder import write_result_folder
from engine.export.read_folder import is_result_folder, read_result_folder

SETTINGS = MeshSettings(long_side_vertices=24, edge_cut=0)


def test_what_was_written_is_read(result: RefineResult, tmp_path: Path) -> None:
    kept = np.linspace(0, 1, result.disparity_base.size, dtype=np.float32).reshape(result.disparity_base.shape)
    write_result_folder(replace(result, kept=kept), tmp_path, SETTINGS)
    read = read_result_folder(tmp_path)
    for name in ("disparity_base", "disparity_refined", "uncertainty"):
        np.testing.assert_array_equal(getattr(read, name), getattr(result, name), strict=True)
    assert read.kept is not None
    np.testing.assert_array_equal(read.kept, kept, strict=True)
    assert (read.fov_deg, read.fov_source, read.provenance) == (result.fov_deg, result.fov_source, result.provenance)
    difference = read.image_srgb.astype(int) - result.image_srgb
    assert np.abs(difference).mean() < 3  # the texture is a JPEG


def test_without_a_gate_there_is_no_map_of_it(result: RefineResult, tmp_path: Path) -> None:
    write_result_folder(result, tmp_path, SETTINGS)
    assert is_result_folder(tmp_path)
    assert read_result_folder(tmp_path).kept is None


def remove_sidecar(folder: Path) -> None:
    (folder / "result.json").unlink()


def write_another_sidecar(folder: Path) -> None:
    (folder / "result.json").write_text('{"a": 1}', encoding="utf-8")


def raise_the_version(folder: Path) -> None:
    facts = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    (folder / "result.json").write_text(json.dumps(facts | {"format_version": 99}), encoding="utf-8")


def remove_a_map(folder: Path) -> None:
    (folder / "uncertainty.npy").unlink()


def change_a_maps_size(folder: Path) -> None:
    np.save(folder / "disparity_base.npy", np.ones((3, 4), np.float32))


def cut_the_mesh(folder: Path) -> None:
    (folder / "mesh.glb").write_bytes((folder / "mesh.glb").read_bytes()[:700])


def empty_the_mesh(folder: Path) -> None:
    (folder / "mesh.glb").write_bytes(b"")


@pytest.mark.parametrize(
    "spoil", [remove_sidecar, write_another_sidecar, raise_the_version, remove_a_map, change_a_maps_size, cut_the_mesh, empty_the_mesh]
)
def test_a_spoilt_folder_is_refused_in_words(result: RefineResult, tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    write_result_folder(result, tmp_path, SETTINGS)
    spoil(tmp_path)
    with pytest.raises(InputError) as caught:
        read_result_folder(tmp_path)
    assert caught.value.code in ("input.result_folder", "input.depth_file")
    assert caught.value.hint
