"""Files of every bad kind: each is refused in a sentence with what to do next, and what was shown before stays."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from desktop.app import Viewer

pytestmark = pytest.mark.gui

Open = Callable[..., None]


def cut_jpeg(folder: Path, picture: Path) -> Path:
    path = folder / "cut.jpg"
    path.write_bytes(picture.read_bytes()[:900])
    return path


def no_picture(folder: Path, picture: Path) -> Path:
    path = folder / "words.png"
    path.write_text("this is no picture", encoding="utf-8")
    return path


def empty_file(folder: Path, picture: Path) -> Path:
    path = folder / "empty.exr"
    path.write_bytes(b"")
    return path


def three_dimensional(folder: Path, picture: Path) -> Path:
    path = folder / "cube.npy"
    np.save(path, np.zeros((4, 4, 4), np.float32))
    return path


def all_holes(folder: Path, picture: Path) -> Path:
    path = folder / "holes.npy"
    np.save(path, np.full((8, 8), np.nan, np.float32))
    return path


def pickled(folder: Path, picture: Path) -> Path:
    path = folder / "objects.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": (1,)})
        file.write(b"cos\nsystem\n.")
    return path


def short_pfm(folder: Path, picture: Path) -> Path:
    path = folder / "short.pfm"
    path.write_bytes(b"Pf\n10 10\n-1.0\n" + struct.pack("<3f", 1, 2, 3))
    return path


def unknown_kind(folder: Path, picture: Path) -> Path:
    path = folder / "model.blend"
    path.write_bytes(b"BLENDER")
    return path


def missing(folder: Path, picture: Path) -> Path:
    return folder / "gone.jpg"


def empty_folder(folder: Path, picture: Path) -> Path:
    (folder / "nothing").mkdir()
    return folder / "nothing"


def spoilt_result(folder: Path, picture: Path) -> Path:
    (folder / "spoilt").mkdir()
    (folder / "spoilt" / "result.json").write_text(json.dumps({"format": "redepth.result", "format_version": 1}), encoding="utf-8")
    return folder / "spoilt"


@pytest.mark.parametrize(
    "make",
    [
        cut_jpeg,
        no_picture,
        empty_file,
        three_dimensional,
        all_holes,
        pickled,
        short_pfm,
        unknown_kind,
        missing,
        empty_folder,
        spoilt_result,
    ],
)
def test_a_bad_file_is_refused_in_words_and_what_was_shown_stays(
    viewer: Viewer, picture: Path, tmp_path: Path, open_in: Open, make: Callable[[Path, Path], Path]
) -> None:
    open_in(viewer, picture)
    open_in(viewer, make(tmp_path, picture))
    error = viewer.window.message.error
    assert error is not None
    assert error.code.startswith(("input", "picture"))
    assert error.hint
    assert viewer.session.picture == picture


def test_maps_of_another_frame_are_not_compared(viewer: Viewer, tmp_path: Path, open_in: Open) -> None:
    np.save(tmp_path / "wide.npy", np.random.default_rng(0).random((20, 40), np.float32))
    np.save(tmp_path / "high.npy", np.random.default_rng(0).random((40, 20), np.float32))
    open_in(viewer, tmp_path / "wide.npy", tmp_path / "high.npy")
    assert "do not show the same frame" in viewer.window.message.text
