"""Files written whole or not at all.

The content is encoded first, written to a temporary file in the target's own folder, synced and renamed. Whatever fails (a full disk, a
crash, Ctrl-C), the target is either what it was before or the whole new file.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..api.errors import OutputError

Content = bytes | memoryview

_FULL = ("output.disk_full", "the disk is full", "Free some space or choose a folder on another disk.")
_DENIED = (
    "output.permission",
    "writing is not permitted there",
    "Choose a folder that you may write to, or close the program that has the file open.",
)
_CAUSES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: ("output.disk_full", "your disk quota is used up", _FULL[2]),
    errno.EFBIG: ("output.too_large", "the disk does not take files that large", "Choose a folder on another disk."),
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: ("output.permission", "the disk is read-only", "Choose a folder on another disk."),
    errno.EISDIR: ("output.is_folder", "a folder has that name", "Choose another name."),
    errno.ENOTDIR: ("output.not_folder", "part of its path is a file, not a folder", "Choose another folder."),
    errno.EEXIST: ("output.not_folder", "it is a file, not a folder", "Choose another folder."),
    errno.ENOENT: ("output.no_folder", "its folder does not exist", "Create the folder first."),
    errno.ENAMETOOLONG: ("output.name_too_long", "the name is too long", "Choose a shorter name."),
}


def write_whole(path: Path, content: Content) -> None:
    """Write ``content`` to ``path``; on failure ``path`` is untouched and nothing is left beside it.

    Raises:
        OutputError: the disk is full, writing is not permitted, a folder has that name, ...
    """
    write_set({path: content})


def write_set(contents: Mapping[Path, Content]) -> None:
    """Write files that belong together: all are on the disk before the first is renamed, and the last-named is renamed last.

    Raises:
        OutputError: as `write_whole`; if only a rename failed, files named earlier may already be the new ones.
    """
    temporaries = {path: path.with_name(f".{secrets.token_hex(8)}.part") for path in contents}
    try:
        for path, content in contents.items():
            with _as_output_error(path):
                _write_synced(temporaries[path], content)
        for path, temporary in temporaries.items():
            with _as_output_error(path):
                os.replace(temporary, path)
    finally:
        for path, temporary in temporaries.items():
            with _as_output_error(path):
                _remove(temporary)


def remove_file(path: Path) -> None:
    """Remove ``path`` if it exists.

    Raises:
        OutputError: it may not be removed.
    """
    with _as_output_error(path):
        _remove(path)


def prepare_folder(folder: Path) -> None:
    """Create ``folder`` where needed and prove that a file can be written in it.

    Raises:
        OutputError: it cannot be created or written to.
    """
    with _as_output_error(folder):
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{secrets.token_hex(8)}.part"
        try:
            _write_synced(probe, b"probe")
        finally:
            _remove(probe)


def _write_synced(path: Path, content: Content) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except NotADirectoryError:
        return  # the folder itself is a file, so nothing was ever written there


@contextmanager
def _as_output_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        code, cause, hint = _CAUSES.get(exc.errno or 0, ("output", f"the system says: {reason}", "Choose another folder."))
        raise OutputError(f"Cannot write {path}: {cause}.", hint=hint, code=code) from exc
