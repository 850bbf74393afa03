"""`PictureCanvas`: one drawn picture with its name above it; what moves the light or the camera is told, never done, here."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ..views.theme import current_theme

TITLE_PX = 26

Overlay = Callable[[QPainter, QRectF], None]


class PictureCanvas(QWidget):
    """One side's picture, as large as fits.

    Signals:
        pressed, dragged: `QMouseEvent`; dragged only while a button is held.
        released: the last button was let go.
        double_clicked.
        scrolled: notches of the wheel, away from the user above 0.
        key_pressed: `QKeyEvent`; whoever answers it accepts it.
        flipped: whether the space bar is held.
        resized: the room for the picture has another size.
    """

    pressed = Signal(object)
    dragged = Signal(object)
    released = Signal()
    double_clicked = Signal()
    scrolled = Signal(float)
    key_pressed = Signal(object)
    flipped = Signal(bool)
    resized = Signal()

    def __init__(self, overlay: Overlay | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._overlay = overlay
        self._name = self._note = ""
        self.image: QImage | None = None
        self._size_px = (1, 1)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 140)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def sizeHint(self) -> QSize:
        return QSize(480, 380)

    @property
    def area(self) -> QRectF:
        """Where there is room for the picture, in the widget's coordinates."""
        return QRectF(1, TITLE_PX, max(1, self.width() - 2), max(1, self.height() - TITLE_PX - 1))

    @property
    def room_px(self) -> tuple[int, int]:
        """Width and height of `area` in pixels of the screen."""
        scale = self.devicePixelRatioF()
        return max(2, round(self.area.width() * scale)), max(2, round(self.area.height() * scale))

    def picture_rect(self) -> QRectF:
        """Return where the picture is drawn: in the middle of `area`, whole, in its own shape."""
        if self.image is None:
            return self.area
        width, height = self._size_px
        scale = min(self.area.width() / width, self.area.height() / height)
        rect = QRectF(0, 0, width * scale, height * scale)
        rect.moveCenter(self.area.center())
        return rect

    def show_name(self, name: str, note: str = "") -> None:
        """Show ``name`` above the picture, and a note beside it."""
        self._name, self._note = name, note
        self.setAccessibleName(f"{name}, {note}" if note else name)
        self.update()

    def show_image(self, image: QImage | None, size_px: tuple[int, int] = (1, 1)) -> None:
        """Show ``image``, or nothing.

        Args:
            size_px: width and height of the picture that ``image`` stands for, which a draft is smaller than.
        """
        self.image, self._size_px = image, size_px
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.panel))
        painter.fillRect(self.area, QColor(theme.mat))
        if self.image is not None:
            rect = self.picture_rect()
            is_exact = round(rect.width() * self.devicePixelRatioF()) == self.image.width()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not is_exact)
            painter.drawImage(rect.topLeft().toPoint() if is_exact and self.devicePixelRatioF() == 1 else rect, self.image)
            if self._overlay is not None:
                painter.setClipRect(self.area)
                self._overlay(painter, rect)
                painter.setClipping(False)
        self._paint_name(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(theme.accent if self.hasFocus() else theme.line), 1))
        painter.drawRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1))
        painter.end()

    def _paint_name(self, painter: QPainter) -> None:
        theme = current_theme()
        bar = QRectF(10, 0, self.width() - 20, TITLE_PX)
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        painter.setFont(bold)
        name = painter.fontMetrics().elidedText(self._name, Qt.TextElideMode.ElideRight, int(bar.width()))
        used = painter.fontMetrics().horizontalAdvance(name) + 10
        painter.setPen(QColor(theme.text))
        painter.drawText(bar, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
        painter.setFont(self.font())
        rest = bar.adjusted(used, 0, 0, 0)
        if self._note and rest.width() > 60:
            painter.setPen(QColor(theme.muted))
            note = painter.fontMetrics().elidedText(self._note, Qt.TextElideMode.ElideRight, int(rest.width()))
            painter.drawText(rest, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, note)

    # --- mouse and keys ---------------------------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.pressed.emit(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() != Qt.MouseButton.NoButton:
            self.dragged.emit(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.buttons() == Qt.MouseButton.NoButton:
            self.released.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.double_clicked.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.scrolled.emit((event.angleDelta().y() or event.pixelDelta().y()) / 120)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self.flipped.emit(True)
            return
        event.ignore()
        self.key_pressed.emit(event)
        if not event.isAccepted():
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Space:
            super().keyReleaseEvent(event)
        elif not event.isAutoRepeat():
            self.flipped.emit(False)

    def focusInEvent(self, event: object) -> None:
        self.update()

    def focusOutEvent(self, event: object) -> None:
        self.flipped.emit(False)  # a key let go elsewhere is not told here
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.resized.emit()


def inside(point: QPointF, rect: QRectF) -> QPointF:
    """Return the point of ``rect`` nearest to ``point``."""
    return QPointF(min(max(point.x(), rect.left()), rect.right()), min(max(point.y(), rect.top()), rect.bottom()))
