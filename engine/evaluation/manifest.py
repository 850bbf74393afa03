"""The list of pictures and their measured depth: what `evaluate` reads.

A manifest is a JSON array. Each entry is an object; paths are relative to the manifest's folder (or absolute):

    id            a name of its own for the picture
    image         the picture
    ground_truth  an .npz whose array ``gt`` (h, w) is the truth, 0 where nothing was measured
    kind          "disparity" (larger = nearer, proportional to 1 / depth) or "depth_m" (metres)
    invalid       optional; the value that marks a hole, which must be 0
    size          optional; [width, height] of ``gt``, checked where given

Other keys (a licence, a note) are the reader's own and left alone. Everything is checked when the manifest is read, so that a long run does not
stop half-way over a missing file.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..api.errors import ManifestError

Kind = Literal["disparity", "depth_m"]
MAX_ASPECT_DIFFERENCE = 0.02
_SAVE_HINT = "Save it as numpy.savez(path, gt=array) with an array of numbers."


@dataclass(frozen=True, kw_only=True)
class GroundTruth:
    """Measured depth of one picture.

    Attributes:
        depth: (h, w) float64, positive on ``valid``, 0 elsewhere. Metres for kind ``depth_m``; for ``disparity``, whose unit is unknown,
            1 / disparity divided by its median, so that errors with a unit (RMSE, SqRel) count in median depths.
        valid: (h, w) bool, where something was measured.
    """

    depth: NDArray[np.float64]
    valid: NDArray[np.bool_]

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        height, width = self.depth.shape
        return width, height


@dataclass(frozen=True, kw_only=True)
class ManifestEntry:
    """One picture to measure; see the file's docstring for the fields."""

    name: str
    image_path: Path
    truth_path: Path
    kind: Kind
    size_px: tuple[int, int] | None = None

    def load_truth(self) -> GroundTruth:
        """Return the measured depth.

        Raises:
            ManifestError: the array is absent, unsafe, not an (h, w) map of finite values >= 0, of another size, or has no valid pixel.
        """
        truth = _read_truth_array(self)
        _require(
            truth.ndim == 2 and truth.dtype.kind in "fiu", self.name, f"'gt' is {truth.dtype} of shape {truth.shape}, not an (h, w) map of numbers"
        )
        height, width = truth.shape
        stated = self.size_px or (width, height)
        _require((width, height) == stated, self.name, f"'gt' is {width}x{height} px, but 'size' says {stated[0]}x{stated[1]}")
        _require(bool(np.isfinite(truth).all()), self.name, "'gt' holds values that are not finite", "Write 0 where nothing was measured.")
        _require(bool((truth >= 0).all()), self.name, "'gt' holds negative values", "Write 0 where nothing was measured.")
        valid = truth > 0
        _require(bool(valid.any()), self.name, "'gt' has no valid pixel: it is 0 everywhere")
        return GroundTruth(depth=_depth_from_truth(truth, valid, self.kind), valid=valid)

    def check_framing(self, picture_size_px: tuple[int, int]) -> None:
        """Refuse a picture whose aspect differs from the truth's: the two cannot show the same view.

        Raises:
            ManifestError: the aspects differ by more than `MAX_ASPECT_DIFFERENCE`.
        """
        width, height = self.load_truth().size_px
        ratio = (picture_size_px[0] / picture_size_px[1]) / (width / height)
        sentence = f"the picture is {picture_size_px[0]}x{picture_size_px[1]} px and 'gt' {width}x{height}: they do not show the same frame"
        _require(abs(ratio - 1) <= MAX_ASPECT_DIFFERENCE, self.name, sentence, "Crop one to the other.")


def read_manifest(path: Path) -> tuple[ManifestEntry, ...]:
    """Return the entries of the manifest at ``path``, each checked down to its ground truth.

    Raises:
        ManifestError: the manifest cannot be read, or an entry is incomplete or wrong.
    """
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise ManifestError(f"There is no manifest {path}.", hint="Check the path.", code="manifest.missing") from exc
    except OSError as exc:
        raise ManifestError(f"The manifest {path} cannot be read: {exc.strerror}.", hint="Check the path and its permissions.") from exc
    except ValueError as exc:
        raise ManifestError(f"The manifest {path} is not JSON: {exc}.", hint="Mend the file; a JSON array is expected.") from exc
    if not isinstance(listed, list) or not listed:
        raise ManifestError(f"The manifest {path} is not a list with entries.", hint="A JSON array of objects is expected.")
    entries = tuple(_entry_from_json(value, number, path.parent) for number, value in enumerate(listed, start=1))
    names = [entry.name for entry in entries]
    for entry in entries:
        _require(names.count(entry.name) == 1, entry.name, "the id is used more than once")
        entry.load_truth()
    return entries


def _entry_from_json(value: Any, number: int, folder: Path) -> ManifestEntry:
    _require(isinstance(value, dict), f"number {number}", "it is not a JSON object")
    name = value.get("id")
    _require(isinstance(name, str) and bool(name.strip()), f"number {number}", "it has no 'id'")
    kind = value.get("kind")
    _require(kind in get_args(Kind), name, f"'kind' is {kind!r}", f"Known kinds: {', '.join(get_args(Kind))}.")
    _require(value.get("invalid", 0) == 0, name, f"'invalid' is {value.get('invalid')!r}", "Only 0 marks a hole; write 0 there.")
    size = value.get("size")
    is_size = isinstance(size, list) and len(size) == 2 and all(type(side) is int and side > 0 for side in size)
    _require(size is None or is_size, name, f"'size' is {size!r}, not [width, height]")
    return ManifestEntry(
        name=name,
        image_path=_existing_file(value, "image", name, folder),
        truth_path=_existing_file(value, "ground_truth", name, folder),
        kind=kind,
        size_px=(size[0], size[1]) if size is not None else None,
    )


def _existing_file(value: dict[str, Any], key: str, name: str, folder: Path) -> Path:
    text = value.get(key)
    _require(isinstance(text, str) and bool(text), name, f"it has no '{key}'")
    path = folder / str(text)
    _require(path.is_file(), name, f"'{key}' names {path}, which is not a file", "Paths are relative to the manifest's folder.")
    return path


def _read_truth_array(entry: ManifestEntry) -> NDArray[Any]:
    """Return the array ``gt``; object arrays are refused, because reading one runs whatever its file says."""
    path, name = entry.truth_path, entry.name
    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            _require(isinstance(loaded, np.lib.npyio.NpzFile), name, f"{path} is a single array, not an .npz", _SAVE_HINT)
            _require("gt" in loaded, name, f"{path} holds no array 'gt'", _SAVE_HINT)
            return loaded["gt"]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as exc:
        raise ManifestError(f"Manifest entry {name}: {path} cannot be read as plain arrays: {exc}.", hint=_SAVE_HINT) from exc


def _depth_from_truth(truth: NDArray[Any], valid: NDArray[np.bool_], kind: Kind) -> NDArray[np.float64]:
    if kind == "depth_m":
        return np.where(valid, truth, 0).astype(np.float64)
    depth = np.divide(1.0, truth, out=np.zeros(truth.shape, np.float64), where=valid, dtype=np.float64)
    return depth / np.median(depth[valid])


def _require(true: bool, name: str, fault: str, hint: str = "") -> None:
    if not true:
        raise ManifestError(f"Manifest entry {name}: {fault}.", hint=hint or "Correct this entry of the manifest.")
