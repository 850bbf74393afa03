"""Depth files as disparities that can be compared: conventions read or assumed in words, holes filled, scales brought together.

Shapes: H W picture.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.api.errors import InputError
from engine.evaluation.manifest import MAX_ASPECT_DIFFERENCE, GroundTruth
from engine.evaluation.protocols import fit_scale_shift
from engine.evaluation.resample import resample_map
from engine.export.depth_files import DepthFile, MapKind, read_depth_file
from engine.export.folder import SIDECAR_NAME
from engine.geometry.camera import DEFAULT_FOV_DEG

from .comparison import Comparison, FloatMap
from .painting import shaded
from .pictures import load_for_screen

DEPTH_SUFFIXES = (".exr", ".npy", ".pfm")
_SMALLEST_SIDE_PX = 2
_FIT_PIXELS = 1 << 22


@dataclass(frozen=True, kw_only=True, eq=False)
class DisparityMap:
    """A depth file as disparity.

    Attributes:
        disparity: (H, W) float32, finite; holes hold the smallest value, the farthest.
        valid: (H, W) bool, False in holes.
        label: the file's name with the convention that it was read by.
        notes: what was assumed or filled, in sentences.
        fov_deg: what the file says, else None.
    """

    disparity: FloatMap
    valid: NDArray[np.bool_]
    label: str
    notes: tuple[str, ...]
    fov_deg: float | None


def read_disparity(path: Path, read_as: MapKind = "unknown") -> DisparityMap:
    """Return the map in a depth file.

    Args:
        read_as: the convention, where the user says it; ``unknown`` = what the file or its sidecar says, else disparity, with a note.

    Raises:
        InputError: it cannot be read, or holds no finite value.
    """
    _require_file(path)
    file = read_depth_file(path)
    kind, stated = (read_as, True) if read_as != "unknown" else _stated_kind(path, file)
    notes = [] if stated else [f"{path.name} does not say what it holds; it is read as disparity (larger = nearer)."]
    values = file.values
    if min(values.shape) < _SMALLEST_SIDE_PX:
        raise InputError(f"{path.name} is a map of {values.shape[1]} × {values.shape[0]} pixels.", hint="Give a whole map.", code="input.depth_file")
    valid = np.isfinite(values) & (values > 0) if kind == "depth" else np.isfinite(values)
    if not valid.any():
        raise InputError(f"{path.name} holds no usable value.", hint="Check the file in the program that made it.", code="input.depth_file")
    disparity = np.array(values, np.float32)
    if kind == "depth":
        np.divide(1, values, out=disparity, where=valid)
    disparity[~valid] = disparity[valid].min()
    if not valid.all():
        notes.append(f"{path.name}: {100 * float((~valid).mean()):.2g} % of the pixels hold no value; they are shown as farthest.")
    words = "depth" if kind == "depth" else "disparity" if stated else "disparity?"
    fov = file.fields.get("fov_deg")
    return DisparityMap(
        disparity=disparity, valid=valid, label=f"{path.name} ({words})", notes=tuple(notes), fov_deg=fov if isinstance(fov, float) else None
    )


def single_map(path: Path, read_as: MapKind = "unknown", picture: Path | None = None) -> Comparison:
    """Return one depth file on both sides.

    Raises:
        InputError: as `read_disparity`; PictureError: the picture cannot be shown.
    """
    read = read_disparity(path, read_as)
    return Comparison(
        name=path.stem,
        image_srgb=_picture(picture, read.disparity),
        disparity_base=read.disparity,
        disparity_refined=read.disparity,
        label_base=read.label,
        label_refined=read.label,
        notes=read.notes,
        has_picture=picture is not None,
        **_fov(read),
    )


def pair_of_maps(
    left: Path, right: Path, picture: Path | None = None, *, read_as: tuple[MapKind, MapKind] = ("unknown", "unknown"), aligned: bool = True
) -> Comparison:
    """Return two depth files as a comparison.

    Args:
        read_as: as in `read_disparity`, of left and right.
        aligned: bring the right map to the scale and shift of the left one by least squares, for most maps are known only up to these.

    Raises:
        InputError: a file cannot be read, or the two do not show the same frame; PictureError: the picture cannot be shown.
    """
    first, second = (read_disparity(path, kind) for path, kind in zip((left, right), read_as, strict=True))
    disparity, valid = second.disparity, second.valid
    notes = [*first.notes, *second.notes]
    if disparity.shape != first.disparity.shape:
        _require_one_frame(left.name, right.name, first.disparity, disparity)
        height, width = first.disparity.shape
        notes.append(f"{right.name} is {disparity.shape[1]} × {disparity.shape[0]} px and is resampled to {width} × {height} px.")
        valid = resample_map(valid.astype(np.float32), (width, height)) > 0.999
        disparity = resample_map(disparity, (width, height)).astype(np.float32)
    if aligned:
        step = max(1, math.isqrt(disparity.size // _FIT_PIXELS))  # of the largest maps every second or third pixel, to spare memory
        part = (slice(None, None, step),) * 2
        both = (first.valid & valid)[part]
        scale, shift = fit_scale_shift(disparity[part], first.disparity[part], both) if both.any() else (1.0, 0.0)
        if scale <= 0:
            notes.append(f"The two run against each other: is one of them depth and not disparity? {right.name} is shown as it is.")
        elif not (abs(scale - 1) < 1e-6 and abs(shift) < 1e-6 * max(1.0, float(np.abs(first.disparity).max()))):
            disparity = disparity * np.float32(scale) + np.float32(shift)
            notes.append(f"{right.name} is aligned to {left.name}: × {scale:.4g}, {shift:+.4g}.")
    return Comparison(
        name=f"{left.stem} and {right.stem}",
        image_srgb=_picture(picture, first.disparity),
        disparity_base=first.disparity,
        disparity_refined=disparity,
        label_base=first.label,
        label_refined=second.label,
        notes=tuple(notes),
        has_picture=picture is not None,
        **_fov(first),
    )


def read_truth(path: Path, comparison: Comparison, read_as: MapKind = "unknown") -> GroundTruth:
    """Return the measured depth in ``path``: a depth file, or an ``.npz`` with the array ``gt``, 0 or not finite where nothing was measured.

    Args:
        read_as: the convention; ``unknown`` = what the file, its sidecar or a ``manifest.json`` beside it says, else depth.

    Raises:
        InputError: it cannot be read, holds nothing, or does not show the picture's frame.
    """
    _require_file(path)
    if path.suffix.lower() == ".npz":
        values = _read_npz(path)
        kind = read_as if read_as != "unknown" else _kind_in_manifest(path)
    else:
        file = read_depth_file(path)
        values, kind = file.values, read_as if read_as != "unknown" else _stated_kind(path, file)[0]
    _require_one_frame(path.name, "the picture", values, comparison.disparity_base)
    valid = np.isfinite(values) & (values > 0)
    if not valid.any():
        raise InputError(f"{path.name} holds no measured pixel.", hint="Write measured depth above 0, and 0 for holes.", code="input.truth")
    depth = np.zeros(values.shape, np.float64)
    depth[valid] = values[valid]
    if kind == "disparity":
        depth[valid] = 1 / depth[valid]
        depth[valid] /= np.median(depth[valid])
    return GroundTruth(depth=depth, valid=valid)


def _read_npz(path: Path) -> NDArray[Any]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            values: NDArray[Any] = arrays["gt"]
    except (OSError, ValueError, EOFError, KeyError, TypeError, AttributeError) as exc:
        raise InputError(f"{path.name} holds no array 'gt'.", hint="Save it as numpy.savez(path, gt=depth).", code="input.truth") from exc
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        raise InputError(f"'gt' in {path.name} is no map of numbers.", hint="Save an (H, W) array of numbers.", code="input.truth")
    return values


def _kind_in_manifest(path: Path) -> MapKind:
    try:
        entries = json.loads((path.parent / "manifest.json").read_text(encoding="utf-8"))
        kinds = [entry["kind"] for entry in entries if entry["ground_truth"] == path.name]
    except (OSError, ValueError, KeyError, TypeError):
        return "depth"
    return "disparity" if kinds == ["disparity"] else "depth"


def _stated_kind(path: Path, file: DepthFile) -> tuple[MapKind, bool]:
    """Return the convention and whether anything states it: the file itself, its own sidecar, or the `result.json` of its folder."""
    if file.kind != "unknown":
        return file.kind, True
    for sidecar in (path.with_name(f"{path.name}.json"), path.with_suffix(".json")):
        own = _facts(sidecar).get("kind")
        if own in ("depth", "disparity"):
            return own, True
    if _facts(path.parent / SIDECAR_NAME).get("format") == "redepth.result":
        kind = next((kind for kind in ("disparity", "depth") if path.name.startswith(f"{kind}_")), None)
        if kind is not None:
            return kind, True  # type: ignore[return-value]
    return "disparity", False


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"There is no file {path}.", hint="Check the spelling and the folder.", code="input.missing")


def _require_one_frame(left: str, right: str, first: NDArray[Any], second: NDArray[Any]) -> None:
    ratio = (first.shape[1] / first.shape[0]) / (second.shape[1] / second.shape[0])
    if abs(ratio - 1) > MAX_ASPECT_DIFFERENCE:
        sizes = f"{first.shape[1]} × {first.shape[0]} and {second.shape[1]} × {second.shape[0]} px"
        raise InputError(f"{left} and {right} are {sizes}: they do not show the same frame.", hint="Crop one to the other.", code="input.sizes")


def _picture(path: Path | None, disparity: FloatMap) -> NDArray[np.uint8]:
    if path is None:
        return shaded(disparity)
    picture = load_for_screen(path)
    _require_one_frame(path.name, "the map", picture, disparity)
    if picture.shape[:2] == disparity.shape:
        return picture
    height, width = disparity.shape
    channels = [resample_map(picture[..., channel].astype(np.float32), (width, height)) for channel in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)


def _fov(read: DisparityMap) -> dict[str, Any]:
    return {"fov_deg": DEFAULT_FOV_DEG, "fov_source": "default"} if read.fov_deg is None else {"fov_deg": read.fov_deg, "fov_source": "option"}
