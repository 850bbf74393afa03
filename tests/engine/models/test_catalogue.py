from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.api.errors import DownloadError, UnknownModelError, WeightsMissingError
from engine.models import catalogue
from engine.models.catalogue import KNOWN, fetch_model, find_weights, list_models

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache of this test's own."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def put_in_cache(cache: Path, hub_name: str, source: Path) -> Path:
    """Lay a model into the cache the way the hub's client does."""
    model = cache / f"models--{hub_name.replace('/', '--')}"
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text(COMMIT)
    shutil.copytree(source, model / "snapshots" / COMMIT)
    return model / "snapshots" / COMMIT


def test_cached_hub_weights_are_found_with_their_commit_and_licence(hub_cache: Path, depth_folder: Path) -> None:
    folder = put_in_cache(hub_cache, "depth-anything/Depth-Anything-V2-Small-hf", depth_folder)
    for name in ("small", "depth-anything/Depth-Anything-V2-Small-hf"):
        weights = find_weights(name, "depth")
        assert (weights.folder, weights.revision, weights.licence) == (folder, COMMIT, "Apache-2.0")
        assert (weights.name, weights.title) == ("small", "Depth Anything V2 Small")


def test_list_says_what_is_here(hub_cache: Path, depth_folder: Path) -> None:
    before = {(model.name, model.role): model.location for model in list_models()}
    assert before["small", "depth"] is None
    folder = put_in_cache(hub_cache, "depth-anything/Depth-Anything-V2-Small-hf", depth_folder)
    after = {(model.name, model.role): model.location for model in list_models()}
    assert after == before | {("small", "depth"): str(folder)}
    assert set(after) == {(model.name, model.role) for model in KNOWN}


def test_a_folder_is_found_and_its_revision_follows_its_bytes(depth_folder: Path, tmp_path: Path) -> None:
    copy, changed = tmp_path / "copy", tmp_path / "changed"
    shutil.copytree(depth_folder, copy)
    shutil.copytree(depth_folder, changed)
    weight_file = changed / "model.safetensors"
    weight_file.write_bytes(weight_file.read_bytes()[:-1] + b"\x01")
    first, same, other = (find_weights(str(folder), "depth") for folder in (depth_folder, copy, changed))
    assert first.folder == depth_folder
    assert first.revision == same.revision != other.revision


@pytest.mark.parametrize(("name", "role"), [("small", "depth"), ("sd15", "prior"), ("someone/their-model", "prior")])
def test_absent_weights_say_how_to_fetch_them(hub_cache: Path, name: str, role: str) -> None:
    with pytest.raises(WeightsMissingError) as caught:
        find_weights(name, role)
    assert f"models get {name}" in caught.value.hint


@pytest.mark.parametrize(("name", "role"), [("smal", "depth"), ("sd15", "depth"), ("small", "prior"), ("/no/such/folder", "depth")])
def test_unknown_names_list_the_known_ones(hub_cache: Path, name: str, role: str) -> None:
    with pytest.raises(UnknownModelError) as caught:
        find_weights(name, role)
    assert "embedded" in caught.value.hint


@pytest.mark.parametrize("name", ["small", "someone/their-model"])
def test_offline_mode_is_one_clear_sentence(hub_cache: Path, name: str) -> None:
    with pytest.raises(DownloadError, match="could not be reached"):
        fetch_model(name, lambda done, size: None)
    assert not list(hub_cache.rglob("*.safetensors"))


def test_a_refused_network_is_one_clear_sentence(tmp_path: Path, project_root: Path) -> None:
    """A real connection to a port where nothing listens."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "engine", "models", "get", "small"]
    run = subprocess.run(command, cwd=project_root, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == DownloadError.exit_status, run.stderr
    assert "could not be reached" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("name", ["embedded", "nonsense"])
def test_what_has_no_hub_name_cannot_be_fetched(name: str) -> None:
    with pytest.raises(UnknownModelError, match="can be fetched"):
        fetch_model(name, lambda done, size: None)


def test_download_progress_counts_bytes_over_all_files() -> None:
    seen: list[tuple[int, int]] = []
    bar_class = catalogue._reporting_bar(lambda done, size: seen.append((done, size)))
    with bar_class(total=10, unit="B") as first, bar_class(total=30, unit="B") as second, bar_class(total=2, unit="it") as files:
        first.update(4)
        files.update(1)
        second.update(30)
    assert seen == [(4, 40), (34, 40)]


@pytest.mark.hub
def test_every_known_name_exists_on_the_hub() -> None:
    from huggingface_hub import HfApi

    for model in KNOWN:
        if model.hub_name:
            assert HfApi().model_info(model.hub_name).id
