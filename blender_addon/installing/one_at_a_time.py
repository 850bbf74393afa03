"""One installation a folder, whichever Blender started it: a lock that the system takes back when its holder dies."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..engine.api.errors import EngineError
from ..engine.api.folders import make_private_folder

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold the file ``lock``.

    Raises:
        EngineError: another process, or another installation of this one, holds it.
    """
    make_private_folder(lock.parent)
    file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            if sys.platform == "win32":
                msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            hint = "Wait for it, or stop it in the Blender that started it."
            raise EngineError("The engine is being installed already.", hint=hint, code="engine.install.busy") from exc
        yield
    finally:
        os.close(file)
