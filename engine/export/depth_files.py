"""Depth and disparity as files, and back.

EXR keeps float32 and says in its header what it holds. NPY keeps float32 and nothing else. The 16-bit PNG is quantised: its text fields
``redepth:scale`` and ``redepth:shift`` undo that, ``value = scale * level + shift``. PFM is only read.

Shapes: H W picture.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import OpenEXR
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from ..api.errors import InputError
from ..geometry.camera import FloatArray

MapKind = Literal["depth", "disparity", "unknown"]
Field = str | float

_FIELD_PREFIX = "redepth:"
_PNG_LEVELS = 65535
_KINDS: dict[Field, MapKind] = {"depth": "depth", "disparity": "disparity"}
_EXR_CHANNELS: dict[str, MapKind] = {"Z": "depth", "disparity": "disparity"}


@dataclass(frozen=True, kw_only=True)
class DepthFile:
    """What a depth file holds.

    Attributes:
        values: (H, W) float32.
        kind: ``depth`` is larger = farther, ``disparity`` larger = nearer, ``unknown`` where the file does not say.
        fields: what else Re-Depth wrote into it, such as ``fov_deg``.
    """

    values: NDArray[np.float32]
    kind: MapKind = "unknown"
    fields: dict[str, Field] = field(default_factory=dict)


def encode_npy(values: FloatArray) -> memoryview:
    """Return an array as the content of an NPY file."""
    file = io.BytesIO()
    np.save(file, values, allow_pickle=False)
    return file.getbuffer()


def encode_exr(depth_file: DepthFile) -> memoryview:
    """Return the content of an EXR file with one float channel, named ``Z`` for depth and else by its kind."""
    channel = "Z" if depth_file.kind == "depth" else depth_file.kind
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage} | _prefixed(depth_file)
    file = io.BytesIO()
    OpenEXR.File(header, {channel: np.ascontiguousarray(depth_file.values, np.float32)}).write(file)
    return file.getbuffer()


def png16_line(values: FloatArray) -> tuple[float, float]:
    """Return (scale, shift) of ``value = scale * level + shift`` that spreads ``values`` over all 16-bit levels."""
    low, high = float(values.min()), float(values.max())
    return ((high - low) / _PNG_LEVELS or 1.0), low


def encode_png16(depth_file: DepthFile) -> memoryview:
    """Return the content of a 16-bit grey PNG whose levels span the values, with the way back in its text fields."""
    scale, shift = png16_line(depth_file.values)
    levels = depth_file.values.astype(np.float32)
    levels -= np.float32(shift)
    levels /= np.float32(scale)
    text = PngImagePlugin.PngInfo()
    for name, value in (_prefixed(depth_file) | {f"{_FIELD_PREFIX}scale": scale, f"{_FIELD_PREFIX}shift": shift}).items():
        text.add_text(name, str(value))
    file = io.BytesIO()
    Image.fromarray(np.clip(np.rint(levels, out=levels), 0, _PNG_LEVELS, out=levels).astype(np.uint16)).save(file, "PNG", pnginfo=text)
    return file.getbuffer()


def _prefixed(depth_file: DepthFile) -> dict[str, Field]:
    return own_header({"kind": depth_file.kind} | depth_file.fields)


def own_header(fields: Mapping[str, Field]) -> dict[str, Field]:
    """Return ``fields`` under the names that they have in a file's header."""
    return {f"{_FIELD_PREFIX}{name}": value for name, value in fields.items()}


def read_depth_file(path: Path) -> DepthFile:
    """Return the map in an EXR, NPY, PNG or PFM file, chosen by its suffix; PNG levels are turned back into values.

    Raises:
        InputError: missing, of another format, damaged, or not a single map.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise InputError(f"{path.name} is not a depth file.", hint=f"Give one that ends in {', '.join(_READERS)}.", code="input.depth_file")
    try:
        return read(path.read_bytes())
    except (OSError, ValueError, EOFError, SyntaxError, RuntimeError, Image.DecompressionBombError) as exc:
        raise InputError(
            f"{path.name} cannot be read as depth: {exc}.", hint="Check the file in the program that made it.", code="input.depth_file"
        ) from exc


def _read_npy(content: bytes) -> DepthFile:
    values = np.load(io.BytesIO(content), allow_pickle=False)
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        raise ValueError(f"it holds {values.dtype} of shape {values.shape}, not a map of numbers")
    return DepthFile(values=values.astype(np.float32, copy=False))


def _read_exr(content: bytes) -> DepthFile:
    file = OpenEXR.File(io.BytesIO(content), separate_channels=True)
    channels = file.channels()
    name = next((known for known in _EXR_CHANNELS if known in channels), None) or (next(iter(channels)) if len(channels) == 1 else None)
    if name is None:
        raise ValueError(f"none of its channels {', '.join(channels)} is named {' or '.join(_EXR_CHANNELS)}")
    fields = _own_fields(file.header())
    fields.pop("kind", None)
    return DepthFile(values=channels[name].pixels.astype(np.float32, copy=False), kind=_EXR_CHANNELS.get(name, "unknown"), fields=fields)


def _read_png(content: bytes) -> DepthFile:
    with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
        if picture.mode not in ("I;16", "I", "L"):
            raise ValueError(f"it is a picture of mode {picture.mode}, not one grey channel")
        levels = np.asarray(picture)
        fields = _own_fields(getattr(picture, "text", {}))
    scale, shift = float(fields.pop("scale", 1.0)), float(fields.pop("shift", 0.0))
    kind = _KINDS.get(fields.pop("kind", ""), "unknown")
    values = levels.astype(np.float32) * np.float32(scale) + np.float32(shift)
    return DepthFile(values=values, kind=kind, fields=fields)


def _read_pfm(content: bytes) -> DepthFile:
    file = io.BytesIO(content)
    magic, size, scale = (file.readline().strip() for _ in range(3))
    if magic != b"Pf":
        raise ValueError("it is not a grey PFM")
    width, height = (int(word) for word in size.split())
    values = np.frombuffer(file.read(), "<f4" if float(scale) < 0 else ">f4", count=width * height)
    return DepthFile(values=values.reshape(height, width)[::-1].astype(np.float32))


def _own_fields(header: Mapping[str, object]) -> dict[str, Field]:
    """Return the fields that Re-Depth wrote, numbers as numbers."""
    return {name.removeprefix(_FIELD_PREFIX): _as_number(value) for name, value in header.items() if name.startswith(_FIELD_PREFIX)}


def _as_number(value: object) -> Field:
    try:
        return float(str(value))
    except ValueError:
        return str(value)


_READERS: dict[str, Callable[[bytes], DepthFile]] = {".exr": _read_exr, ".npy": _read_npy, ".png": _read_png, ".pfm": _read_pfm}
