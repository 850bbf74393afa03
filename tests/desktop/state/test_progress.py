from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from desktop.state.progress import LossCurves, clock, describe, picture_of, share_done
from engine.api.errors import DamagedFolderError
from engine.api.messages import PHASES, JobInfo, Progress, event_to_json

JOB = JobInfo(id="ab", name="photo.jpg", state="running", folder="/nowhere", submitted_at=1.0)


def at(progress: Progress) -> JobInfo:
    return replace(JOB, progress=event_to_json(progress))


def test_words_for_every_state() -> None:
    assert describe(JOB) == "starting"
    assert describe(replace(JOB, state="queued", ahead=2)) == "waiting, 2 before it"
    assert describe(replace(JOB, state="queued")) == "waiting"
    assert describe(replace(JOB, state="finished")) == "finished"
    told = describe(at(Progress(phase="refine", step=7, steps=30, member=1, members=3, eta_s=65.0)))
    assert told == "Refining · member 1 of 3 · step 7 of 30 · 1:05 to go"
    assert describe(at(Progress(phase="gate", step=7, steps=8, eta_s=0.3))) == "Checking quality · step 7 of 8"


@pytest.mark.parametrize("phase", PHASES)
def test_every_phase_has_words(phase: str) -> None:
    assert describe(at(Progress(phase=phase, step=0, steps=1)))  # type: ignore[arg-type]


def test_shares() -> None:
    assert share_done(JOB) is None
    assert share_done(at(Progress(phase="refine", step=3, steps=12))) == 0.25
    assert share_done(at(Progress(phase="load", step=0, steps=1))) is None
    assert share_done(replace(JOB, state="failed")) == 1.0


def test_clock() -> None:
    assert [clock(seconds) for seconds in (0, 59.6, 3725)] == ["0:00", "1:00", "1:02:05"]


def test_curves_keep_each_loss_with_its_steps() -> None:
    curves = LossCurves()
    curves.add(Progress(phase="refine", step=1, steps=3, losses={"guidance": 2.0}))
    curves.add(Progress(phase="refine", step=3, steps=3, losses={"guidance": 1.0, "smoothness": 0.5}))
    assert curves.steps == {"guidance": [1, 3], "smoothness": [3]}
    assert curves.values == {"guidance": [2.0, 1.0], "smoothness": [0.5]}


def test_the_engines_copy_of_the_picture(tmp_path: Path) -> None:
    job = replace(JOB, folder=str(tmp_path))
    with pytest.raises(DamagedFolderError):
        picture_of(job)
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "photo.jpg").write_bytes(b"x")
    assert picture_of(job) == tmp_path / "input" / "photo.jpg"
