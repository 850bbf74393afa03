"""The parts of the add-on that know no bpy, as Blender has them: from a staged copy, under another package's name, with `engine` inside."""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
import types
from pathlib import Path

from building.addon import stage_addon

NAME = "redepth_staged"


def _staged_folder() -> Path:
    """Return the staged copy, made once a test run; its own `__init__`, which wants bpy, is never imported."""
    if NAME not in sys.modules:
        folder = Path(tempfile.mkdtemp(prefix="redepth-staged-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        stage_addon(folder / NAME, wheel=False)
        package = types.ModuleType(NAME)
        package.__path__ = [str(folder / NAME)]
        sys.modules[NAME] = package
    return Path(sys.modules[NAME].__path__[0])


STAGED = _staged_folder()
