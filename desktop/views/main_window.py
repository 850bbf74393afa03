"""The window: panels around the maps, and who tells whom. What is opened and which job runs is `Session`'s; this is only the layout."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent, QUndoStack
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ..views3d.mesh_pane import MeshPane
from ..views3d.relight_pane import RelightPane
from .background import Background
from .compare_view import CompareView
from .findings_panel import FindingsPanel
from .first_screen import FirstScreen
from .jobs_panel import JobsPanel
from .message_bar import MessageBar
from .parts import restyle, scrolled
from .plots import Plots
from .probe_panel import ProbePanel
from .refine_panel import RefinePanel
from .sliders_panel import SlidersPanel
from .strip import Strip
from .top_bar import TopBar

TABS = ("Compare", "Relight", "3D")
_SIDE_PX, _PLOTS_PX = 292, 170


class MainWindow(QMainWindow):
    """All widgets in their places.

    Signals:
        paths_dropped: list of paths.
        image_dropped: `QImage` that came from no file.
        flip_held: whether Shift is held.
        closing: the window is about to close.
    """

    paths_dropped = Signal(object)
    image_dropped = Signal(object)
    flip_held = Signal(bool)
    closing = Signal()

    def __init__(self, background: Background, sample: Path | None) -> None:
        super().__init__()
        self.setWindowTitle("Re-Depth")
        self.setAcceptDrops(True)
        self.resize(1500, 940)
        self.undo = QUndoStack(self)
        self.message = MessageBar()
        self.first_screen = FirstScreen(sample)
        self.top_bar = TopBar(TABS)
        self.compare = CompareView(background, self.message.show_error)
        self.plots = Plots()
        self.strip = Strip(background)
        self.refine, self.jobs = RefinePanel(), JobsPanel()
        self.findings, self.probe, self.sliders = FindingsPanel(), ProbePanel(), SlidersPanel(self.undo)
        self.views = QStackedWidget()
        self.relight, self.mesh = RelightPane(), MeshPane()
        self.relight.light_changed.connect(self.mesh.set_light)
        for view in (self.compare, self.relight, self.mesh):
            self.views.addWidget(view)
        self.engine_state, self.place = QLabel(), QLabel()
        self._lay_out()
        QApplication.instance().installEventFilter(self)  # type: ignore[union-attr]

    def _lay_out(self) -> None:
        maps = QWidget()
        column = QVBoxLayout(maps)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.top_bar)
        column.addWidget(self.views, 1)
        self.middle = QSplitter(Qt.Orientation.Vertical)
        self.middle.addWidget(maps)
        self.middle.addWidget(self.plots)
        self.middle.setStretchFactor(0, 1)
        self.middle.setCollapsible(0, False)
        self.middle.setSizes([1000, _PLOTS_PX])
        self.centre = QStackedWidget()
        self.centre.addWidget(self.first_screen)
        self.centre.addWidget(self.middle)
        self.left, self.right = scrolled(self.refine, self.jobs), scrolled(self.findings, self.probe, self.sliders)
        self.across = QSplitter(Qt.Orientation.Horizontal)
        for part in (self.left, self.centre, self.right):
            self.across.addWidget(part)
        self.across.setStretchFactor(1, 1)
        self.across.setSizes([_SIDE_PX, 10_000, _SIDE_PX])
        for part, narrowest_px in ((self.left, _SIDE_PX - 62), (self.right, _SIDE_PX - 20)):
            part.setMinimumWidth(narrowest_px)
            part.setMaximumWidth(_SIDE_PX + 130)
        whole = QWidget()
        whole.setObjectName("window")
        rows = QVBoxLayout(whole)
        rows.setContentsMargins(8, 4, 8, 4)
        rows.setSpacing(6)
        rows.addWidget(self.message)
        rows.addWidget(self.across, 1)
        rows.addWidget(self.strip)
        self.setCentralWidget(whole)
        self.statusBar().addWidget(self.engine_state)
        self.statusBar().addPermanentWidget(self.place)
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().setContentsMargins(10, 0, 10, 2)

    def show_maps(self, shown: bool) -> None:
        """Show the maps, or the first screen."""
        self.centre.setCurrentWidget(self.middle if shown else self.first_screen)
        self.right.setVisible(shown)

    # --- drops and keys ---------------------------------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.acceptProposedAction()
            restyle(self.first_screen.drop, "over", "true")

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        restyle(self.first_screen.drop, "over", "false")

    def dropEvent(self, event: QDropEvent) -> None:
        restyle(self.first_screen.drop, "over", "false")
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        if paths:
            self.paths_dropped.emit(paths)
        elif event.mimeData().hasImage():
            self.image_dropped.emit(event.mimeData().imageData())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Watch Shift wherever the focus is, but not while text is typed."""
        if event.type() in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease) and isinstance(event, QKeyEvent) and not event.isAutoRepeat():
            typing = isinstance(QApplication.focusWidget(), QLineEdit | QPlainTextEdit)
            if event.key() == Qt.Key.Key_Shift and self.isActiveWindow() and not typing:
                self.flip_held.emit(event.type() == QEvent.Type.KeyPress)
        elif event.type() == QEvent.Type.WindowDeactivate and watched is self:
            self.flip_held.emit(False)
        return super().eventFilter(watched, event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closing.emit()
        event.accept()
