"""The line above the maps: what to look at, in which layout, in which colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QLabel, QSizePolicy, QTabBar, QToolButton, QVBoxLayout, QWidget

from engine.export.colours import COLOUR_MAPS

from ..state.comparison import Comparison
from ..state.look import (
    EXTRA_TITLES,
    LAYOUT_TITLES,
    MAP_TITLES,
    RANGE_TITLES,
    Layout,
    Look,
    shown_extra_layers,
    shown_map_layers,
)

_SHORTEST_BOX, _WIDEST_BOX_PX = 7, 190


class TopBar(QWidget):
    """Tabs, layouts and choices.

    Signals:
        look_changed: `Look`.
        tab_changed: index of the view.
    """

    look_changed = Signal(object)
    tab_changed = Signal(int)

    def __init__(self, tabs: Sequence[str]) -> None:
        super().__init__()
        self._look = Look()
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        for title in tabs:
            self.tabs.addTab(title)
        self.layouts: dict[Layout, QToolButton] = {}
        group = QButtonGroup(self)
        for key, title in LAYOUT_TITLES.items():
            button = QToolButton()
            button.setText(title)
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, key=key: self._change(layout=key))
            group.addButton(button)
            self.layouts[key] = button
        self.map_layer, self.extra_layer = _box("Maps", MAP_TITLES), _box("Change", EXTRA_TITLES)
        self.colour_map, self.range_mode = _box("Colours", {name: name for name in COLOUR_MAPS}), _box("Range", RANGE_TITLES)
        self.range_mode.setToolTip("The ends of the one colour range that both maps share.")
        for name in ("map_layer", "extra_layer", "colour_map", "range_mode"):
            box: QComboBox = getattr(self, name)
            box.activated.connect(lambda _, name=name, box=box: self._change(**{name: box.currentData()}))
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(self.tabs)
        line.addStretch(1)
        for button in self.layouts.values():
            line.addWidget(button)
        self._choices = QWidget()
        choices = QHBoxLayout(self._choices)
        choices.setContentsMargins(2, 0, 0, 0)
        choices.setSpacing(6)
        for title, box in (("Maps", self.map_layer), ("Of the change", self.extra_layer), ("Colours", self.colour_map), ("Range", self.range_mode)):
            heading = QLabel(title)
            heading.setProperty("role", "muted")
            heading.setBuddy(box)
            choices.addWidget(heading)
            choices.addWidget(box)
            choices.addSpacing(10)
        choices.addStretch(1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(4)
        rows.addLayout(line)
        rows.addWidget(self._choices)
        self.tabs.currentChanged.connect(self._take_tab)

    def show_look(self, look: Look) -> None:
        """Show what is chosen."""
        self._look = look
        self.layouts[look.layout].setChecked(True)
        for name in ("map_layer", "extra_layer", "colour_map", "range_mode"):
            box: QComboBox = getattr(self, name)
            box.setCurrentIndex(box.findData(getattr(look, name)))

    def show_comparison(self, comparison: Comparison | None) -> None:
        """Offer what this comparison has."""
        compared = comparison is not None and not comparison.is_single
        for button in self.layouts.values():
            button.setEnabled(compared)
        _offer(self.map_layer, MAP_TITLES, [] if comparison is None else shown_map_layers(comparison))
        _offer(self.extra_layer, EXTRA_TITLES, shown_extra_layers(comparison) if compared and comparison is not None else [])
        for box in (self.colour_map, self.range_mode):
            box.setEnabled(comparison is not None)
        for index in range(1, self.tabs.count()):
            self.tabs.setTabEnabled(index, comparison is not None)
        self.show_look(self._look)

    def _change(self, **changes: Any) -> None:
        self._look = replace(self._look, **changes)
        self.look_changed.emit(self._look)

    def _take_tab(self, index: int) -> None:
        self._choices.setVisible(index == 0)
        for button in self.layouts.values():
            button.setVisible(index == 0)
        self.tab_changed.emit(index)


def _box(name: str, titles: Mapping[Any, str]) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(_SHORTEST_BOX)
    box.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    box.setMaximumWidth(_WIDEST_BOX_PX)
    for key, title in titles.items():
        box.addItem(title, key)
    return box


def _offer(box: QComboBox, titles: Mapping[Any, str], shown: Sequence[Any]) -> None:
    """Let only ``shown`` be chosen; the others stay named, with the reason in their tooltip."""
    box.setEnabled(bool(shown))
    model: Any = box.model()
    for index, key in enumerate(titles):
        model.item(index).setEnabled(key in shown)
        model.item(index).setToolTip("" if key in shown else "This result does not have it.")
