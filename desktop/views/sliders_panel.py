"""How disparity becomes depth and mesh: near/far ratio, angle of view, edge cut; each change can be undone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack
from PySide6.QtWidgets import QDoubleSpinBox, QGridLayout, QPushButton, QSlider, QVBoxLayout, QWidget

from engine.api.settings import MeshSettings

from .parts import card, label

_STEPS = 1000


@dataclass(frozen=True, kw_only=True)
class _Dial:
    """A number with a slider: its field of `MeshSettings`, and the range that the slider spans, evenly or by ratio."""

    field: str
    title: str
    low: float
    high: float
    unit: str
    decimals: int
    tip: str
    by_ratio: bool = False

    def value(self, position: int) -> float:
        share = position / _STEPS
        value = self.low * (self.high / self.low) ** share if self.by_ratio else self.low + share * (self.high - self.low)
        return round(value, self.decimals)

    def position(self, value: float) -> int:
        value = min(max(value, self.low), self.high)
        share = math.log(value / self.low) / math.log(self.high / self.low) if self.by_ratio else (value - self.low) / (self.high - self.low)
        return round(share * _STEPS)


_DIALS = (
    _Dial(
        field="near_far_ratio",
        title="Near/far ratio",
        low=1.05,
        high=50.0,
        unit="",
        decimals=2,
        by_ratio=True,
        tip="How many times farther the farthest point is than the nearest. Disparity does not know it; 3 to 6 suits most scenes.",
    ),
    _Dial(
        field="fov_deg",
        title="Angle of view",
        low=10.0,
        high=120.0,
        unit="°",
        decimals=1,
        tip="Across the picture's longer side. Taken from the photo's EXIF data where it is there.",
    ),
    _Dial(
        field="edge_cut",
        title="Edge cut",
        low=0.0,
        high=60.0,
        unit="",
        decimals=1,
        tip="The mesh is cut where depth jumps by more than this many pixel widths; 0 never cuts.",
    ),
)


class _Change(QUndoCommand):
    """One slider's move; moves of the same slider in a row are one."""

    def __init__(self, number: int, title: str, before: MeshSettings, after: MeshSettings, show: Callable[[MeshSettings], None]) -> None:
        super().__init__(f"change of {title.lower()}")
        self._number, self._before, self._after, self._show = number, before, after, show

    def id(self) -> int:
        return self._number

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Change) or other.id() != self.id():
            return False
        self._after = other._after
        return True

    def redo(self) -> None:
        self._show(self._after)

    def undo(self) -> None:
        self._show(self._before)


class SlidersPanel(QWidget):
    """Three sliders.

    Signals:
        changed: `MeshSettings`.
    """

    changed = Signal(object)

    def __init__(self, undo: QUndoStack) -> None:
        super().__init__()
        self._undo = undo
        self._settings = MeshSettings()
        self._own_fov_deg = 55.0
        self._sliders: dict[str, QSlider] = {}
        self._fields: dict[str, QDoubleSpinBox] = {}
        rows = QWidget()
        grid = QGridLayout(rows)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        for line, dial in enumerate(_DIALS):
            slider, field = self._make(dial, line)
            title = label(dial.title, "muted")
            title.setBuddy(field)
            title.setToolTip(dial.tip)
            grid.addWidget(title, 2 * line, 0)
            grid.addWidget(field, 2 * line, 1)
            grid.addWidget(slider, 2 * line + 1, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        self._reset = QPushButton("Back to the picture's own")
        self._reset.clicked.connect(lambda: self._ask(len(_DIALS), "all sliders", MeshSettings()))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(card(rows, self._reset, title="Depth and mesh"))
        self._fill()

    def _make(self, dial: _Dial, number: int) -> tuple[QSlider, QDoubleSpinBox]:
        slider, field = QSlider(Qt.Orientation.Horizontal), QDoubleSpinBox()
        slider.setRange(0, _STEPS)
        slider.setPageStep(_STEPS // 20)
        field.setRange(dial.low, dial.high)
        field.setDecimals(dial.decimals)
        field.setSuffix(dial.unit)
        field.setKeyboardTracking(False)
        field.setMinimumWidth(84)
        for widget in (slider, field):
            widget.setToolTip(dial.tip)
            widget.setAccessibleName(dial.title)
        slider.valueChanged.connect(lambda position: self._ask(number, dial.title, self._with(dial.field, dial.value(position))))
        field.valueChanged.connect(lambda value: self._ask(number, dial.title, self._with(dial.field, value)))
        self._sliders[dial.field], self._fields[dial.field] = slider, field
        return slider, field

    @property
    def settings(self) -> MeshSettings:
        """What the sliders say."""
        return self._settings

    def show_picture(self, fov_deg: float) -> None:
        """Start over for another picture, with its own angle of view."""
        self._own_fov_deg = fov_deg
        self._undo.clear()
        self._show(replace(self._settings, fov_deg=None))

    def show_settings(self, settings: MeshSettings) -> None:
        """Show kept settings, without undo."""
        self._show(settings)

    def _with(self, field: str, value: float) -> MeshSettings:
        change: dict[str, Any] = {field: value}
        return replace(self._settings, **change)

    def _ask(self, number: int, title: str, settings: MeshSettings) -> None:
        if settings != self._settings:
            self._undo.push(_Change(number, title, self._settings, settings, self._show))

    def _show(self, settings: MeshSettings) -> None:
        changed, self._settings = settings != self._settings, settings
        self._fill()
        if changed:
            self.changed.emit(settings)

    def _fill(self) -> None:
        for dial in _DIALS:
            value = getattr(self._settings, dial.field)
            value = self._own_fov_deg if value is None else value
            slider, field = self._sliders[dial.field], self._fields[dial.field]
            with QSignalBlocker(slider), QSignalBlocker(field):
                slider.setValue(dial.position(value))
                field.setValue(value)
        self._reset.setEnabled(self._settings != MeshSettings())
