"""The plots under the maps: the profile along the line, both histograms, measures against truth, and a running job's losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHeaderView, QStackedLayout, QTableWidget, QTableWidgetItem, QTabWidget, QWidget

from ..state.comparison import Comparison
from ..state.measures import MeasureRow
from ..state.probe import Histogram, Profile
from ..state.progress import LossCurves
from .parts import label
from .theme import current_theme

_LEFT, _RIGHT = (side | Qt.AlignmentFlag.AlignVCenter for side in (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight))
_WIDTH = 2
_BAND_ALPHA = 60
_TABS = ("Profile", "Histogram", "Measures", "Losses")


class Plots(QTabWidget):
    """Four tabs; each says what to do while it is empty."""

    def __init__(self) -> None:
        super().__init__()
        self.setDocumentMode(True)
        self.tabBar().setDrawBase(False)
        self.setMinimumHeight(110)
        self._hints = {
            "Profile": "Hold Ctrl and drag across a map (or press L and drag): both depths along that line appear here.",
            "Histogram": "Both depths' values appear here once there is something to compare.",
            "Measures": "Open measured depth (File > Measure against ground truth) to see errors here and as maps.",
            "Losses": "While a picture is refined, its losses appear here.",
        }
        self._plots = {name: pyqtgraph.PlotWidget() for name in ("Profile", "Histogram", "Losses")}
        self.table = QTableWidget(0, 6)
        self._stacks: dict[str, QStackedLayout] = {}
        for name in _TABS:
            page = QWidget()
            page.setObjectName("panel")
            stack = QStackedLayout(page)
            hint = label(self._hints[name], "muted")
            hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
            stack.addWidget(hint)
            stack.addWidget(self._plots.get(name) or self.table)
            self._stacks[name] = stack
            self.addTab(page, name)
        for plot in self._plots.values():
            plot.setMenuEnabled(False)
            plot.hideButtons()
            plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._prepare_table()
        self.restyle()

    def _prepare_table(self) -> None:
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideRight)
        self.table.setShowGrid(False)
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)

    def restyle(self) -> None:
        """Take the colours of the present theme; curves follow with the next numbers."""
        theme = current_theme()
        for plot in self._plots.values():
            plot.setBackground(theme.panel)
            for side in ("left", "bottom"):
                axis = plot.getAxis(side)
                axis.setPen(theme.line)
                axis.setTextPen(theme.muted)
                axis.setStyle(tickLength=-4)
            plot.showGrid(x=True, y=True, alpha=0.12)

    def reveal(self, name: str) -> None:
        """Bring a tab to the front."""
        self.setCurrentIndex(_TABS.index(name))

    def _fresh(self, name: str, bottom: str, left: str) -> Any:
        """Return an emptied plot with axes named."""
        theme = current_theme()
        plot = self._plots[name]
        item = plot.getPlotItem()
        item.clear()
        if item.legend is not None:
            item.legend.scene().removeItem(item.legend)
            item.legend = None
        item.addLegend(offset=(-12, 8), labelTextColor=theme.text)
        plot.setLabel("bottom", bottom, color=theme.muted)
        plot.setLabel("left", left, color=theme.muted)
        self._stacks[name].setCurrentIndex(1)
        return plot

    def empty(self, name: str) -> None:
        """Show the tab's hint again."""
        self._stacks[name].setCurrentIndex(0)

    def show_profile(self, comparison: Comparison | None, profile: Profile | None) -> None:
        """Show both sides along a line, with the members' spread about the refined one."""
        if comparison is None or profile is None:
            self.empty("Profile")
            return
        theme = current_theme()
        plot = self._fresh("Profile", "pixels along the line; higher = nearer, band = spread of the members", "disparity")
        if profile.uncertainty is not None:
            colour = QColor(theme.refined)
            colour.setAlpha(_BAND_ALPHA)
            edges = [pyqtgraph.PlotCurveItem(profile.distance_px, profile.refined + sign * profile.uncertainty) for sign in (-1, 1)]
            plot.addItem(pyqtgraph.FillBetweenItem(*edges, brush=colour))
        plot.plot(profile.distance_px, profile.base, pen=_pen(theme.base), name=comparison.label_base)
        if not comparison.is_single:
            plot.plot(profile.distance_px, profile.refined, pen=_pen(theme.refined), name=comparison.label_refined)
        spread = 0.0 if profile.uncertainty is None else profile.uncertainty
        low = min(float(profile.base.min()), float((profile.refined - spread).min()))
        plot.setRange(
            xRange=(0, float(profile.distance_px[-1])), yRange=(low, max(float(profile.base.max()), float((profile.refined + spread).max())))
        )

    def show_histogram(self, comparison: Comparison | None, histogram: Histogram | None) -> None:
        """Show how often each disparity occurs on both sides."""
        if comparison is None or histogram is None:
            self.empty("Histogram")
            return
        theme = current_theme()
        plot = self._fresh("Histogram", "disparity, right = near", "% of pixels")
        sides = [(theme.base, comparison.label_base, histogram.base), (theme.refined, comparison.label_refined, histogram.refined)]
        for colour, name, shares in sides[: 1 if comparison.is_single else 2]:
            fill = QColor(colour)
            fill.setAlpha(_BAND_ALPHA)
            plot.plot(histogram.edges, 100 * shares, stepMode="center", fillLevel=0, brush=fill, pen=_pen(colour), name=name)
        plot.enableAutoRange()

    def show_measures(self, comparison: Comparison | None, rows: Sequence[MeasureRow]) -> None:
        """Show every measure of both sides."""
        if comparison is None or not rows:
            self.empty("Measures")
            return
        theme = current_theme()
        titles = ("Protocol", "Measure", comparison.label_base, comparison.label_refined, "Change", "Closer")
        for column, title in enumerate(titles):
            head = QTableWidgetItem(title)
            head.setTextAlignment(_RIGHT if 2 <= column <= 4 else _LEFT)
            self.table.setHorizontalHeaderItem(column, head)
        self.table.setRowCount(len(rows))
        for line, row in enumerate(rows):
            change = f"{100 * (row.refined / row.base - 1):+.1f} %" if row.base else "–"
            winner = "–" if row.better is None else comparison.label(row.better)
            for column, text in enumerate((row.protocol, row.title, f"{row.base:.4g}", f"{row.refined:.4g}", change, winner)):
                item = QTableWidgetItem(text)
                if column >= 4 and row.better is not None:
                    item.setForeground(QColor(theme.good if row.better == "refined" else theme.doubtful))
                item.setTextAlignment(_RIGHT if 2 <= column <= 4 else _LEFT)
                self.table.setItem(line, column, item)
        self.table.resizeRowsToContents()
        self._stacks["Measures"].setCurrentIndex(1)

    def show_losses(self, curves: LossCurves) -> None:
        """Show a job's losses so far, each scaled to its own largest, for their sizes differ by orders."""
        theme = current_theme()
        if not curves.values:
            self.empty("Losses")
            return
        plot = self._fresh("Losses", "step", "loss / largest")
        for name, colour in zip(curves.values, (theme.refined, theme.base, theme.good), strict=False):
            values = np.asarray(curves.values[name], np.float64)
            largest = float(np.abs(values).max()) or 1.0
            plot.plot(curves.steps[name], values / largest, pen=_pen(colour), name=f"{name} (largest {largest:.3g})")
        plot.enableAutoRange()


def _pen(colour: str) -> Any:
    return pyqtgraph.mkPen(colour, width=_WIDTH)
