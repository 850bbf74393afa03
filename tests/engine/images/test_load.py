"""Files that are read, of every kind, and files that are refused; written by another hand (Pillow, tifffile, libpng, raw bytes)."""

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
from PIL import Image

from engine.api.errors import PictureError
from engine.images.load import LARGEST_PX, SMALLEST_SIDE_PX, load_picture
from tests.engine.images.picture_files import SIZE, codes, gradient, png_chunk, refusal, saved


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
