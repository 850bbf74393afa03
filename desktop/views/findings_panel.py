"""What changed, where, and whether to trust it, in a few lines beside the maps."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QVBoxLayout, QWidget

from ..state.findings import Finding
from .parts import card, label, selectable


class FindingsPanel(QWidget):
    """A card of findings."""

    def __init__(self) -> None:
        super().__init__()
        self._lines = QWidget()
        self._column = QVBoxLayout(self._lines)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(7)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(card(self._lines, title="What refinement did"))
        self.show_findings([])

    def show_findings(self, found: Sequence[Finding]) -> None:
        """Show these in place of the ones before."""
        while (item := self._column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
        if not found:
            self._column.addWidget(label("Refine a picture, or open a result, to read here what changed and how far to trust it.", "muted"))
        for finding in found:
            self._column.addWidget(selectable(label(_unbroken(finding.title), tone=finding.tone)))
            self._column.addWidget(selectable(label(_unbroken(finding.text), "muted")))


def _unbroken(text: str) -> str:
    """Return ``text`` with no line break between a number and its per cent sign."""
    return text.replace(" %", "\u00a0%")
