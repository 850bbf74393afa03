"""What went wrong, as a sentence with what to do next, and a report to copy; it stays until it is dismissed or something is opened."""

from __future__ import annotations

import platform
import traceback

import numpy as np
import PySide6
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from engine import __version__
from engine.api.errors import RedepthError
from engine.api.folders import find_folders
from engine.api.launch import log_tail

from .parts import label, restyle, selectable

NOTE_MS = 12_000


class MessageBar(QFrame):
    """One line above everything else."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("message")
        self._error: RedepthError | None = None
        self._title = selectable(label("", tone="error"))
        self.copy, self.dismiss = QPushButton("Copy report"), QPushButton("Dismiss")
        self.copy.setToolTip("What happened, with versions and the engine's last lines, for whoever helps you.")
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 6, 8, 6)
        line.addWidget(self._title, 1)
        line.addWidget(self.copy)
        line.addWidget(self.dismiss)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.report()))
        self.dismiss.clicked.connect(self.clear)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.clear)
        self._fading = QTimer(self)
        self._fading.setSingleShot(True)
        self._fading.setInterval(NOTE_MS)
        self._fading.timeout.connect(self.clear)
        self.hide()

    @property
    def text(self) -> str:
        """What is shown; empty when hidden."""
        return "" if self.isHidden() else self._title.text()

    @property
    def error(self) -> RedepthError | None:
        """The error that is shown, if it is one."""
        return self._error

    def show_error(self, error: RedepthError) -> None:
        """Say what went wrong and what to do next."""
        self._error = error
        self._fading.stop()
        restyle(self._title, "tone", "error")
        self._title.setText(str(error))
        self.copy.show()
        self.show()

    def show_note(self, text: str) -> None:
        """Say something good, such as where a file went; it goes by itself."""
        self._error = None
        self._fading.start()
        restyle(self._title, "tone", "good")
        self._title.setText(text)
        self.copy.hide()
        self.show()

    def clear(self) -> None:
        """Say nothing."""
        self._error = None
        self.hide()

    def report(self) -> str:
        """Return all that helps to understand the error, without the user's file contents."""
        if self._error is None:
            return ""
        error = self._error
        lines = [
            f"Re-Depth {__version__}, viewer",
            f"{error.code}: {error.sentence}",
            f"hint: {error.hint}",
            f"Python {platform.python_version()}, {platform.platform()}, numpy {np.__version__}, PySide6 {PySide6.__version__}",
            f"engine's last lines: {log_tail(find_folders())}",
        ]
        cause = error.__cause__
        return "\n".join(lines) + ("\n" + "".join(traceback.format_exception(cause)) if cause else "")
