"""Manifests: what is read, and one sentence for each fault."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.api.errors import ManifestError
from engine.evaluation.manifest import read_manifest


class Faulty:
    """Something that only a pickle could hold."""


@pytest.fixture
def entry(tmp_path: Path) -> dict[str, Any]:
    """A right entry, its files in place."""
    (tmp_path / "cup.png").write_bytes(b"not looked at here")
    np.savez(tmp_path / "cup.npz", gt=np.array([[0.0, 1.0, 2.0], [4.0, 0.0, 8.0]], np.float32))
    return {"id": "cup", "image": "cup.png", "ground_truth": "cup.npz", "kind": "depth_m", "licence": "CC0"}


def write(folder: Path, value: Any) -> Path:
    path = folder / "manifest.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def test_depth_in_metres_is_read_as_it_is(tmp_path: Path, entry: dict[str, Any]) -> None:
    (read,) = read_manifest(write(tmp_path, [entry]))
    truth = read.load_truth()
    assert (read.name, read.image_path, read.kind) == ("cup", tmp_path / "cup.png", "depth_m")
    assert truth.size_px == (3, 2)
    np.testing.assert_array_equal(truth.depth, [[0, 1, 2], [4, 0, 8]])
    np.testing.assert_array_equal(truth.valid, [[False, True, True], [True, False, True]])


def test_disparity_becomes_depth_in_medians(tmp_path: Path, entry: dict[str, Any]) -> None:
    (read,) = read_manifest(write(tmp_path, [entry | {"kind": "disparity"}]))
    depth = read.load_truth().depth  # 1, 1/2, 1/4, 1/8 over their median 3/8
    np.testing.assert_allclose(depth, np.array([[0, 1, 1 / 2], [1 / 4, 0, 1 / 8]]) / (3 / 8), rtol=1e-12)


def test_whole_numbers_are_read(tmp_path: Path, entry: dict[str, Any]) -> None:
    np.savez(tmp_path / "cup.npz", gt=np.array([[0, 3]], np.uint16))
    np.testing.assert_array_equal(read_manifest(write(tmp_path, [entry]))[0].load_truth().depth, [[0.0, 3.0]])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": ""}, "number 1: it has no 'id'"),
        ({"id": None}, "number 1: it has no 'id'"),
        ({"image": None}, "it has no 'image'"),
        ({"ground_truth": ""}, "it has no 'ground_truth'"),
        ({"image": "gone.png"}, "gone.png, which is not a file"),
        ({"ground_truth": "gone.npz"}, "gone.npz, which is not a file"),
        ({"kind": "height"}, "'kind' is 'height'"),
        ({"kind": None}, "'kind' is None"),
        ({"invalid": -1}, "'invalid' is -1"),
        ({"size": [2, 3]}, "3x2 px, but 'size' says 2x3"),
        ({"size": [3, 0]}, "not [width, height]"),
        ({"size": "3x2"}, "not [width, height]"),
    ],
)
def test_faulty_entries(tmp_path: Path, entry: dict[str, Any], change: dict[str, Any], said: str) -> None:
    with pytest.raises(ManifestError) as caught:
        read_manifest(write(tmp_path, [entry | change]))
    assert said in caught.value.sentence
    assert caught.value.hint


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((4, 5)), "no valid pixel"),
        (np.ones((4, 5, 3)), "shape (4, 5, 3), not an (h, w) map"),
        (np.ones((4, 5), complex), "complex128"),
        (np.ones((4, 5), bool), "bool"),
        (np.array([[1.0, np.nan]]), "not finite"),
        (np.array([[1.0, np.inf]]), "not finite"),
        (np.array([[1.0, -2.0]]), "negative"),
        (np.array([[Faulty(), 1]], dtype=object), "cannot be read as plain arrays"),
    ],
)
def test_faulty_truth(tmp_path: Path, entry: dict[str, Any], array: np.ndarray, said: str) -> None:
    np.savez(tmp_path / "cup.npz", gt=array)
    with pytest.raises(ManifestError) as caught:
        read_manifest(write(tmp_path, [entry]))
    assert said in caught.value.sentence
    assert "cup" in caught.value.sentence


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 broken"])
def test_truth_that_is_no_archive(tmp_path: Path, entry: dict[str, Any], content: bytes) -> None:
    (tmp_path / "cup.npz").write_bytes(content)
    with pytest.raises(ManifestError, match="cannot be read as plain arrays"):
        read_manifest(write(tmp_path, [entry]))


def test_damaged_archive(tmp_path: Path, entry: dict[str, Any]) -> None:
    np.savez_compressed(tmp_path / "cup.npz", gt=np.random.default_rng(0).random((64, 64)))
    content = bytearray((tmp_path / "cup.npz").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    (tmp_path / "cup.npz").write_bytes(content)
    with pytest.raises(ManifestError, match="cannot be read as plain arrays"):
        read_manifest(write(tmp_path, [entry]))


def test_truth_of_another_name_or_a_single_array(tmp_path: Path, entry: dict[str, Any]) -> None:
    np.savez(tmp_path / "cup.npz", depth=np.ones((2, 3)))
    with pytest.raises(ManifestError, match="holds no array 'gt'"):
        read_manifest(write(tmp_path, [entry]))
    with (tmp_path / "cup.npz").open("wb") as file:
        np.save(file, np.ones((2, 3)))
    with pytest.raises(ManifestError, match="single array"):
        read_manifest(write(tmp_path, [entry]))


@pytest.mark.parametrize(
    ("content", "said"), [("{", "is not JSON"), ("[]", "not a list with entries"), ('{"id": 1}', "not a list"), ("[3]", "not a JSON object")]
)
def test_faulty_manifest(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(ManifestError, match=said):
        read_manifest(write(tmp_path, content))


def test_manifest_that_is_missing_a_folder_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="There is no manifest"):
        read_manifest(tmp_path / "gone.json")
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(tmp_path)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00[")
    with pytest.raises(ManifestError, match="is not JSON"):
        read_manifest(tmp_path / "bytes.json")


def test_ids_are_used_once(tmp_path: Path, entry: dict[str, Any]) -> None:
    with pytest.raises(ManifestError, match="more than once"):
        read_manifest(write(tmp_path, [entry, entry]))


def test_framing(tmp_path: Path, entry: dict[str, Any]) -> None:
    (read,) = read_manifest(write(tmp_path, [entry]))
    read.check_framing((300, 200))
    read.check_framing((303, 200))
    for size_px in [(200, 300), (310, 200)]:
        with pytest.raises(ManifestError, match="do not show the same frame"):
            read.check_framing(size_px)
