"""Small stand-ins for what an installation meets: wheels of a few lines, and Pythons that hang or lie."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

from building.archives import write_archive

TORCH = "2.13.0"
VERSION = "0.1.0"
DEVICES = """
class Compute:
    label = "a toy"
def choose_compute(device, precision):
    return Compute()
"""


def write_wheel(folder: Path, name: str, version: str, files: dict[str, str], requires: tuple[str, ...] = ()) -> Path:
    """Write a wheel that pip accepts."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    content = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: toys\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*content, f"{info}/RECORD"])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    write_archive(path, {path: text.encode() for path, text in {**content, f"{info}/RECORD": record}.items()})
    return path


def torch_wheel(folder: Path, code: str = f"__version__ = '{TORCH}+toy'") -> Path:
    """Write a torch of one line."""
    return write_wheel(folder, "torch", TORCH, {"torch/__init__.py": code})


def engine_wheel(folder: Path, code: str = "") -> Path:
    """Write an engine that answers `examine` and does nothing else."""
    files = {
        "engine/__init__.py": f"__version__ = '{VERSION}'",
        "engine/pipeline.py": code,
        "engine/models/__init__.py": "",
        "engine/models/devices.py": DEVICES,
    }
    return write_wheel(folder, "redepth", VERSION, files, (f"torch=={TORCH}",))


def script(path: Path, text: str) -> Path:
    """Write a program for the system's shell."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def hanging_python(path: Path, notes: Path) -> Path:
    """Write a Python that answers questions but hangs when it is to make an environment, with a child that hangs too; ``notes`` gets their ids."""
    real = shlex.quote(sys.executable)
    lines = f'case "$*" in *"-m venv"*) sleep 600 & echo $$ $! > {shlex.quote(str(notes))}; echo working; wait;; *) exec {real} "$@";; esac'
    return script(path, lines)


def copying_python(path: Path, template: Path) -> Path:
    """Write a Python that makes an environment by copying ``template``, which takes a tenth of the time that making one takes."""
    real, source = shlex.quote(sys.executable), shlex.quote(str(template))
    return script(path, f'case "$*" in *"-m venv"*) cp -a {source}/. "$3";; *) exec {real} "$@";; esac')


def until(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    """Wait for ``condition``."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Return whether the process runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
        return not Path(f"/proc/{pid}/stat").read_text().split(") ")[-1].startswith("Z")
    except (OSError, IndexError):
        return False
