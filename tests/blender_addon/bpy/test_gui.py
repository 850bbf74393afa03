"""An artist's first minute in a Blender with windows, named by ``$BLENDER``, on a display of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.api.client import EngineClient
from tests.blender_addon.bpy.conftest import HERE, SAMPLES

LIMIT_S = 540


@pytest.fixture
def display() -> Iterator[str]:
    """The name of a display that nothing else draws on."""
    server = shutil.which("Xvfb")
    if server is None or shutil.which("import") is None:
        pytest.skip("needs Xvfb and ImageMagick's import")
    process = subprocess.Popen(
        [server, "-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    with process.stdout as out:
        number = out.readline().decode().strip()
    yield f":{number}"
    process.terminate()
    process.wait(timeout=20)


@pytest.mark.gui
@pytest.mark.slow
@pytest.mark.timeout(LIMIT_S + 60)
def test_a_dropped_picture_is_relit_in_three_clicks(
    display: str, addon_zip: Path, engine_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blender = os.environ.get("BLENDER")
    if not blender:
        pytest.skip("set BLENDER to the executable of a Blender with windows")
    folder = Path(os.environ.get("REDEPTH_SCREENSHOTS", tmp_path))
    folder.mkdir(exist_ok=True)
    shutil.copy(addon_zip, folder / "redepth.zip")
    monkeypatch.setenv("REDEPTH_HOME", str(engine_home))
    EngineClient.connect(timeout_s=60).close()  # Blender may live in a root folder of its own, from where this Python cannot be started
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | {
        "DISPLAY": display,
        "BLENDER_USER_RESOURCES": str(tmp_path / "resources"),
        "REDEPTH_GUI_FOLDER": str(folder),
        "REDEPTH_SAMPLES": str(SAMPLES),
        "REDEPTH_PYTHON": sys.executable,
    }
    options = ["--factory-startup", "--enable-event-simulate", "--window-geometry", "0", "0", "1600", "1000"]
    with (tmp_path / "blender.log").open("wb") as log:
        process = subprocess.Popen([blender, *options, "--python", str(HERE / "gui_driver.py")], cwd=folder, env=environment, stdout=log, stderr=log)
        photograph(process, display, folder)
    told = json.loads((folder / "told.json").read_text())
    assert "fault" not in told, told["fault"]
    assert told["steps"] == ["installed", "dropped", "clicked", "refined", "built", "relit", "undone", "end"], told
    assert told["vertices"] > 100_000 and told["perspective"] == "CAMERA"
    assert told["key"] and told["shading"] == "RENDERED"
    assert told["mesh_left"] and not told["rig_left"]
    pictures = {name: np.asarray(Image.open(folder / f"{name}.png").convert("L"), np.float32) for name in ("dropped", "built", "relit")}
    for name, picture in pictures.items():
        assert picture.shape == (1000, 1600) and picture.std() > 10, name
    assert np.abs(pictures["relit"] - pictures["built"]).mean() > 5


def photograph(process: subprocess.Popen[bytes], display: str, folder: Path) -> None:
    """Make the screenshots that the driver wants, until Blender ends."""
    deadline = time.monotonic() + LIMIT_S
    try:
        while process.poll() is None:
            assert time.monotonic() < deadline, "Blender did not end"
            for wanted in folder.glob("*.wanted"):
                subprocess.run(
                    ["import", "-display", display, "-window", "root", str(wanted.with_suffix(".png"))], check=True, timeout=30, capture_output=True
                )
                wanted.unlink()
            time.sleep(0.1)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(timeout=20)
