"""The verb evaluate: refined disparity of the double is the picture's red channel, so truth made from it is met exactly."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.cli.main import main
from engine.evaluation.metrics import METRICS


@pytest.fixture
def manifest(tmp_path: Path, picture: Path) -> Path:
    """Three entries of one picture: disparity, metres, and metres at half size."""
    red = np.asarray(Image.open(picture))[..., 0] / 255
    truth = {"disparity": 40 * (1 + red), "metres": 3 / (1 + red), "half": (3 / (1 + red)).reshape(8, 2, 12, 2).mean(axis=(1, 3))}
    entries = []
    for name, values in truth.items():
        values[2, 3] = 0
        np.savez(tmp_path / f"{name}.npz", gt=values.astype(np.float32))
        kind = "disparity" if name == "disparity" else "depth_m"
        entries.append({"id": name, "image": picture.name, "ground_truth": f"{name}.npz", "kind": kind, "invalid": 0})
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


def test_report_and_table(engine: Any, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "new" / "report.json"
    assert main(["evaluate", str(manifest), "--json", str(file), "--steps", "2", "--fov", "40"], engine=engine) == 0
    report = json.loads(file.read_text(encoding="utf-8"))
    assert report["complete"] is True
    assert report["settings"]["method"]["steps"] == 2
    assert report["made_by"]["device"] == "cpu"
    assert [image["id"] for image in report["images"]] == ["disparity", "metres", "half"]
    assert [image["truth_size_px"] for image in report["images"]] == [[24, 16], [24, 16], [12, 8]]
    assert {image["fov_deg"] for image in report["images"]} == {40.0}
    for protocol in ("paper", "standard"):
        errors = [image["protocols"][protocol]["refined"]["abs_rel"] for image in report["images"]]
        assert errors[:2] == pytest.approx([0, 0], abs=1e-6)
        assert errors[2] < 0.01
        assert report["images"][0]["protocols"][protocol]["base"]["abs_rel"] > 0.02
        assert set(report["summary"][protocol]) == set(METRICS)
        assert report["summary"][protocol]["abs_rel"]["win_rate"] == 1.0
        assert report["summary"][protocol]["abs_rel"]["relative_change"]["high"] < -0.5
    shown, told = capsys.readouterr()
    for part in ("paper", "standard", "AbsRel ↓", "δ1 ↑", "100%", "disparity", "metres", "half", "Embedded (MIT)", "CPU, float32", str(file)):
        assert part in shown
    assert told == "The prompt is empty.\n"  # once, not three times


def test_models_are_loaded_once(engine: Any, manifest: Path) -> None:
    assert main(["evaluate", str(manifest), "--steps", "1"], engine=engine) == 0
    assert len(engine.loaded) == 1


def test_json_events(engine: Any, manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(manifest), "--steps", "1", "--json-events"], engine=engine) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["id"] for line in lines if line["event"] == "picture"] == ["disparity", "metres", "half"]
    assert lines[-1]["event"] == "result"
    assert len(lines[-1]["report"]["images"]) == 3


def test_interrupt_reports_the_finished_pictures(engine: Any, manifest: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    steps = iter(range(100))
    engine.before_step = lambda step: signal.raise_signal(signal.SIGINT) if next(steps) == 7 else None
    file = tmp_path / "report.json"
    assert main(["evaluate", str(manifest), "--json", str(file), "--steps", "5"], engine=engine) == 130
    report = json.loads(file.read_text(encoding="utf-8"))
    assert (report["complete"], len(report["images"])) == (False, 1)
    assert report["summary"]["paper"]["abs_rel"]["relative_change"]["low"] is None
    assert "Stopped after 1 of 3 pictures." in capfd.readouterr().out


def test_interrupt_before_the_first_picture_reports_nothing(engine: Any, manifest: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    engine.before_step = lambda step: signal.raise_signal(signal.SIGINT) if step == 1 else None
    assert main(["evaluate", str(manifest), "--json", str(tmp_path / "report.json"), "--steps", "5"], engine=engine) == 130
    assert not (tmp_path / "report.json").exists()
    assert "nothing to report" in capfd.readouterr().err


def test_faults_are_found_before_any_model_is_loaded(engine: Any, manifest: Path, picture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = json.loads(manifest.read_text(encoding="utf-8"))
    Image.open(picture).rotate(90, expand=True).save(picture.with_name("turned.png"))
    picture.with_name("words.png").write_text("no picture", encoding="utf-8")
    for fault, said in [({"image": "turned.png"}, "same frame"), ({"image": "words.png"}, "words.png"), ({"kind": "x"}, "'kind'")]:
        manifest.write_text(json.dumps([*entries[:2], entries[2] | fault]), encoding="utf-8")
        assert main(["evaluate", str(manifest)], engine=engine) == 2
        assert said in capsys.readouterr().err
    assert engine.loaded == []


def test_report_that_cannot_be_written_is_told_before_the_work(engine: Any, manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(manifest), "--json", str(manifest / "report.json")], engine=engine) == 3
    assert engine.loaded == []


def test_narrow_places_get_the_protocols_below_each_other(
    engine: Any, manifest: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    headings = {}
    for width in (80, 140):
        monkeypatch.setattr("engine.cli.tables._WIDTH_WHERE_NO_TERMINAL", width)
        assert main(["evaluate", str(manifest), "--steps", "1"], engine=engine) == 0
        shown = capsys.readouterr().out
        assert "…" not in shown
        assert max(len(line) for line in shown.splitlines()) <= width
        headings[width] = shown.count("Means over 3 pictures")
    assert headings == {80: 2, 140: 1}
