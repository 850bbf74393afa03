"""Where the engine's state lies, by platform and environment."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from engine.api.errors import EngineUnavailableError
from engine.api.folders import RuntimeFile, find_folders, keep_models_at_home, make_private_folder, read_runtime_file
from engine.api.launch import find_installation


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("REDEPTH_HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "LOCALAPPDATA", "REDEPTH_PYTHON"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_one_variable_moves_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REDEPTH_HOME", str(tmp_path / "there"))
    folders = find_folders()
    places = (folders.home, folders.runtime, folders.jobs, folders.models, folders.runtime_file, folders.lock_file, folders.log_file)
    assert all(place.is_relative_to(tmp_path / "there") for place in (*places, folders.python_file))


def test_linux_keeps_jobs_with_the_users_files_and_the_socket_where_it_goes_by_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert find_folders().home == find_folders().runtime == tmp_path / ".local" / "share" / "redepth"
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert (find_folders().home, find_folders().runtime) == (tmp_path / "data" / "redepth", tmp_path / "run" / "redepth")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "gone"))
    assert find_folders().runtime == find_folders().home


def test_macos_and_windows_have_places_of_their_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert find_folders().home == tmp_path / "Library" / "Application Support" / "Re-Depth"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "Local"))
    assert find_folders().home == find_folders().runtime == tmp_path / "Local" / "Re-Depth"


def test_folders_are_closed_to_others_even_if_they_were_open(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    make_private_folder(tmp_path / "open")
    make_private_folder(tmp_path / "new" / "one")
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("open", "new/one")} == {0o700}


def test_the_runtime_file_comes_back_equal_and_is_private(tmp_path: Path) -> None:
    runtime = RuntimeFile(pid=1, address="/a", key="00ff", protocol=1, version="0")
    path = tmp_path / "engine.json"
    runtime.write(path)
    assert read_runtime_file(path) == runtime
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": 1, "address": "/a", "key": "no hex", "protocol": 1, "version": "0"}'])
def test_a_runtime_file_that_makes_no_sense_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "engine.json").write_text(text)
    assert read_runtime_file(tmp_path / "engine.json") is None
    assert read_runtime_file(tmp_path / "missing") is None


def test_the_hubs_cache_moves_with_the_home_unless_it_was_placed() -> None:
    moved, placed, plain = {"REDEPTH_HOME": "/h"}, {"REDEPTH_HOME": "/h", "HF_HUB_CACHE": "/mine"}, dict[str, str]()
    for environment in (moved, placed, plain):
        keep_models_at_home(environment)
    assert Path(moved["HF_HUB_CACHE"]) == Path("/h/models")
    assert placed["HF_HUB_CACHE"] == "/mine"
    assert plain == {}


def test_the_engines_python_is_given_named_or_this_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, project_root: Path) -> None:
    folders = find_folders()
    here = find_installation(folders, None)
    assert (here.python, here.root) == (Path(sys.executable), project_root)
    monkeypatch.setenv("REDEPTH_PYTHON", "/usr/bin/python9")
    named = find_installation(folders, None)
    assert (named.python, named.root) == (Path("/usr/bin/python9"), folders.home)
    given = find_installation(folders, project_root / ".venv" / "bin" / "python")
    assert given.root == project_root


def test_an_unknown_python_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("engine.api.launch.__file__", os.fspath(tmp_path / "api" / "launch.py"))
    with pytest.raises(EngineUnavailableError, match="not known"):
        find_installation(find_folders(), None)
