"""Numbers of the pixel under the pointer, or of the pinned one: both sides and their difference."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from ..state.comparison import Comparison
from ..state.probe import Normal, Probe
from .parts import card, label, selectable

_ROWS = ("disparity", "depth", "normal")


class ProbePanel(QWidget):
    """A card with a table: base, refined, difference."""

    def __init__(self) -> None:
        super().__init__()
        self._place = label("Point at a map; click to pin.", "muted")
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(3)
        self._heads = [QLabel("left"), QLabel("right"), QLabel("difference")]
        self._heads[0].setProperty("side", "base")
        self._heads[1].setProperty("side", "refined")
        self._heads[2].setProperty("role", "muted")
        for column, head in enumerate(self._heads, start=1):
            grid.addWidget(head, 0, column, Qt.AlignmentFlag.AlignRight)
        self._cells: dict[str, list[QLabel]] = {}
        for line, name in enumerate(_ROWS, start=1):
            head = QLabel(name)
            head.setProperty("role", "muted")
            grid.addWidget(head, line, 0)
            self._cells[name] = [QLabel("–") for _ in range(3)]
            for column, cell in enumerate(self._cells[name], start=1):
                grid.addWidget(selectable(cell), line, column, Qt.AlignmentFlag.AlignRight)
        grid.setColumnStretch(0, 1)
        self._more = label("", "muted")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(card(self._place, table, self._more, title="Pixel"))
        self.show_probe(None, None)

    def show_probe(self, comparison: Comparison | None, probe: Probe | None) -> None:
        """Show one pixel's numbers; None empties the table."""
        refinement = comparison is None or comparison.is_refinement
        self._heads[0].setText("base" if refinement else "left")
        self._heads[1].setText("refined" if refinement else "right")
        if probe is None:
            self._place.setText("Point at a map; click to pin.")
            for cells in self._cells.values():
                for cell in cells:
                    cell.setText("–")
            self._more.setText(" ")
            return
        red, green, blue = probe.srgb
        self._place.setText(f"column {probe.column}, row {probe.row} · sRGB {red} {green} {blue}")
        base, refined = probe.base, probe.refined
        self._fill("disparity", f"{base.disparity:.4g}", f"{refined.disparity:.4g}", f"{100 * probe.change:+.2f} %")
        self._fill("depth", f"{base.depth:.4g}", f"{refined.depth:.4g}", f"{100 * probe.depth_change:+.2f} %")
        self._fill("normal", _normal(base.normal), _normal(refined.normal), f"{probe.turn_deg:.1f}°")
        self._more.setText(" · ".join(_more(probe)) or " ")

    def _fill(self, row: str, *texts: str) -> None:
        for cell, text in zip(self._cells[row], texts, strict=True):
            cell.setText(text)


def _more(probe: Probe) -> list[str]:
    words = []
    if probe.uncertainty is not None:
        words.append(f"spread ±{100 * probe.uncertainty:.2g} %")
    if probe.kept is not None:
        words.append(f"gate kept {100 * probe.kept:.0f} %")
    if probe.true_depth is not None:
        words.append(f"true depth {probe.true_depth:.4g}")
    return words


def _normal(normal: Normal) -> str:
    return "\n".join(f"{value:+.2f}" for value in normal)
