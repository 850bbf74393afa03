"""Profiles, inks, linear light and transparency, against published conversions."""

from __future__ import annotations

import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from engine.images.load import load_picture
from tests.engine.images.picture_files import SIZE, codes, gradient, png_chunk, refusal, saved


def test_cmyk_without_profile_is_converted_and_told(tmp_path):
    inks = np.zeros((24, 40, 4), np.uint8)
    inks[:, :20] = (255, 0, 0, 0)
    inks[:, 20:] = (0, 0, 0, 102)
    for name, options in (("a.jpg", {"quality": 100}), ("a.tif", {})):
        picture = load_picture(saved(tmp_path, name, Image.fromarray(inks, "CMYK"), **options))
        np.testing.assert_allclose(picture.image_srgb[12, 5], (0.0, 1.0, 1.0), atol=0.02)
        np.testing.assert_allclose(picture.image_srgb[12, 35], 0.6, atol=0.02)
        assert codes(picture) == {"picture.cmyk_without_profile"}
    tifffile.imwrite(tmp_path / "deep.tif", inks.astype(np.uint16) * 257, photometric="separated")
    np.testing.assert_allclose(load_picture(tmp_path / "deep.tif").image_srgb[12, 35], 0.6, atol=1e-6)


# --- transparency


def test_transparent_parts_lie_over_white(tmp_path):
    stored = np.full((24, 40, 4), (255, 0, 0, 255), np.uint8)
    stored[:, 10:20, 3], stored[:, 20:, 3] = 102, 0
    for name, options in (("a.png", {}), ("a.webp", {"lossless": True, "exact": True}), ("a.tif", {})):
        picture = load_picture(saved(tmp_path, name, Image.fromarray(stored), **options))
        np.testing.assert_allclose(picture.image_srgb[5, [5, 15, 30]], [(1, 0, 0), (1, 0.6, 0.6), (1, 1, 1)], atol=1e-6)
        assert codes(picture) == {"picture.over_white"}


def test_premultiplied_alpha_is_undone_first(tmp_path):
    stored = np.full((24, 40, 4), (0.1, 0.1, 0.1, 0.5), np.float32)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", extrasamples=["assocalpha"])
    grey = 1.055 * 0.2 ** (1 / 2.4) - 0.055
    np.testing.assert_allclose(load_picture(tmp_path / "a.tif").image_srgb, 0.5 * grey + 0.5, atol=1e-5)


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_a_transparent_colour_counts_as_transparency(tmp_path, mode):
    colour = {"P": 1, "L": 90, "RGB": (9, 8, 7)}[mode]
    image = Image.new(mode, SIZE, colour)
    if mode == "P":
        image.putpalette([0, 0, 0, 255, 0, 0])
    picture = load_picture(saved(tmp_path, "a.png", image, transparency=colour))
    assert codes(picture) == {"picture.over_white"} and (picture.image_srgb == 1.0).all()


# --- colour profiles


def wide_profile():
    """Return a profile with the primaries and white of Display P3 and a plain gamma of 2.2."""
    primaries = [0.680, 0.320, 1.0, 0.265, 0.690, 1.0, 0.150, 0.060, 1.0]
    return imagecodecs.cms_profile("rgb", whitepoint=[0.3127, 0.3290, 1.0], primaries=primaries, gamma=2.2)


def srgb_profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def p3_in_srgb(encoded):
    """Return Display-P3-like colours in sRGB by the published matrix (Bradford is not needed: both whites are D65)."""
    matrix = np.array([[1.22494, -0.22494, 0.0], [-0.04206, 1.04206, 0.0], [-0.01964, -0.07864, 1.09828]])
    linear = (encoded**2.2) @ matrix.T
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055).clip(0, 1)


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif", "deep.png", "deep.tif", "float.tif"])
def test_a_wide_profile_is_converted_to_srgb(tmp_path, kind):
    path, colour = tmp_path / f"a.{kind}", np.array([0.8, 0.35, 0.3])
    if kind == "deep.tif":
        tifffile.imwrite(path, np.full((24, 40, 3), colour * 65535).astype(np.uint16), photometric="rgb", iccprofile=wide_profile())
    elif kind == "float.tif":
        tifffile.imwrite(path, np.full((24, 40, 3), colour, np.float32), photometric="rgb", iccprofile=wide_profile())
    elif kind == "deep.png":
        plain = imagecodecs.png_encode(np.full((24, 40, 3), colour * 65535).astype(np.uint16))
        path.write_bytes(plain[:33] + png_chunk(b"iCCP", b"wide\0\0" + zlib.compress(wide_profile())) + plain[33:])
    else:
        options = {"jpg": {"quality": 100}, "webp": {"lossless": True}}.get(kind, {})
        saved(tmp_path, path.name, Image.new("RGB", SIZE, tuple(round(c * 255) for c in colour)), icc_profile=wide_profile(), **options)
    picture = load_picture(path)
    assert picture.notices == ()
    np.testing.assert_allclose(picture.image_srgb[3, 4], p3_in_srgb(colour), atol=0.01 if kind in ("jpg", "webp", "png", "tif") else 1e-3)
    assert abs(p3_in_srgb(colour) - colour).max() > 0.05  # so that no conversion at all would fail


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.uint8, 2e-3), (np.uint16, 6e-4)])
def test_profiles_are_followed_over_the_whole_cube(tmp_path, dtype, tolerance):
    colour = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (24, 40, 3), dtype=dtype, endpoint=True)
    tifffile.imwrite(tmp_path / "a.tif", colour, photometric="rgb", iccprofile=wide_profile())
    expected = p3_in_srgb(colour / np.iinfo(dtype).max)
    np.testing.assert_allclose(load_picture(tmp_path / "a.tif").image_srgb, expected, atol=tolerance)


def test_sixteen_bits_stay_sixteen_through_a_profile(tmp_path):
    ramp = np.repeat(np.linspace(20000, 21000, 960).astype(np.uint16).reshape(24, 40, 1), 3, axis=2)
    tifffile.imwrite(tmp_path / "a.tif", ramp, photometric="rgb", iccprofile=wide_profile())
    assert len(np.unique(load_picture(tmp_path / "a.tif").image_srgb[:, :, 1])) > 900


def test_an_srgb_profile_changes_nothing(tmp_path):
    picture = load_picture(saved(tmp_path, "a.png", icc_profile=srgb_profile()))
    np.testing.assert_allclose(picture.image_srgb, gradient() / 255.0, atol=1e-6)


def test_grey_profiles(tmp_path):
    image = Image.fromarray(gradient()[:, :, 0])
    grey = load_picture(saved(tmp_path, "gray.png", image, icc_profile=imagecodecs.cms_profile("gray", gamma=1.0)))
    linear = gradient()[:, :, 0] / 255.0
    expected = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(grey.image_srgb[:, :, 1], expected, atol=2e-3)
    rgb = load_picture(saved(tmp_path, "rgb.png", image, icc_profile=srgb_profile()))
    np.testing.assert_allclose(rgb.image_srgb[:, :, 2], linear, atol=1e-3)


def cmyk_profile():
    """Return a CMYK profile of one 2^4 table: L = 100 (1 - black) (1 - cyan / 2), a = 80 (magenta - cyan), b = 90 yellow (Lab, 8 bits)."""
    rows = [(c, m, y, k) for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)]
    lab = [(100 * (1 - k) * (1 - c / 2), 80 * (m - c) * (1 - k), 90 * y * (1 - k)) for c, m, y, k in rows]
    grid = bytes(value for L, a, b in lab for value in (round(L * 2.55), round(a + 128), round(b + 128)))
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + bytes(range(256)) * 4 + grid + bytes(range(256)) * 3
    table += b"\0" * (-len(table) % 4)
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    tags = [(b"A2B0", table), (b"wtpt", white)]
    offset, index, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for signature, content in tags:
        index += signature + struct.pack(">II", offset + len(body), len(content))
        body += content
    size = offset + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02400000, b"prtr", b"CMYK", b"Lab ") + b"\0" * 12 + b"acsp" + b"\0" * 28
    header += struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + index + body


def test_a_cmyk_profile_is_used(tmp_path):
    inks = Image.new("CMYK", SIZE, (0, 255, 0, 0))
    for name, options in (("a.jpg", {"quality": 100}), ("a.tif", {})):
        picture = load_picture(saved(tmp_path, name, inks, icc_profile=cmyk_profile(), **options))
        assert picture.notices == ()
        np.testing.assert_allclose(picture.image_srgb[5, 5], (1.0, 0.68, 1.0), atol=0.1)  # Lab 100, 80, 0, a bright pink; bare inks give (1, 0, 1)


@pytest.mark.parametrize("icc", [b"\1" * 10, b"\0" * 16 + b"RGB " + b"\0" * 300, imagecodecs.cms_profile("gray", gamma=2.2)])
def test_a_profile_that_does_not_fit_is_ignored_and_told(tmp_path, icc):
    picture = load_picture(saved(tmp_path, "a.png", icc_profile=icc))
    assert codes(picture) == {"picture.profile_ignored"}
    np.testing.assert_allclose(picture.image_srgb, gradient() / 255.0, atol=1e-6)


# --- float


def test_float_is_linear_light(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.full((24, 40, 3), (0.2, 0.002, -0.5), np.float32), photometric="rgb")
    picture = load_picture(tmp_path / "a.tif")
    np.testing.assert_allclose(picture.image_srgb[0, 0], (0.484529, 0.02584, 0.0), atol=1e-5)
    assert codes(picture) == {"picture.linear_light"}


def test_highlights_are_clipped_and_told(tmp_path):
    stored = np.full((24, 40, 3), 0.2, np.float32)
    stored[:12, :20] = 30.0
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb")
    picture = load_picture(tmp_path / "a.tif")
    assert picture.image_srgb[0, 0].tolist() == [1.0, 1.0, 1.0]
    assert [n.text for n in picture.notices if n.code == "picture.clipped"] == [
        "25.00% of the pixels are brighter than white and were clipped to it."
    ]


def test_a_picture_mostly_above_white_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", gradient().astype(np.float32), photometric="rgb")
    assert refusal(tmp_path / "a.tif") == "picture.above_white"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channel", [0, 3])
def test_values_that_are_not_numbers_are_refused(tmp_path, bad, channel):
    stored = np.full((24, 40, 4), 0.5, np.float32)
    stored[7, 9, channel] = bad
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", extrasamples=["unassalpha"])
    assert refusal(tmp_path / "a.tif") == "picture.not_finite"
