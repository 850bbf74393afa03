"""A `RefineResult` on disk, as the worker leaves it in the job's folder and clients map it into memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .array_folder import read_array_folder, write_array_folder
from .errors import DamagedFolderError
from .result import RefineResult

_MAPS = ("disparity_base", "disparity_refined", "uncertainty")
_GATE = "gate"  # The file of `RefineResult.kept`; there only where the quality gate ran.


def write_result(folder: Path, result: RefineResult) -> None:
    """Write ``result`` as ``folder``, whole or not at all.

    Raises:
        OutputError: the disk is full or refuses.
    """
    arrays = {name: getattr(result, name) for name in ("image_srgb", *_MAPS)}
    if result.kept is not None:
        arrays[_GATE] = result.kept
    write_array_folder(folder, arrays, {"fov_deg": result.fov_deg, "fov_source": result.fov_source, "provenance": result.provenance})


def read_result(folder: Path) -> RefineResult:
    """Return the result in ``folder``; its arrays are mapped from the files, read-only.

    Raises:
        DamagedFolderError: it is missing, incomplete or damaged.
    """
    arrays, facts = read_array_folder(folder)
    try:
        fields: dict[str, Any] = {**arrays, **facts, "kept": arrays.get(_GATE)}
        fields.pop(_GATE, None)
        result = RefineResult(**fields)
        maps = [getattr(result, name) for name in _MAPS] + ([] if result.kept is None else [result.kept])
        sizes = {values.shape for values in maps} | {result.image_srgb.shape[:2]}
        sound = len(sizes) == 1 and result.image_srgb.dtype == np.uint8 and all(values.dtype == np.float32 for values in maps)
    except (TypeError, AttributeError) as exc:
        raise DamagedFolderError(f"The folder {folder} holds no result.", hint="Submit the picture again.") from exc
    if not sound:
        raise DamagedFolderError(f"The folder {folder} holds arrays that do not fit together.", hint="Submit the picture again.")
    return result
