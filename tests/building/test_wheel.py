"""`building.wheel`: the engine's wheel holds all that belongs to it, and its bytes follow from its files alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

import engine
from building.steps import ROOT
from building.wheel import build_wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


def test_wheel_holds_every_file_of_the_engine_and_the_viewer(wheel: Path) -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no git here to list the project's files")
    listed = subprocess.run(["git", "ls-files", "engine", "desktop"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name for name in listed if (ROOT / name).exists()} - names == set()
    assert {"engine/embedded/weights/depth/model.safetensors", "engine/embedded/weights/prior/prior.json"} <= names
    assert not [name for name in names if name.endswith(".pyc") or name.startswith(("tests/", "building/", "blender_addon/"))]


def test_wheel_states_its_version_licence_and_every_pinned_requirement(wheel: Path) -> None:
    name = f"redepth-{engine.__version__}"
    assert wheel.name == f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"{name}.dist-info/METADATA").decode()
    assert "\nLicense-Expression: GPL-3.0-or-later\n" in metadata
    for group in ("torch", "engine", "desktop"):
        lines = (ROOT / "requirements" / f"{group}.txt").read_text().splitlines()
        assert {f"Requires-Dist: {line}" for line in lines if "==" in line} <= set(metadata.splitlines())


def test_same_sources_make_the_same_bytes_in_another_folder_under_another_umask_and_clock(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1234567890")
    before = os.umask(0o077)
    try:
        again = build_wheel(tmp_path / "elsewhere")
    finally:
        os.umask(before)
    assert again.read_bytes() == wheel.read_bytes()
