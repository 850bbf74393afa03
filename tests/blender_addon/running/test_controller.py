"""The controller against a real engine, whose worker is a toy, and against things that only pretend to be an engine."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.blender_addon.running.false_engine import FalseEngine
from tests.blender_addon.staged import NAME
from tests.engine.service.toys import ToyEngine, wait_until

client = importlib.import_module(f"{NAME}.engine.api.client")
controllers = importlib.import_module(f"{NAME}.running.controller")
errors = importlib.import_module(f"{NAME}.engine.api.errors")
followers = importlib.import_module(f"{NAME}.running.follower")
result_folder = importlib.import_module(f"{NAME}.engine.api.result_folder")
settings_of = importlib.import_module(f"{NAME}.engine.api.settings").settings_from_preset


def settings(accident: str = "", **changes: Any) -> Any:
    return settings_of("quick", **({"steps": 4, "members": 3, "members_per_batch": 1, "prompt": accident} | changes))


def connect(timeout_s: float = 5.0) -> Any:
    return client.EngineClient.connect(start=False, timeout_s=timeout_s)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followers, "PAUSE_S", 0.2)


@pytest.fixture
def controller() -> Iterator[Any]:
    controller = controllers.Controller()
    yield controller
    controller.close()


@pytest.fixture
def false_engine(home: Path) -> Iterator[Callable[[str], FalseEngine]]:
    engines: list[FalseEngine] = []

    def begin(manner: str) -> FalseEngine:
        engines.append(FalseEngine(home, manner))
        return engines[-1]

    yield begin
    for engine in engines:
        engine.end()


def end_of(controller: Any, task: Any, timeout_s: float = 20.0) -> Any:
    """Poll as Blender's timer does until the task has ended, and return its snapshot."""
    wait_until(lambda: task in controller.poll(), timeout_s)
    return task.snapshot


def test_a_picture_goes_through_a_real_engine(toy: ToyEngine, controller: Any, picture: Path) -> None:
    toy.start().close()
    task = controller.submit(picture, settings(), connect, name="cheese", wish={"object": "Empty"})
    seen = []
    deadline = time.monotonic() + 20
    while not controller.poll():
        seen.append((task.snapshot.state, task.snapshot.fraction, task.sentence))
        assert time.monotonic() < deadline
        time.sleep(0.01)
    fractions = [fraction for _, fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert len({fraction for fraction in fractions if 0 < fraction < 1}) > 3
    assert task.snapshot.fraction == 1.0
    assert any(sentence.startswith("Refining") for _, _, sentence in seen)
    assert (task.snapshot.state, task.wish) == ("finished", {"object": "Empty"})
    assert result_folder.read_result(Path(task.snapshot.folder) / "result").provenance["complete"]
    assert task.follower.preview is not None
    assert controller.poll() == []
    controller.forget(task)
    assert controller.tasks == []


def test_submitting_takes_no_time_even_if_the_engine_hangs(false_engine: Any, controller: Any, picture: Path) -> None:
    false_engine("mute")
    begun = time.monotonic()
    task = controller.submit(picture, settings(), connect, name="a", wish={})
    controller.poll()
    assert time.monotonic() - begun < 0.2
    assert task.sentence == "Connecting to the engine"


def test_several_jobs_queue_and_all_end(toy: ToyEngine, controller: Any, picture: Path) -> None:
    toy.start().close()
    tasks = [controller.submit(picture, settings(seed=seed, steps=20), connect, name=str(seed), wish={}) for seed in range(3)]
    waited = wait_until(lambda: any(task.snapshot.state == "queued" for task in tasks) or not controller.running)
    assert waited and controller.running
    ended: list[Any] = []
    wait_until(lambda: ended.extend(controller.poll()) or len(ended) == 3, 30)
    assert {task.snapshot.state for task in tasks} == {"finished"}


def test_cancel_stops_within_a_step_and_keeps_what_was_reached(toy: ToyEngine, controller: Any, picture: Path) -> None:
    toy.start().close()
    task = controller.submit(picture, settings(steps=5000), connect, name="long", wish={})
    wait_until(lambda: task.snapshot.progress is not None and task.snapshot.progress.phase == "refine")
    controller.cancel(task)
    assert task.cancelling and task.sentence == "Cancelling"
    snapshot = end_of(controller, task)
    assert (snapshot.state, snapshot.has_result, snapshot.error.code) == ("cancelled", True, "cancelled")


def test_a_task_cancelled_before_there_was_an_engine_is_never_submitted(home: Path, controller: Any, picture: Path) -> None:
    task = controller.submit(picture, settings(), connect, name="early", wish={})
    controller.cancel(task)
    assert end_of(controller, task).state == "cancelled"
    assert task.snapshot.job_id == ""


def test_a_worker_that_dies_fails_the_job_with_its_reason_and_the_next_job_works(toy: ToyEngine, controller: Any, picture: Path) -> None:
    toy.start().close()
    snapshot = end_of(controller, controller.submit(picture, settings("die refine"), connect, name="a", wish={}))
    assert (snapshot.state, snapshot.error.code) == ("failed", "engine.worker_died")
    assert snapshot.error.hint
    assert end_of(controller, controller.submit(picture, settings(), connect, name="b", wish={})).state == "finished"


def test_a_killed_engine_is_said_found_again_and_the_job_goes_on(toy: ToyEngine, controller: Any, picture: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(followers, "PAUSE_S", 1.0)
    toy.start().close()
    task = controller.submit(picture, settings(steps=80), connect, name="a", wish={})
    wait_until(lambda: task.snapshot.progress is not None and task.snapshot.progress.phase == "refine")
    job_id = task.snapshot.job_id
    toy.kill_listener()
    wait_until(lambda: task.snapshot.state == "lost")
    assert "Lost the engine" in task.sentence
    toy.start().close()
    assert end_of(controller, task, 30).state == "finished"
    assert task.snapshot.job_id == job_id


def test_a_job_is_found_again_by_its_name(toy: ToyEngine, controller: Any, picture: Path) -> None:
    toy.start().close()
    first = controller.submit(picture, settings(), connect, name="a", wish={})
    end_of(controller, first)
    again = controller.follow(first.snapshot.job_id, connect, name="a", wish={})
    assert end_of(controller, again).folder == first.snapshot.folder
    unknown = controller.follow("0" * 32, connect, name="b", wish={})
    assert end_of(controller, unknown).error.code == "engine.unknown_job"


@pytest.mark.parametrize(("manner", "code"), [("die", "engine.unavailable"), ("rubbish", "engine.frame_refused"), ("mute", "engine.timeout")])
def test_what_only_pretends_to_be_an_engine_fails_the_task_in_words(
    false_engine: Any, controller: Any, picture: Path, manner: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followers, "ATTEMPTS", 2)
    engine = false_engine(manner)
    task = controller.submit(picture, settings(), lambda: connect(0.5), name="a", wish={})
    snapshot = end_of(controller, task, 40)
    assert (snapshot.state, snapshot.error.code) == ("failed", code)
    assert snapshot.error.sentence
    assert engine.connections >= 2


def test_a_cancel_that_is_never_confirmed_is_given_up(false_engine: Any, picture: Path) -> None:
    false_engine("hang")
    now = [0.0]
    controller = controllers.Controller(clock=lambda: now[0])
    task = controller.submit(picture, settings(), connect, name="a", wish={})
    time.sleep(0.3)
    controller.cancel(task)
    assert controller.poll() == [] and task.cancelling
    now[0] = controllers.CANCEL_WAIT_S + 0.1
    assert controller.poll() == [task]
    assert task.snapshot.state == "cancelled"
    assert "did not confirm" in task.snapshot.error.sentence
    begun = time.monotonic()
    controller.close()
    assert time.monotonic() - begun < controllers.LEAVE_S + 0.5


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_the_thread_itself_frees_the_button(home: Path, controller: Any, picture: Path) -> None:
    def broken() -> Any:
        raise ZeroDivisionError

    snapshot = end_of(controller, controller.submit(picture, settings(), broken, name="a", wish={}))
    assert (snapshot.state, snapshot.error.code) == ("failed", "engine")


def test_closing_leaves_the_job_to_the_engine(toy: ToyEngine, picture: Path) -> None:
    engine = toy.start()
    controller = controllers.Controller()
    task = controller.submit(picture, settings(steps=60), connect, name="a", wish={})
    wait_until(lambda: task.snapshot.progress is not None)
    controller.close()
    assert not task.follower.is_alive()
    job = engine.attach(task.snapshot.job_id)
    assert job.result(timeout_s=20).provenance["complete"]
    engine.close()
