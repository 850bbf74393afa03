"""Pictures and normals as files.

The PNG of normals is 8-bit, (n + 1) / 2 * 255 as red, green, blue; EXR and NPY keep the unit vectors in float32. An EXR holds them as the
channels ``N.X``, ``N.Y``, ``N.Z``, the names that renderers and compositors know.

Shapes: H W picture.
"""

from __future__ import annotations

import io

import numpy as np
import OpenEXR
from PIL import Image

from ..geometry.camera import FloatArray
from .colours import normals_to_srgb8
from .depth_files import Field, own_header

_NORMAL_CHANNELS = ("N.X", "N.Y", "N.Z")


def encode_png(picture: Image.Image) -> memoryview:
    """Return the content of a PNG file."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getbuffer()


def encode_normals_png(normals: FloatArray) -> memoryview:
    """Return unit normals (H, W, 3) as the content of an 8-bit PNG."""
    return encode_png(Image.fromarray(normals_to_srgb8(normals)))


def encode_normals_exr(normals: FloatArray, fields: dict[str, Field]) -> memoryview:
    """Return unit normals (H, W, 3) as the content of an EXR file with three float channels.

    Args:
        fields: what the header says beside the kind, such as ``fov_deg``.
    """
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage} | own_header({"kind": "normals"} | fields)
    channels = {name: np.ascontiguousarray(normals[..., axis], np.float32) for axis, name in enumerate(_NORMAL_CHANNELS)}
    file = io.BytesIO()
    OpenEXR.File(header, channels).write(file)
    return file.getbuffer()
