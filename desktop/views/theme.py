"""Dark and light: one set of named colours for stylesheet, panes and plots."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import pyqtgraph
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

ThemeName = Literal["dark", "light"]


@dataclass(frozen=True, kw_only=True)
class Theme:
    """Colours as #rrggbb. ``mat`` lies behind pictures; ``base`` and ``refined`` are the two sides' curves and marks."""

    name: ThemeName
    window: str
    panel: str
    field: str
    line: str
    text: str
    muted: str
    accent: str
    on_accent: str
    mat: str
    good: str
    doubtful: str
    error: str
    base: str
    refined: str


THEMES: dict[ThemeName, Theme] = {
    "dark": Theme(
        name="dark",
        window="#191b1f",
        panel="#22252a",
        field="#2c3037",
        line="#3a3f47",
        text="#eceef1",
        muted="#a3a9b4",
        accent="#4c9fe0",
        on_accent="#0c1116",
        mat="#101114",
        good="#66c78c",
        doubtful="#f0b44c",
        error="#f07a70",
        base="#f0a33c",
        refined="#5bb8f0",
    ),
    "light": Theme(
        name="light",
        window="#eef0f3",
        panel="#ffffff",
        field="#f4f5f7",
        line="#cdd2d9",
        text="#1b1e23",
        muted="#59616d",
        accent="#1a6fb5",
        on_accent="#ffffff",
        mat="#dfe2e7",
        good="#1c7a45",
        doubtful="#8f5a00",
        error="#b3261e",
        base="#b05f00",
        refined="#0069b0",
    ),
}

_SHEET = """
QWidget {{ color: {text}; }}
QMainWindow, QDialog, #window {{ background: {window}; }}
#panel, QScrollArea#panel > QWidget > QWidget {{ background: {panel}; }}
#card {{ background: {panel}; border: 1px solid {line}; border-radius: 6px; }}
QLabel {{ background: transparent; }}
QLabel[role="heading"] {{ font-weight: 600; font-size: 11pt; }}
QLabel[role="title"] {{ font-weight: 600; }}
QLabel[role="muted"] {{ color: {muted}; }}
QLabel[tone="good"] {{ color: {good}; font-weight: 600; }}
QLabel[tone="doubtful"] {{ color: {doubtful}; font-weight: 600; }}
QLabel[tone="error"] {{ color: {error}; font-weight: 600; }}
QLabel[side="base"] {{ color: {base}; font-weight: 600; }}
QLabel[side="refined"] {{ color: {refined}; font-weight: 600; }}
QMenuBar, QStatusBar {{ background: {window}; color: {text}; }}
QMenuBar::item {{ padding: 4px 9px; background: transparent; border-radius: 4px; }}
QMenuBar::item:selected, QMenu::item:selected {{ background: {accent}; color: {on_accent}; }}
QMenu {{ background: {panel}; border: 1px solid {line}; padding: 4px; }}
QMenu::item {{ padding: 5px 26px 5px 22px; border-radius: 4px; }}
QMenu::item:disabled {{ color: {muted}; }}
QMenu::separator {{ height: 1px; background: {line}; margin: 4px 8px; }}
QPushButton, QToolButton {{ background: {field}; border: 1px solid {line}; border-radius: 5px; padding: 4px 10px; }}
QPushButton:hover, QToolButton:hover {{ border-color: {accent}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {line}; }}
QPushButton:checked, QToolButton:checked {{ background: {accent}; color: {on_accent}; border-color: {accent}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {muted}; background: {window}; }}
QPushButton[role="primary"] {{ background: {accent}; color: {on_accent}; border-color: {accent}; font-weight: 600; padding: 6px 12px; }}
QPushButton[role="primary"]:disabled {{ background: {line}; color: {muted}; border-color: {line}; }}
QPushButton:focus, QToolButton:focus, QLineEdit:focus, QListWidget:focus {{ border: 1px solid {accent}; }}
QLineEdit, QPlainTextEdit, QListWidget, QTableWidget {{
    background: {field}; border: 1px solid {line}; border-radius: 5px; padding: 3px 6px; selection-background-color: {accent};
    selection-color: {on_accent}; }}
QComboBox QAbstractItemView {{ background: {panel}; border: 1px solid {line}; selection-background-color: {accent};
    selection-color: {on_accent}; }}
QListWidget::item {{ border-radius: 4px; padding: 3px; }}
QListWidget::item:selected {{ background: {accent}; color: {on_accent}; }}
QHeaderView::section {{ background: {panel}; color: {muted}; border: none; border-bottom: 1px solid {line}; padding: 4px 6px; }}
QTabWidget::pane {{ border: none; background: {panel}; }}
QStatusBar::item {{ border: none; }}
QTabBar {{ background: transparent; }}
QTabBar::tab {{ background: transparent; color: {muted}; padding: 6px 12px; border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {text}; border-bottom: 2px solid {accent}; }}
QTabBar::tab:focus {{ color: {accent}; }}
QProgressBar {{ background: {field}; border: none; border-radius: 3px; max-height: 6px; }}
QProgressBar::chunk {{ background: {accent}; border-radius: 3px; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {line}; border-radius: 4px; margin: 1px; min-height: 24px; min-width: 24px; }}
QScrollBar::handle:hover {{ background: {muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QSplitter::handle {{ background: {window}; }}
QScrollArea {{ border: none; }}
QSlider::groove:horizontal {{ height: 4px; background: {line}; border-radius: 2px; }}
QSlider::handle:horizontal {{ background: {accent}; width: 14px; margin: -5px 0; border-radius: 7px; }}
QSlider:focus {{ border: 1px solid {accent}; border-radius: 4px; }}
QComboBox, QSpinBox, QDoubleSpinBox {{ min-height: 22px; }}
QToolTip {{ background: {panel}; color: {text}; border: 1px solid {line}; padding: 4px; }}
#message {{ background: {panel}; border: 1px solid {error}; border-radius: 6px; }}
#drop {{ border: 2px dashed {line}; border-radius: 12px; background: {panel}; }}
#drop[over="true"] {{ border-color: {accent}; }}
"""

_current = THEMES["dark"]


def current_theme() -> Theme:
    """Return the theme that the application was last given."""
    return _current


def apply_theme(app: QApplication, name: ThemeName) -> None:
    """Give the whole application a theme; widgets that paint themselves read `current_theme` when they next paint."""
    global _current
    _current = theme = THEMES[name]
    roles = {
        QPalette.ColorRole.Window: theme.window,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.Base: theme.field,
        QPalette.ColorRole.AlternateBase: theme.panel,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.PlaceholderText: theme.muted,
        QPalette.ColorRole.Button: theme.field,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.Highlight: theme.accent,
        QPalette.ColorRole.HighlightedText: theme.on_accent,
        QPalette.ColorRole.ToolTipBase: theme.panel,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.Link: theme.accent,
    }
    palette = QPalette()
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.muted))
    app.setStyle("Fusion")
    app.setPalette(palette)
    app.setStyleSheet(_SHEET.format(**asdict(theme)))
    pyqtgraph.setConfigOptions(background=theme.panel, foreground=theme.muted, antialias=True)
