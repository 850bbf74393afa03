"""The inverse of `write_result_folder`: a folder of results as the `RefineResult` it was written from.

The picture is taken from the mesh's texture, the only place in the folder that holds it; larger ones than a texture may be are enlarged again.

Shapes: H W picture.
"""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..api.errors import InputError
from ..api.result import RefineResult
from .depth_files import read_depth_file
from .folder import SIDECAR_NAME
from .sidecar import FORMAT_VERSION

_GLB_MAGIC, _JSON_CHUNK, _HEADER, _CHUNK_HEADER = b"glTF", b"JSON", struct.Struct("<4sII"), struct.Struct("<I4s")
_HINT = "Refine the picture again into this folder."


def is_result_folder(folder: Path) -> bool:
    """Return whether ``folder`` holds a finished result."""
    return (folder / SIDECAR_NAME).is_file()


def read_result_folder(folder: Path) -> RefineResult:
    """Return the result in ``folder``.

    Raises:
        InputError: no result, one of a later version, or one whose files are missing, damaged or of different sizes.
    """
    facts = _read_facts(folder)
    try:
        width, height = facts["size_px"]
        camera, provenance = facts["camera"], dict(facts["provenance"])
        maps = {name: read_depth_file(folder / f"{name}.npy").values for name in ("disparity_base", "disparity_refined", "uncertainty")}
        kept = folder / "gate.npy"
        result = RefineResult(
            image_srgb=_read_picture(folder / "mesh.glb", (width, height)),
            fov_deg=float(camera["fov_deg"]),
            fov_source=camera["fov_source"],
            provenance=provenance,
            kept=read_depth_file(kept).values if kept.exists() else None,
            **maps,
        )
    except (OSError, KeyError, ValueError, TypeError, struct.error, Image.DecompressionBombError) as exc:
        raise InputError(f"The result in {folder} is incomplete or damaged: {exc}.", hint=_HINT, code="input.result_folder") from exc
    read = [*maps.values(), *([result.kept] if result.kept is not None else [])]
    if any(values.shape != (height, width) for values in read):
        raise InputError(f"The maps in {folder} are not of the size that {SIDECAR_NAME} states.", hint=_HINT, code="input.result_folder")
    return result


def _read_facts(folder: Path) -> dict[str, Any]:
    try:
        facts = json.loads((folder / SIDECAR_NAME).read_text(encoding="utf-8"))
        version = facts["format_version"] if facts["format"] == "redepth.result" else None
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise InputError(
            f"{folder} holds no result of Re-Depth.", hint=f"Choose a folder with a {SIDECAR_NAME}.", code="input.result_folder"
        ) from exc
    if version != FORMAT_VERSION:
        raise InputError(f"The result in {folder} is of format {version}, not {FORMAT_VERSION}.", hint=_HINT, code="input.result_folder")
    return dict(facts)


def _read_picture(path: Path, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the texture (H, W, 3) of a GLB file that `write_mesh` wrote, at ``size_px``."""
    with path.open("rb") as file:
        magic, _version, _length = _HEADER.unpack(file.read(_HEADER.size))
        length, kind = _CHUNK_HEADER.unpack(file.read(_CHUNK_HEADER.size))
        if magic != _GLB_MAGIC or kind != _JSON_CHUNK:
            raise ValueError(f"{path.name} is not a GLB file")
        scene = json.loads(file.read(length))
        view = scene["bufferViews"][scene["images"][0]["bufferView"]]
        file.seek(_CHUNK_HEADER.size + view.get("byteOffset", 0), io.SEEK_CUR)
        encoded = file.read(view["byteLength"])
    with Image.open(io.BytesIO(encoded), formats=["JPEG", "PNG"]) as texture:
        picture = texture.convert("RGB")
    return np.asarray(picture if picture.size == size_px else picture.resize(size_px, Image.Resampling.LANCZOS))
