"""What someone sees who opens the viewer for the first time: what it is for, and the ways to begin."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from .parts import label

_RECENT_SHOWN = 6


class FirstScreen(QWidget):
    """A place to drop things on, and buttons.

    Signals:
        picture_asked, folder_asked, maps_asked: the ways to open.
        path_asked: path of a recent file, or of the sample.
    """

    picture_asked = Signal()
    folder_asked = Signal()
    maps_asked = Signal()
    path_asked = Signal(object)

    def __init__(self, sample: Path | None) -> None:
        super().__init__()
        self.setObjectName("window")
        self.drop = QFrame()
        self.drop.setObjectName("drop")
        self.drop.setMaximumWidth(760)
        column = QVBoxLayout(self.drop)
        column.setContentsMargins(44, 36, 44, 36)
        column.setSpacing(12)
        title = QLabel("See what refinement does to a picture's depth")
        title.setStyleSheet("font-size: 18pt; font-weight: 600;")
        title.setWordWrap(True)
        column.addWidget(title)
        column.addWidget(
            label(
                "Drop a picture here. Its depth is predicted, refined on that very picture, and shown before and after: "
                "where it changed, by how much, and whether the change can be trusted. Then take it away as a mesh.",
                "muted",
            )
        )
        column.addSpacing(6)
        self.open = QPushButton("Open a picture …")
        self.open.setProperty("role", "primary")
        self.sample = QPushButton("Try the sample")
        self.folder = QPushButton("Open a folder or result …")
        self.maps = QPushButton("Compare two depth files …")
        line = QHBoxLayout()
        line.setSpacing(8)
        for button in (self.open, self.sample, self.folder, self.maps):
            line.addWidget(button)
        line.addStretch(1)
        column.addLayout(line)
        keys = "Ctrl+O opens · Ctrl+V pastes · ? lists all keys · the engine starts by itself, nothing is uploaded"
        column.addWidget(label(keys, "muted"))
        self._recent = QVBoxLayout()
        self._recent.setSpacing(4)
        column.addLayout(self._recent)
        outer = QVBoxLayout(self)
        outer.addStretch(2)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(self.drop, 8)
        middle.addStretch(1)
        outer.addLayout(middle)
        outer.addStretch(3)
        self.open.clicked.connect(self.picture_asked)
        self.folder.clicked.connect(self.folder_asked)
        self.maps.clicked.connect(self.maps_asked)
        self.sample.setVisible(sample is not None)
        self.sample.clicked.connect(lambda: self.path_asked.emit(sample))

    def show_recent(self, paths: Sequence[Path]) -> None:
        """List what was opened last."""
        while (item := self._recent.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
        if paths:
            self._recent.addWidget(label("Opened before", "title"))
        for path in paths[:_RECENT_SHOWN]:
            button = QPushButton(f"{path.name}    –    {path.parent}")
            button.setFlat(True)
            button.setStyleSheet("text-align: left;")
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(lambda _=False, path=path: self.path_asked.emit(path))
            self._recent.addWidget(button)
