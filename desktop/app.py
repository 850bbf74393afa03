"""The application around the window: what runs, what is remembered, what the command line asks for."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from engine.api.errors import OutputError
from engine.export.files import write_whole

from .link.engine_link import EngineLink
from .views.actions import Actions
from .views.background import Background
from .views.exporting import Exporter
from .views.keeping import Keeping
from .views.main_window import MainWindow
from .views.refining import Refining
from .views.screen_image import png_of
from .views.session import Session
from .views.theme import ThemeName, apply_theme

SETTLE_S = 120.0
_LOOK_MS = 50
_RESTS = 8  # Looks in a row that find nothing under way: nested layouts take several turns to come to rest.
_STATES = ("geometry", "across", "middle")


def _take_qt_message(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    """Log what Qt says; of that, what every window without a display says means nothing."""
    level = logging.DEBUG if "propagateSizeHints" in text else logging.WARNING
    logging.getLogger("qt").log(level, "%s", text)


def make_application() -> QApplication:
    """Return the application; without a display it draws into memory."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    qInstallMessageHandler(_take_qt_message)
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("Re-Depth")
    app.setApplicationDisplayName("")
    return app


class Viewer:
    """Everything that lives as long as the window.

    Args:
        finds_models: ask at once which models are here, which takes another process some seconds.
    """

    def __init__(self, app: QApplication, keeping: Keeping, *, theme: ThemeName | None = None, finds_models: bool = True) -> None:
        apply_theme(app, theme or keeping.theme())
        self.keeping = keeping
        self.background, self.link = Background(), EngineLink()
        self.window = MainWindow(self.background, find_sample())
        self.session = Session(self.window, self.background, keeping)
        self.refining = Refining(self.session, self.link)
        self.actions = Actions(self.session, self.refining)
        self.exporter = Exporter(self.session, self.actions)
        self._restore()
        self.window.closing.connect(self.end)
        self._ended = False
        self.link.start()
        if finds_models:
            self.link.find_models()

    def end(self) -> None:
        """Remember how the window was left, and let go of the engine; its jobs go on."""
        if self._ended:
            return
        self._ended = True
        window = self.window
        for name, state in zip(_STATES, (window.saveGeometry(), window.across.saveState(), window.middle.saveState()), strict=True):
            self.keeping.keep_bytes(name, state)
        self.keeping.keep_look(self.session.look)
        self.session.end()
        self.link.stop()
        self.background.stop()

    def _restore(self) -> None:
        window = self.window
        restores = (window.restoreGeometry, window.across.restoreState, window.middle.restoreState)
        for name, restore in zip(_STATES, restores, strict=True):
            state = self.keeping.bytes_of(name)
            if not state.isEmpty():
                restore(state)


def find_sample() -> Path | None:
    """Return the sample picture of a checkout; None where the viewer is installed without it."""
    sample = Path(__file__).resolve().parents[1] / "samples" / "still_life.jpg"
    return sample if sample.is_file() else None


def run(paths: Sequence[Path], *, job_id: str | None, theme: ThemeName | None) -> int:
    """Open the window and stay until it is closed; return the exit status."""
    app = make_application()
    viewer = Viewer(app, Keeping(), theme=theme)
    _ask(viewer, paths, job_id)
    viewer.window.show()
    return app.exec()


def screenshot(
    picture: Path, paths: Sequence[Path], *, job_id: str | None, truth: Path | None, size_px: tuple[int, int], theme: ThemeName, view: int
) -> None:
    """Write the window's picture once everything asked for is on it.

    Raises:
        OutputError: it cannot be written, or the window does not come to rest.
        RedepthError: what the window says in words, for then it does not show what was asked for.
    """
    app = make_application()
    viewer = Viewer(app, Keeping(), theme=theme)
    window, session = viewer.window, viewer.session
    window.resize(*size_px)
    window.show()
    _ask(viewer, paths, job_id)
    try:
        _wait_until_settled(app, viewer, waits_for_comparison=job_id is not None)
        if truth is not None:
            session.measure_against(truth)
            _wait_until_settled(app, viewer)
        if view:
            window.top_bar.tabs.setCurrentIndex(view)
            _wait_until_settled(app, viewer)
        if window.message.error is not None:
            raise window.message.error
        write_whole(picture, png_of(window.grab().toImage()))
    finally:
        window.close()


def _ask(viewer: Viewer, paths: Sequence[Path], job_id: str | None) -> None:
    if job_id is not None:
        viewer.link.open_job(job_id)
    elif paths:
        viewer.session.open(paths)


def _wait_until_settled(app: QApplication, viewer: Viewer, *, waits_for_comparison: bool = False) -> None:
    deadline, rests = time.monotonic() + SETTLE_S, 0
    alarm = QTimer()
    alarm.start(_LOOK_MS)  # wakes the loop below even where nothing happens
    while rests < _RESTS:
        app.processEvents()
        time.sleep(_LOOK_MS / 1000)
        there = not waits_for_comparison or viewer.session.shown is not None
        rests = rests + 1 if viewer.refining.is_settled and there else 0
        if viewer.window.message.error is not None:
            break
        if time.monotonic() > deadline:
            raise OutputError(f"The window did not come to rest within {SETTLE_S:g} s.", hint="Open the same files in the viewer to see why.")
