"""Zip archives with the same bytes whenever they hold the same files: one order, one date, one mode, nothing compressed.

Compressed bytes depend on the version of zlib, and dates and modes on the machine. What is packed here hardly shrinks: weights are most of it.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can state
_REGULAR_FILE = 0o100644 << 16


def read_archive(path: Path) -> dict[str, bytes]:
    """Return the archive's files, by their names in it."""
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}


def write_archive(path: Path, files: Mapping[str, bytes]) -> None:
    """Write ``files`` in the order of their names; the archive appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for name in sorted(files):
                entry = zipfile.ZipInfo(name, _DATE)
                entry.create_system = 3  # the mode below is Unix's, on whatever system this runs
                entry.external_attr = _REGULAR_FILE
                archive.writestr(entry, files[name])
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
