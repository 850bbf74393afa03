"""Words and fractions of a task."""

from __future__ import annotations

import importlib

import pytest

from tests.blender_addon.staged import NAME

messages = importlib.import_module(f"{NAME}.engine.api.messages")
snapshots = importlib.import_module(f"{NAME}.running.snapshot")


def running(phase: str, **fields: object) -> object:
    fields = {"step": 0, "steps": 1} | fields
    return snapshots.Snapshot(state="running", progress=messages.Progress(phase=phase, **fields))


@pytest.mark.parametrize(
    ("seconds", "words"), [(-1, "0 s"), (0.4, "0 s"), (59.4, "59 s"), (60, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")]
)
def test_durations_are_words(seconds: float, words: str) -> None:
    assert snapshots.time_words(seconds) == words


def test_a_step_says_member_step_and_time_left() -> None:
    snapshot = running("refine", step=12, steps=30, member=2, members=4, elapsed_s=6.0, eta_s=39.0)
    assert snapshot.sentence == "Refining member 2 of 4, step 12 of 30, 39 s left"
    assert running("gate", step=1, steps=8, elapsed_s=0.05, eta_s=0.35).sentence == "Judging the refinement, step 1 of 8"


def test_the_whole_grows_from_phase_to_phase_and_only_the_end_is_all() -> None:
    whole = [running(phase, step=step).fraction for phase in messages.PHASES for step in (0, 1)]
    assert whole == sorted(whole)
    assert whole[0] == 0.0
    assert whole[-1] == pytest.approx(1.0)
    assert snapshots.Snapshot(state="finished").fraction == 1.0


def test_members_one_by_one_and_all_at_once_fill_the_same_share() -> None:
    half_of_all = running("refine", step=15, steps=30, member=1, members=4, elapsed_s=10.0, eta_s=10.0)
    third_of_four = running("refine", step=1, steps=30, member=3, members=4, elapsed_s=0.5, eta_s=29.5)
    assert half_of_all.fraction == pytest.approx(third_of_four.fraction, abs=0.01)


def test_an_unknown_state_is_refused() -> None:
    with pytest.raises(ValueError, match="no state"):
        snapshots.Snapshot(state="paused")
