"""The verbs jobs and serve, against a real engine whose jobs never need a worker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.api.client import EngineClient
from engine.api.settings import settings_from_preset
from engine.cli.main import main


@pytest.fixture
def job_ids(picture: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Two jobs in a home of their own, cancelled before they ran."""
    monkeypatch.setenv("REDEPTH_HOME", str(tmp_path / "home"))
    with EngineClient.connect() as client:
        jobs = [client.submit(picture, settings_from_preset("quick", seed=seed)) for seed in range(2)]
        for job in jobs:
            job.cancel()
        for job in jobs:
            list(job.events())
    return [job.info.id for job in jobs]


def test_jobs_are_listed_shown_and_removed_and_the_engine_stopped(job_ids: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jobs"]) == 0
    listed = capsys.readouterr().out
    assert all(job_id[:8] in listed for job_id in job_ids)
    assert "slope.png" in listed
    assert "cancelled" in listed

    assert main(["jobs", "--json-events"]) == 0
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == job_ids

    assert main(["jobs", "show", job_ids[0][:10]]) == 0
    assert job_ids[0] in capsys.readouterr().out
    assert main(["jobs", "show", "nonsense"]) == 7
    assert main(["jobs", "show", ""]) == 7
    assert "2 jobs begin with" in capsys.readouterr().err

    assert main(["jobs", "remove", job_ids[0][:10]]) == 0
    assert main(["jobs", "remove", "--all"]) == 0
    assert "Removed 1 job." in capsys.readouterr().out
    assert main(["jobs"]) == 0
    assert "No job is kept." in capsys.readouterr().out

    assert main(["serve", "--stop"]) == 0
    while main(["serve", "--stop"]) == 0:
        pass
    assert "No engine is running" in capsys.readouterr().err
