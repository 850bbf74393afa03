"""Programs of others that tests and packaging call: two Blenders as Python modules, and the Khronos glTF validator."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path

from .environments import REQUIREMENTS, prepare_venv, python_of
from .steps import CACHE, ROOT, SetupError, call, one_at_a_time, say

BLENDERS = ("4.2", "5.0")
BLENDER_PYTHON = (3, 11)  # the only one that Blender's wheels of these versions are for
_BLENDER_MACHINES = {("linux", "x86_64"), ("win32", "AMD64"), ("darwin", "arm64"), ("darwin", "x86_64")}
GLTF_VALIDATOR = "gltf-validator@2.0.0-dev.3.10"


def blender_venv(version: str) -> Path:
    """Return the environment that holds Blender ``version`` as the module ``bpy``."""
    return ROOT / f".venv-bpy-{version}"


def set_up_blenders(*versions: str) -> bool:
    """Make the environments of these Blenders; return False, and say why, where this Python or machine cannot hold them."""
    wanted, found = (".".join(map(str, version)) for version in (BLENDER_PYTHON, sys.version_info[:2]))
    if wanted != found or (sys.platform, platform.machine()) not in _BLENDER_MACHINES:
        here = f"Python {found} on {sys.platform}, {platform.machine()}"
        say(f"Going on without Blender: its modules {' and '.join(versions)} are not made for {here}. Python {wanted} is the one they are for.")
        return False
    for version in versions:
        prepare_venv(blender_venv(version), [REQUIREMENTS / f"bpy-{version}.txt"], call, constraints=None, size="about 1.2 GB")
    return True


def extension_tool(version: str) -> Path:
    """Return Blender's own program that builds and validates extensions, from the environment of that ``version``."""
    name = f"bpy/{version}/scripts/addons_core/bl_pkg/cli/blender_ext.py"
    found = sorted(python_of(blender_venv(version)).parents[1].rglob(f"site-packages/{name}"))
    if not found:
        raise SetupError(f"The module of Blender {version} holds no {name}.\nRemove {blender_venv(version)} and run the same command again.")
    return found[0]


def set_up_gltf_validator() -> None:
    """Fetch the Khronos validator where Node is; without it, its tests say that they are skipped, and why."""
    folder = CACHE / "gltf-validator"
    stamp = folder / "redepth-stamp"
    npm = shutil.which("npm")
    if npm is None or (stamp.exists() and stamp.read_text(encoding="ascii") == GLTF_VALIDATOR):
        return
    with one_at_a_time(CACHE / "gltf-validator.lock"):
        say("Installing the Khronos glTF validator, for the tests")
        folder.mkdir(parents=True, exist_ok=True)
        try:
            call([npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--save-exact", GLTF_VALIDATOR])
        except SetupError as error:
            say(f"Going on without the validator.\n{error}")
            return
        stamp.write_text(GLTF_VALIDATOR, encoding="ascii")
