"""Where the engine listens: a socket in the user's runtime folder, in a short folder of its own where that path is too long, or a pipe."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from pathlib import Path

from ..api.folders import Folders, read_runtime_file

LONGEST_SOCKET_BYTES = 100  # 108 on Linux, 104 on macOS, both with the closing zero
_SHORT_PREFIX = "redepth-"


def new_address(folders: Folders) -> str | None:
    """Return an address that no engine had before; None lets Windows choose a pipe."""
    if os.name == "nt":
        return None
    name = f"engine-{secrets.token_hex(4)}.sock"
    path = folders.runtime / name
    if len(os.fsencode(path)) > LONGEST_SOCKET_BYTES:
        path = Path(tempfile.mkdtemp(prefix=_SHORT_PREFIX)) / name
    return str(path)


def remove_address(address: str) -> None:
    """Remove a socket, and the folder that was made for it."""
    path = Path(address)
    if path.name.startswith("engine-") and path.suffix == ".sock":
        path.unlink(missing_ok=True)
        if path.parent.name.startswith(_SHORT_PREFIX):
            shutil.rmtree(path.parent, ignore_errors=True)


def remove_old_address(folders: Folders) -> None:
    """Remove what an engine that was killed left behind; the caller holds the lock, so it is nobody's."""
    runtime = read_runtime_file(folders.runtime_file)
    if runtime:
        remove_address(runtime.address)
    folders.runtime_file.unlink(missing_ok=True)
    for socket in folders.runtime.glob("engine-*.sock"):
        socket.unlink(missing_ok=True)
