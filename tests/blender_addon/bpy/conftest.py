"""The add-on's zip, a finished job, and each file of checks run once in each Blender."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from building.addon import blender_extension, stage_addon
from building.environments import python_of
from building.outside_tools import blender_venv
from engine.api.client import EngineClient
from engine.api.errors import EngineUnavailableError
from engine.api.result import RefineResult
from engine.api.result_folder import write_result

HERE = Path(__file__).parent
SAMPLES = HERE.parents[2] / "samples"
VERSIONS = ("4.2", "5.0")
JOB = "ab" * 16
LIMIT_S = 600


@pytest.fixture(scope="session")
def addon_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension as `build.py addon` makes it, but for the engine's wheel, which takes long and which nothing here needs."""
    if not python_of(blender_venv("5.0")).is_file():
        pytest.skip("no Blender here: `python3 build.py test` makes .venv-bpy-5.0 where Python is 3.11")
    folder = tmp_path_factory.mktemp("addon")
    stage_addon(folder / "redepth", wheel=False)
    archive = folder / "redepth.zip"
    blender_extension("5.0", "build", "--source-dir", str(folder / "redepth"), "--output-filepath", str(archive))
    return archive


@pytest.fixture(scope="session")
def job_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An engine's home with a finished job in it; no engine is ever started here."""
    home = tmp_path_factory.mktemp("job_home")
    write_job(home)
    return home


@pytest.fixture(scope="session")
def engine_home() -> Iterator[Path]:
    """The home of the real engine that Blender starts; a short path, for sockets."""
    home = Path(tempfile.mkdtemp(prefix="redepth-bpy-"))
    yield home
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REDEPTH_HOME", str(home))
        try:
            with EngineClient.connect(start=False) as engine:
                engine.shutdown()
        except EngineUnavailableError:
            pass
    shutil.rmtree(home, ignore_errors=True)


def write_job(home: Path, job: str = JOB) -> Path:
    """Write a job's folder: the sample at a quarter of its size with its exact disparity as refined, and a blurred one as base."""
    picture = np.asarray(Image.open(SAMPLES / "still_life.jpg").convert("RGB"))[::4, ::4]
    refined = (1 / np.load(SAMPLES / "still_life_depth.npz")["gt"][::4, ::4]).astype(np.float32)
    method = {"seed": 7}
    provenance = {
        "picture": {"name": "still_life.jpg"},
        "models": {"depth": {"title": "Exact depth", "licence": "none"}, "prior": {"title": "No prior", "licence": "none"}},
        "settings": {"preset": "quick", "method": method},
        "seed": 7,
        "complete": True,
    }
    result = RefineResult(
        image_srgb=np.ascontiguousarray(picture),
        disparity_base=blurred(refined, 12),
        disparity_refined=refined,
        uncertainty=np.zeros_like(refined),
        fov_deg=38.2,
        fov_source="exif",
        provenance=provenance,
    )
    folder = home / "jobs" / job
    folder.mkdir(parents=True)
    write_result(folder / "result", result)
    return folder


def blurred(values: np.ndarray, radius: int) -> np.ndarray:
    """Return means over windows of 2 * radius + 1, the border repeated."""
    for axis in (0, 1):
        padded = np.pad(values, [(radius + 1, radius) if axis == other else (0, 0) for other in (0, 1)], "edge").astype(np.float64)
        sums = np.cumsum(padded, axis)
        count = 2 * radius + 1
        values = (np.take(sums, range(count, sums.shape[axis]), axis) - np.take(sums, range(sums.shape[axis] - count), axis)) / count
    return values.astype(np.float32)


class Blenders:
    """Runs files of checks, each once a version, and remembers what came of them."""

    def __init__(self, archive: Path, job_home: Path, engine_home: Path, folder: Path) -> None:
        self._archive, self._job_home, self._engine_home, self._folder = archive, job_home, engine_home, folder
        self._outcomes: dict[tuple[str, str], dict[str, str]] = {}

    def folder(self, version: str, checks: str) -> Path:
        return self._folder / f"{version}-{checks}"

    def outcomes(self, version: str, checks: str) -> dict[str, str]:
        if (version, checks) not in self._outcomes:
            self._outcomes[version, checks] = self._run(version, checks)
        return self._outcomes[version, checks]

    def _run(self, version: str, checks: str) -> dict[str, str]:
        python = python_of(blender_venv(version))
        if not python.is_file():
            pytest.skip(f"no Blender {version} here: `python3 build.py test` makes it where Python is 3.11")
        folder = self.folder(version, checks)
        folder.mkdir()
        command = [str(python), "-P", str(HERE / "harness.py"), str(HERE / f"{checks}.py"), str(folder), str(self._archive)]
        run = subprocess.run(
            command,
            env=self._environment(folder, self._engine_home if checks == "in_engine" else self._job_home),
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        written = folder / "outcomes.json"
        outcomes: dict[str, str] = json.loads(written.read_text()) if written.is_file() else {}
        if run.returncode:
            outcomes[""] = f"Blender {version} ended with status {run.returncode}.\n{run.stdout[-2000:]}\n{run.stderr[-4000:]}"
        return outcomes

    def _environment(self, folder: Path, home: Path) -> dict[str, str]:
        kept: dict[str, Any] = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "BLENDER", "REDEPTH"))}
        return kept | {
            "BLENDER_USER_RESOURCES": str(folder / "blender"),
            "REDEPTH_HOME": str(home),
            "REDEPTH_PYTHON": sys.executable,
            "REDEPTH_SAMPLES": str(SAMPLES),
        }


@pytest.fixture(scope="session")
def blenders(addon_zip: Path, job_home: Path, engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Blenders:
    return Blenders(addon_zip, job_home, engine_home, tmp_path_factory.mktemp("blender"))
