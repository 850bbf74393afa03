"""The EXIF orientation, as Pillow writes it into each format."""

from __future__ import annotations

import importlib
import io

import pytest
from PIL import ExifTags, Image

from tests.blender_addon.staged import NAME

exif_orientation = importlib.import_module(f"{NAME}.picture.orientation").exif_orientation


def encoded(kind: str, orientation: int | None) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Re-Depth"
    if orientation is not None:
        exif[ExifTags.Base.Orientation] = orientation
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(file, kind, exif=exif)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_it_is_read_from_every_format(kind: str, orientation: int) -> None:
    assert exif_orientation(encoded(kind, orientation)) == orientation


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_file_that_does_not_say_is_as_stored(kind: str) -> None:
    assert exif_orientation(encoded(kind, None)) == 1


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe1\x00\x10Exif\0\0II", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"II*\0\xff\xff\xff\xff"]
)
def test_what_makes_no_sense_is_as_stored(content: bytes) -> None:
    assert exif_orientation(content) == 1


def test_a_nonsense_value_is_as_stored() -> None:
    assert exif_orientation(encoded("JPEG", 77)) == 1
