"""Room for the environment: the disk, what lies in its folder, and the engine that may be running from it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ..engine.api.client import EngineClient
from ..engine.api.errors import EngineError
from ..engine.api.folders import find_folders
from .plan import STAMP_NAME, python_in

_BEGUN_NAME = "redepth-installation.begun"


def clear(folder: Path) -> None:
    """Make ``folder`` empty but for a mark that it is ours.

    Raises:
        EngineError: it holds what no installation made; nothing is removed.
    """
    ours = [folder / STAMP_NAME, folder / _BEGUN_NAME]
    if folder.exists() and any(folder.iterdir()) and not any(mark.exists() for mark in ours):
        hint = "Choose another folder, or empty this one yourself."
        raise EngineError(f"{folder} holds something else than the engine's environment.", hint=hint, code="engine.install.folder")
    for mark in ours[:1]:
        mark.unlink(missing_ok=True)  # first, so that an environment half removed is not taken for whole
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    ours[1].touch()


def require_space(folder: Path, wanted_bytes: int) -> None:
    """Check the disk that holds ``folder``.

    Raises:
        EngineError: it has less room than ``wanted_bytes``.
    """
    free = shutil.disk_usage(folder).free
    if free < wanted_bytes:
        hint = "Free some space, or let REDEPTH_HOME name a folder on another disk, then start it again."
        sentence = f"The disk of {folder} has {free / 1e9:.1f} GB free; the environment takes up to {wanted_bytes / 1e9:.0f} GB."
        raise EngineError(sentence, hint=hint, code="engine.install.disk_full")


def stop_engine_of(folder: Path) -> None:
    """End the engine that runs from the environment in ``folder``, if one does; its unfinished jobs go on when it is started again."""
    folders = find_folders()
    try:
        noted = json.loads(folders.python_file.read_text(encoding="utf-8"))["python"]
        if Path(noted) == python_in(folder):
            with EngineClient.connect(start=False, timeout_s=5.0) as engine:
                engine.shutdown()
    except (OSError, ValueError, KeyError, TypeError, EngineError):
        return  # no engine runs, or none that listens to us
