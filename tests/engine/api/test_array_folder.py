"""Folders of arrays are there whole or not at all, and say when they are damaged."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.api.array_folder import read_array_folder, replace_array, write_array_folder
from engine.api.disk import is_whole, remove_parts
from engine.api.errors import DamagedFolderError, OutputError
from engine.api.result import RefineResult
from engine.api.result_folder import read_result, write_result

ARRAYS = {"depth": np.arange(12, dtype=np.float32).reshape(3, 4), "mask": np.eye(3, dtype=bool), "turned": np.arange(6).reshape(2, 3).T}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_array_folder(tmp_path / "arrays", ARRAYS, {"steps": 3})
    return tmp_path / "arrays"


def test_arrays_and_facts_come_back_equal_and_read_only(folder: Path) -> None:
    arrays, facts = read_array_folder(folder, check_digests=True)
    assert facts == {"steps": 3}
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array, strict=True)
        np.testing.assert_array_equal(np.load(folder / f"{name}.npy"), array, strict=True)
        assert not arrays[name].flags.writeable
    assert is_whole(folder)


def test_a_second_writing_takes_the_place_of_the_first(folder: Path) -> None:
    write_array_folder(folder, {"depth": np.zeros(2)}, {})
    assert {path.name for path in folder.iterdir()} == {"depth.npy", "facts.json"}
    assert [path.name for path in folder.parent.iterdir()] == ["arrays"]


@pytest.mark.parametrize("size", [0, 10, 129])
def test_a_shortened_file_is_noticed_by_its_size(folder: Path, size: int) -> None:
    (folder / "depth.npy").write_bytes((folder / "depth.npy").read_bytes()[:size])
    assert not is_whole(folder)
    with pytest.raises(DamagedFolderError):
        read_array_folder(folder)


def test_a_changed_byte_is_noticed_by_its_digest(folder: Path) -> None:
    content = bytearray((folder / "depth.npy").read_bytes())
    content[-1] ^= 1
    (folder / "depth.npy").write_bytes(content)
    read_array_folder(folder)
    with pytest.raises(DamagedFolderError):
        read_array_folder(folder, check_digests=True)


@pytest.mark.parametrize("facts", [b"", b"{", b"[]", b"{}", b'{"files": 3}', b'{"files": {"depth": {}}}', b"\xff"])
def test_facts_that_make_no_sense_are_noticed(folder: Path, facts: bytes) -> None:
    (folder / "facts.json").write_bytes(facts)
    assert not is_whole(folder)
    with pytest.raises(DamagedFolderError):
        read_array_folder(folder)


def test_a_full_disk_leaves_the_older_folder_as_it_was(folder: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        for write in (lambda: write_array_folder(folder, {"depth": np.zeros(9999)}, {}), lambda: replace_array(folder / "p.npy", np.zeros(9999))):
            with pytest.raises(OutputError) as caught:
                write()
            assert caught.value.code == "output.disk_full"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert read_array_folder(folder, check_digests=True)[1] == {"steps": 3}
    assert not list(folder.parent.rglob("*.part"))


def test_what_a_crash_left_is_removed(folder: Path) -> None:
    (folder.parent / "arrays.1234.part").mkdir()
    (folder.parent / "preview.npy.1234.part").write_bytes(b"half")
    remove_parts(folder.parent)
    assert list(folder.parent.iterdir()) == [folder]


def result(**changes: Any) -> RefineResult:
    maps = {name: np.full((2, 3), number, np.float32) for number, name in enumerate(("disparity_base", "disparity_refined", "uncertainty"))}
    fields = {"image_srgb": np.zeros((2, 3, 3), np.uint8), **maps, "fov_deg": 55.0, "fov_source": "exif", "provenance": {"complete": True}}
    return RefineResult(**(fields | changes))


def test_a_result_comes_back_equal(tmp_path: Path) -> None:
    write_result(tmp_path / "result", result())
    back = read_result(tmp_path / "result")
    assert (back.fov_deg, back.fov_source, back.provenance, back.size_px) == (55.0, "exif", {"complete": True}, (3, 2))
    for name in ("image_srgb", "disparity_base", "disparity_refined", "uncertainty"):
        np.testing.assert_array_equal(getattr(back, name), getattr(result(), name), strict=True)


def test_what_the_gate_kept_comes_back_from_a_file_of_its_own(tmp_path: Path) -> None:
    kept = np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3)
    write_result(tmp_path / "result", result(kept=kept))
    np.testing.assert_array_equal(np.load(tmp_path / "result" / "gate.npy"), kept, strict=True)
    back = read_result(tmp_path / "result").kept
    assert back is not None
    np.testing.assert_array_equal(back, kept, strict=True)


def test_a_result_without_the_gates_file_is_read_as_ungated(tmp_path: Path) -> None:
    write_result(tmp_path / "result", result())
    assert not (tmp_path / "result" / "gate.npy").exists()
    assert read_result(tmp_path / "result").kept is None


@pytest.mark.parametrize(
    "changes",
    [
        {"uncertainty": np.zeros((3, 2), np.float32)},
        {"disparity_base": np.zeros((2, 3))},
        {"image_srgb": np.zeros(3)},
        {"kept": np.zeros((3, 2), np.float32)},
        {"kept": np.zeros((2, 3))},
    ],
)
def test_arrays_that_do_not_fit_together_are_no_result(tmp_path: Path, changes: dict[str, Any]) -> None:
    write_result(tmp_path / "result", result(**changes))
    with pytest.raises(DamagedFolderError):
        read_result(tmp_path / "result")


def test_a_folder_of_other_arrays_is_no_result(folder: Path) -> None:
    with pytest.raises(DamagedFolderError):
        read_result(folder)
