"""The plots under the maps: the profile along the line, both histograms, measures against truth, and a running job's losses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHeaderView, QStackedLayout, QTableWidget, QTableWidgetItem, QTabWidget, QWidget

from ..state.comparison import Comparison, Which
from ..state.measures import MeasureRow
from ..state.probe import Histogram, Profile
from ..state.progress import LossCurves
from .curve_plot import Curve, CurvePlot, Role, Values
from .parts import label
from .theme import current_theme

_LEFT, _RIGHT = (side | Qt.AlignmentFlag.AlignVCenter for side in (Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight))
_HINTS = {
    "Profile": "Hold Ctrl and drag across a map (or press L and drag): both depths along that line appear here.",
    "Histogram": "Both depths' values appear here once there is something to compare.",
    "Measures": "Open measured depth (File > Measure against ground truth) to see errors here and as maps.",
    "Losses": "While a picture is refined, its losses appear here.",
}
_TABS = tuple(_HINTS)
_LOSS_ROLES: tuple[Role, ...] = ("refined", "base", "good")


class Plots(QTabWidget):
    """Four tabs; each says what to do while it is empty."""

    def __init__(self) -> None:
        super().__init__()
        self.setDocumentMode(True)
        self.tabBar().setDrawBase(False)
        self.setMinimumHeight(110)
        self.profile = CurvePlot("pixels along the line; higher = nearer, band = spread of the members", "disparity")
        self.histogram = CurvePlot("disparity, right = near", "% of pixels", has_steps=True)
        self.losses = CurvePlot("step", "loss / largest")
        self.table = QTableWidget(0, 6)
        self._stacks: dict[str, QStackedLayout] = {}
        contents: tuple[QWidget, ...] = (self.profile, self.histogram, self.table, self.losses)
        for name, content in zip(_TABS, contents, strict=True):
            page = QWidget()
            page.setObjectName("panel")
            stack = QStackedLayout(page)
            hint = label(_HINTS[name], "muted")
            hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
            stack.addWidget(hint)
            stack.addWidget(content)
            self._stacks[name] = stack
            self.addTab(page, name)
        self._prepare_table()

    def _prepare_table(self) -> None:
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideRight)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)  # A long label is cut short; its whole is in the tool tip.
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)

    def restyle(self) -> None:
        """Take the colours of the present theme; what was shown is to be given again."""
        for name, plot in (("Profile", self.profile), ("Histogram", self.histogram), ("Losses", self.losses)):
            plot.restyle()
            self.empty(name)

    def reveal(self, name: str) -> None:
        """Bring a tab to the front."""
        self.setCurrentIndex(_TABS.index(name))

    def empty(self, name: str) -> None:
        """Show the tab's hint again."""
        self._stacks[name].setCurrentIndex(0)

    def show_profile(self, comparison: Comparison | None, profile: Profile | None) -> None:
        """Show both sides along a line, with the members' spread about the refined one."""
        if comparison is None or profile is None:
            self.empty("Profile")
            return
        sides: tuple[tuple[Which, Values], ...] = (("base", profile.base), ("refined", profile.refined))
        curves = [Curve(name=comparison.label(which), role=which, x=profile.distance_px, y=values) for which, values in sides]
        spread = profile.uncertainty
        band = None if spread is None else (profile.distance_px, profile.refined - spread, profile.refined + spread)
        self.profile.show_curves(curves[:1] if comparison.is_single else curves, band)
        self._stacks["Profile"].setCurrentIndex(1)

    def show_histogram(self, comparison: Comparison | None, histogram: Histogram | None) -> None:
        """Show how often each disparity occurs on both sides."""
        if comparison is None or histogram is None:
            self.empty("Histogram")
            return
        sides: tuple[tuple[Which, Values], ...] = (("base", histogram.base), ("refined", histogram.refined))
        curves = [Curve(name=comparison.label(which), role=which, x=histogram.edges, y=100 * shares) for which, shares in sides]
        self.histogram.show_curves(curves[:1] if comparison.is_single else curves)
        self._stacks["Histogram"].setCurrentIndex(1)

    def show_measures(self, comparison: Comparison | None, rows: Sequence[MeasureRow]) -> None:
        """Show every measure of both sides."""
        if comparison is None or not rows:
            self.empty("Measures")
            return
        theme = current_theme()
        titles = ("Protocol", "Measure", comparison.label_base, comparison.label_refined, "Change", "Closer")
        for column, title in enumerate(titles):
            head = QTableWidgetItem(title)
            head.setToolTip(title)
            head.setTextAlignment(_RIGHT if 2 <= column <= 4 else _LEFT)
            self.table.setHorizontalHeaderItem(column, head)
        self.table.setRowCount(len(rows))
        for line, row in enumerate(rows):
            change = f"{100 * (row.refined / row.base - 1):+.1f} %" if row.base else "–"
            winner = "–" if row.better is None else comparison.label(row.better)
            for column, text in enumerate((row.protocol, row.title, f"{row.base:.4g}", f"{row.refined:.4g}", change, winner)):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                if column >= 4 and row.better is not None:
                    item.setForeground(QColor(theme.good if row.better == "refined" else theme.doubtful))
                item.setTextAlignment(_RIGHT if 2 <= column <= 4 else _LEFT)
                self.table.setItem(line, column, item)
        self.table.resizeRowsToContents()
        self._stacks["Measures"].setCurrentIndex(1)

    def show_losses(self, curves: LossCurves) -> None:
        """Show a job's losses so far, each as a share of its largest, for their sizes differ by orders."""
        shown = []
        for (name, values), role in zip(curves.values.items(), _LOSS_ROLES, strict=False):
            losses = np.asarray(values, np.float64)
            largest = float(np.abs(losses).max()) or 1.0
            shown.append(Curve(name=name, role=role, x=np.asarray(curves.steps[name], np.float64), y=losses / largest))
        if shown:
            self.losses.show_curves(shown)
            self._stacks["Losses"].setCurrentIndex(1)
