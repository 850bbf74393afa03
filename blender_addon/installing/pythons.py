"""Which Python the engine's environment is made with: the user's choice, else the best that is found on this machine."""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..engine.api.errors import EngineError
from .children import clean_environment, no_window

# Those that the pinned packages have wheels for; the first is what they are tested with.
SUPPORTED = ((3, 11), (3, 12), (3, 13), (3, 14))
_PROBE_S = 30.0
_PROBE = """
import json, sys
from importlib.util import find_spec
print(json.dumps({
    "version": sys.version_info[:3], "bits": sys.maxsize.bit_length() + 1, "base": sys.base_prefix,
    "venv": find_spec("venv") is not None and find_spec("ensurepip") is not None,
}))
"""


@dataclass(frozen=True, kw_only=True)
class Python:
    """An interpreter that answered.

    Attributes:
        path: as it was found, not resolved, for a virtual environment is known by its link.
        version: of the language.
        base: where its standard library lies; equal for one Python found under two names.
        obstacle: why it cannot make the environment, a sentence with what to do; empty where it can.
    """

    path: Path
    version: tuple[int, int, int]
    base: Path
    obstacle: str

    @property
    def label(self) -> str:
        """The interpreter for people."""
        return f"Python {'.'.join(map(str, self.version))} ({self.path})"


def probe(path: Path) -> Python | None:
    """Return the interpreter at ``path`` as it describes itself, or None where nothing there answers as a Python does."""
    try:
        answer = subprocess.run(
            [str(path), "-I", "-c", _PROBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_S,
            check=True,
            env=clean_environment(),
            **no_window(),
        )
        facts = json.loads(answer.stdout)
        major, minor, micro = map(int, facts["version"])
        return Python(path=path, version=(major, minor, micro), base=Path(facts["base"]), obstacle=_obstacle(facts))
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None


def choose_python(wish: Path | None, candidates: Callable[[], Iterable[Path]] | None = None) -> Python:
    """Return the Python to use: ``wish`` where it is given, else the first supported version among ``candidates``.

    Args:
        wish: the user's choice.
        candidates: where to look; None = `places`.

    Raises:
        EngineError: the wish cannot be used, or nothing that can is here; the hint says what to install.
    """
    if wish is not None:
        python = probe(wish)
        if python is None:
            raise EngineError(
                f"{wish} does not answer as a Python does.", hint="Choose the program itself, such as …/bin/python3.", code="engine.install.python"
            )
        if python.obstacle:
            raise EngineError(f"{python.label} cannot make the engine's environment.", hint=python.obstacle, code="engine.install.python")
        return python
    found = list(_distinct((candidates or places)()))
    fit = [python for python in found if not python.obstacle]
    if not fit:
        seen = " ".join(f"{python.label}: {python.obstacle}" for python in found)
        hint = seen or "Install Python 3.11 from your system or from python.org, then try again; or choose one in the preferences."
        raise EngineError("No Python that can make the engine's environment was found.", hint=hint, code="engine.install.python")
    return min(fit, key=lambda python: SUPPORTED.index(python.version[:2]))  # the first found of each version


def places() -> Iterator[Path]:
    """Yield where Pythons are found on this machine; Blender's own comes last, for it goes when that Blender is removed."""
    names = [f"python{major}.{minor}" for major, minor in SUPPORTED]
    for name in [*names, "python3", "python"]:
        if path := shutil.which(name):
            yield Path(path)
    for pattern in _patterns():
        yield from map(Path, sorted(glob.glob(os.path.expanduser(os.path.expandvars(pattern)))))
    own = Path(sys.executable)
    if own.name.lower().startswith("python"):
        yield own


def _patterns() -> tuple[str, ...]:
    if sys.platform == "win32":
        programs = (r"%LOCALAPPDATA%\Programs\Python\Python3*\python.exe", r"%ProgramFiles%\Python3*\python.exe")
        return (*programs, r"%USERPROFILE%\.pyenv\pyenv-win\versions\3.*\python.exe")
    common = ("~/.pyenv/versions/3.*/bin/python3", "~/.local/share/uv/python/cpython-3.*/bin/python3")
    if sys.platform == "darwin":
        return (
            "/opt/homebrew/bin/python3.*[0-9]",
            "/usr/local/bin/python3.*[0-9]",
            "/Library/Frameworks/Python.framework/Versions/3.*/bin/python3",
            *common,
        )
    return ("/usr/bin/python3.*[0-9]", "/usr/local/bin/python3.*[0-9]", *common)


def _distinct(paths: Iterable[Path]) -> Iterator[Python]:
    seen: set[tuple[Path, tuple[int, int, int]]] = set()
    for path in paths:
        python = probe(path)
        if python and (key := (python.base, python.version)) not in seen:
            seen.add(key)
            yield python


def _obstacle(facts: dict[str, Any]) -> str:
    version = tuple(facts["version"])
    if version[:2] not in SUPPORTED:
        first, last = (".".join(map(str, supported)) for supported in (SUPPORTED[0], SUPPORTED[-1]))
        return f"The engine needs Python {first} to {last}; 3.11 is the one it is tested with."
    if facts["bits"] != 64:
        return "The engine needs a Python of 64 bits."
    if not facts["venv"]:
        return f"It lacks the module venv; on Debian and Ubuntu: sudo apt install python{version[0]}.{version[1]}-venv"
    return ""
