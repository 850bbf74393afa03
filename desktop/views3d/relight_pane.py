"""`RelightPane`: both depths relit side by side under one light, which is dragged over either picture."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.state.comparison import Comparison
from engine.api.settings import MeshSettings

from ..rendering.light import RANGES, Light
from ..rendering.relight_painter import RelightPainter, RelightRequest
from ..views.parts import label
from .drawn_panes import DrawnPanes
from .light_panel import LightPanel
from .picture_canvas import PictureCanvas, inside

_HANDLE_PX = 9.0
_KEY_STEP, _LONG_KEY_STEP = 0.05, 0.25
_HEIGHT_STEP = 1.12
_NOTE = "relit"
_HELP = "Drag or arrows move the light · wheel raises it · hold Space: the other depth in its place"
RELIGHT_KEYS = (
    ("Relight: drag, arrows", "move the light; Shift + arrows farther"),
    ("Relight: wheel, Page up and down", "raise and lower the light"),
    ("Relight: Home", "the light where it began"),
    ("Relight, 3D: hold Space", "the other depth in the same place"),
)


class RelightPane(QWidget):
    """The relit preview. Arrows move the light (Shift: farther), Page up and down raise it, Home resets it.

    Signals:
        light_changed: `Light`.
        settled: the pictures show the newest light.
        failed: sentence, hint.
    """

    light_changed = Signal(object)
    settled = Signal()
    failed = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._comparison: Comparison | None = None
        self._settings = MeshSettings()
        self._light = Light()
        self.panes = DrawnPanes(RelightPainter, self._paint_handle)
        self._panel = LightPanel()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.panes, 1)
        column.addWidget(self._panel)
        help_line = label(_HELP, "muted")
        help_line.setContentsMargins(12, 0, 12, 8)
        column.addWidget(help_line)
        self._panel.changed.connect(self.set_light)
        self.panes.wanted.connect(self._ask)
        self.panes.settled.connect(self.settled)
        self.panes.failed.connect(self.failed)
        for canvas in self.panes.canvases.values():
            canvas.pressed.connect(lambda event, canvas=canvas: self._drag(canvas, event))
            canvas.dragged.connect(lambda event, canvas=canvas: self._drag(canvas, event))
            canvas.scrolled.connect(lambda notches: self._raise(_HEIGHT_STEP**notches))
            canvas.key_pressed.connect(self._on_key)
            canvas.setCursor(Qt.CursorShape.CrossCursor)

    @property
    def light(self) -> Light:
        """The light that both sides are under."""
        return self._light

    @property
    def is_settled(self) -> bool:
        """Whether the pictures show the newest light, or a sentence says why they cannot."""
        return self.panes.is_settled

    def show_comparison(self, comparison: Comparison) -> None:
        """Relight this comparison from now on."""
        self._comparison = comparison
        self.panes.show_names(comparison, _NOTE)
        self._ask()

    def set_mesh_settings(self, settings: MeshSettings) -> None:
        """Take near/far ratio and angle of view from ``settings``."""
        self._settings = settings
        self._ask()

    def set_light(self, light: Light) -> None:
        """Put both sides under ``light``."""
        if light == self._light:
            return
        self._light = light
        self._panel.show_light(light)
        self.panes.update_overlays()
        self._ask()
        self.light_changed.emit(light)

    def shut_down(self) -> None:
        """End the drawing for good."""
        self.panes.shut_down()

    def _ask(self) -> None:
        if self._comparison is not None:
            room_px = self.panes.canvases["base"].room_px
            self.panes.ask(RelightRequest(comparison=self._comparison, settings=self._settings, light=self._light, room_px=room_px))

    def _drag(self, canvas: PictureCanvas, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._put_handle(canvas.picture_rect(), inside(event.position(), canvas.area))

    def _put_handle(self, picture: QRectF, at: QPointF) -> None:
        unit = 0.5 * min(picture.width(), picture.height())
        offset = (at - picture.center()) / unit
        self._move_to(offset.x(), -offset.y())

    def _move_to(self, x: float, y: float) -> None:
        self.set_light(replace(self._light, x=within("x", x), y=within("y", y)))

    def _raise(self, factor: float) -> None:
        self.set_light(replace(self._light, height=within("height", self._light.height * factor)))

    def _on_key(self, event: QKeyEvent) -> None:
        step = _LONG_KEY_STEP if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else _KEY_STEP
        directions = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}
        key = Qt.Key(event.key())
        if key in directions:
            right, up = directions[key]
            self._move_to(self._light.x + step * right, self._light.y + step * up)
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self._raise(_HEIGHT_STEP if key == Qt.Key.Key_PageUp else 1 / _HEIGHT_STEP)
        elif key == Qt.Key.Key_Home:
            self._move_to(Light().x, Light().y)
        else:
            return
        event.accept()

    def _paint_handle(self, painter: QPainter, picture: QRectF) -> None:
        """Paint the light where it is held, joined to the picture's centre, which it stands before when it shines straight on."""
        unit = 0.5 * min(picture.width(), picture.height())
        centre = picture.center()
        at = centre + QPointF(self._light.x, -self._light.y) * unit
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width in ((QColor(0, 0, 0, 110), 3.0), (QColor(255, 255, 255, 150), 1.2)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(centre, at)
        painter.setPen(QPen(QColor(0, 0, 0, 170), 2.5))
        painter.setBrush(QColor("#ffe08a"))
        painter.drawEllipse(at, _HANDLE_PX, _HANDLE_PX)


def within(field: str, value: float) -> float:
    """Return ``value`` held within the range of a field of `Light`."""
    low, high = RANGES[field]
    return min(max(value, low), high)
