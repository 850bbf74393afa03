"""`MeshPane`: the meshes of both depths side by side, seen by one camera."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop.state.comparison import Comparison
from engine.api.settings import MeshSettings

from ..rendering.light import Light
from ..rendering.mesh_painter import MeshPainter, MeshRequest
from ..rendering.meshes import Look, Shading
from ..rendering.orbit import OrbitCamera
from ..views.parts import label
from ..views.theme import current_theme
from .drawn_panes import DrawnPanes
from .picture_canvas import PictureCanvas

_TURN_DEG_PER_PX = 0.35
_WHEEL_ZOOM, _KEY_ZOOM = 1.15, 1.25
_KEY_TURN_DEG, _KEY_PAN_PX = 5.0, 30.0
_SHADINGS: tuple[tuple[Shading, str, str], ...] = (
    ("lit", "Lit", "The picture on the mesh, under the light of the relit preview."),
    ("picture", "Picture", "The picture on the mesh, as it was taken."),
    ("clay", "Clay", "Grey clay under the light, so that shape alone shows."),
    ("normals", "Normals", "Red = right, green = up, blue = toward where the photo was taken."),
    ("change", "Change", "Where the right depth is nearer (red) or farther (blue) than the left one."),
)
_CHANGE = [shading for shading, _, _ in _SHADINGS].index("change")
_VIEWS = (
    ("Photo", "As the photo was taken", OrbitCamera(), "Home or F"),
    ("Left", "From the left", OrbitCamera(yaw_deg=-40.0, pitch_deg=8.0, distance=1.2), "1"),
    ("Right", "From the right", OrbitCamera(yaw_deg=40.0, pitch_deg=8.0, distance=1.2), "2"),
    ("Above", "From above", OrbitCamera(pitch_deg=50.0, distance=1.2), "3"),
)
MESH_KEYS = (
    ("3D: drag, arrows", "turn both meshes"),
    ("3D: Shift + drag, Shift + arrows", "move both meshes"),
    ("3D: wheel, + and -", "nearer and farther"),
    ("3D: double click, Home, F", "as the photo was taken"),
    ("3D: 1, 2, 3", "from the left, from the right, from above"),
)
_START = OrbitCamera(yaw_deg=-20.0, pitch_deg=10.0, distance=1.3)  # a mesh seen from its photo's camera shows no depth
_HELP = "Drag turns · Shift + drag moves · wheel zooms · double click: as photographed · hold Space: the other depth in its place"


class MeshPane(QWidget):
    """Both meshes. Arrows turn (Shift: move), + and - zoom, Home and F are the photo's own view, 1 to 3 are views from the sides and above.

    Signals:
        camera_changed: `OrbitCamera`.
        settled: both meshes are shown as finely as they will be.
        failed: sentence, hint.
    """

    camera_changed = Signal(object)
    settled = Signal()
    failed = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._comparison: Comparison | None = None
        self._settings = MeshSettings()
        self._camera = _START
        self._look = Look()
        self._last_at = QPointF()
        self._is_moving = False
        self.panes = DrawnPanes(MeshPainter)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.panes, 1)
        column.addLayout(self._make_tools())
        self.panes.wanted.connect(self._ask)
        self.panes.settled.connect(self.settled)
        self.panes.failed.connect(self.failed)
        for canvas in self.panes.canvases.values():
            canvas.pressed.connect(self._press)
            canvas.dragged.connect(lambda event, canvas=canvas: self._drag(canvas, event))
            canvas.double_clicked.connect(lambda: self.set_camera(OrbitCamera()))
            canvas.scrolled.connect(lambda notches: self.set_camera(self._camera.zoomed(_WHEEL_ZOOM**notches)))
            canvas.key_pressed.connect(self._on_key)
            canvas.setCursor(Qt.CursorShape.OpenHandCursor)

    def _make_tools(self) -> QVBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        self._shadings = QButtonGroup(self)
        for number, (_, title, tip) in enumerate(_SHADINGS):
            button = QPushButton(title)
            button.setCheckable(True)
            button.setToolTip(tip)
            self._shadings.addButton(button, number)
            row.addWidget(button)
        self._shadings.button(0).setChecked(True)
        self._shadings.idClicked.connect(lambda number: self.set_look(replace(self._look, shading=_SHADINGS[number][0])))
        self._wire = QCheckBox("Wires")
        self._wire.setToolTip("The edges of the mesh's faces.")
        self._wire.toggled.connect(lambda on: self.set_look(replace(self._look, wire=on)))
        row.addWidget(self._wire)
        row.addStretch(1)
        for title, words, camera, key in _VIEWS:
            button = QPushButton(title)
            button.setAccessibleName(words)
            button.setToolTip(f"{words} ({key} while a mesh has the focus)")
            button.clicked.connect(lambda _=False, camera=camera: self.set_camera(camera))
            row.addWidget(button)
        column = QVBoxLayout()
        column.setContentsMargins(12, 4, 12, 8)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(label(_HELP, "muted"))
        return column

    @property
    def camera(self) -> OrbitCamera:
        """Where both meshes are seen from."""
        return self._camera

    @property
    def look(self) -> Look:
        """How both meshes are drawn."""
        return self._look

    @property
    def is_settled(self) -> bool:
        """Whether the meshes are shown as finely as they will be, or a sentence says why they cannot."""
        return self.panes.is_settled

    def show_comparison(self, comparison: Comparison) -> None:
        """Show the meshes of this comparison, a little from the side."""
        self._comparison = comparison
        self._camera = _START
        change = self._shadings.button(_CHANGE)
        change.setEnabled(not comparison.is_single)
        if comparison.is_single and self._look.shading == "change":
            self.set_look(replace(self._look, shading="lit"))
        self.panes.show_names(comparison, "mesh")
        self._ask()

    def set_mesh_settings(self, settings: MeshSettings) -> None:
        """Build the meshes by ``settings``."""
        self._settings = settings
        self._ask()

    def set_camera(self, camera: OrbitCamera) -> None:
        """See both meshes from ``camera``."""
        if camera != self._camera:
            self._camera = camera
            self._ask()
            self.camera_changed.emit(camera)

    def set_look(self, look: Look) -> None:
        """Draw both meshes like this."""
        if look != self._look:
            self._look = look
            self._shadings.button([shading for shading, _, _ in _SHADINGS].index(look.shading)).setChecked(True)
            self._wire.setChecked(look.wire)
            self._ask()

    def set_light(self, light: Light) -> None:
        """Put both meshes under ``light``."""
        self.set_look(replace(self._look, light=light))

    def shut_down(self) -> None:
        """End the drawing for good."""
        self.panes.shut_down()

    def _ask(self) -> None:
        if self._comparison is None:
            return
        mat = QColor(current_theme().mat)
        look = replace(self._look, background_srgb=(mat.red(), mat.green(), mat.blue()))
        size_px = self.panes.canvases["base"].room_px
        self.panes.ask(MeshRequest(comparison=self._comparison, settings=self._settings, camera=self._camera, look=look, size_px=size_px))

    def _press(self, event: QMouseEvent) -> None:
        self._last_at = event.position()
        self._is_moving = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier) or event.button() != Qt.MouseButton.LeftButton

    def _drag(self, canvas: PictureCanvas, event: QMouseEvent) -> None:
        step, self._last_at = event.position() - self._last_at, event.position()
        if self._is_moving:
            scale = canvas.devicePixelRatioF()
            self._pan(canvas, step.x() * scale, step.y() * scale)
        else:
            self.set_camera(self._camera.turned(-step.x() * _TURN_DEG_PER_PX, step.y() * _TURN_DEG_PER_PX))

    def _pan(self, canvas: PictureCanvas, across_px: float, down_px: float) -> None:
        if self._comparison is not None:
            self.set_camera(self._camera.panned(across_px, down_px, canvas.room_px, self._comparison.camera(self._settings)))

    def _on_key(self, event: QKeyEvent) -> None:
        directions = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
        views = {Qt.Key.Key_Home: 0, Qt.Key.Key_F: 0, Qt.Key.Key_1: 1, Qt.Key.Key_2: 2, Qt.Key.Key_3: 3}
        key = Qt.Key(event.key())
        if key in directions:
            right, down = directions[key]
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self._pan(self.panes.canvases["base"], right * _KEY_PAN_PX, down * _KEY_PAN_PX)
            else:
                self.set_camera(self._camera.turned(-right * _KEY_TURN_DEG, down * _KEY_TURN_DEG))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.set_camera(self._camera.zoomed(_KEY_ZOOM))
        elif key == Qt.Key.Key_Minus:
            self.set_camera(self._camera.zoomed(1 / _KEY_ZOOM))
        elif key in views:
            self.set_camera(_VIEWS[views[key]][2])
        else:
            return
        event.accept()
