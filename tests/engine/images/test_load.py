"""Every kind of picture file, written here by another hand (Pillow, tifffile, libpng, raw bytes) and read back."""

from __future__ import annotations

import hashlib
import os
import struct
import tempfile
import warnings
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from engine.api.errors import PictureError
from engine.images.load import LARGEST_PX, SMALLEST_SIDE_PX, load_picture

SIZE = (40, 24)  # width, height


def gradient(dtype=np.uint8):
    """Return a (24, 40, 3) picture with no symmetry, over the full range of ``dtype``."""
    y, x = np.mgrid[0:1:24j, 0:1:40j]
    unit = np.stack([x, y, 0.2 + 0.5 * x * y], axis=2)
    return unit.astype(dtype) if np.dtype(dtype).kind == "f" else np.rint(unit * np.iinfo(dtype).max).astype(dtype)


def saved(tmp_path, name, image=None, **options):
    path = tmp_path / name
    (Image.fromarray(gradient()) if image is None else image).save(path, **options)
    return path


def codes(picture):
    return {notice.code for notice in picture.notices}


def refusal(path):
    """Return the code of the refusal, after checking that it can stand before a user."""
    with warnings.catch_warnings(), pytest.raises(PictureError) as caught:
        warnings.simplefilter("error")
        load_picture(path)
    assert caught.value.sentence.endswith(".") and caught.value.hint.endswith(".")
    return caught.value.code


def png_chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_claiming(width, height, payload=b"\0" * 64):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(payload)) + png_chunk(b"IEND", b"")


# --- formats and depths


@pytest.mark.parametrize(
    ("name", "options", "tolerance"),
    [
        ("a.png", {}, 0),
        ("a.bmp", {}, 0),
        ("a.tif", {}, 0),
        ("a.tiff", {"compression": "tiff_lzw"}, 0),
        ("a.webp", {"lossless": True}, 0),
        ("a.webp", {"quality": 95}, 12),
        ("a.jpg", {"quality": 98, "subsampling": 0}, 5),
        ("a.jpeg", {"quality": 98, "subsampling": 0, "progressive": True}, 5),
    ],
)
def test_eight_bit_files_come_back(tmp_path, name, options, tolerance):
    path = saved(tmp_path, name, **options)
    picture = load_picture(path)
    assert picture.image_srgb.dtype == np.float32 and picture.image_srgb.flags.c_contiguous
    assert picture.size_px == SIZE and picture.notices == () and picture.fov_deg is None
    assert picture.sha256 == hashlib.sha256(path.read_bytes()).hexdigest() and picture.source_name == name
    np.testing.assert_allclose(picture.image_srgb, gradient() / 255.0, atol=tolerance / 255.0 + 1e-6)


@pytest.mark.parametrize("channels", ["gray", "rgb", "rgba", "gray+alpha"])
@pytest.mark.parametrize("name", ["a.png", "a.tif", "deflated.tif", "planar.tif"])
def test_sixteen_bits_keep_every_level(tmp_path, name, channels):
    colour = gradient(np.uint16)[:, :, : 1 if channels.startswith("gray") else 3]
    stored = np.concatenate([colour, np.full((24, 40, 1), 65535, np.uint16)], axis=2) if channels in ("rgba", "gray+alpha") else colour
    path = tmp_path / name
    if name.endswith("png"):
        path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(stored.squeeze())))
    else:
        planar, extra = name.startswith("planar") and stored.shape[2] > 1, ["unassalpha"] if stored is not colour else None
        tifffile.imwrite(
            path,
            np.ascontiguousarray(np.moveaxis(stored, 2, 0)) if planar else stored.squeeze(),
            photometric="rgb" if colour.shape[2] == 3 else "minisblack",
            planarconfig=("separate" if planar else "contig") if stored.shape[2] > 1 else None,
            extrasamples=extra,
            compression="zlib" if name.startswith("deflated") else None,
        )
    picture = load_picture(path)
    np.testing.assert_allclose(picture.image_srgb, np.broadcast_to(colour / 65535.0, (24, 40, 3)), atol=1e-7)
    assert picture.notices == ()


def test_deep_tiffs_of_other_widths(tmp_path):
    narrow, wide, inverted = tmp_path / "u32.tif", tmp_path / "f16.tif", tmp_path / "white_is_zero.tif"
    tifffile.imwrite(narrow, gradient(np.uint32), photometric="rgb")
    tifffile.imwrite(wide, np.full((24, 40, 3), 0.5, np.float16), photometric="rgb")
    tifffile.imwrite(inverted, gradient(np.uint16)[:, :, 0], photometric="miniswhite")
    np.testing.assert_allclose(load_picture(narrow).image_srgb, gradient(np.float64), atol=1e-5)
    np.testing.assert_allclose(load_picture(wide).image_srgb, 0.735357, atol=1e-5)
    np.testing.assert_allclose(load_picture(inverted).image_srgb[:, :, 1], 1.0 - gradient(np.float64)[:, :, 0], atol=1e-5)


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_grey_and_palette_become_rgb(tmp_path, mode):
    image = Image.fromarray(gradient()).convert(mode)
    expected = np.asarray(image.convert("RGB")) / 255.0
    np.testing.assert_allclose(load_picture(saved(tmp_path, "a.png", image)).image_srgb, expected, atol=1e-6)


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


# --- which way is up, and how wide


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


# --- several pictures in one file


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.tif", "deep.tif"])
def test_the_first_frame_is_used_and_told(tmp_path, name):
    path = tmp_path / name
    if name == "deep.tif":
        tifffile.imwrite(path, np.stack([np.full((24, 40, 3), 65535, np.uint16), np.zeros((24, 40, 3), np.uint16)]), photometric="rgb")
    else:
        frames = [Image.new("RGB", SIZE, colour) for colour in ("white", "black", "red")]
        frames[0].save(path, save_all=True, append_images=frames[1:], **({"lossless": True} if name == "a.webp" else {}))
    picture = load_picture(path)
    assert picture.image_srgb.min() > 0.99 and codes(picture) == {"picture.first_frame"}


# --- refusals


def test_no_such_file(tmp_path):
    assert refusal(tmp_path / "absent.png") == "picture.missing"
    assert refusal(saved(tmp_path, "a.png") / "inside.png") == "picture.missing"


def test_a_folder(tmp_path):
    assert refusal(tmp_path) == "picture.folder"


def test_an_empty_file(tmp_path):
    (tmp_path / "a.png").touch()
    assert refusal(tmp_path / "a.png") == "picture.empty"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    assert refusal(tmp_path / "a.png") == "picture.not_a_file"


def test_a_name_that_cannot_exist():
    assert refusal("a\0b.png") == "picture.unreadable"


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="this system has no user ids")
def test_a_file_that_may_not_be_read():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = saved(Path(folder), "a.png")
        path.chmod(0)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            assert refusal(path) == "picture.permission"
        finally:
            os.seteuid(user)


@pytest.mark.parametrize("content", [b"hello", b"\0" * 5000, b"RIFF\0\0\0\0WAVEfmt ", b"%PDF-1.7\n" * 90, b"\0\0\0\x18ftypheic" + b"\0" * 200])
def test_not_a_picture(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    assert refusal(tmp_path / "a.jpg") == "picture.not_a_picture"


def whole_files(folder):
    """Return one file of each kind that decodes by a way of its own."""
    noise = np.random.default_rng(0).integers(0, 65536, (48, 64, 3), dtype=np.uint16)
    image = Image.fromarray((noise >> 8).astype(np.uint8))
    for name, options in {
        "a.jpg": {},
        "progressive.jpg": {"progressive": True},
        "a.png": {},
        "a.webp": {"lossless": True},
        "a.tif": {},
        "lzw.tif": {"compression": "tiff_lzw"},
        "a.gif": {},
        "a.bmp": {},
    }.items():
        image.save(folder / name, **options)
    (folder / "deep.png").write_bytes(imagecodecs.png_encode(noise))
    tifffile.imwrite(folder / "deep.tif", noise, photometric="rgb")
    tifffile.imwrite(folder / "deep_lzw.tif", noise, photometric="rgb", compression="lzw")
    return sorted(folder.iterdir())


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9, 0.97])
def test_a_file_that_breaks_off(tmp_path, share):
    for path in whole_files(tmp_path):
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        assert refusal(path) == "picture.truncated", path.name


def test_damaged_bytes_give_a_picture_or_a_sentence(tmp_path):
    """Each file is damaged thirty times; a decoder may overlook it, but nothing other than `PictureError` comes out."""
    generator, refused = np.random.default_rng(3), 0
    for path in whole_files(tmp_path):
        content = np.frombuffer(path.read_bytes(), np.uint8)
        for _ in range(30):
            damaged = content.copy()
            reach = 200 if generator.random() < 0.7 else len(content)
            damaged[generator.integers(4, reach, 5)] = generator.integers(0, 256, 5)
            path.write_bytes(damaged.tobytes())
            try:
                picture = load_picture(path)
            except PictureError:
                refused += 1
            else:
                assert np.isfinite(picture.image_srgb).all() and 0.0 <= picture.image_srgb.min() <= picture.image_srgb.max() <= 1.0
    assert refused > 100


@pytest.mark.parametrize("size", [(1, 50), (50, 1), (SMALLEST_SIDE_PX - 1, 400)])
def test_too_small(tmp_path, size):
    assert refusal(saved(tmp_path, "a.png", Image.new("RGB", size))) == "picture.too_small"
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((size[1], size[0], 3), np.uint16), photometric="rgb")
    assert refusal(tmp_path / "a.tif") == "picture.too_small"


def test_no_pixel_at_all(tmp_path):
    (tmp_path / "a.png").write_bytes(png_claiming(0, 50))
    assert refusal(tmp_path / "a.png") == "picture.too_small"


def test_the_smallest_side_is_accepted(tmp_path):
    assert load_picture(saved(tmp_path, "a.png", Image.new("RGB", (SMALLEST_SIDE_PX, 50)))).size_px == (SMALLEST_SIDE_PX, 50)


@pytest.mark.parametrize("megapixels", [121, 500])
def test_too_large_is_told_from_the_header(tmp_path, megapixels):
    stuffing = np.random.default_rng(0).bytes(megapixels * 10_000 + 100_000)
    (tmp_path / "a.png").write_bytes(png_claiming(megapixels * 100, 10_000, stuffing))
    assert refusal(tmp_path / "a.png") == "picture.too_large"


def test_a_file_larger_than_the_limit(tmp_path):
    with (tmp_path / "a.tif").open("wb") as file:
        file.truncate(5 << 30)  # sparse
    assert refusal(tmp_path / "a.tif") == "picture.too_large"


def test_decompression_bombs(tmp_path):
    side = int(LARGEST_PX**0.5) + 1
    (tmp_path / "a.png").write_bytes(png_claiming(side, side))
    (tmp_path / "b.png").write_bytes(png_claiming(2**31 - 1, 2**31 - 1))
    gif = bytearray(saved(tmp_path, "c.gif").read_bytes())
    gif[6:10] = struct.pack("<HH", 65535, 65535)
    (tmp_path / "c.gif").write_bytes(gif)
    jpeg = bytearray(saved(tmp_path, "d.jpg").read_bytes())
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 65000, 65000)
    (tmp_path / "d.jpg").write_bytes(jpeg)
    tifffile.imwrite(tmp_path / "e.tif", np.zeros((24, 40, 3), np.uint16), photometric="rgb")
    with tifffile.TiffFile(tmp_path / "e.tif", mode="r+b") as tiff:
        tiff.pages.first.tags["ImageWidth"].overwrite(60_000)
        tiff.pages.first.tags["ImageLength"].overwrite(60_000)
    for name in ("a.png", "b.png", "c.gif", "d.jpg", "e.tif"):
        assert refusal(tmp_path / name) == "picture.bomb", name


def test_a_legal_picture_above_the_warning_limit_of_pillow(tmp_path, monkeypatch):
    path = saved(tmp_path, "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_picture(path).size_px == SIZE


def test_samples_of_a_kind_we_do_not_read(tmp_path):
    tifffile.imwrite(tmp_path / "signed.tif", np.zeros((24, 40, 3), np.int16), photometric="rgb")
    Image.new("LAB", SIZE).save(tmp_path / "lab.tif")
    assert refusal(tmp_path / "signed.tif") == "picture.unsupported"
    assert refusal(tmp_path / "lab.tif") == "picture.unsupported"
