"""`DrawnPanes`: the two canvases of a pane, the thread that draws them, and a sentence in their place where nothing can be drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, Qt, Signal
from PySide6.QtGui import QHideEvent, QImage, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from desktop.state.comparison import SIDES, Comparison, Which

from ..rendering.frames import Painter, shown_sides
from ..views.parts import label, selectable
from .frame_thread import Drawn, FrameThread
from .picture_canvas import TITLE_PX, Overlay, PictureCanvas

_CLEARLY_LARGER = 1.15


class DrawnPanes(QWidget):
    """Base and refined, side by side where that suits the picture; while the space bar is held, each in the other's place.

    What is asked for while it is hidden is drawn when it is shown.

    Signals:
        wanted: the size or the look of the canvases changed, so another request is due.
        settled: the last frame of the newest request is shown.
        failed: sentence, hint.
    """

    wanted = Signal()
    settled = Signal()
    failed = Signal(str, str)

    def __init__(self, make_painter: Callable[[], Painter[Any]], overlay: Overlay | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvases: dict[Which, PictureCanvas] = {side: PictureCanvas(overlay) for side in SIDES}
        self._newest: Any = None
        self._is_asked = False
        self.is_settled = False
        self._picture_px = self._shown_px = (1, 1)
        self._sides: tuple[Which, ...] = SIDES
        self._names: dict[Which, tuple[str, str]] = {}
        self._images: dict[Which, QImage] = {}
        self._is_flipped = False
        pair = QWidget()
        self._pair = QBoxLayout(QBoxLayout.Direction.LeftToRight, pair)
        self._pair.setContentsMargins(0, 0, 0, 0)
        self._pair.setSpacing(6)
        for canvas in self.canvases.values():
            self._pair.addWidget(canvas, 1)
            canvas.resized.connect(self.wanted)
            canvas.flipped.connect(self._flip)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(pair)
        self._stack.addWidget(self._make_apology())
        self._thread = FrameThread(make_painter)
        self._thread.drawn.connect(self._show, Qt.ConnectionType.QueuedConnection)
        self._thread.failed.connect(self._fail, Qt.ConnectionType.QueuedConnection)
        self.destroyed.connect(self._thread.stop)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self._thread.stop)

    def _make_apology(self) -> QWidget:
        page = QWidget()
        self._sentence, self._hint = selectable(label("", "title")), selectable(label("", "muted"))
        column = QVBoxLayout(page)
        column.addStretch(1)
        for part in (self._sentence, self._hint):
            part.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(part)
        column.addStretch(1)
        return page

    @property
    def sentence(self) -> str:
        """What is said in place of the pictures; empty while they are shown."""
        return self._sentence.text() if self._stack.currentIndex() else ""

    def show_names(self, comparison: Comparison, note: str = "") -> None:
        """Name the canvases after the sides, and show only as many as differ."""
        self._sides = shown_sides(comparison)
        self._picture_px = comparison.size_px
        self._arrange()
        self._names = {side: (comparison.label(side), note) for side in SIDES}
        self._images = {}
        for side, canvas in self.canvases.items():
            canvas.setVisible(side in self._sides)
        self._show_sides()

    def _show_sides(self) -> None:
        """Show each side on its canvas, or while they are flipped on the other's, with its name."""
        others = dict(zip(self._sides, reversed(self._sides), strict=True))
        for place in self._sides:
            side = others[place] if self._is_flipped else place
            self.canvases[place].show_name(*self._names[side])
            self.canvases[place].show_image(self._images.get(side), self._shown_px)

    def _flip(self, is_flipped: bool) -> None:
        if is_flipped != self._is_flipped and self._names:
            self._is_flipped = is_flipped
            self._show_sides()

    def _arrange(self) -> None:
        """Lay the canvases beside each other, or above each other where that shows a wide picture clearly larger."""
        aspect = self._picture_px[0] / self._picture_px[1]
        beside = min(self.width() / 2, (self.height() - TITLE_PX) * aspect)
        above = min(self.width(), (self.height() / 2 - TITLE_PX) * aspect)
        is_clear = above > _CLEARLY_LARGER * beside
        self._pair.setDirection(QBoxLayout.Direction.TopToBottom if is_clear else QBoxLayout.Direction.LeftToRight)

    def ask(self, request: object) -> None:
        """Draw ``request``, now or when it is next shown; nothing where drawing has failed for good."""
        if self._thread.is_lost:
            return
        self._newest, self._is_asked, self.is_settled = request, False, False
        if self.isVisible():
            self._ask_now()

    def _ask_now(self) -> None:
        self._is_asked = True
        self._thread.ask(self._newest)

    def _show(self, drawn: Drawn) -> None:
        if drawn.request.comparison is not self._newest.comparison:
            return  # drawn before another was shown, and now under the wrong names
        self._stack.setCurrentIndex(0)
        self._images, self._shown_px = drawn.images, drawn.request.size_px
        self._names |= {side: (self._names[side][0], note) for side, note in drawn.notes.items()}
        self._show_sides()
        if drawn.is_final and drawn.request is self._newest:
            self.is_settled = True
            self.settled.emit()

    def _fail(self, sentence: str, hint: str) -> None:
        self._sentence.setText(sentence)
        self._hint.setText(hint)
        self._stack.setCurrentIndex(1)
        self.is_settled = True
        self.settled.emit()
        self.failed.emit(sentence, hint)

    def update_overlays(self) -> None:
        """Paint what lies over the pictures anew."""
        for canvas in self.canvases.values():
            canvas.update()

    def shut_down(self) -> None:
        """End the drawing for good, and give its memory back."""
        self._thread.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._newest is not None and not self._is_asked:
            self._ask_now()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._is_asked = self.is_settled  # what was not finished is drawn again when it is next shown

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self.wanted.emit()
