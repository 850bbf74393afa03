"""The command line as a user runs it: a process of its own, the real engine, small real models in folders."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.cli.main import main

FILES = {"comparison.png", "disparity_base.npy", "disparity_refined.npy", "uncertainty.npy", "depth_refined.exr", "depth_refined.png", "normals.png"}
FILES |= {"mesh.glb", "result.json"}
GATE_FILE = "gate.npy"  # not after a stop: what was reached is not judged


@pytest.fixture
def models(depth_folder: Path, stable_diffusion_folder: Path) -> list[str]:
    """Options that choose the small models and a short run."""
    options = ["--depth-model", str(depth_folder), "--prior", str(stable_diffusion_folder), "--input-px", "56", "--device", "cpu"]
    return [*options, "--members", "2", "--canvas", "fit", "--prompt", "a slope"]


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "engine", *words]


@pytest.mark.parametrize("place", [[], ["--local"]])
def test_refine_on_a_terminal(place: list[str], models: list[str], picture: Path, tmp_path: Path, project_root: Path) -> None:
    folder = tmp_path / "results"
    terminal, stderr = pty.openpty()
    argv = command("refine", str(picture), "--output", str(folder), "--steps", "40", *models, *place)
    with subprocess.Popen(argv, cwd=project_root, stdout=subprocess.PIPE, stderr=stderr, text=True) as running:
        os.close(stderr)
        told = read_terminal(terminal)
        assert running.stdout is not None
        shown = running.stdout.read()
        assert running.wait(timeout=60) == 0, told
    assert {path.name for path in folder.iterdir()} == FILES | {GATE_FILE}
    assert "quality gate" in shown
    assert "Refined slope.png, 24 x 16 px" in shown
    assert '"a slope", yours' in shown
    assert "\x1b" not in shown
    assert "Starting" in told
    assert re.search(r"Refining .* member 1 of 2 · step \d+ of 40 · \d+:\d\d left", told)
    base, refined = (np.load(folder / f"disparity_{name}.npy") for name in ("base", "refined"))
    assert base.shape == refined.shape == (16, 24)
    assert np.abs(refined - base).max() > 0


def read_terminal(terminal: int) -> str:
    """Return what is written to the pseudo-terminal until its other end is closed."""
    chunks = []
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            chunk = b""
        if not chunk:
            os.close(terminal)
            return b"".join(chunks).decode()
        chunks.append(chunk)


def test_the_shared_engine_writes_what_this_process_would(
    models: list[str], picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = {}
    for place in ("--local", "--json-events", "--json-events"):
        folders[place] = tmp_path / place
        argv = ["refine", str(picture), "--output", str(folders[place]), "--steps", "5", "--fov", "40", *models, place]
        assert main(argv) == 0
        lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[0])["code"] == "engine.kept"
    for name in (FILES | {GATE_FILE}) - {"result.json"}:
        here, there = ((folder / name).read_bytes() for folder in folders.values())
        assert here == there, name
    here, there = (json.loads((folder / "result.json").read_text(encoding="utf-8")) for folder in folders.values())
    for facts in (here, there):
        del facts["provenance"]["seconds"]
    assert here == there


@pytest.mark.parametrize("place", [[], ["--local"]])
def test_interrupt_keeps_the_best_so_far(place: list[str], models: list[str], picture: Path, tmp_path: Path, project_root: Path) -> None:
    folder = tmp_path / "results"
    argv = command("refine", str(picture), "--output", str(folder), "--steps", "100000", "--json-events", *models, *place)
    with subprocess.Popen(argv, cwd=project_root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        first = next(event for event in map(json.loads, running.stdout) if event.get("phase") == "refine")
        running.send_signal(signal.SIGINT)
        *_, last = map(json.loads, running.stdout)
        told = running.stderr.read()
        assert running.wait(timeout=60) == 130, told
    assert first["step"] >= 1
    assert (last["event"], last["complete"]) == ("result", False)
    assert {path.name for path in folder.iterdir()} == FILES
    provenance = json.loads((folder / "result.json").read_text(encoding="utf-8"))["provenance"]
    assert provenance["complete"] is False
    assert 0 < provenance["steps_done"] < 200_000
    assert "Stopping after this step" in told


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"picture": "gone.png"}, 2, "gone.png"),
        ({"picture": "."}, 2, ""),
        ({"picture": "torn.png"}, 2, "torn.png"),
        ({"output": "slope.png"}, 3, "slope.png"),
        ({"--depth-model": "nonsense"}, 4, "nonsense"),
        ({"--prior": "nonsense"}, 4, "nonsense"),
        ({"--depth-model": "nobody/has-this"}, 4, "not on this machine"),
        ({"--device": "cuda"}, 5, "cuda"),
    ],
)
def test_bad_requests_end_in_words_and_leave_nothing(
    changed: dict[str, str], status: int, said: str, models: list[str], picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if changed.get("--device") == "cuda" and cuda_is_here():
        pytest.skip("this machine has the device that the test misses")
    (tmp_path / "torn.png").write_bytes(picture.read_bytes()[:-60])
    before = sorted(tmp_path.iterdir())
    chosen = {"picture": picture.name, "output": "results"} | changed
    argv = ["refine", str(tmp_path / chosen["picture"]), "--output", str(tmp_path / chosen["output"]), *models]
    argv += [word for option, value in changed.items() if option.startswith("--") for word in (option, value)]
    assert main(argv) == status
    shown, told = capsys.readouterr()
    assert said.lower() in told.lower()
    assert told.startswith("Error: ")
    assert len(told.splitlines()) == 2
    assert shown == ""
    assert sorted(tmp_path.iterdir()) == before


def cuda_is_here() -> bool:
    import torch

    return torch.cuda.is_available()


def test_evaluate_measures_what_the_engine_makes(
    models: list[str], picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = np.tile(np.linspace(1.0, 4.0, 48, dtype=np.float32), (32, 1))
    np.savez(tmp_path / "truth.npz", gt=truth)
    entries = [{"id": name, "image": picture.name, "ground_truth": "truth.npz", "kind": "depth_m"} for name in ("one", "two")]
    (tmp_path / "manifest.json").write_text(json.dumps(entries), encoding="utf-8")
    argv = ["evaluate", str(tmp_path / "manifest.json"), "--json", str(tmp_path / "report.json"), "--steps", "2", *models]
    assert main(argv) == 0, capsys.readouterr().err
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    one, two = report["images"]
    assert one["protocols"] == two["protocols"]  # the same picture and seed: the first leaves no trace in the models
    assert one["protocols"]["paper"]["base"] != one["protocols"]["paper"]["refined"]
    assert set(report["made_by"]["models"]) >= {"depth", "prior"}
    assert "Means over 2 pictures" in capsys.readouterr().out
