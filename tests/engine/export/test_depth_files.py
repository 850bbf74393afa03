from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from PIL import Image

from engine.api.errors import InputError
from engine.export.depth_files import DepthFile, encode_exr, encode_npy, encode_png16, png16_line, read_depth_file


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(0).uniform(1, 4, (19, 31)).astype(np.float32)


def written(path: Path, content: bytes | memoryview) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", ["depth", "disparity"])
def test_exr_comes_back_with_its_kind_and_fields(kind: str, values: np.ndarray, tmp_path: Path) -> None:
    fields = {"fov_deg": 55.0, "fov_source": "exif"}
    read = read_depth_file(written(tmp_path / "a.exr", encode_exr(DepthFile(values=values, kind=kind, fields=fields))))
    np.testing.assert_array_equal(read.values, values)
    assert (read.kind, read.fields, read.values.dtype) == (kind, fields, np.float32)


def test_exr_is_read_by_another_program(values: np.ndarray, tmp_path: Path) -> None:
    oiio = pytest.importorskip("OpenImageIO")
    path = written(tmp_path / "a.exr", encode_exr(DepthFile(values=values, kind="depth", fields={"fov_deg": 55.0, "near_far_ratio": 4.0})))
    picture = oiio.ImageBuf(str(path))
    spec = picture.spec()
    assert (spec.channelnames, spec.format, spec.width, spec.height) == (("Z",), oiio.FLOAT, 31, 19)
    assert spec.get_string_attribute("redepth:kind") == "depth"
    assert spec.get_float_attribute("redepth:fov_deg") == 55.0
    assert spec.get_float_attribute("redepth:near_far_ratio") == 4.0
    np.testing.assert_array_equal(picture.get_pixels(oiio.FLOAT)[..., 0], values)


def test_npy_keeps_every_bit(values: np.ndarray, tmp_path: Path) -> None:
    path = written(tmp_path / "a.npy", encode_npy(values))
    np.testing.assert_array_equal(np.load(path), values)
    read = read_depth_file(path)
    np.testing.assert_array_equal(read.values, values)
    assert read.kind == "unknown"


def test_png_is_inverted_to_within_half_a_level(values: np.ndarray, tmp_path: Path) -> None:
    path = written(tmp_path / "a.png", encode_png16(DepthFile(values=values, kind="depth", fields={"fov_deg": 55.5})))
    read = read_depth_file(path)
    step = (float(values.max()) - float(values.min())) / 65535
    assert np.abs(read.values - values).max() <= 0.51 * step + np.spacing(np.float32(4))
    assert (read.kind, read.fields) == ("depth", {"fov_deg": 55.5})
    with Image.open(path) as picture:
        levels = np.asarray(picture)
        scale, shift = float(picture.text["redepth:scale"]), float(picture.text["redepth:shift"])
    assert (levels.dtype, levels.min(), levels.max()) == (np.uint16, 0, 65535)
    assert (scale, shift) == png16_line(values) == (pytest.approx(step), values.min())


@pytest.mark.parametrize("level", [0.0, 1.0, -3e5])
def test_png_of_a_constant_map(level: float, tmp_path: Path) -> None:
    flat = np.full((3, 2), level, np.float32)
    np.testing.assert_array_equal(read_depth_file(written(tmp_path / "a.png", encode_png16(DepthFile(values=flat)))).values, flat)


def test_png_of_another_program_gives_its_levels(tmp_path: Path) -> None:
    levels = np.array([[0, 7], [300, 65535]], np.uint16)
    Image.fromarray(levels).save(tmp_path / "a.png")
    read = read_depth_file(tmp_path / "a.png")
    np.testing.assert_array_equal(read.values, levels)
    assert (read.kind, read.fields) == ("unknown", {})


@pytest.mark.parametrize(("order", "scale"), [("<f4", "-1.0"), (">f4", "1.0")])
def test_pfm_rows_run_upward(order: str, scale: str, tmp_path: Path) -> None:
    upward = np.array([[4, 5, 6], [1, 2, 3]], order)
    path = written(tmp_path / "a.pfm", f"Pf\n3 2\n{scale}\n".encode() + upward.tobytes())
    np.testing.assert_array_equal(read_depth_file(path).values, [[1, 2, 3], [4, 5, 6]])


def rgb_exr() -> bytes:
    file = io.BytesIO()
    OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}, {"RGB": np.zeros((2, 2, 3), np.float32)}).write(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b"words"),
        ("a.npy", b"junk"),
        ("a.npy", bytes(encode_npy(np.zeros((2, 2, 2))))),
        ("a.npy", bytes(encode_npy(np.array([["a"]])))),
        ("a.npy", bytes(encode_npy(np.zeros((9, 9))))[:-8]),
        ("a.exr", b"junk"),
        ("a.exr", bytes(encode_exr(DepthFile(values=np.ones((9, 9), np.float32), kind="depth")))[:-40]),
        ("a.exr", rgb_exr()),
        ("a.png", b"junk"),
        ("a.png", bytes(encode_png16(DepthFile(values=np.random.default_rng(0).random((99, 99)))))[:-4000]),
        ("a.pfm", b"PF\n1 1\n-1\n" + bytes(12)),
        ("a.pfm", b"Pf\n2 2\n-1\n" + bytes(12)),
        ("a.pfm", b""),
    ],
)
def test_files_that_are_no_depth_are_refused_in_words(name: str, content: bytes, tmp_path: Path) -> None:
    path = written(tmp_path / name, content)
    with pytest.raises(InputError, match=r"a\.\w+") as caught:
        read_depth_file(path)
    assert caught.value.code == "input.depth_file"


def test_colour_pictures_and_missing_files_are_refused(tmp_path: Path) -> None:
    Image.new("RGB", (2, 2)).save(tmp_path / "colour.png")
    with pytest.raises(InputError, match="RGB"):
        read_depth_file(tmp_path / "colour.png")
    with pytest.raises(InputError, match=r"gone\.exr"):
        read_depth_file(tmp_path / "gone.exr")
