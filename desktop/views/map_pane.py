"""`MapPane`: one picture or map with its name above and its legend below. It asks for another view; it never changes its own.

Drag moves, the wheel zooms at the pointer, a click pins the probe, Ctrl + drag (or the line tool) draws a line, a double click fits.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QEnterEvent,
    QFont,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from ..state.painting import Scale
from ..state.view import Point, Size, View
from .screen_image import ScreenImage, draw
from .theme import current_theme

TITLE_PX, LEGEND_PX, BAR_PX = 26, 40, 10
_WHEEL_STEP = 1.0015
_KEY_ZOOM, _KEY_MOVE = 1.25, 60.0
_CLICK_PX, _GRAB_PX = 4.0, 10.0


class MapPane(QWidget):
    """One picture or map.

    Signals:
        zoom_asked: factor, (x, y) in the pane's picture area.
        move_asked: (x, y) in screen pixels.
        fit_asked: show everything.
        hovered: picture point, or None when the pointer leaves.
        pinned: picture point that was clicked.
        line_drawn: picture points of start and end, while it is drawn.
        wipe_moved: share of the pane's width, 0 to 1.
        step_asked: pixels (right, down) that the pinned probe moves by.
        resized: the picture area has another size.
    """

    zoom_asked = Signal(float, object)
    move_asked = Signal(object)
    fit_asked = Signal()
    hovered = Signal(object)
    pinned = Signal(object)
    line_drawn = Signal(object, object)
    wipe_moved = Signal(float)
    step_asked = Signal(int, int)
    resized = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.image: ScreenImage | None = None
        self.other: ScreenImage | None = None
        self.wipe_share: float | None = None
        self.view = View()
        self.area_limit: Size = (1e6, 1e6)
        self.picture_size: Size = (1, 1)
        self.pin: Point | None = None
        self.hover: Point | None = None
        self.line: tuple[Point, Point] | None = None
        self.line_tool = False
        self._pressed_at: QPointF | None = None
        self._last_at = QPointF()
        self._drag = ""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 140)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def sizeHint(self) -> QSize:
        return QSize(480, 400)

    @property
    def area(self) -> QRectF:
        """Where the picture is drawn, in the widget's coordinates; `area_limit` makes it one size in all panes."""
        return QRectF(1, TITLE_PX, max(1, min(self.area_limit[0], self.room[0])), max(1, min(self.area_limit[1], self.room[1])))

    @property
    def room(self) -> Size:
        """The largest `area` there is place for."""
        return self.width() - 2, self.height() - TITLE_PX - LEGEND_PX

    @property
    def area_size(self) -> Size:
        """Size of `area`."""
        return self.area.width(), self.area.height()

    def show_images(self, image: ScreenImage | None, other: ScreenImage | None = None, wipe_share: float | None = None) -> None:
        """Show ``image``; with ``other``, that one to the right of the wipe's edge."""
        self.image, self.other, self.wipe_share = image, other, wipe_share
        self.setAccessibleName(image.name if image else "empty pane")
        self.update()

    def show_view(self, view: View, picture_size: Size) -> None:
        """Show this part of a picture of that size."""
        self.view, self.picture_size = view, picture_size
        self.update()

    def show_marks(self, pin: Point | None, hover: Point | None, line: tuple[Point, Point] | None) -> None:
        """Mark the pinned and the hovered point and the profile's line."""
        if (pin, hover, line) != (self.pin, self.hover, self.line):
            self.pin, self.hover, self.line = pin, hover, line
            self.update()

    # --- painting ---------------------------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.panel))
        painter.fillRect(self.area, QColor(theme.mat))
        if self.image is not None:
            self._paint_pictures(painter, self.image)
            self._paint_marks(painter)
            self._paint_titles(painter, self.image)
            if self.image.scale is not None and self.image.bar is not None:
                self._paint_legend(painter, self.image.scale, self.image.bar)
        painter.setPen(QPen(QColor(theme.accent if self.hasFocus() else theme.line), 1))
        painter.drawRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1))
        painter.end()

    def _paint_pictures(self, painter: QPainter, image: ScreenImage) -> None:
        upper_left, lower_right = self._to_widget((0, 0)), self._to_widget(self.picture_size)
        target = QRectF(upper_left, lower_right)
        for shown, part in ((image, self._left_part()), (self.other, self._right_part())):
            if shown is not None and not part.isEmpty():
                finest = shown.levels[0].width() / max(1.0, target.width() * self.devicePixelRatioF())
                draw(painter, shown, target, part, 1 / max(finest, 1e-6))
        if self.other is not None:
            painter.save()
            self._paint_edge(painter)
            painter.restore()

    def _paint_edge(self, painter: QPainter) -> None:
        """Paint the wipe's edge with a handle to take it by."""
        edge, middle = self._wipe_x(), QPointF(self._wipe_x(), self.area.center().y())
        for colour, width in ((QColor(0, 0, 0, 160), 3), (QColor("#ffffff"), 1)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(QPointF(edge, self.area.top()), QPointF(edge, self.area.bottom()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor("#ffffff"))
        painter.setPen(QPen(QColor(0, 0, 0, 160), 1))
        painter.drawEllipse(middle, 9, 9)
        painter.setPen(QPen(QColor("#202020"), 1.6))
        for side in (-1, 1):
            tip = middle + QPointF(side * 6, 0)
            painter.drawLine(tip, tip + QPointF(-side * 3, -3))
            painter.drawLine(tip, tip + QPointF(-side * 3, 3))

    def _left_part(self) -> QRectF:
        return self.area if self.other is None else QRectF(self.area.topLeft(), QPointF(self._wipe_x(), self.area.bottom()))

    def _right_part(self) -> QRectF:
        return QRectF() if self.other is None else QRectF(QPointF(self._wipe_x(), self.area.top()), self.area.bottomRight())

    def _wipe_x(self) -> float:
        return self.area.left() + (self.wipe_share or 0.0) * self.area.width()

    def _paint_titles(self, painter: QPainter, image: ScreenImage) -> None:
        bar = QRectF(10, 0, self.width() - 20, TITLE_PX)
        if self.other is None:
            self._paint_title(painter, bar, image.name, image.note, Qt.AlignmentFlag.AlignLeft)
            return
        half = QRectF(bar.left(), bar.top(), bar.width() / 2 - 8, bar.height())
        self._paint_title(painter, half, f"◀ {image.name}", image.note, Qt.AlignmentFlag.AlignLeft)
        self._paint_title(painter, half.translated(bar.width() / 2 + 8, 0), f"{self.other.name} ▶", "", Qt.AlignmentFlag.AlignRight)

    def _paint_title(self, painter: QPainter, bar: QRectF, name: str, note: str, side: Qt.AlignmentFlag) -> None:
        theme = current_theme()
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        painter.setFont(bold)
        shown = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(bar.width()))
        used = painter.fontMetrics().horizontalAdvance(shown) + 10
        painter.setPen(QColor(theme.text))
        painter.drawText(bar, side | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.setFont(self.font())
        rest = bar.adjusted(used, 0, 0, 0)
        if note and rest.width() > 60:
            painter.setPen(QColor(theme.muted))
            text = painter.fontMetrics().elidedText(note, Qt.TextElideMode.ElideRight, int(rest.width()))
            painter.drawText(rest, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_legend(self, painter: QPainter, scale: Scale, colours: QImage) -> None:
        bar = QRectF(10, self.area.bottom() + 6, self.width() - 20, BAR_PX)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(bar, colours)
        painter.setPen(QColor(current_theme().muted))
        line = QRectF(bar.left(), bar.bottom() + 1, bar.width(), LEGEND_PX - BAR_PX - 8)
        sides = (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight)
        for label, side in zip(scale.labels, sides, strict=True):
            painter.drawText(line, side | Qt.AlignmentFlag.AlignVCenter, label)

    def _paint_marks(self, painter: QPainter) -> None:
        painter.save()
        painter.setClipRect(self.area)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.line is not None:
            start, end = (self._to_widget(point) for point in self.line)
            for colour, width in ((QColor(0, 0, 0, 200), 4.0), (QColor("#ffffff"), 1.6)):
                painter.setPen(QPen(colour, width))
                painter.drawLine(start, end)
            painter.setBrush(QColor("#ffffff"))
            painter.setPen(QPen(QColor(0, 0, 0, 200), 1))
            for tip in (start, end):
                painter.drawEllipse(tip, 3.5, 3.5)
        for point, strong in ((self.hover, False), (self.pin, True)):
            if point is not None:
                self._paint_cross(painter, self._to_widget(point), strong)
        painter.restore()

    def _paint_cross(self, painter: QPainter, at: QPointF, strong: bool) -> None:
        reach, gap = (11.0, 4.0) if strong else (7.0, 3.0)
        for colour, width in ((QColor(0, 0, 0, 200), 3.4), (QColor("#ffffff"), 1.4)):
            painter.setPen(QPen(colour, width))
            for direction in (QPointF(1, 0), QPointF(-1, 0), QPointF(0, 1), QPointF(0, -1)):
                painter.drawLine(at + direction * gap, at + direction * reach)

    def _to_widget(self, point: Point) -> QPointF:
        x, y = self.view.to_pane(point, self.area_size)
        return QPointF(x, y) + self.area.topLeft()

    def _to_picture(self, at: QPointF) -> Point:
        return self.view.to_picture(self._in_area(at), self.area_size)

    def _in_area(self, at: QPointF) -> Point:
        inside = at - self.area.topLeft()
        return inside.x(), inside.y()

    # --- mouse and keys ---------------------------------------------------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        amount = event.angleDelta().y() or event.pixelDelta().y()
        self.zoom_asked.emit(_WHEEL_STEP**amount, self._in_area(event.position()))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            return
        self._pressed_at = self._last_at = event.position()
        drawing = self.line_tool or event.modifiers() & Qt.KeyboardModifier.ControlModifier
        on_edge = self.other is not None and abs(event.position().x() - self._wipe_x()) < _GRAB_PX
        self._drag = "wipe" if on_edge else "line" if drawing and event.button() == Qt.MouseButton.LeftButton else "move"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        self.hovered.emit(self._to_picture(at) if self.area.contains(at) else None)
        if self._pressed_at is None:
            on_edge = self.other is not None and abs(at.x() - self._wipe_x()) < _GRAB_PX
            cross = Qt.CursorShape.CrossCursor
            self.setCursor(Qt.CursorShape.SplitHCursor if on_edge else cross)
            return
        if self._drag == "wipe":
            self.wipe_moved.emit(min(max((at.x() - self.area.left()) / self.area.width(), 0.0), 1.0))
        elif (at - self._pressed_at).manhattanLength() > _CLICK_PX or self._last_at != self._pressed_at:
            if self._drag == "line":
                self.line_drawn.emit(self._to_picture(self._pressed_at), self._to_picture(at))
            else:
                self.move_asked.emit(((at - self._last_at).x(), (at - self._last_at).y()))
            self._last_at = at

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed_at is None:
            return
        moved = (event.position() - self._pressed_at).manhattanLength() > _CLICK_PX
        if not moved and self._drag == "move" and self.area.contains(event.position()):
            self.pinned.emit(self._to_picture(event.position()))
        self._pressed_at = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.fit_asked.emit()

    def leaveEvent(self, event: object) -> None:
        self.hovered.emit(None)

    def enterEvent(self, event: QEnterEvent) -> None:
        self.setCursor(Qt.CursorShape.CrossCursor)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        event.ignore()  # the window's own menu answers

    def keyPressEvent(self, event: QKeyEvent) -> None:
        middle = (self.area.width() / 2, self.area.height() / 2)
        directions = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
        key = Qt.Key(event.key())
        if key in directions:
            right, down = directions[key]
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self.step_asked.emit(right, down)
            else:
                self.move_asked.emit((-_KEY_MOVE * right, -_KEY_MOVE * down))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_asked.emit(_KEY_ZOOM, middle)
        elif key == Qt.Key.Key_Minus:
            self.zoom_asked.emit(1 / _KEY_ZOOM, middle)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.pinned.emit(self._to_picture(QPointF(*middle) + self.area.topLeft()))
        elif self.other is not None and key in (Qt.Key.Key_Comma, Qt.Key.Key_Period):
            share = (self.wipe_share or 0.0) + (0.05 if key == Qt.Key.Key_Period else -0.05)
            self.wipe_moved.emit(min(max(share, 0.0), 1.0))
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.resized.emit()
