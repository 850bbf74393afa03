"""Two windows of text: all keys, and all that is known of how a result was made."""

from __future__ import annotations

import json
from collections.abc import Sequence

from PySide6.QtGui import QAction, QFontDatabase, QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from ..state.comparison import Comparison
from ..views3d.mesh_pane import MESH_KEYS
from ..views3d.relight_pane import RELIGHT_KEYS
from .parts import scrolled

MOUSE_KEYS = (
    ("Drag", "move the picture"),
    ("Wheel, + and -", "zoom at the pointer"),
    ("Double click", "fit"),
    ("Click", "pin the probe; Ctrl + arrows move it by a pixel"),
    ("Ctrl + drag", "draw a line: both profiles along it"),
    ("Hold Shift", "the other depth in the same place"),
    (", and .", "move the edge of the wipe"),
    ("Tab, arrows", "from field to field; arrows move a map that has the focus"),
    *RELIGHT_KEYS,
    *MESH_KEYS,
    ("Escape", "dismiss a message"),
)


class ShortcutsDialog(QDialog):
    """Every action with keys, and what the mouse does."""

    def __init__(self, actions: Sequence[QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and mouse")
        self.resize(520, 640)
        rows = [(key.toString(QKeySequence.SequenceFormat.NativeText), action) for action in actions if not (key := action.shortcut()).isEmpty()]
        texts = [(keys, action.text().replace("&", "").rstrip(" …")) for keys, action in rows] + list(MOUSE_KEYS)
        table = QWidget()
        grid = QGridLayout(table)
        for line, (keys, text) in enumerate(texts):
            key_label = QLabel(keys)
            key_label.setProperty("role", "title")
            grid.addWidget(key_label, line, 0)
            grid.addWidget(QLabel(text), line, 1)
        grid.setColumnStretch(1, 1)
        _with_close(self, scrolled(table))


class MetadataDialog(QDialog):
    """What is known of the comparison: settings, models, licences, versions."""

    def __init__(self, comparison: Comparison, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"How {comparison.name} was made")
        self.resize(640, 720)
        self.text = QPlainTextEdit(metadata_text(comparison))
        self.text.setReadOnly(True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        _with_close(self, self.text)


def metadata_text(comparison: Comparison) -> str:
    """Return everything known of a comparison as indented JSON."""
    width, height = comparison.size_px
    low, high = comparison.value_range
    facts = {
        "name": comparison.name,
        "size_px": [width, height],
        "left": comparison.label_base,
        "right": comparison.label_refined,
        "disparity_range": [low, high],
        "fov_deg": comparison.fov_deg,
        "fov_source": comparison.fov_source,
        "job": comparison.job_id or None,
        "notes": list(comparison.notes),
        "provenance": comparison.provenance,
    }
    return json.dumps(facts, indent=2, ensure_ascii=False)


def _with_close(dialog: QDialog, content: QWidget) -> None:
    column = QVBoxLayout(dialog)
    column.addWidget(content)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    column.addWidget(buttons)
