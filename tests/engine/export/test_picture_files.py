from __future__ import annotations

import io

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from engine.export.picture_files import encode_normals_exr, encode_normals_png, encode_png


@pytest.fixture
def normals() -> np.ndarray:
    vectors = np.random.default_rng(0).normal(size=(5, 7, 3)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_a_png_is_the_picture(normals: np.ndarray) -> None:
    picture = Image.fromarray(np.arange(60, dtype=np.uint8).reshape(4, 5, 3))
    assert Image.open(io.BytesIO(encode_png(picture))).tobytes() == picture.tobytes()


def test_normals_as_png_are_within_half_a_level(normals: np.ndarray) -> None:
    read = np.asarray(Image.open(io.BytesIO(encode_normals_png(normals)))) / 127.5 - 1
    assert np.abs(read - normals).max() <= 0.5 / 127.5 + 1e-6


def test_normals_as_exr_are_exact_and_say_what_they_are(normals: np.ndarray) -> None:
    file = OpenEXR.File(io.BytesIO(bytes(encode_normals_exr(normals, {"fov_deg": 50.0}))), separate_channels=True)
    for axis, name in enumerate(("N.X", "N.Y", "N.Z")):
        np.testing.assert_array_equal(file.channels()[name].pixels, normals[..., axis])
    assert file.header()["redepth:kind"] == "normals"
    assert file.header()["redepth:fov_deg"] == 50.0
