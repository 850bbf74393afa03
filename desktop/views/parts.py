"""Small widgets that the panels are made of."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget


def label(text: str = "", role: str = "", **properties: str) -> QLabel:
    """Return a label whose look the stylesheet takes from ``role`` and other properties; its text wraps."""
    made = QLabel(text)
    made.setWordWrap(True)
    if role:
        made.setProperty("role", role)
    for name, value in properties.items():
        made.setProperty(name, value)
    return made


def selectable(made: QLabel) -> QLabel:
    """Return the label with text that mouse and keyboard can select and copy."""
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard)
    return made


def restyle(widget: QWidget, name: str, value: str) -> None:
    """Change a property that the stylesheet looks at."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def card(*parts: QWidget, title: str = "") -> QFrame:
    """Return a frame with ``parts`` below each other."""
    frame = QFrame()
    frame.setObjectName("card")
    column = QVBoxLayout(frame)
    column.setContentsMargins(12, 10, 12, 12)
    column.setSpacing(8)
    if title:
        column.addWidget(label(title, "heading"))
    for part in parts:
        column.addWidget(part)
    return frame


def scrolled(*parts: QWidget) -> QScrollArea:
    """Return ``parts`` below each other in an area that scrolls when they are too high."""
    inner = QWidget()
    inner.setObjectName("window")
    column = QVBoxLayout(inner)
    column.setContentsMargins(0, 0, 2, 0)
    column.setSpacing(8)
    for part in parts:
        column.addWidget(part)
    column.addStretch(1)
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidget(inner)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area
