"""A folder's pictures as a strip of thumbnails, made one after the other off the window's thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QListView, QListWidget, QListWidgetItem

from engine.api.errors import RedepthError

from ..state.pictures import load_for_screen
from .background import Background
from .screen_image import image_from_srgb8

THUMBNAIL_PX = 84


class Strip(QListWidget):
    """Thumbnails in a row.

    Signals:
        chosen: path of a picture.
    """

    chosen = Signal(object)

    def __init__(self, background: Background) -> None:
        super().__init__()
        self._background = background
        self._paths: list[Path] = []
        self._turn = 0
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QListView.Movement.Static)
        self.setIconSize(QSize(THUMBNAIL_PX, THUMBNAIL_PX * 3 // 4))
        self.setGridSize(QSize(THUMBNAIL_PX + 16, THUMBNAIL_PX + 4))
        self.setFixedHeight(THUMBNAIL_PX + 28)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setAccessibleName("Pictures of the folder")
        self.currentRowChanged.connect(self._choose)
        self.hide()

    def show_pictures(self, paths: Sequence[Path]) -> None:
        """Show these, and choose the first; none hides the strip."""
        self._turn += 1
        self._paths = list(paths)
        self.blockSignals(True)
        self.clear()
        for path in self._paths:
            item = QListWidgetItem(path.name)
            item.setToolTip(str(path))
            item.setTextAlignment(Qt.AlignmentFlag.AlignHCenter)
            self.addItem(item)
        self.blockSignals(False)
        self.setVisible(bool(self._paths))
        if self._paths:
            self.setCurrentRow(0)
            self._make(0, self._turn)

    @property
    def is_waiting(self) -> bool:
        """Whether thumbnails are still to come."""
        return any(self.item(row).icon().isNull() and not self.item(row).data(Qt.ItemDataRole.UserRole) for row in range(self.count()))

    def _choose(self, row: int) -> None:
        if 0 <= row < len(self._paths):
            self.chosen.emit(self._paths[row])

    def _make(self, row: int, turn: int) -> None:
        if turn != self._turn or row >= len(self._paths):
            return
        path = self._paths[row]

        def go_on() -> None:
            self._make(row + 1, turn)

        def done(image: object) -> None:
            if turn == self._turn:
                self.item(row).setIcon(QIcon(QPixmap.fromImage(image)))  # type: ignore[arg-type]
            go_on()

        def failed(error: RedepthError) -> None:
            if turn == self._turn:
                self.item(row).setToolTip(str(error))
                self.item(row).setData(Qt.ItemDataRole.UserRole, "damaged")
                self.item(row).setText(f"✕ {path.name}")
            go_on()

        self._background.run("thumbnail", lambda: image_from_srgb8(load_for_screen(path, 2 * THUMBNAIL_PX)), done, failed)
