"""The engine and the viewer as one wheel: the same bytes from the same sources."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from .archives import read_archive, write_archive
from .environments import VENV, python_of
from .steps import ROOT, call_quietly

_FILES = ("pyproject.toml", "README.md", "LICENSE", "requirements/torch.txt", "requirements/engine.txt", "requirements/desktop.txt")
_PACKAGES = ("engine", "desktop")
_BUILD = "import os, sys\nos.chdir(sys.argv[1])\nfrom setuptools import build_meta\nbuild_meta.build_wheel(sys.argv[2])"


def build_wheel(folder: Path) -> Path:
    """Write the wheel into ``folder`` and return its path.

    It is built from a copy, so that what lies about in the checkout, such as an older build, cannot get in.

    Raises:
        SetupError: setuptools refuses the sources.
    """
    with tempfile.TemporaryDirectory(prefix="redepth-wheel-") as temporary:
        source, built = Path(temporary) / "source", Path(temporary) / "built"
        for name in _FILES:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
        for package in _PACKAGES:
            copy_package(ROOT / package, source / package)
        built.mkdir()
        call_quietly([str(python_of(VENV)), "-c", _BUILD, str(source), str(built)])
        (made,) = built.glob("*.whl")
        wheel = folder / made.name
        write_archive(wheel, read_archive(made))
    return wheel


def copy_package(source: Path, target: Path) -> None:
    """Copy a package's files, without what Python or an editor left beside them."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*"), copy_function=shutil.copyfile)
