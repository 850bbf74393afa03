"""`LightPanel`: the numbers of the light, as dials."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QPushButton, QVBoxLayout, QWidget

from ..rendering.light import RANGES, Light
from .dial import Dial

# Field of `Light`, title, decimals, whether the slider goes by ratio, tip.
_DIALS = (
    ("height", "Light height", 2, True, "How far before the picture the light stands; low light grazes the surface and shows its relief."),
    ("ambient", "Ambient", 2, False, "Light from everywhere, which shadows get too."),
    ("diffuse", "Diffuse", 2, False, "How much of the light a matt surface sends back."),
    ("specular", "Highlight", 2, False, "How strongly the surface mirrors the light."),
    ("shininess", "Shininess", 0, True, "How small and sharp highlights are."),
    ("original", "Original", 2, False, "Share of the picture as it was taken that is mixed in."),
)
_SWITCHES = (
    ("clay", "Clay", "Grey clay in place of the picture, so that shape alone shows."),
    ("shadows", "Shadows", "Shadows that the surface casts on itself."),
)


class LightPanel(QWidget):
    """Dials and switches of one light.

    Signals:
        changed: `Light`, when the user changes it.
    """

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._light = Light()
        self._dials: dict[str, Dial] = {}
        self._switches: dict[str, QCheckBox] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(12, 4, 12, 0)
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(6)
        for number, (field, title, decimals, by_ratio, tip) in enumerate(_DIALS):
            dial = Dial(title, *RANGES[field], decimals=decimals, by_ratio=by_ratio, tip=tip)
            dial.moved.connect(lambda value, field=field: self._change(field, value))
            grid.addWidget(dial, number // 3, number % 3)
            grid.setColumnStretch(number % 3, 1)
            self._dials[field] = dial
        column = QVBoxLayout()
        for field, title, tip in _SWITCHES:
            switch = QCheckBox(title)
            switch.setToolTip(tip)
            switch.toggled.connect(lambda on, field=field: self._change(field, on))
            column.addWidget(switch)
            self._switches[field] = switch
        reset = QPushButton("Reset light")
        reset.clicked.connect(lambda: self._take(Light()))
        column.addWidget(reset)
        grid.addLayout(column, 0, 3, 2, 1)
        self.show_light(Light())

    def show_light(self, light: Light) -> None:
        """Show ``light`` without telling of it."""
        self._light = light
        for field, dial in self._dials.items():
            dial.show_value(getattr(light, field))
        for field, switch in self._switches.items():
            with QSignalBlocker(switch):
                switch.setChecked(getattr(light, field))

    def _change(self, field: str, value: float | bool) -> None:
        change: dict[str, Any] = {field: value}
        self._take(replace(self._light, **change))

    def _take(self, light: Light) -> None:
        self.show_light(light)
        self.changed.emit(light)
