"""Where the engine keeps its state, and the file through which clients find it.

``REDEPTH_HOME`` moves all of it into one folder. Without it: the platform's folder for a user's data (jobs, log, lock) and, where there is
one, the user's runtime folder (runtime file and socket). All are made readable by their user alone; on Windows the profile sees to that.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict, dataclass
from pathlib import Path

HOME_VARIABLE = "REDEPTH_HOME"
_NAME = "redepth"


@dataclass(frozen=True, kw_only=True)
class Folders:
    """The engine's places.

    Attributes:
        home: everything that outlives the engine.
        runtime: what does not: runtime file and socket.
    """

    home: Path
    runtime: Path

    @property
    def jobs(self) -> Path:
        """Holds one folder a job."""
        return self.home / "jobs"

    @property
    def models(self) -> Path:
        """The hub's cache, where ``REDEPTH_HOME`` is set."""
        return self.home / "models"

    @property
    def runtime_file(self) -> Path:
        """Tells clients where the running engine listens."""
        return self.runtime / "engine.json"

    @property
    def lock_file(self) -> Path:
        """Locked by the one engine that may run."""
        return self.home / "engine.lock"

    @property
    def log_file(self) -> Path:
        """What the listener wrote."""
        return self.home / "engine.log"

    @property
    def python_file(self) -> Path:
        """Which Python last ran an engine here, for clients that bring none."""
        return self.home / "python.json"

    def make(self) -> None:
        """Create what is missing, for the user alone."""
        for folder in (self.home, self.runtime, self.jobs):
            make_private_folder(folder)


def find_folders(environment: Mapping[str, str] = os.environ) -> Folders:
    """Return the places that the environment asks for."""
    given = environment.get(HOME_VARIABLE)
    if given:
        home = Path(given).expanduser().absolute()
        return Folders(home=home, runtime=home)
    home = _user_folder(environment)
    runtime = environment.get("XDG_RUNTIME_DIR") if sys.platform.startswith("linux") else None
    return Folders(home=home, runtime=Path(runtime) / _NAME if runtime and Path(runtime).is_dir() else home)


def _user_folder(environment: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "Re-Depth"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Re-Depth"
    return Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / _NAME


def keep_models_at_home(environment: MutableMapping[str, str]) -> None:
    """Let ``REDEPTH_HOME``, where it is set, hold the hub's cache too; call it before anything imports the hub's library."""
    if environment.get(HOME_VARIABLE):
        environment.setdefault("HF_HUB_CACHE", str(find_folders(environment).models))


def make_private_folder(folder: Path) -> None:
    """Create ``folder`` where it is missing, and take from others the right to enter it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.name == "posix" and folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def write_private_file(path: Path, text: str) -> None:
    """Replace ``path`` by ``text`` in one step, readable by the user alone."""
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@dataclass(frozen=True, kw_only=True)
class RuntimeFile:
    """How to reach the running engine.

    Attributes:
        address: path of the socket, or name of the pipe.
        key: hexadecimal, for the HMAC handshake.
    """

    pid: int
    address: str
    key: str
    protocol: int
    version: str

    def write(self, path: Path) -> None:
        """Replace the file at ``path``."""
        write_private_file(path, json.dumps(asdict(self)))


def read_runtime_file(path: Path) -> RuntimeFile | None:
    """Return what the file says, or None where there is none or it makes no sense."""
    try:
        runtime = RuntimeFile(**json.loads(path.read_text(encoding="utf-8")))
        bytes.fromhex(runtime.key)
    except (OSError, ValueError, TypeError):
        return None
    return runtime
