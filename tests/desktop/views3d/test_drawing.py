"""The thread that draws: newest first, off the window's thread, ended in good order, and honest where it cannot draw."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import moderngl
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from desktop.rendering.frames import Frame
from desktop.rendering.relight import Relighter
from desktop.state.comparison import Comparison
from desktop.views3d.frame_thread import Drawn, FrameThread
from desktop.views3d.mesh_pane import MeshPane
from desktop.views3d.relight_pane import RelightPane
from engine.api.errors import NumericalError

from .conftest import SETTLED_MS, Pane, pixels

pytestmark = pytest.mark.gui


class SlowPainter:
    """Draws whole numbers as grey, a draft and then the final frame, and notes what it did and where."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.threads = {threading.get_ident()}
        self.gate = threading.Event()

    def frames(self, request: int) -> Iterator[Frame | None]:
        self.begun.append(request)
        self.threads.add(threading.get_ident())
        if request < 0:
            raise NumericalError("It is negative.", hint="Take another.")
        if request == 13:
            raise ZeroDivisionError("unlucky")
        for is_final in (False, True):
            yield Frame({"base": np.full((4, 6, 4), request, np.uint8)}, is_final)
            self.gate.wait(10)

    def close(self) -> None:
        self.threads.add(threading.get_ident())
        self.begun.append(-100)


@pytest.fixture
def slow() -> Iterator[tuple[FrameThread, Callable[[], SlowPainter], list[Drawn]]]:
    painters: list[SlowPainter] = []

    def make() -> SlowPainter:
        painters.append(SlowPainter())
        return painters[-1]

    thread = FrameThread(make)
    drawn: list[Drawn] = []
    thread.drawn.connect(drawn.append)
    yield thread, lambda: painters[0], drawn
    for painter in painters:
        painter.gate.set()
    thread.stop()


def test_only_the_newest_request_is_drawn_to_the_end(qtbot: QtBot, slow: tuple[FrameThread, Callable[[], SlowPainter], list[Drawn]]) -> None:
    thread, painter, drawn = slow
    thread.ask(1)
    qtbot.waitUntil(lambda: len(drawn) == 1)
    for number in range(2, 40):
        thread.ask(number)
    painter().gate.set()
    qtbot.waitUntil(lambda: bool(drawn) and drawn[-1].is_final)
    assert painter().begun == [1, 39]
    assert [(each.request, each.is_final) for each in drawn] == [(1, False), (39, False), (39, True)]
    assert (pixels(drawn[-1].images["base"]) == 39).all()
    thread.stop()
    assert painter().begun[-1] == -100
    assert len(painter().threads) == 1
    assert threading.get_ident() not in painter().threads
    thread.ask(50)
    assert not thread.isRunning()


def test_a_failed_request_is_told_and_the_next_one_drawn(
    qtbot: QtBot, slow: tuple[FrameThread, Callable[[], SlowPainter], list[Drawn]], caplog: pytest.LogCaptureFixture
) -> None:
    thread, painter, drawn = slow
    told: list[tuple[str, str]] = []
    thread.failed.connect(lambda sentence, hint: told.append((sentence, hint)))
    thread.ask(-1)
    qtbot.waitUntil(lambda: len(told) == 1)
    assert told[0] == ("It is negative.", "Take another.")
    thread.ask(13)
    qtbot.waitUntil(lambda: len(told) == 2)
    assert "unlucky" in told[1][0]
    assert "ZeroDivisionError" in caplog.text
    painter().gate.set()
    thread.ask(7)
    qtbot.waitUntil(lambda: bool(drawn) and drawn[-1].is_final)
    assert drawn[-1].request == 7


@pytest.mark.parametrize("make_pane", [RelightPane, MeshPane])
def test_without_opengl_a_sentence_says_what_to_install(
    make_pane: Callable[[], Pane], qtbot: QtBot, comparison: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLCONTEXT_LINUX_LIBEGL", "libnone.so")
    monkeypatch.setattr("sys.platform", "linux")
    pane = make_pane()
    qtbot.addWidget(pane)
    told: list[tuple[str, str]] = []
    pane.failed.connect(lambda sentence, hint: told.append((sentence, hint)))
    pane.show_comparison(comparison)
    pane.show()
    qtbot.waitUntil(lambda: pane.is_settled, timeout=SETTLED_MS)
    assert len(told) == 1
    assert "OpenGL 3.3" in told[0][0] and "libegl1" in told[0][1]
    visible = " ".join(label.text() for label in pane.findChildren(QLabel) if label.isVisible())
    assert told[0][0] in visible and told[0][1] in visible
    pane.resize(500, 400)
    pane.show_comparison(comparison)
    qtbot.wait(50)
    assert len(told) == 1
    assert pane.panes.sentence == told[0][0]
    assert pane.is_settled
    pane.shut_down()


def test_a_driver_that_fails_while_drawing_is_told(qtbot: QtBot, comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    pane = RelightPane()
    qtbot.addWidget(pane)
    pane.show()
    with monkeypatch.context() as patch:
        patch.setattr(Relighter, "load", lambda self, surface: (_ for _ in ()).throw(moderngl.Error("out of memory")))
        with qtbot.waitSignal(pane.failed, timeout=SETTLED_MS) as told:
            pane.show_comparison(comparison)
    assert "out of memory" in told.args[0]
    pane.show_comparison(comparison)
    qtbot.waitUntil(lambda: pane.is_settled and pane.panes.sentence == "", timeout=SETTLED_MS)
    assert pane.panes.canvases["base"].image is not None
    pane.shut_down()


def test_a_card_that_refuses_the_shaders_is_told(qtbot: QtBot, comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desktop.rendering.relight._FRAGMENT_SHADER", "#version 330\nnonsense")
    pane = RelightPane()
    qtbot.addWidget(pane)
    pane.show()
    with qtbot.waitSignal(pane.failed, timeout=SETTLED_MS) as told:
        pane.show_comparison(comparison)
    assert "graphics driver refused" in told.args[0]
    pane.show_comparison(comparison)
    assert pane.is_settled
    pane.shut_down()


def test_a_late_frame_is_not_shown_under_another_name(qtbot: QtBot, comparison: Comparison, comparison_of: Callable[..., Comparison]) -> None:
    pane = RelightPane()
    qtbot.addWidget(pane)
    pane.resize(500, 400)
    pane.show_comparison(comparison)
    pane.show()
    qtbot.waitUntil(lambda: pane.is_settled, timeout=SETTLED_MS)
    late = Drawn({"base": pane.panes.canvases["base"].image}, {}, pane.panes._newest, True)
    pane.hide()
    pane.show_comparison(comparison_of(30, 40))
    pane.panes._thread.drawn.emit(late)
    qtbot.wait(20)
    assert pane.panes.canvases["base"].image is None
    assert not pane.is_settled
    pane.shut_down()


@pytest.mark.parametrize("make_pane", [RelightPane, MeshPane])
def test_the_window_goes_on_while_a_million_pixels_are_drawn(
    make_pane: Callable[[], Pane], qtbot: QtBot, comparison_of: Callable[..., Comparison]
) -> None:
    pane = make_pane()
    qtbot.addWidget(pane)
    pane.resize(1200, 700)
    pane.show_comparison(comparison_of(1200, 900))
    pane.show()
    qtbot.waitUntil(lambda: pane.is_settled, timeout=SETTLED_MS)
    gaps: list[float] = []
    last = time.thread_time()

    def note() -> None:
        nonlocal last
        now = time.thread_time()
        gaps.append(now - last)
        last = now

    ticks = QTimer()
    ticks.timeout.connect(note)
    ticks.start(5)
    canvas = pane.panes.canvases["base"]
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    for step in range(40):
        qtbot.mouseMove(canvas, QPoint(200 + 4 * step, 200 + 2 * step))
        qtbot.wait(10)
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(360, 280))
    ticks.stop()
    pane.shut_down()
    assert len(gaps) > 10
    assert max(gaps) < 0.05  # processor seconds of the window's own thread: what others take of the machine does not count


@pytest.mark.parametrize("make_pane", [RelightPane, MeshPane])
def test_panes_come_and_go_and_leave_no_thread_and_no_context(
    make_pane: Callable[[], Pane], qtbot: QtBot, comparison: Comparison, comparison_of: Callable[..., Comparison]
) -> None:
    before = threads()
    for number in range(4):
        pane = make_pane()
        pane.resize(500, 400)
        pane.show_comparison(comparison)
        pane.show()
        if number % 2:
            qtbot.waitUntil(lambda pane=pane: pane.is_settled, timeout=SETTLED_MS)
            assert threads() > before
        pane.shut_down() if number < 2 else None
        with qtbot.waitSignal(pane.destroyed):
            pane.deleteLater()
    qtbot.waitUntil(lambda: threads() == before)


ENDING = """
import numpy as np
from PySide6.QtWidgets import QApplication
from desktop.state.comparison import Comparison
from desktop.views3d.mesh_pane import MeshPane

application = QApplication([])
pane = MeshPane()
relief = np.random.default_rng(0).random((300, 400), np.float32)
picture = np.zeros((300, 400, 3), np.uint8)
pane.show_comparison(Comparison(name="", image_srgb=picture, disparity_base=relief, disparity_refined=relief * 2, label_base="", label_refined=""))
pane.show()
while pane.panes.canvases["base"].image is None:
    application.processEvents()
"""


@pytest.mark.parametrize("last_line", ["", "del pane", "raise SystemExit"])
def test_a_program_that_ends_in_the_middle_of_a_drawing_ends_well(last_line: str, project_root: Path) -> None:
    run = subprocess.run([sys.executable, "-c", ENDING + last_line], cwd=project_root, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    assert "QThread" not in run.stderr


def threads() -> int:
    """Return how many threads of this process belong to frame threads, by their names."""
    names = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # It has ended since it was listed.
            names.append(task.joinpath("comm").read_text().strip())
    return sum(name.startswith("FrameThread") for name in names)
