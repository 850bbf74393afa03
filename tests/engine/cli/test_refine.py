"""The verb refine in this process, on a double of the engine that reads and writes real files."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.cli.main import main

FILES = {"comparison.png", "disparity_base.npy", "disparity_refined.npy", "uncertainty.npy", "depth_refined.exr", "depth_refined.png", "normals.png"}
FILES |= {"mesh.glb", "result.json"}


def test_writes_the_folder_and_says_what_made_it(engine: Any, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "results"
    assert main(["refine", "--local", str(picture), "--output", str(folder), "--preset", "quick", "--fov", "40"], engine=engine) == 0
    assert {path.name for path in folder.iterdir()} == FILES | {"gate.npy"}
    red = np.asarray(Image.open(picture))[..., 0] / 255
    np.testing.assert_allclose(np.load(folder / "disparity_refined.npy"), 1 + red, atol=1e-6)
    assert json.loads((folder / "result.json").read_text(encoding="utf-8"))["camera"]["fov_deg"] == 40
    shown, told = capsys.readouterr()
    for part in ("Refined slope.png, 24 x 16 px", "Embedded (MIT)", "CPU, float32", "40 degrees (option)", str(folder), "mesh.glb"):
        assert part in shown
    assert told == "The prompt is empty.\n"
    (settings,) = engine.loaded
    assert settings.preset == "quick"


def test_json_events_alone_on_stdout(engine: Any, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["refine", "--local", str(picture), "--output", str(tmp_path / "r"), "--steps", "3", "--json-events"], engine=engine) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["step"] for line in lines if line.get("phase") == "refine"] == [1, 2, 3]
    assert [line["step"] for line in lines if line.get("phase") == "write"] == [0, 1]
    result = lines[-1]
    assert (result["event"], result["complete"], set(result["files"])) == ("result", True, FILES | {"gate.npy"})
    assert result["provenance"]["gate"]["verdict"] == "partly"
    assert Path(result["folder"]) == tmp_path / "r"


def test_what_the_gate_did_is_said_with_its_reasons(engine: Any, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["refine", "--local", str(picture), "--output", str(tmp_path / "r")], engine=engine) == 0
    shown = capsys.readouterr().out
    assert "72 % of the refinement was kept, the base for the rest\n                In some regions the members disagree." in shown


def test_the_gate_can_be_switched_off(engine: Any, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["refine", "--local", str(picture), "--output", str(tmp_path / "r"), "--no-gate"], engine=engine) == 0
    assert "quality gate  off" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "r").iterdir()} == FILES
    facts = json.loads((tmp_path / "r" / "result.json").read_text(encoding="utf-8"))["provenance"]
    assert (facts["gate"], facts["settings"]["gate"]) == (None, False)


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"picture": "gone.png"}, 2, "gone.png"),
        ({"picture": "words.png"}, 2, "words.png"),
        ({"output": "words.png"}, 3, "words.png"),
        ({"output": "words.png/deep"}, 3, "words.png"),
        ({"model": "nonsense"}, 4, "nonsense"),
    ],
)
def test_faults_leave_no_folder(
    changed: dict[str, str], status: int, said: str, engine: Any, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "words.png").write_text("no picture", encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    chosen = {"picture": picture.name, "output": "results", "model": "embedded"} | changed
    argv = ["refine", "--local", str(tmp_path / chosen["picture"]), "--output", str(tmp_path / chosen["output"]), "--depth-model", chosen["model"]]
    assert main(argv, engine=engine) == status
    shown, told = capsys.readouterr()
    assert told.startswith("Error: ")
    assert said in told
    assert len(told.splitlines()) <= 2
    assert shown == ""
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_that_was_there_stays(engine: Any, picture: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    assert main(["refine", "--local", str(picture), "--output", str(tmp_path / "mine"), "--depth-model", "nonsense"], engine=engine) == 4
    assert (tmp_path / "mine").is_dir()


def test_interrupt_keeps_what_was_reached(engine: Any, picture: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    engine.before_step = lambda step: signal.raise_signal(signal.SIGINT) if step == 4 else None
    folder = tmp_path / "results"
    assert main(["refine", "--local", str(picture), "--output", str(folder), "--steps", "50", "--members", "1"], engine=engine) == 130
    assert {path.name for path in folder.iterdir()} == FILES
    provenance = json.loads((folder / "result.json").read_text(encoding="utf-8"))["provenance"]
    assert (provenance["complete"], provenance["steps_done"]) == (False, 5)
    shown, told = capfd.readouterr()
    assert "5 of 50" in shown
    assert "not asked: stopped before it" in shown
    assert "the files hold what was reached" in shown
    assert "Stopping after this step" in told


def test_second_interrupt_aborts_and_leaves_nothing(engine: Any, picture: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def interrupt_twice(step: int) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    engine.before_step = interrupt_twice
    assert main(["refine", "--local", str(picture), "--output", str(tmp_path / "results")], engine=engine) == 130
    assert not (tmp_path / "results").exists()
    assert "Aborted" in capfd.readouterr().err
