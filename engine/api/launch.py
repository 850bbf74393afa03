"""Starting the engine from a client: which Python runs it, and how it is cut loose from whoever starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from .errors import EngineUnavailableError
from .folders import Folders

PYTHON_VARIABLE = "REDEPTH_PYTHON"
_LOG_LIMIT_BYTES = 1 << 20
_LOG_TAIL_BYTES = 600


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A Python that can run the engine.

    Attributes:
        python: its interpreter, not resolved, for a virtual environment is known by its link.
        root: the folder to start in: the checkout that holds the package ``engine``, or any folder where it is installed.
    """

    python: Path
    root: Path


def find_installation(folders: Folders, python: str | os.PathLike[str] | None) -> Installation:
    """Return the Python given, else the one named by ``REDEPTH_PYTHON``, else this one, else the one that last ran an engine here.

    This one counts only where the whole engine lies beside this file; Blender's Python has a copy of `engine.api` alone.

    Raises:
        EngineUnavailableError: none is known.
    """
    given = python or os.environ.get(PYTHON_VARIABLE)
    if given:
        return Installation(python=Path(given), root=_root_of(Path(given), folders))
    engine_folder = Path(__file__).resolve().parents[1]
    if (engine_folder / "service").is_dir():
        return Installation(python=Path(sys.executable), root=engine_folder.parent)
    try:
        noted = json.loads(folders.python_file.read_text(encoding="utf-8"))
        installation = Installation(python=Path(noted["python"]), root=Path(noted["root"]))
    except (OSError, ValueError, KeyError, TypeError) as exc:
        hint = f"Name the Python of the engine's virtual environment in the preferences, or in the variable {PYTHON_VARIABLE}."
        raise EngineUnavailableError("The engine's Python is not known here.", hint=hint) from exc
    return installation


def start_engine(folders: Folders, installation: Installation) -> subprocess.Popen[bytes]:
    """Start the engine on its own: it outlives this process, and nothing of this process's Python reaches it.

    Raises:
        EngineUnavailableError: the system cannot start it.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        folders.make()
        with _log_for_appending(folders.log_file) as log:
            child = subprocess.Popen(
                [str(installation.python), "-m", "engine", "serve"],
                cwd=installation.root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **_detached(),
            )
    except OSError as exc:
        sentence = f"The engine cannot be started by {installation.python} in {folders.home}: {exc.strerror}."
        raise EngineUnavailableError(sentence, hint="Check the engine's Python and the permissions of that folder.") from exc
    threading.Thread(target=child.wait, daemon=True).start()  # takes note of its end, whenever that is
    return child


def log_tail(folders: Folders) -> str:
    """Return the last lines that the engine wrote, on one line."""
    try:
        text = folders.log_file.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace")
    except OSError:
        return ""
    return " | ".join(line.strip() for line in text.splitlines()[-4:] if line.strip())


def _root_of(python: Path, folders: Folders) -> Path:
    """Return the checkout whose ``.venv/bin/python`` this is, or a neutral folder for an installed engine."""
    checkout = python.absolute().parents[min(2, len(python.absolute().parents) - 1)]
    return checkout if (checkout / "engine" / "__main__.py").is_file() else folders.home


def _log_for_appending(path: Path) -> BinaryIO:
    fresh = path.exists() and path.stat().st_size > _LOG_LIMIT_BYTES
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if fresh else os.O_APPEND), 0o600), "ab")


def _detached() -> dict[str, Any]:
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}
