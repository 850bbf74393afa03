"""Who may import whom, and other habits of the whole tree, checked over the source.

`violations` checks one file's text, so the rules themselves are tested on a few lines; then it runs over every file of the project.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONGEST_FILE = 500
STDLIB = sys.stdlib_module_names
FIRST_PARTY = {"engine", "desktop", "blender_addon", "building"}
MODEL_LIBRARIES = {"diffusers", "transformers"}
BLENDER = {"bl_ext", "bl_ui", "blf", "bmesh", "bpy", "bpy_extras", "gpu_extras", "mathutils"}
QT = {"PySide6", "pyqtgraph", "shiboken6"}
PICKLERS = {"cPickle", "cloudpickle", "dill", "joblib", "pickle", "shelve"}

# Folder -> all that it may import. Names are roots of outside packages, or paths inside the project; the standard library is always allowed.
ALLOWED = {
    "engine/api": {"numpy", "engine.api"},
    "engine/geometry": {"numpy", "engine.api", "engine.geometry"},
    "engine/method": {"torch", "engine.api", "engine.method"},
    "engine/gate": {"torch", "engine.api", "engine.method", "engine.gate"},
    "desktop": {"numpy", "PIL", "moderngl", "desktop", "engine.__version__", "engine.api", "engine.geometry", "engine.export", "engine.evaluation"}
    | QT,
    "blender_addon": {"numpy", "blender_addon"} | BLENDER,
}
# Folder -> what it must not import.
FORBIDDEN = {
    "engine": {"desktop", "blender_addon", "build", "building"},
    "engine/images": {"engine.pipeline", "engine.cli", "engine.service"},
    "engine/models": {"engine.pipeline", "engine.cli", "engine.service"},
    "engine/export": {"torch", "engine.method", "engine.models", "engine.pipeline", "engine.cli", "engine.service", "engine.embedded"},
    "engine/evaluation": {"torch", "engine.method", "engine.models", "engine.pipeline", "engine.cli", "engine.service", "engine.embedded"},
    "engine/pipeline.py": {"engine.cli", "engine.service"},
    "desktop/state": QT | {"moderngl", "desktop.views", "desktop.views3d", "desktop.rendering", "desktop.saving", "desktop.link"},
    "desktop/rendering": QT,
    "desktop/saving": QT,
}
# The shared process answers in milliseconds; only its workers load torch, and what loads torch.
LISTENER_FORBIDDEN = {"torch", "engine.method", "engine.models", "engine.pipeline", "engine.embedded"}
RELATIVE_ONLY = ("engine/api/", "engine/geometry/")
PRINTING = ("engine/cli/", "build.py", "building/", "samples/", "tests/")


def imports(path: str, tree: ast.AST) -> Iterator[tuple[int, str, bool]]:
    """Yield (line, absolute name, whether it was written as a relative import), also for imports inside functions."""
    package = path.removesuffix(".py").split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = (f"{module}.{alias.name}" if module in FIRST_PARTY or not node.module else module for alias in node.names)
            yield from ((node.lineno, name, bool(node.level)) for name in dict.fromkeys(names))


def is_within(name: str, allowed: set[str]) -> bool:
    return any(name == entry or name.startswith(f"{entry}.") for entry in allowed)


def broken_directions(path: str, name: str, relative: bool) -> Iterator[str]:
    root = name.split(".")[0]
    for folder, allowed in ALLOWED.items():
        if path.startswith(f"{folder}/") and root not in STDLIB and not is_within(name, allowed):
            yield f"{folder} may not import {name}"
    for folder, forbidden in FORBIDDEN.items():
        if (path == folder or path.startswith(f"{folder}/")) and is_within(name, forbidden):
            yield f"{folder} may not import {name}"
    if path.startswith("engine/service/") and not Path(path).name.startswith("worker") and is_within(name, LISTENER_FORBIDDEN):
        yield f"only workers of the service may import {name}"
    if path.startswith(RELATIVE_ONLY) and root == "engine" and not relative:
        yield f"{name} must be a relative import, for the add-on holds a copy"
    if path.startswith("tests/"):
        return
    for libraries, home in ((MODEL_LIBRARIES, ("engine/models/",)), (BLENDER, ("blender_addon/", "samples/")), (QT, ("desktop/",))):
        if root in libraries and not path.startswith(home):
            yield f"{root} belongs in {home[0]} only"


def violations(path: str, source: str) -> list[str]:
    """Return what is wrong with the file at ``path`` (relative to the project, with /), one sentence each."""
    tree = ast.parse(source)
    found = []
    for line, name, relative in imports(path, tree):
        broken = list(broken_directions(path, name, relative))
        if name.split(".")[0] in PICKLERS:
            broken.append(f"{name} runs code from files")
        if (path == "build.py" or path.startswith("building/")) and name.split(".")[0] not in STDLIB | {"building"}:
            broken.append(f"build.py runs before anything is installed, so not {name}")
        found += [f"{path}:{line}: {sentence}" for sentence in broken]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id == "print" and not path.startswith(PRINTING):
            found.append(f"{path}:{node.lineno}: print is for the command line")
        unsafe = {"allow_pickle": True, "weights_only": False}
        if any(isinstance(word.value, ast.Constant) and word.arg in unsafe and word.value.value is unsafe[word.arg] for word in node.keywords):
            found.append(f"{path}:{node.lineno}: this reads a pickle")
    if (lines := source.count("\n")) > LONGEST_FILE:
        found.append(f"{path}: {lines} lines, more than {LONGEST_FILE}: does it hold two rooms?")
    return found


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("engine/api/settings.py", "import torch"),
        ("engine/api/settings.py", "import PIL.Image"),
        ("engine/api/settings.py", "from ..geometry import camera"),
        ("engine/api/settings.py", "from engine.api.errors import InputError"),
        ("engine/geometry/mesh.py", "def late():\n    import trimesh"),
        ("engine/geometry/mesh.py", "from .. import export"),
        ("engine/method/refine.py", "import numpy as np"),
        ("engine/method/refine.py", "from ..models.depth_anything import DepthAnything"),
        ("engine/method/refine.py", "from engine import models"),
        ("engine/images/load.py", "from transformers import AutoModel"),
        ("engine/embedded/training.py", "import diffusers.models"),
        ("engine/export/folder.py", "import torch.nn"),
        ("engine/evaluation/compare.py", "from ..pipeline import refine_picture"),
        ("engine/models/loading.py", "from ..cli.main import main"),
        ("engine/pipeline.py", "from .cli import main"),
        ("engine/service/listener.py", "import torch"),
        ("engine/service/queue.py", "from ..pipeline import load_models"),
        ("engine/export/blend.py", "import bpy"),
        ("engine/cli/window.py", "from PySide6.QtWidgets import QWidget"),
        ("desktop/window.py", "from engine.images.load import load_picture"),
        ("desktop/window.py", "import torch"),
        ("desktop/state/probe.py", "from PySide6.QtCore import QPointF"),
        ("desktop/state/probe.py", "from ..views import map_pane"),
        ("desktop/rendering/light.py", "import pyqtgraph"),
        ("desktop/window.py", "from blender_addon import panel"),
        ("blender_addon/panel.py", "import desktop.window"),
        ("engine/cli/main.py", "import desktop"),
        ("engine/method/refine.py", "print('step')"),
        ("engine/export/files.py", "import pickle"),
        ("tests/test_anything.py", "import numpy as np\nnp.load('x', allow_pickle=True)"),
        ("engine/models/loading.py", "import torch\ntorch.load('x', weights_only=False)"),
        ("build.py", "import rich"),
        ("building/wheel.py", "import setuptools"),
        ("engine/cli/main.py", "\n" * 501),
    ],
)
def test_each_rule_catches_its_violation(path: str, source: str) -> None:
    assert len(violations(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("engine/api/settings.py", "import json\nimport numpy.typing\nfrom .errors import InputError\nfrom . import messages"),
        ("engine/geometry/mesh.py", "from ..api.settings import MeshSettings\nfrom .camera import Camera"),
        ("engine/method/refine.py", "from torch.nn import functional\nfrom ..api import messages\nfrom .losses import smoothness"),
        ("engine/models/loading.py", "import transformers\nfrom diffusers import UNet2DModel\nfrom ..method.refine import refine"),
        ("engine/service/worker.py", "import torch\nfrom ..pipeline import load_models"),
        ("desktop/window.py", "from PySide6 import QtCore\nfrom engine.api.client import Client\nfrom engine import export"),
        ("blender_addon/panel.py", "import bpy\nfrom .engine.api import client"),
        ("engine/cli/main.py", "print('fine')\nfrom engine.pipeline import load_models"),
        ("tests/engine/models/test_loading.py", "import transformers\nimport torch\ntorch.load('x', weights_only=True)"),
    ],
)
def test_what_is_allowed_passes(path: str, source: str) -> None:
    assert violations(path, source) == []


def source_files() -> list[Path]:
    folders = ("building", "engine", "desktop", "blender_addon", "tests", "samples")
    return [ROOT / "build.py", *sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))]


def test_the_project_keeps_its_rules() -> None:
    files = source_files()
    found = [line for file in files for line in violations(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8"))]
    assert len(files) > 20
    assert found == []


def modules_in(*folders: str) -> list[str]:
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]
    return [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files]


def loaded_by(modules: list[str]) -> set[str]:
    """Return the roots of all modules that a fresh Python has after importing ``modules``."""
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\nprint(*{name.split('.')[0] for name in sys.modules})"
    run = subprocess.run([sys.executable, "-c", code, *modules], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    return set(run.stdout.split())


def test_api_and_geometry_load_numpy_and_nothing_else() -> None:
    modules = modules_in("engine/api", "engine/geometry")
    loaded = loaded_by(modules)
    assert {"engine.api.settings", "engine.geometry.camera"} <= set(modules)
    installed = set(packages_distributions())
    assert loaded & installed <= loaded_by(["numpy"]) & installed | {"engine"}
    assert "numpy" in loaded


def test_export_evaluation_and_the_command_line_load_no_torch() -> None:
    loaded = loaded_by([*modules_in("engine/export", "engine/evaluation", "engine/cli"), "engine.images.load"])
    assert "PIL" in loaded
    assert not loaded & {"torch", "transformers", "diffusers"}


def test_every_outside_package_the_engine_imports_is_pinned() -> None:
    files = (ROOT / "requirements" / f"{name}.txt" for name in ("torch", "engine", "train"))
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    pinned = {normal_name(line.split("==")[0]) for line in lines if "==" in line}
    imported = {
        name.split(".")[0]
        for file in (ROOT / "engine").rglob("*.py")
        for _, name, _ in imports(file.relative_to(ROOT).as_posix(), ast.parse(file.read_text(encoding="utf-8")))
    }
    outside = imported - STDLIB - FIRST_PARTY
    distributions = packages_distributions()  # does not list what is one compiled file, such as OpenEXR; there the names agree
    assert {root for root in outside if normal_name(distributions.get(root, [root])[0]) not in pinned} == set()
    assert "torch" in outside


def normal_name(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()
