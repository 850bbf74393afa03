"""The Blender extension: its folder as installed, and the zip that Blender's own program builds and validates.

The folder holds `blender_addon/`, and inside it what it shares with the engine (`engine/api`, `engine/geometry`), the wheel of engine and
viewer with the versions they were tested with (`carried/`), and the licence.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path

from .archives import read_archive, write_archive
from .environments import CONSTRAINTS
from .outside_tools import extension_tool
from .steps import ROOT, call_quietly
from .wheel import build_wheel, copy_package

ADDON = ROOT / "blender_addon"
CARRIED = "carried"
# Its packages that know no bpy, and so can be checked and tested without Blender.
WITHOUT_BLENDER = ("installing", "running", "shape")
_SHARED = ("api", "geometry")


def archive_name() -> str:
    """Return what Blender calls this version's zip."""
    manifest = tomllib.loads((ADDON / "blender_manifest.toml").read_text(encoding="utf-8"))
    return f"{manifest['id']}-{manifest['version']}.zip"


def stage_addon(folder: Path, *, wheel: bool = True) -> None:
    """Make ``folder`` the add-on as it is installed.

    Args:
        folder: must not exist yet.
        wheel: also carry the engine's wheel, which takes the environment .venv to build; what the add-on does until
            "Install engine…" needs none.
    """
    copy_package(ADDON, folder)
    shared = folder / "engine"
    shared.mkdir()
    shutil.copyfile(ROOT / "engine" / "__init__.py", shared / "__init__.py")
    for name in _SHARED:
        copy_package(ROOT / "engine" / name, shared / name)
    shutil.copyfile(ROOT / "LICENSE", folder / "LICENSE")
    if wheel:
        build_wheel(folder / CARRIED)
        shutil.copyfile(CONSTRAINTS, folder / CARRIED / CONSTRAINTS.name)


def build_addon(archive: Path) -> None:
    """Write the extension's zip: built and validated by Blender's own program, then packed so that its bytes follow from its files alone.

    Raises:
        SetupError: Blender's program refuses it; the text says why.
    """
    with tempfile.TemporaryDirectory(prefix="redepth-addon-") as temporary:
        staged, built = Path(temporary) / "redepth", Path(temporary) / "built.zip"
        stage_addon(staged)
        blender_extension("5.0", "build", "--source-dir", str(staged), "--output-filepath", str(built))
        packed = Path(temporary) / archive.name
        write_archive(packed, read_archive(built))
        for version in ("5.0", "4.2"):
            blender_extension(version, "validate", str(packed))
        archive.parent.mkdir(parents=True, exist_ok=True)
        part = archive.with_name(f".{archive.name}.{os.getpid()}.part")
        shutil.copyfile(packed, part)
        part.replace(archive)


def blender_extension(version: str, *arguments: str) -> None:
    """Call the program with which Blender ``version`` builds and validates extensions.

    Raises:
        SetupError: it refuses.
    """
    call_quietly([sys.executable, str(extension_tool(version)), *arguments])
