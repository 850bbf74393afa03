"""What changed, where, and whether to trust it, in a few lines beside the maps."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ..state.findings import Finding
from .parts import card, label, selectable
from .theme import current_theme

_NOTHING_YET = "Refine a picture, or open a result, to read here what changed and how far to trust it."
_GAP_PX = 8


class FindingsPanel(QWidget):
    """A card of findings: one text, so that all of it can be selected at once. Qt takes five times as long to lay out a label for each."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = selectable(label())
        self.lines.setTextFormat(Qt.TextFormat.RichText)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(card(self.lines, title="What refinement did"))
        self._found: tuple[Finding, ...] = ()
        self._write()

    def show_findings(self, found: Sequence[Finding]) -> None:
        """Show these in place of the ones before."""
        self._found = tuple(found)
        self._write()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._write()

    def _write(self) -> None:
        theme = current_theme()
        colours = {"plain": theme.text, "good": theme.good, "doubtful": theme.doubtful}
        paragraphs = [
            f'<span style="color: {colours[finding.tone]}; font-weight: 600">{_unbroken(finding.title)}</span><br>{_unbroken(finding.text)}'
            for finding in self._found
        ] or [_NOTHING_YET]
        last = len(paragraphs) - 1
        self.lines.setText(
            "".join(
                f'<p style="color: {theme.muted}; margin: 0 0 {_GAP_PX if number < last else 0}px 0">{paragraph}</p>'
                for number, paragraph in enumerate(paragraphs)
            )
        )


def _unbroken(text: str) -> str:
    """Return ``text`` for a rich label, with no line break between a number and its per cent sign."""
    return html.escape(text).replace(" %", "\u00a0%")
