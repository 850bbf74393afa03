"""`building.addon`: the extension's zip, built and validated by Blender's own program."""

from __future__ import annotations

import ast
import os
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import engine
from building import addon, outside_tools
from building.archives import read_archive, write_archive
from building.environments import CONSTRAINTS, python_of
from building.steps import ROOT, SetupError

pytestmark = pytest.mark.skipif(
    not all(python_of(outside_tools.blender_venv(version)).exists() for version in outside_tools.BLENDERS),
    reason="no Blender here to build the extension: `build.py test` sets it up where Python is 3.11",
)
WHEEL = f"carried/redepth-{engine.__version__}-py3-none-any.whl"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("addon") / addon.archive_name()
    addon.build_addon(path)
    return path


def test_same_sources_make_the_same_bytes_in_another_folder_under_another_umask_and_clock(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    before = os.umask(0o077)
    try:
        again = tmp_path / "deeper" / "other name.zip"
        addon.build_addon(again)
    finally:
        os.umask(before)
    assert again.read_bytes() == archive.read_bytes()
    assert [path.name for path in again.parent.iterdir()] == ["other name.zip"]


def test_zip_holds_the_add_on_what_it_shares_with_the_engine_and_the_engine_itself(archive: Path) -> None:
    names = set(read_archive(archive))
    assert {"__init__.py", "blender_manifest.toml", "LICENSE", "carried/constraints.txt", WHEEL} <= names
    for folder, inside in (("blender_addon", ""), ("engine/api", "engine/api/"), ("engine/geometry", "engine/geometry/")):
        sources = {f"{inside}{file.relative_to(ROOT / folder).as_posix()}" for file in (ROOT / folder).rglob("*.py")}
        assert sources <= names
    assert {name.split("/")[1] for name in names if name.startswith("engine/")} == {"__init__.py", "api", "geometry"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc") or "/." in name]


def test_zip_and_wheel_are_of_one_version_and_bring_the_versions_that_were_tested(archive: Path) -> None:
    files = read_archive(archive)
    manifest = tomllib.loads(files["blender_manifest.toml"].decode())
    assert manifest["version"] == engine.__version__
    assert archive.name == f"redepth-{engine.__version__}.zip"
    assert files["carried/constraints.txt"] == CONSTRAINTS.read_bytes()


def test_nothing_in_the_zip_knows_this_machine_and_nothing_in_it_imports_torch(archive: Path, tmp_path: Path) -> None:
    files = read_archive(archive)
    (tmp_path / "wheel").write_bytes(files[WHEEL])
    for content in [*files.values(), *read_archive(tmp_path / "wheel").values()]:
        assert str(ROOT).encode() not in content
        assert str(Path.home()).encode() not in content
    for name, content in files.items():
        if name.endswith(".py"):
            nodes = list(ast.walk(ast.parse(content)))
            imported = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
            imported |= {(node.module or "").split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
            assert imported <= {*sys.stdlib_module_names, "numpy", "bpy", "mathutils", "bpy_extras", "gpu", "gpu_extras", "blf", "bmesh"}, name


def test_every_entry_is_a_plain_file_of_the_same_date(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        entries = opened.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {(entry.date_time, entry.external_attr >> 16, entry.compress_type) for entry in entries} == {((1980, 1, 1, 0, 0, 0), 0o100644, 0)}


@pytest.mark.parametrize("version", outside_tools.BLENDERS)
def test_blenders_program_accepts_the_zip_and_refuses_a_bad_one(archive: Path, tmp_path: Path, version: str) -> None:
    addon.blender_extension(version, "validate", str(archive))
    files = read_archive(archive)
    files["blender_manifest.toml"] = files["blender_manifest.toml"].replace(b'type = "add-on"', b'type = "addon"')
    write_archive(tmp_path / "bad.zip", files)
    with pytest.raises(SetupError, match="type"):
        addon.blender_extension(version, "validate", str(tmp_path / "bad.zip"))


def test_refused_add_on_leaves_no_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = tmp_path / "blender_addon"
    bad.mkdir()
    (bad / "__init__.py").touch()
    (bad / "blender_manifest.toml").write_text('schema_version = "1.0.0"\nid = "redepth"\n')
    monkeypatch.setattr(addon, "ADDON", bad)
    with pytest.raises(SetupError, match="version"):
        addon.build_addon(tmp_path / "redepth.zip")
    assert not list(tmp_path.glob("*.zip*"))
