"""Arrays and facts in a folder that is there whole or not at all: `.npy` files that a reader maps into memory, and `facts.json`.

The folder is written under a temporary name, synced and renamed. `facts.json` names each file's size and digest, so a damaged folder is
recognised; sizes are always compared, digests on request, for they cost a second a gigabyte.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from .disk import FACTS_NAME, PART_SUFFIX, disk_errors_in_words, write_synced
from .errors import DamagedFolderError


def write_array_folder(folder: Path, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
    """Write ``arrays`` and ``facts`` as ``folder``, in the place of an older one.

    Raises:
        OutputError: the disk is full or refuses; the older folder is untouched.
    """
    temporary = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}{PART_SUFFIX}")
    with disk_errors_in_words(folder):
        try:
            temporary.mkdir(parents=True, mode=0o700)
            files = {name: _write_array(temporary / f"{name}.npy", array) for name, array in arrays.items()}
            text = json.dumps({**facts, "files": files}, indent=1, allow_nan=False)
            write_synced(temporary / FACTS_NAME, text.encode())
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def read_array_folder(folder: Path, *, check_digests: bool = False) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays of ``folder``, mapped into memory and read-only, and its facts.

    Raises:
        DamagedFolderError: it is missing, incomplete or damaged.
    """
    try:
        facts = json.loads((folder / FACTS_NAME).read_text(encoding="utf-8"))
        files = facts.pop("files")
        arrays = {name: _read_array(folder / f"{name}.npy", written, check_digests) for name, written in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError) as exc:
        raise DamagedFolderError(f"The folder {folder} is incomplete or damaged.", hint="Submit the picture again.") from exc
    return arrays, facts


def replace_array(path: Path, array: NDArray[Any]) -> None:
    """Replace the ``.npy`` file at ``path`` in one step, unsynced: for previews.

    Raises:
        OutputError: the disk is full or refuses.
    """
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PART_SUFFIX}")
    with disk_errors_in_words(path):
        try:
            with temporary.open("xb") as file:
                _save(file, array)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def _write_array(path: Path, array: NDArray[Any]) -> dict[str, Any]:
    with path.open("xb") as file:
        _save(file, array)
        file.flush()
        os.fsync(file.fileno())
    return {"bytes": path.stat().st_size, "blake2b": _digest(path)}


def _save(file: BinaryIO, array: NDArray[Any]) -> None:
    """Do as `numpy.save`, which hides why a write failed."""
    array = np.ascontiguousarray(array)
    np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
    file.write(array.data)


def _read_array(path: Path, written: Mapping[str, Any], check_digest: bool) -> NDArray[Any]:
    if path.stat().st_size != written["bytes"] or (check_digest and _digest(path) != written["blake2b"]):
        raise ValueError(f"{path.name} is not what was written")
    array: NDArray[Any] = np.load(path, mmap_mode="r")
    return array


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
