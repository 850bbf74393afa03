"""Runs in Blender's own Python: installs the zip, runs a file's checks one by one, and writes what came of each.

    python -P harness.py CHECKS.py OUT_FOLDER ADDON.zip

Every function ``check_...`` of the file is called with the `Setting`, after an empty scene was made. It ends by `os._exit`, for Blender
with classes and timers still registered may hang or crash at a proper exit.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy

MODULE = "bl_ext.user_default.redepth"


@dataclass
class Setting:
    """What checks start from.

    Attributes:
        folder: for files, and for what the test outside reads.
        zip: the installed archive.
    """

    folder: Path
    zip: Path

    def module(self, name: str) -> ModuleType:
        """Return a module of the installed add-on."""
        return importlib.import_module(f"{MODULE}.{name}" if name else MODULE)


def install(archive: Path) -> None:
    """Install and enable the add-on as a user does."""
    import bpy

    bpy.ops.extensions.package_install_files(filepath=str(archive), repo="user_default", enable_on_install=True, overwrite=True)


def empty_scene() -> None:
    """Remove all that was in the file, and bring the scene's own settings back."""
    import bpy

    for group in (bpy.data.objects, bpy.data.meshes, bpy.data.images, bpy.data.materials, bpy.data.cameras, bpy.data.lights, bpy.data.worlds):
        for item in list(group):
            group.remove(item)
    for collection in list(bpy.data.collections):
        bpy.data.collections.remove(collection)
    bpy.context.scene.view_settings.view_transform = "AgX"
    bpy.context.scene.camera = None


def run(checks: Path, setting: Setting) -> dict[str, str]:
    """Return each check's traceback, empty where it passed."""
    spec = importlib.util.spec_from_file_location("checks", checks)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["checks"] = module
    spec.loader.exec_module(module)
    outcomes: dict[str, str] = {}
    for name, check in [item for item in vars(module).items() if item[0].startswith("check_")]:
        try:
            empty_scene()
            check(setting)
            outcomes[name] = ""
        except Exception:  # whatever a check fails by; the test outside fails with it
            outcomes[name] = traceback.format_exc()
        (setting.folder / "outcomes.json").write_text(json.dumps(outcomes))
    return outcomes


def main(arguments: list[str]) -> Any:
    """Run the checks of a file."""
    checks, folder, archive = (Path(argument) for argument in arguments)
    sys.path.insert(0, str(Path(__file__).parent))
    install(archive)
    numpy.seterr(all="raise")
    run(checks, Setting(folder, archive))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
