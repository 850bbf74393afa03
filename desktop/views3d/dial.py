"""`Dial`: a named number with a slider and a field."""

from __future__ import annotations

import math

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QGridLayout, QSlider, QWidget

from ..views.parts import label

_STEPS = 1000


class Dial(QWidget):
    """A number within a range, set evenly or by ratio.

    Signals:
        moved: the number, when the user changes it.
    """

    moved = Signal(float)

    def __init__(self, title: str, low: float, high: float, *, decimals: int = 2, by_ratio: bool = False, tip: str = "") -> None:
        super().__init__()
        self._low, self._high, self._by_ratio = low, high, by_ratio
        self._slider, self._field = QSlider(Qt.Orientation.Horizontal), QDoubleSpinBox()
        self._slider.setRange(0, _STEPS)
        self._slider.setPageStep(_STEPS // 20)
        self._slider.setSingleStep(_STEPS // 100)
        self._field.setRange(low, high)
        self._field.setDecimals(decimals)
        self._field.setSingleStep(1.0 if by_ratio else (high - low) / 20)
        self._field.setKeyboardTracking(False)
        self._field.setMinimumWidth(76)
        name = label(title, "muted")
        name.setBuddy(self._field)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(2)
        grid.addWidget(name, 0, 0)
        grid.addWidget(self._field, 0, 1)
        grid.addWidget(self._slider, 1, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        for widget in (self._slider, self._field):
            widget.setAccessibleName(title)
            widget.setToolTip(tip)
        name.setToolTip(tip)
        self._slider.valueChanged.connect(lambda position: self._take(self._value(position)))
        self._field.valueChanged.connect(self._take)

    @property
    def value(self) -> float:
        """The number."""
        return self._field.value()

    def show_value(self, value: float) -> None:
        """Show ``value`` without telling of it."""
        with QSignalBlocker(self._slider), QSignalBlocker(self._field):
            self._slider.setValue(self._position(value))
            self._field.setValue(value)

    def _take(self, value: float) -> None:
        self.show_value(value)
        self.moved.emit(self.value)

    def _value(self, position: int) -> float:
        share = position / _STEPS
        return self._low * (self._high / self._low) ** share if self._by_ratio else self._low + share * (self._high - self._low)

    def _position(self, value: float) -> int:
        if self._by_ratio:
            return round(_STEPS * math.log(value / self._low) / math.log(self._high / self._low))
        return round(_STEPS * (value - self._low) / (self._high - self._low))
