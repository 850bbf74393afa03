"""The supervisor's own thread, without a worker: what it makes of its own faults."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from engine.service.job_list import JobList
from engine.service.supervisor import Limits, Supervisor


def test_a_lasting_fault_is_told_of_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    jobs = JobList(tmp_path)
    supervisor = Supervisor(jobs, ["no worker is started"], Limits())
    faults = ["the disk is full"] * 4 + [None] + ["the disk is full"] * 3 + ["the folder is gone"] * 3
    left = list(faults)

    def look(now: float) -> None:
        if left and (fault := left.pop(0)) is not None:
            raise OSError(fault)

    monkeypatch.setattr(supervisor, "_look", look)
    monkeypatch.setattr("engine.service.supervisor._LOOK_S", 0.01)
    supervisor.start()
    deadline = time.monotonic() + 10
    while left and time.monotonic() < deadline:
        time.sleep(0.01)
    supervisor.stop()
    assert not left
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["the disk is full", "the disk is full", "the folder is gone"]
