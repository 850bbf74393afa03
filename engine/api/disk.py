"""Writing to the engine's own disk: synced, in one step, with the system's refusals in words. Standard library only."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import OutputError

FACTS_NAME = "facts.json"
PART_SUFFIX = ".part"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MAKE_ROOM = "Free some space, for example with `python -m engine jobs remove`, and submit again."


@contextmanager
def disk_errors_in_words(path: Path) -> Iterator[None]:
    """Turn the system's refusals to write ``path`` into `OutputError`."""
    try:
        yield
    except OSError as exc:
        if exc.errno in _FULL:
            raise OutputError(f"Cannot write {path}: the disk is full.", hint=_MAKE_ROOM, code="output.disk_full") from exc
        reason = exc.strerror or str(exc)
        raise OutputError(f"Cannot write {path}: the system says: {reason}.", hint="Check the folder's permissions and the disk.") from exc


def write_synced(path: Path, content: bytes) -> None:
    """Write a new file and wait until the disk has it."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def remove_parts(folder: Path) -> None:
    """Remove what a crash left half-written in ``folder``."""
    for part in folder.glob(f"*{PART_SUFFIX}"):
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)


def is_whole(folder: Path) -> bool:
    """Return whether a folder of `engine.api.array_folder` has all its files in their sizes."""
    try:
        files = json.loads((folder / FACTS_NAME).read_text(encoding="utf-8"))["files"]
        return all((folder / f"{name}.npy").stat().st_size == written["bytes"] for name, written in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
