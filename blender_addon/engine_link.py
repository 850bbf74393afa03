"""How this Blender reaches the engine: which Python runs it, how to connect, and where the add-on keeps its own files."""

from __future__ import annotations

from pathlib import Path

import bpy

from .engine.api.client import EngineClient
from .engine.api.errors import EngineUnavailableError
from .installing import environment_folder, python_in, read_stamp
from .running.follower import Connect
from .running.journal import Journal

CONNECT_S = 30.0


def preferences() -> bpy.types.AddonPreferences:
    """Return the add-on's preferences."""
    return bpy.context.preferences.addons[__package__].preferences


def own_folder(name: str) -> Path:
    """Return a folder of the add-on's own in the user's Blender folders, made where it is missing."""
    return Path(bpy.utils.extension_path_user(__package__, path=name, create=True))


def journal() -> Journal:
    """Return the note of the jobs that are waited for."""
    return Journal(own_folder("") / "jobs.json")


def engine_python() -> Path | None:
    """Return the Python of the engine: the one in the preferences, else the one that "Install Engine" made.

    None leaves the choice to `engine.api.launch.find_installation`, which finds a checkout whose engine ran here before.

    Raises:
        EngineUnavailableError: the one in the preferences is not there.
    """
    chosen = preferences().engine_python
    if chosen:
        path = Path(bpy.path.abspath(chosen))
        path = python_in(path) if path.is_dir() else path
        if not path.is_file():
            raise EngineUnavailableError(f"There is no Python at {path}.", hint="Choose the engine's Python in the add-on's preferences.")
        return path
    folder = environment_folder()
    return python_in(folder) if read_stamp(folder) else None


def connector(*, start: bool = True) -> Connect:
    """Return a way to connect that any thread may use: all that it needs of Blender is read now.

    Raises:
        EngineUnavailableError: the Python in the preferences is not there.
    """
    python = engine_python()
    return lambda: EngineClient.connect(start=start, python=python, timeout_s=CONNECT_S)
