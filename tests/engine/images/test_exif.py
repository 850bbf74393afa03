"""Orientation and angle of view, from EXIF in every kind of file that carries it."""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from engine.images.load import load_picture
from tests.engine.images.picture_files import codes, gradient, png_chunk, saved


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif", "deep.png", "deep.tif"])
def test_exif_rotation_is_applied(tmp_path, kind, orientation):
    path = tmp_path / f"a.{kind}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    if kind == "deep.tif":
        tifffile.imwrite(path, gradient(np.uint16), photometric="rgb", extratags=[(274, "H", 1, orientation, True)])
    elif kind == "deep.png":
        plain = imagecodecs.png_encode(gradient(np.uint16))
        path.write_bytes(plain[:33] + png_chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")) + plain[33:])
    else:
        saved(tmp_path, path.name, exif=exif, **{"jpg": {"quality": 98, "subsampling": 0}, "webp": {"lossless": True}}.get(kind, {}))
    expected = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
        8: np.rot90,
    }[orientation](gradient() / 255.0)
    picture = load_picture(path)
    np.testing.assert_allclose(picture.image_srgb, expected, atol=5 / 255)
    assert picture.image_srgb.flags.c_contiguous


def lens_exif(**fields):
    exif = Image.Exif()
    tags = {"film": 0xA405, "focal": 0x920A, "resolution": 0xA20E, "unit": 0xA210, "width": 0xA002, "height": 0xA003}
    exif.get_ifd(0x8769).update({tags[name]: value for name, value in fields.items()})
    return exif


@pytest.mark.parametrize(
    ("size", "fields", "fov_deg"),
    [
        ((60, 40), {"film": 50}, 39.5978),  # 2 atan(18 / 50)
        ((40, 60), {"film": 50}, 39.5978),
        ((64, 48), {"film": 28}, 63.4396),  # 4:3: the diagonal of 43.27 mm gives a long side of 34.61 mm
        ((60, 40), {"focal": 10.0, "resolution": 25.4, "unit": 4, "width": 600, "height": 400}, 99.4930),  # 23.622 mm at 10 mm
        ((60, 40), {"focal": 10.0, "resolution": 600.0, "width": 600, "height": 400}, 103.5654),  # inches: 25.4 mm
        ((60, 40), {"focal": 35.0, "resolution": 60 / 3.6, "unit": 3}, 54.4322),  # 36 mm, by the file's own pixels
        ((60, 40), {"film": 0, "focal": 18.0, "resolution": 60 / 3.6, "unit": 3}, 90.0),
        ((60, 40), {"focal": 18.0}, None),
        ((60, 40), {"focal": 18.0, "resolution": 0.001, "unit": 3}, None),
        ((60, 40), {"film": 0}, None),
    ],
)
def test_angle_of_view_from_exif(tmp_path, size, fields, fov_deg):
    picture = load_picture(saved(tmp_path, "a.jpg", Image.new("RGB", size), exif=lens_exif(**fields)))
    assert picture.fov_deg == (None if fov_deg is None else pytest.approx(fov_deg, abs=2e-3))
    assert picture.notices == ()


@pytest.mark.parametrize("film", [1, 60000])
def test_an_absurd_focal_length_is_told_and_not_used(tmp_path, film):
    picture = load_picture(saved(tmp_path, "a.jpg", exif=lens_exif(film=film)))
    assert picture.fov_deg is None and codes(picture) == {"picture.focal_ignored"}


def test_angle_of_view_of_deep_files(tmp_path):
    stored = np.zeros((40, 60, 3), np.uint16)
    plain = imagecodecs.png_encode(stored)
    (tmp_path / "a.png").write_bytes(plain[:33] + png_chunk(b"eXIf", lens_exif(film=50).tobytes().removeprefix(b"Exif\0\0")) + plain[33:])
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stored, photometric="rgb", byteorder="<", extratags=[(65000, "I", 1, 0, True)])
    content = path.read_bytes()
    pointer = struct.pack("<HHII", 0x8769, 4, 1, len(content))  # in place of the private tag, which tifffile would not let us name so
    focal_directory = struct.pack("<HHHIII", 1, 0xA405, 3, 1, 50, 0)
    path.write_bytes(content.replace(struct.pack("<HHII", 65000, 4, 1, 0), pointer) + focal_directory)
    for name in ("a.png", "a.tif"):
        assert load_picture(tmp_path / name).fov_deg == pytest.approx(39.5978, abs=1e-3), name
