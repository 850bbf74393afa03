"""Jobs on an engine that nothing happens to: progress, results, order, sharing, cancelling, the cache."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from engine.api.client import EngineClient
from engine.api.errors import CancelledError, EngineTimeoutError, PictureError, RequestError, UnknownJobError, UnknownModelError
from engine.api.messages import PHASES, Progress
from tests.engine.service.toys import ToyEngine, settings, wait_until


def test_a_job_tells_its_phases_in_order_and_ends_with_its_result(client: EngineClient, picture: Path) -> None:
    job = client.submit(picture, settings())
    events = list(job.events())
    phases = [PHASES.index(event.phase) for event in events if isinstance(event, Progress)]
    assert phases == sorted(phases)
    assert set(phases) == set(range(len(PHASES)))
    assert job.info.state == "finished"
    result = job.result(5)
    assert result.provenance["steps_done"] == 12
    assert result.size_px == (40, 40)
    assert isinstance(result.disparity_refined, np.memmap)
    assert isinstance(result.kept, np.memmap)
    preview = job.preview()
    assert job.info.previews == 12
    assert preview is not None and preview.shape == (40, 1)
    assert [job.id for job in client.jobs()] == [job.info.id]
    assert client.jobs()[0].name == picture.name


def test_poll_never_waits(client: EngineClient, picture: Path) -> None:
    job = client.submit(picture, settings(steps=20))
    durations, events = [], []
    while not job.info.ended:
        started = time.perf_counter()
        events += job.poll()
        durations.append(time.perf_counter() - started)
        time.sleep(0.002)
    assert sorted(durations)[len(durations) // 2] < 0.005
    assert any(isinstance(event, Progress) and event.phase == "write" for event in events)


def test_the_same_request_is_answered_from_the_folder(client: EngineClient, picture: Path) -> None:
    first = client.submit(picture, settings()).result(10)
    again = client.submit(picture, settings())
    assert again.info.state == "finished"
    assert again.result(0).provenance == first.provenance
    other = client.submit(picture, settings(seed=1))
    assert other.info.id != again.info.id
    assert not np.array_equal(other.result(10).disparity_refined, first.disparity_refined)


def test_two_clients_share_one_job_and_either_may_cancel_it(toy: ToyEngine, client: EngineClient, picture: Path) -> None:
    with EngineClient.connect(start=False) as second:
        job, joined = client.submit(picture, settings(steps=10)), second.submit(picture, settings(steps=10))
        assert joined.info.id == job.info.id
        assert np.array_equal(job.result(10).disparity_refined, joined.result(10).disparity_refined)
        assert len(client.jobs()) == 1
        job, joined = client.submit(picture, settings(steps=900)), second.submit(picture, settings(steps=900))
        wait_until(lambda: any(getattr(event, "phase", "") == "refine" for event in job.poll()))
        joined.cancel()
        assert job.result(5).provenance["complete"] is False


def test_jobs_run_in_the_order_of_their_submission(client: EngineClient, picture: Path) -> None:
    jobs = [client.submit(picture, settings(seed=seed, members=1)) for seed in range(4)]
    assert [job.info.ahead for job in jobs[1:]] in ([0, 1, 2], [1, 2, 3])
    for job in jobs:
        job.result(10)
    ends = [(Path(job.info.folder) / "result" / "facts.json").stat().st_mtime for job in jobs]
    assert all(earlier < later for earlier, later in pairwise(ends))


def test_a_job_cancelled_before_it_starts_never_runs(client: EngineClient, picture: Path) -> None:
    running, waiting = client.submit(picture, settings(steps=20)), client.submit(picture, settings(seed=1))
    waiting.cancel()
    with pytest.raises(CancelledError):
        waiting.result(1)
    assert running.result(10).provenance["complete"]
    assert not (Path(waiting.info.folder) / "members").exists()


def test_a_job_cancelled_between_steps_keeps_what_it_reached_and_goes_on_when_submitted_again(client: EngineClient, picture: Path) -> None:
    job = client.submit(picture, settings(steps=30))
    wait_until(lambda: any(getattr(event, "member", 0) == 2 for event in job.poll()))
    asked = time.monotonic()
    job.cancel()
    result = job.result(5)
    assert time.monotonic() - asked < 1.0
    assert result.provenance["complete"] is False
    assert 30 < result.provenance["steps_done"] < 60
    assert job.info.state == "cancelled"
    again = client.submit(picture, settings(steps=30))
    batches = {event.member for event in again.events() if isinstance(event, Progress) and event.phase == "refine"}
    assert batches == {2, 3}
    assert again.result(0).provenance["complete"]


def test_a_job_submitted_again_while_it_stops_runs_to_its_end(client: EngineClient, picture: Path) -> None:
    job = client.submit(picture, settings("sleep upsample once", steps=2))
    wait_until(lambda: any(getattr(event, "code", "") == "toy" for event in job.poll(0.05)))
    job.cancel()
    os.kill(client.status().worker_pid or 0, signal.SIGKILL)
    again = client.submit(picture, settings("sleep upsample once", steps=2))
    assert again.result(10).provenance["complete"]


def test_a_job_cancelled_in_its_last_moments_is_finished_or_cancelled_and_never_broken(client: EngineClient, picture: Path) -> None:
    job = client.submit(picture, settings())
    wait_until(lambda: any(getattr(event, "phase", "") == "upsample" for event in job.poll()))
    job.cancel()
    assert job.result(5).provenance["steps_done"] == 12
    assert job.info.state == "finished"
    job.cancel()
    assert client.attach(job.info.id).info.state == "finished"


def test_a_result_that_takes_too_long_is_a_timeout_and_the_job_goes_on(client: EngineClient, picture: Path) -> None:
    job = client.submit(picture, settings(steps=30))
    with pytest.raises(EngineTimeoutError):
        job.result(0.1)
    assert job.result(10).provenance["complete"]


def test_release_ends_the_worker_after_its_job_and_the_next_job_gets_another(client: EngineClient, picture: Path) -> None:
    job = client.submit(picture, settings(steps=10))
    pid = wait_until(lambda: client.status().worker_pid)
    client.release()
    assert job.result(10).provenance["pid"] == pid
    wait_until(lambda: client.status().worker == "none")
    assert client.submit(picture, settings(seed=1)).result(10).provenance["pid"] != pid


def test_status_tells_what_the_worker_holds(client: EngineClient, picture: Path) -> None:
    before = client.status()
    assert (before.worker, before.device, before.models) == ("none", None, {})
    client.submit(picture, settings()).result(10)
    after = wait_until(lambda: (status := client.status()).device and status)
    assert (after.worker, after.device, after.free_memory_mb, after.models) == ("idle", "toy", 1, {"depth": "toy"})


@pytest.mark.parametrize("name", ["missing.png", "."])
def test_a_picture_that_cannot_be_read_is_refused_at_once(client: EngineClient, tmp_path: Path, name: str) -> None:
    with pytest.raises(PictureError, match=r"no file|ordinary"):
        client.submit(tmp_path / name, settings())
    assert client.jobs() == []


def test_an_unknown_model_is_refused_at_once(client: EngineClient, picture: Path) -> None:
    with pytest.raises(UnknownModelError, match="huge"):
        client.submit(picture, settings(depth_model="huge"))


def test_jobs_can_be_removed_but_not_while_anybody_uses_them(toy: ToyEngine, client: EngineClient, picture: Path) -> None:
    job = client.submit(picture, settings(steps=20))
    with pytest.raises(RequestError, match="not ended"):
        client.remove(job.info.id)
    job.result(10)
    with EngineClient.connect(start=False) as second, pytest.raises(RequestError, match="another program"):
        second.remove(job.info.id)
    client.remove(job.info.id)
    assert not Path(job.info.folder).exists()
    with pytest.raises(UnknownJobError):
        client.attach(job.info.id)


def test_the_cache_forgets_what_was_used_least_recently_and_never_what_is_in_use(toy: ToyEngine, picture: Path) -> None:
    with toy.start(cache_limit_bytes=10**9) as client:
        ids = [client.submit(picture, settings(seed=seed)) for seed in range(4)]
        for job in ids:
            job.result(10)
        size = sum(path.stat().st_size for path in Path(ids[0].info.folder).rglob("*") if path.is_file())
        client.submit(picture, settings(seed=0))
        client.shutdown()
    toy.processes[-1].wait(timeout=10)
    with toy.start(cache_limit_bytes=int(2.5 * size)) as client:
        wait_until(lambda: len(client.jobs()) == 2)
        assert {job.id for job in client.jobs()} == {ids[0].info.id, ids[3].info.id}
        kept = client.attach(ids[0].info.id)
        for seed in range(10, 13):
            client.submit(picture, settings(seed=seed)).result(10)
        assert kept.result(0).provenance["complete"]


def test_everything_is_for_the_user_alone(client: EngineClient, home: Path, picture: Path) -> None:
    job = client.submit(picture, settings())
    job.result(10)
    for path in [home, home / "jobs", Path(job.info.folder)]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    runtime = home / "engine.json"
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o600
    assert json.loads(runtime.read_text())["key"] not in str(client.status())
