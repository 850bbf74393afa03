"""The virtual environments beside the checkout: made once, brought to the pinned packages, known by a stamp."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .steps import CACHE, ROOT, SetupError, call, one_at_a_time, say

VENV = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements"
CONSTRAINTS = REQUIREMENTS / "constraints.txt"
# Installed in this order. Torch goes first and alone, so that no other package chooses its version or build.
REQUIREMENT_FILES = (REQUIREMENTS / "torch.txt", REQUIREMENTS / "engine.txt", REQUIREMENTS / "desktop.txt", REQUIREMENTS / "test.txt")
# What only making training data needs, and not every machine can have: one of them is compiled from source.
TRAINING_FILE = REQUIREMENTS / "train.txt"


def python_of(venv: Path) -> Path:
    """Return the interpreter of ``venv``."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def stamp_for(files: Sequence[Path]) -> str:
    """Return what identifies the contents of ``files``."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def prepare_venv(
    venv: Path, files: Sequence[Path], call: Callable[[list[str]], None], *, constraints: Path | None = CONSTRAINTS, size: str = "about 1.5 GB"
) -> None:
    """Bring ``venv`` to the state that the requirement ``files`` describe.

    The stamp is removed before anything changes and written when all is done. So a stamp that fits means that nothing is to do, another stamp
    means a sound environment of other versions, and none means an interrupted installation, which is begun again from nothing.
    """
    stamp, wanted = venv / "redepth-stamp", stamp_for([*files, *([constraints] if constraints else [])])
    if found_stamp(venv, stamp) == wanted:
        return
    with one_at_a_time(CACHE / f"{venv.name.lstrip('.')}.lock"):
        found = found_stamp(venv, stamp)
        if found == wanted:
            return
        if found is None:
            create_venv(venv, call, size)
        stamp.unlink(missing_ok=True)
        for file in files:
            say(f"Installing {file.stem} packages ({file.relative_to(file.parents[1])})")
            pip_install(venv, file, call, constraints)
        stamp.write_text(wanted, encoding="ascii")
        say("Set up.")


def add_training_packages(venv: Path, call: Callable[[list[str]], None]) -> None:
    """Add `TRAINING_FILE` to a whole ``venv`` where a compiler is; where that cannot be, say what goes on without."""
    stamp, wanted = venv / "redepth-stamp-training", stamp_for([TRAINING_FILE, CONSTRAINTS])
    if found_stamp(venv, stamp) == wanted:
        return
    if not any(map(shutil.which, ("c++", "g++", "clang++", "cl"))):
        say(f"Going on without the tests of training rooms: {TRAINING_FILE.relative_to(ROOT)} takes a C++ compiler.")
        return
    with one_at_a_time(CACHE / f"{venv.name.lstrip('.')}.lock"):
        say(f"Installing packages for training data ({TRAINING_FILE.relative_to(ROOT)})")
        try:
            pip_install(venv, TRAINING_FILE, call, CONSTRAINTS)
        except SetupError as error:
            say(f"Going on without the tests of training rooms.\n{error}")
            return
        stamp.write_text(wanted, encoding="ascii")


def pip_install(venv: Path, file: Path, call: Callable[[list[str]], None], constraints: Path | None) -> None:
    """Install what the requirement ``file`` names."""
    limits = ["-c", str(constraints)] if constraints else []
    call([str(python_of(venv)), "-m", "pip", "install", "--disable-pip-version-check", "-r", str(file), *limits])


def found_stamp(venv: Path, stamp: Path) -> str | None:
    """Return the stamp of a whole environment, or None."""
    return stamp.read_text(encoding="ascii") if python_of(venv).exists() and stamp.exists() else None


def create_venv(venv: Path, call: Callable[[list[str]], None], size: str) -> None:
    """Make ``venv`` anew, whatever is there; ``size`` is told to the user."""
    say(f"Creating the virtual environment {venv} (a few minutes and {size}, once)")
    call([sys.executable, "-m", "venv", "--clear", str(venv)])


def write_constraints() -> None:
    """Resolve the requirements without constraints, in an environment of their own, and write down every version."""
    venv = CACHE / "venv-lock"
    create_venv(venv, call, "about 1.5 GB")
    for file in (*REQUIREMENT_FILES, TRAINING_FILE):
        pip_install(venv, file, call, None)
    frozen = subprocess.run([str(python_of(venv)), "-m", "pip", "freeze", "--all", "--exclude", "pip"], check=True, capture_output=True, text=True)
    CONSTRAINTS.write_text(constraints_from_freeze(frozen.stdout), encoding="utf-8")
    shutil.rmtree(venv)
    say(f"Wrote {CONSTRAINTS}")


def constraints_from_freeze(frozen: str) -> str:
    """Return the lines of `pip freeze` as constraints for every machine: no local builds (+cpu), and nothing that only one build of torch needs."""
    lines = (line.split("+")[0].strip() for line in frozen.splitlines())
    kept = [line for line in lines if "==" in line and not line.lower().startswith(("nvidia-", "cuda-", "triton"))]
    return "# Every package that requirements/*.txt lead to. Made by `python3 build.py lock`.\n" + "\n".join(kept) + "\n"
