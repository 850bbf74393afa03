"""Small picture files for the tests of this folder, and what to ask of the answer."""

from __future__ import annotations

import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from engine.api.errors import PictureError
from engine.images.load import load_picture

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
