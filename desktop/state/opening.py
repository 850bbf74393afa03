"""What a path is, and how it becomes something to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.api.errors import InputError
from engine.export.depth_files import MapKind
from engine.export.read_folder import is_result_folder, read_result_folder

from .comparison import Comparison, comparison_from_result
from .depth_maps import DEPTH_SUFFIXES, pair_of_maps, single_map
from .pictures import PICTURE_SUFFIXES, load_for_screen, pictures_in

PathKind = Literal["picture", "depth", "truth", "result", "folder"]
OPEN_SUFFIXES = (*PICTURE_SUFFIXES, *DEPTH_SUFFIXES)


@dataclass(frozen=True, kw_only=True, eq=False)
class OpenedPicture:
    """A picture that waits to be refined: its file, and (H, W, 3) uint8 in sRGB for the screen."""

    path: Path
    image_srgb: NDArray[np.uint8]

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name


@dataclass(frozen=True, kw_only=True)
class OpenedFolder:
    """A folder of pictures, by name."""

    folder: Path
    pictures: tuple[Path, ...]


Opened = OpenedPicture | OpenedFolder | Comparison


def kind_of(path: Path) -> PathKind:
    """Return what ``path`` holds, by its name and, for PNG and folders, by a look inside.

    Raises:
        InputError: nothing there, or nothing that the viewer opens.
    """
    if path.is_dir():
        if is_result_folder(path):
            return "result"
        if pictures_in(path):
            return "folder"
        raise InputError(f"{path} holds neither pictures nor a result.", hint="Choose another folder.", code="input.folder")
    if not path.is_file():
        raise InputError(f"There is no file {path}.", hint="Check the spelling and the folder.", code="input.missing")
    suffix = path.suffix.lower()
    if suffix == ".png" and _is_grey16(path):
        return "depth"
    if suffix in PICTURE_SUFFIXES:
        return "picture"
    if suffix in DEPTH_SUFFIXES:
        return "depth"
    if suffix == ".npz":
        return "truth"
    if path.name == "result.json":
        return "result"
    hint = "Open a picture (JPEG, PNG, WebP, TIFF), a depth map (EXR, NPY, 16-bit PNG, PFM) or a folder of results."
    raise InputError(f"{path.name} is nothing that the viewer opens.", hint=hint, code="input.kind")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How depth files are read: by which convention each, ``unknown`` = as they say themselves, and whether right is aligned to left."""

    left: MapKind = "unknown"
    right: MapKind = "unknown"
    aligned: bool = True


def open_paths(paths: Sequence[Path], reading: Reading | None = None) -> Opened:
    """Return what ``paths`` show together: one picture, folder, result or depth file; or two depth files, and perhaps their picture.

    Args:
        reading: of depth files; as they say themselves where None.

    Raises:
        InputError: a path or the combination makes no sense; PictureError: a picture cannot be shown.
        NumericalError: a result holds values that are not finite.
    """
    kinds = [kind_of(path) for path in paths]
    by_kind = {kind: [path for path, own in zip(paths, kinds, strict=True) if own == kind] for kind in set(kinds)}
    pictures, maps = by_kind.get("picture", []), by_kind.get("depth", [])
    reading = reading or Reading()
    if len(paths) == 1:
        return _open_one(paths[0], kinds[0], reading)
    if set(kinds) == {"picture"}:
        return OpenedFolder(folder=paths[0].parent, pictures=tuple(paths))
    if set(kinds) <= {"picture", "depth"} and len(pictures) <= 1 and len(maps) <= 2:
        picture = pictures[0] if pictures else None
        if len(maps) == 2:
            return pair_of_maps(maps[0], maps[1], picture, read_as=(reading.left, reading.right), aligned=reading.aligned)
        return single_map(maps[0], reading.left, picture)
    hint = "Open one result, any number of pictures, or two depth files with their picture; ground truth has its own entry in the File menu."
    raise InputError("These files do not go together.", hint=hint, code="input.combination")


def _open_one(path: Path, kind: PathKind, reading: Reading) -> Opened:
    if kind == "picture":
        return OpenedPicture(path=path, image_srgb=load_for_screen(path))
    if kind == "folder":
        return OpenedFolder(folder=path, pictures=tuple(pictures_in(path)))
    if kind == "depth":
        return single_map(path, reading.left)
    if kind == "result":
        folder = path if path.is_dir() else path.parent
        return comparison_from_result(read_result_folder(folder), folder.name)
    hint = "Open the result that it belongs to first, then choose File > Measure against ground truth."
    raise InputError(f"{path.name} is ground truth, which is measured against.", hint=hint, code="input.truth")


def _is_grey16(path: Path) -> bool:
    try:
        with Image.open(path) as picture:
            return picture.mode in ("I;16", "I;16B", "I")
    except (OSError, ValueError, SyntaxError):
        return False  # whatever it is, the loader of pictures says it in words
