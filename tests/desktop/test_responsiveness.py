"""The window's thread is never busy for more than 50 ms in one go, even while a picture is refined, zoomed and painted.

What is asserted is the thread's own processor time between two turns of its event loop. Wall time is what a user feels, but on a machine that
is shared with other programs it measures them. On a slow machine the longest turn takes 22 to 38 ms.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.app import Viewer
from desktop.state.comparison import Comparison
from desktop.views.map_pane import MapPane
from engine.api.settings import settings_from_preset

pytestmark = pytest.mark.gui

LONGEST_S = 0.050
RUN_MS = 150_000


class Pulse(QObject):
    """Takes the time at every turn of the event loop that it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.busy_s: list[float] = []
        self.wall_s: list[float] = []
        self._last = (time.thread_time(), time.perf_counter())
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now = (time.thread_time(), time.perf_counter())
        self.busy_s.append(now[0] - self._last[0])
        self.wall_s.append(now[1] - self._last[1])
        time.sleep(0.001)  # or the loop would spin on a core that others need
        self._last = (time.thread_time(), time.perf_counter())

    def stop(self) -> None:
        self._timer.stop()


def turn_wheel(pane: MapPane, at: QPointF, notches: int) -> None:
    wheel = QWheelEvent(
        at,
        pane.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(pane, wheel)


def test_the_window_answers_while_a_picture_is_refined(viewer: Viewer, project_root: Path, open_in: Callable[..., None], qtbot: QtBot) -> None:
    open_in(viewer, project_root / "samples" / "still_life.jpg")
    session, window = viewer.session, viewer.window
    assert session.shown is not None
    pulse = Pulse()
    viewer.refining.refine(settings_from_preset("default", steps=5000, members=2, seed=31))
    qtbot.waitUntil(lambda: "step" in window.refine.news.text(), timeout=RUN_MS)
    previews: list[object] = []
    viewer.link.previewed.connect(lambda job, preview: previews.append(preview))
    pane = window.compare.panes[0]
    deadline = time.monotonic() + RUN_MS / 1000
    turns = 0
    while (len(previews) < 3 or turns < 40) and time.monotonic() < deadline:
        turn_wheel(pane, QPointF(150 + turns, 150), 1 if turns % 4 < 3 else -3)
        qtbot.wait(30)
        turns += 1
    assert len(previews) >= 3
    window.refine.stop.click()
    qtbot.waitUntil(lambda: isinstance(session.shown, Comparison), timeout=RUN_MS)
    for layer in ("normals", "depth", "disparity"):
        window.top_bar.map_layer.setCurrentIndex(window.top_bar.map_layer.findData(layer))
        window.top_bar.map_layer.activated.emit(0)
        qtbot.waitUntil(lambda: viewer.refining.is_settled, timeout=RUN_MS)
    pulse.stop()
    assert len(pulse.busy_s) > 200
    longest = f"busy {1000 * max(pulse.busy_s):.1f} ms, with waiting {1000 * max(pulse.wall_s):.1f} ms"
    assert max(pulse.busy_s) < LONGEST_S, longest
