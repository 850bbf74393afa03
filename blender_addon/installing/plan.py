"""What an installation is to make, and how it is known afterwards."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from ..engine import __version__
from ..engine.api.errors import EngineError
from ..engine.api.folders import find_folders

STAMP_NAME = "redepth-installation.json"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """An installation as it is wished for.

    Attributes:
        folder: of the virtual environment; outside Blender's own folders, which an update removes.
        wheel: the engine's, as the add-on carries it.
        constraints: the versions of all packages that it was tested with.
        python: to make the environment with; None = the best found on this machine.
        torch: one of `installing.torch_builds.CHOICES`.
        packages: a folder of wheels to install from without any network; None = from the package index.
        stall_s: how long a step may give no sign of life.
    """

    folder: Path
    wheel: Path
    constraints: Path
    python: Path | None = None
    torch: str = "auto"
    packages: Path | None = None
    stall_s: float = 900.0


def environment_folder() -> Path:
    """Return where the engine's environment is made: beside the engine's other files."""
    return find_folders().home / "environment"


def plan_from_carried(carried: Path, *, python: Path | None = None, torch: str = "auto", packages: Path | None = None) -> Plan:
    """Return the plan that installs what the add-on's folder ``carried`` holds.

    Raises:
        EngineError: the folder lacks the wheel or the constraints: this add-on was not made by `build.py addon`.
    """
    wheel, constraints = carried / f"redepth-{__version__}-py3-none-any.whl", carried / "constraints.txt"
    if not (wheel.is_file() and constraints.is_file()):
        hint = "Install the add-on from the zip that `python3 build.py addon` makes, or choose an existing environment."
        raise EngineError("This add-on carries no engine.", hint=hint, code="engine.install.carried")
    return Plan(folder=environment_folder(), wheel=wheel, constraints=constraints, python=python, torch=torch, packages=packages)


def python_in(folder: Path) -> Path:
    """Return the interpreter of the virtual environment in ``folder``."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What a whole environment was made from; a file that is written last, so an interrupted installation has none.

    Attributes:
        version: of the engine.
        wheel, constraints: SHA-256 of the files.
        torch: name of the build, and of torch itself.
        python: the version that made the environment.
    """

    version: str
    wheel: str
    constraints: str
    torch: str
    python: str

    def write(self, folder: Path) -> None:
        """Mark the environment in ``folder`` as whole."""
        part = folder / f"{STAMP_NAME}.part"
        part.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        part.replace(folder / STAMP_NAME)


def read_stamp(folder: Path) -> Stamp | None:
    """Return the stamp of the whole environment in ``folder``, or None where there is none."""
    try:
        stamp = Stamp(**json.loads((folder / STAMP_NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return stamp if python_in(folder).is_file() else None


def digest(file: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def torch_version(constraints: Path) -> str:
    """Return the version of torch that the constraints name.

    Raises:
        EngineError: they name none.
    """
    for line in constraints.read_text(encoding="utf-8").splitlines():
        if line.startswith("torch=="):
            return line.removeprefix("torch==").strip()
    raise EngineError(f"{constraints} names no version of torch.", hint="Install the add-on anew.", code="engine.install.carried")
