"""The mean of exported weights: between those it is of, loadable by the engine, with the records of what made each."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.embedded import mean_weights
from engine.models.architectures import new_prior_network
from engine.models.relight_denoiser import RelightDenoiser

WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def exports(tmp_path: Path) -> list[Path]:
    """Return the folders of two small networks with their records."""
    folders = [tmp_path / "a", tmp_path / "b"]
    for seed, folder in enumerate(folders):
        torch.manual_seed(seed)
        new_prior_network(channels=(16, 32), fusion=16).half().save_pretrained(folder)
        (folder / "training.json").write_text(json.dumps({"settings": {"seed": seed}, "steps_done": 5}), encoding="utf-8")
    (folders[0] / "prior.json").write_text("{}", encoding="utf-8")
    return folders


def run(monkeypatch: pytest.MonkeyPatch, folders: list[Path], target: Path) -> int:
    monkeypatch.setattr(sys, "argv", ["mean_weights", *map(str, folders), "--export", str(target)])
    return mean_weights.main()


def test_the_mean_is_exported_as_the_engine_loads_it(exports: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "mean"
    assert run(monkeypatch, exports, target) == 0
    loaded = RelightDenoiser.from_pretrained(target, torch_dtype=torch.float16).state_dict()
    first, second = (load_file(folder / WEIGHTS) for folder in exports)
    assert not torch.equal(first["normals_projection.weight"], second["normals_projection.weight"])
    for name, value in loaded.items():
        torch.testing.assert_close(value.float(), (first[name].float() + second[name].float()) / 2, rtol=1e-3, atol=1e-6)
    assert {path.name for path in target.iterdir()} == {"config.json", "prior.json", "training.json", WEIGHTS}
    record = json.loads((target / "training.json").read_text(encoding="utf-8"))
    assert [training["settings"]["seed"] for training in record["mean_of"]] == [0, 1]


def test_weights_of_another_network_are_refused(
    exports: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    save_file({"other": torch.zeros(2)}, exports[1] / WEIGHTS)
    assert run(monkeypatch, exports, tmp_path / "mean") != 0
    assert "another network" in caplog.text and not (tmp_path / "mean").exists()


@pytest.mark.parametrize(("missing", "told"), [(WEIGHTS, "no exported weights"), ("training.json", "lacks the training.json")])
def test_a_folder_that_no_training_wrote_is_refused(
    missing: str, told: str, exports: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (exports[1] / missing).unlink()
    assert run(monkeypatch, exports, tmp_path / "mean") != 0
    assert told in caplog.text and not (tmp_path / "mean").exists()
