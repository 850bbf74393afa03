from __future__ import annotations

import threading
import time

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from desktop.views.background import Background, UnforeseenError
from engine.api.errors import InputError, RedepthError

pytestmark = pytest.mark.gui

Told = list[object]


@pytest.fixture
def background(qtbot: QtBot) -> Background:
    made = Background()
    yield made  # type: ignore[misc]
    made.stop()


def test_results_come_back_in_the_windows_thread(background: Background, qtbot: QtBot) -> None:
    told: Told = []
    worked: list[int] = []

    def work() -> str:
        worked.append(threading.get_ident())
        return "result"

    with qtbot.waitSignal(background.idle):
        background.run("a", work, lambda result: told.append((result, threading.get_ident())), told.append)
    assert told == [("result", threading.get_ident())]
    assert worked != [threading.get_ident()]
    assert background.is_idle


def test_results_that_come_at_once_are_told_of_one_a_turn(background: Background, qtbot: QtBot) -> None:
    turns: list[None] = []
    told_at: list[int] = []
    ended = [threading.Event() for _ in range(3)]
    with qtbot.waitSignal(background.idle):
        for number, event in enumerate(ended):
            background.run(str(number), event.set, lambda _: told_at.append(len(turns)), told_at.append)
        assert all(event.wait(10) for event in ended)
        time.sleep(0.1)  # the window is busy while all of them come back
        turn = QTimer(background, interval=0)
        turn.timeout.connect(lambda: turns.append(None))
        turn.start()
    assert len(set(told_at)) == len(ended)


def test_only_the_newest_of_a_key_is_told(background: Background, qtbot: QtBot) -> None:
    told: Told = []
    gate = threading.Event()
    background.run("a", lambda: gate.wait(10) and "old", told.append, told.append)
    background.run("b", lambda: "other", told.append, told.append)
    background.run("a", lambda: "new", told.append, told.append)
    gate.set()
    qtbot.waitUntil(lambda: background.is_idle)
    assert sorted(map(str, told)) == ["new", "other"]


def test_what_is_forgotten_is_not_told(background: Background, qtbot: QtBot) -> None:
    told: Told = []
    gate = threading.Event()
    background.run("a", lambda: gate.wait(10), told.append, told.append)
    background.forget("a")
    gate.set()
    qtbot.waitUntil(lambda: background.is_idle)
    assert told == []


def test_errors_are_told_as_sentences_and_faults_with_their_cause(background: Background, qtbot: QtBot, caplog: pytest.LogCaptureFixture) -> None:
    failed: list[RedepthError] = []

    def refuse() -> None:
        raise InputError("This is wrong.", hint="Do better.")

    def break_down() -> None:
        raise ZeroDivisionError("by nought")

    background.run("a", refuse, failed.append, failed.append)
    background.run("b", break_down, failed.append, failed.append)
    qtbot.waitUntil(lambda: background.is_idle and len(failed) == 2)
    by_code = {error.code: error for error in failed}
    assert str(by_code["input"]) == "This is wrong. Do better."
    fault = by_code["viewer.fault"]
    assert isinstance(fault, UnforeseenError)
    assert isinstance(fault.__cause__, ZeroDivisionError)
    assert "by nought" in caplog.text
