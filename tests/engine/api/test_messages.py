"""What crosses between processes comes back equal, and nonsense is refused."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from engine.api.errors import FrameRefusedError
from engine.api.messages import Event, JobInfo, Notice, Progress, event_from_json, event_to_json, job_from_json

EVENTS: list[Event] = [
    Progress(phase="load", step=0, steps=2),
    Progress(phase="refine", step=3, steps=9, member=1, members=4, losses={"guidance": 0.1, "smoothness": 1e-9}, elapsed_s=1.5, eta_s=0.25),
    Notice(code="prompt.none", text="Ünïcode \ud800 and a line\nbreak"),
]


@pytest.mark.parametrize("event", EVENTS)
def test_events_come_back_equal(event: Event) -> None:
    assert event_from_json(json.loads(json.dumps(event_to_json(event)))) == event


NOTICE = {"event": "notice", "code": "a", "text": "b"}
PROGRESS = {"event": "progress", "phase": "load", "step": 0, "steps": 1}


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        [],
        {},
        {"event": "party"},
        {"event": "notice"},
        NOTICE | {"more": 1},
        {"event": []},
        {"event": "progress", "phase": "?", "step": 0, "steps": 1},
    ],
)
def test_what_is_no_event_is_refused(value: Any) -> None:
    with pytest.raises(FrameRefusedError):
        event_from_json(value)


def test_jobs_come_back_equal_and_know_when_they_ended() -> None:
    job = JobInfo(id="a", name="b.png", state="failed", folder="/c", submitted_at=1.5, error={"kind": "InputError"})
    assert job_from_json(json.loads(json.dumps(asdict(job)))) == job
    assert job.ended
    assert not JobInfo(id="a", name="b", state="running", folder="/c", submitted_at=0).ended


@pytest.mark.parametrize("value", [None, 3, {}, {"id": "a"}, {"id": "a", "name": "b", "state": "lost", "folder": "/c", "submitted_at": 0}])
def test_what_is_no_job_is_refused(value: Any) -> None:
    with pytest.raises(FrameRefusedError):
        job_from_json(value)
