"""What can happen to listener, worker and clients happens to real processes; afterwards the next job works and no result is lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.api.client import EngineClient
from engine.api.errors import (
    CancelledError,
    EngineError,
    NumericalError,
    OutOfMemoryError,
    OutputError,
    RedepthError,
    WorkerDiedError,
)
from engine.api.messages import PHASES, Notice, Progress
from engine.api.settings import RefineSettings
from engine.service.supervisor import Limits
from tests.engine.service.toys import ROOT, ToyEngine, is_alive, settings, wait_until

LIMITS = {"grace_s": 1.0, "beat_s": 1.5, "loading_beat_s": 1.5, "closing_s": 2.0}
EARLIER, NEXT = settings(seed=100), settings(seed=200)


@pytest.fixture
def client(toy: ToyEngine, picture: Path) -> Iterator[EngineClient]:
    """An engine with a finished job; after the test that job is still there, and a next one works."""
    with toy.start(limits=LIMITS) as client:
        earlier = client.submit(picture, EARLIER).result(20)
        yield client
    with toy.connected() or toy.start(limits=LIMITS) as client:
        kept = client.submit(picture, EARLIER)
        assert kept.info.state == "finished"
        assert np.array_equal(kept.result(0).disparity_refined, earlier.disparity_refined)
        assert client.submit(picture, NEXT).result(30).provenance["complete"]
        assert not list(toy.home.rglob("*.part"))


def undisturbed(client: EngineClient, picture: Path, disturbed: RefineSettings) -> Any:
    """Return the result of the same numbers without accident."""
    method = disturbed.method
    return client.submit(picture, settings(steps=method.steps, seed=method.seed)).result(30)


def wait_for_batch(client: EngineClient, job: Any, member: int) -> None:
    wait_until(lambda: any(getattr(event, "member", 0) == member for event in job.poll(0.05)))


@pytest.mark.parametrize("phase", ["load", "refine", "gate", "upsample", "write"])
def test_a_worker_killed_in_any_phase_fails_its_job_which_ends_with_the_same_bytes_when_submitted_again(
    client: EngineClient, picture: Path, phase: str
) -> None:
    asked = settings(f"die {phase} once")
    job = client.submit(picture, asked)
    with pytest.raises(WorkerDiedError, match=f"SIGKILL, in phase {phase}") as caught:
        job.result(20)
    assert caught.value.code == "engine.worker_died"
    assert not job.info.has_result
    again = client.submit(picture, asked)
    batches = {event.member for event in again.events() if isinstance(event, Progress) and event.phase == "refine"}
    assert batches == {"load": {1, 2, 3}, "refine": {2, 3}}.get(phase, set())
    result, expected = again.result(0), undisturbed(client, picture, asked)
    for name in ("disparity_base", "disparity_refined", "uncertainty"):
        assert getattr(result, name).tobytes() == getattr(expected, name).tobytes()


def test_a_worker_that_crashes_in_native_code_leaves_its_traceback_in_the_error(client: EngineClient, picture: Path) -> None:
    job = client.submit(picture, settings("crash refine"))
    with pytest.raises(WorkerDiedError, match="SIGSEGV") as caught:
        job.result(20)
    assert "last lines" in caught.value.hint
    assert "Segmentation fault" in (Path(job.info.folder) / "worker.log").read_text()


def test_a_worker_killed_from_outside_takes_only_its_own_job_with_it(client: EngineClient, picture: Path) -> None:
    job, waiting = client.submit(picture, settings(steps=200)), client.submit(picture, settings(seed=5))
    wait_for_batch(client, job, 1)
    os.kill(wait_until(lambda: client.status().worker_pid), signal.SIGKILL)
    with pytest.raises(WorkerDiedError):
        job.result(10)
    assert waiting.result(20).provenance["complete"]


def test_the_listener_killed_in_a_job_takes_the_job_up_again_when_it_is_started(toy: ToyEngine, client: EngineClient, picture: Path) -> None:
    asked = settings(steps=40)
    job, waiting = client.submit(picture, asked), client.submit(picture, settings(seed=6))
    wait_for_batch(client, job, 2)
    toy.kill_listener()
    with pytest.raises(EngineError, match="gone"):
        job.result(10)
    with toy.start(limits=LIMITS) as second:
        again = second.attach(job.info.id)
        batches = {event.member for event in again.events() if isinstance(event, Progress) and event.phase == "refine"}
        assert batches == {2, 3}
        assert second.attach(waiting.info.id).result(20).provenance["complete"]
        assert second.submit(picture, asked).info.state == "finished"


def test_a_client_killed_in_a_job_leaves_the_job_to_others(toy: ToyEngine, client: EngineClient, picture: Path) -> None:
    code = (
        "import sys, time; from engine.api.client import EngineClient; from tests.engine.service.toys import settings\n"
        "job = EngineClient.connect(start=False).submit(sys.argv[1], settings(steps=60)); print(job.info.id, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(picture)], cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        job_id = other.stdout.readline().strip()
        other.kill()
    job = client.attach(job_id)
    assert not job.info.ended
    assert job.result(20).provenance["complete"]


@pytest.mark.parametrize("phase", ["load", "refine"])
def test_a_worker_that_is_stopped_is_terminated_then_killed(client: EngineClient, picture: Path, phase: str) -> None:
    job = client.submit(picture, settings(f"stop {phase}"))
    wait_until(lambda: any(isinstance(event, Notice) for event in job.poll(0.05)))
    pid, stopped = client.status().worker_pid, time.monotonic()
    with pytest.raises(WorkerDiedError, match="no sign of life") as caught:
        job.result(20)
    assert caught.value.code == "engine.worker_hung"
    assert LIMITS["beat_s"] + LIMITS["grace_s"] - 1 < time.monotonic() - stopped < LIMITS["beat_s"] + LIMITS["grace_s"] + 3
    assert pid is not None and not is_alive(pid)


def test_a_job_that_does_not_get_on_though_the_heart_beats_is_ended(toy: ToyEngine, home: Path, picture: Path) -> None:
    with toy.start(limits=LIMITS | {"stall_s": {"load": 9, "base": 9, "refine": 1.0, "gate": 9, "upsample": 9, "write": 9}}) as client:
        with pytest.raises(WorkerDiedError, match="did not get on for 1 s in phase refine"):
            client.submit(picture, settings("sleep refine")).result(20)
        assert client.submit(picture, NEXT).result(20).provenance["complete"]


@pytest.mark.parametrize("phase", ["load", "refine"])
def test_a_job_that_does_not_stop_when_cancelled_is_ended_and_keeps_its_members(client: EngineClient, picture: Path, phase: str) -> None:
    job = client.submit(picture, settings(f"sleep {phase}"))
    wait_until(lambda: any(isinstance(event, Notice) for event in job.poll(0.05)))
    job.cancel()
    cancelled = time.monotonic()
    with pytest.raises(CancelledError):
        job.result(20)
    assert time.monotonic() - cancelled < LIMITS["grace_s"] + 2
    assert (Path(job.info.folder) / "members" / "0-0").exists() == (phase == "refine")


def test_a_job_of_slow_steps_is_given_the_time_of_a_step_to_stop(client: EngineClient, picture: Path) -> None:
    job = client.submit(picture, settings("slow"))
    wait_until(lambda: any(getattr(event, "phase", "") == "refine" and event.step == 2 for event in job.poll(0.05)))
    time.sleep(0.3)  # into the third step
    job.cancel()
    assert job.result(10).provenance["steps_done"] == 3


def test_a_worker_that_cannot_even_start_says_why(toy: ToyEngine, home: Path, picture: Path) -> None:
    with toy.start(worker_command=["/bin/sh", "-c", "echo no such module >&2; exit 3"]) as client:
        with pytest.raises(WorkerDiedError, match="ended with status 3, in phase load") as caught:
            client.submit(picture, settings()).result(20)
        assert "no such module" in caught.value.hint
    with toy.connected() or toy.start() as client:
        client.shutdown()
    toy.processes[-1].wait(timeout=10)
    with toy.start(worker_command=["/no/such/program"]) as client, pytest.raises(WorkerDiedError, match="cannot be started"):
        client.submit(picture, settings()).result(20)


def test_rubbish_on_stdout_is_only_a_log(client: EngineClient, picture: Path) -> None:
    job = client.submit(picture, settings("rubbish refine"))
    assert job.result(20).provenance["complete"]
    assert b"\x00\xff\xfe" in (Path(job.info.folder) / "worker.log").read_bytes()


def test_a_flood_on_stderr_is_cut(client: EngineClient, picture: Path) -> None:
    job = client.submit(picture, settings("flood refine"))
    assert job.result(30).provenance["complete"]
    log = (Path(job.info.folder) / "worker.log").read_bytes()
    assert log.endswith(b"the last line\n")
    assert len(log) <= 64 << 10


def test_a_mistake_of_ours_is_told_with_its_traceback_in_the_log(client: EngineClient, picture: Path) -> None:
    job = client.submit(picture, settings("blunder refine"))
    with pytest.raises(RedepthError, match="ZeroDivisionError: a programming mistake") as caught:
        job.result(20)
    assert caught.value.code == "fault"
    assert "may_happen" in (Path(job.info.folder) / "worker.log").read_text()


def test_an_error_of_the_refinement_arrives_as_it_was_raised_and_the_worker_stays(client: EngineClient, picture: Path) -> None:
    pid = client.status().worker_pid
    with pytest.raises(NumericalError, match="no longer finite") as caught:
        client.submit(picture, settings("diverge refine")).result(20)
    assert caught.value.hint == "Lower it."
    assert client.status().worker_pid == pid


def test_memory_that_runs_out_is_told_with_what_to_try_and_the_next_job_gets_a_fresh_worker(client: EngineClient, picture: Path) -> None:
    pid = client.status().worker_pid
    with pytest.raises(OutOfMemoryError) as caught:
        client.submit(picture, settings("exhaust refine")).result(20)
    assert "--members-per-batch 1" in caught.value.hint
    assert client.submit(picture, settings(seed=7)).result(20).provenance["pid"] != pid


def test_a_file_that_cannot_be_finished_leaves_nothing_half_written(client: EngineClient, picture: Path) -> None:
    job = client.submit(picture, settings("fill upsample"))
    with pytest.raises(OutputError, match="disk is full") as caught:
        job.result(20)
    assert caught.value.code == "output.disk_full"
    assert not (Path(job.info.folder) / "result").exists()
    client.release()  # its worker keeps the limit that the test gave it


def test_a_full_disk_fails_jobs_in_words_and_what_fits_again_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: Path, revisions_file: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(small)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("a small file system can be mounted by root only")
    toy = ToyEngine(small)
    try:
        monkeypatch.setenv("REDEPTH_HOME", str(small))
        shutil.copy(revisions_file, small)
        with toy.start() as client:
            first = client.submit(picture, settings()).result(20)
            ballast = small / "ballast"
            ballast.write_bytes(b"x" * (shutil.disk_usage(small).free - 30_000))
            job = client.submit(picture, settings(seed=1))
            with pytest.raises(OutputError, match="disk is full"):
                job.result(20)
            ballast.write_bytes(b"x" * (shutil.disk_usage(small).free + ballast.stat().st_size - 4096))
            with pytest.raises(OutputError, match="disk is full"):
                client.submit(picture, settings(seed=2))
            ballast.unlink()
            assert client.submit(picture, settings(seed=1)).result(20).provenance["complete"]
            kept = client.submit(picture, settings())
            assert np.array_equal(kept.result(0).disparity_refined, first.disparity_refined)
            client.shutdown()
    finally:
        toy.end()
        subprocess.run(["umount", "--lazy", str(small)], check=True)  # this process has its results mapped


@pytest.mark.parametrize(
    "damage", ["result/disparity_refined.npy", "result/facts.json", "members/0-0/disparity.npy", "request.json", "input", "state.json"]
)
@pytest.mark.parametrize("restarted", [False, True])
def test_a_damaged_job_folder_is_made_again(toy: ToyEngine, client: EngineClient, picture: Path, damage: str, restarted: bool) -> None:
    job = client.submit(picture, settings())
    expected = np.array(job.result(20).disparity_refined)
    folder = Path(job.info.folder)
    if restarted:
        client.shutdown()
        toy.processes[-1].wait(timeout=10)
    if damage.startswith("members"):
        shutil.rmtree(folder / "result")
        flipped = bytearray((folder / damage).read_bytes())
        flipped[-1] ^= 1
        (folder / damage).write_bytes(flipped)
    elif damage == "input":
        shutil.rmtree(folder / "input")
        shutil.rmtree(folder / "result")
    else:
        (folder / damage).write_bytes(b'{"files": ')
    with toy.start(limits=LIMITS) if restarted else EngineClient.connect(start=False) as client:
        again = client.submit(picture, settings())
        assert np.array_equal(again.result(20).disparity_refined, expected)
        assert again.info.id == job.info.id


def test_a_listener_that_is_stopped_for_a_while_blames_no_worker(toy: ToyEngine, client: EngineClient, picture: Path) -> None:
    job = client.submit(picture, settings(steps=100))
    wait_for_batch(client, job, 1)
    os.kill(toy.processes[-1].pid, signal.SIGSTOP)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            toy.processes[-1].wait(timeout=2.5)
    finally:
        os.kill(toy.processes[-1].pid, signal.SIGCONT)
    assert job.result(20).provenance["complete"]


def test_every_phase_has_a_limit() -> None:
    assert list(Limits().stall_s) == list(PHASES)
