"""A plot whose curves stay and only get new numbers: making one anew costs the window's thread 20 ms, and lines are drawn while they move."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyqtgraph
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QLabel

from .theme import current_theme

Role = Literal["base", "refined", "good"]
Values = NDArray[np.float64]

_WIDTH = 2
_FILL_ALPHA = 60
_LEGEND_MARGIN_PX = (22, 12)
_ROLES: tuple[Role, ...] = ("base", "refined", "good")


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """Numbers under a name in the theme's colour for ``role``; ``x`` has one more value than ``y`` where the plot has steps."""

    name: str
    role: Role
    x: Values
    y: Values


class CurvePlot(pyqtgraph.PlotWidget):
    """At most one curve a role, perhaps with a band about the refined one.

    Args:
        bottom, left: what the axes show.
        has_steps: draw filled steps, as histograms are.
    """

    def __init__(self, bottom: str, left: str, *, has_steps: bool = False) -> None:
        super().__init__()
        self._titles = {"bottom": bottom, "left": left}
        self._has_steps = has_steps
        self.legend = QLabel(self)  # The library's own takes 10 ms to lay out anew.
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.disableAutoRange()  # Every range is given; the library would first seek one of its own.
        self.restyle()

    def restyle(self) -> None:
        """Make everything anew in the colours of the present theme; the numbers are to be given again."""
        theme, item = current_theme(), self.getPlotItem()
        item.clear()
        self._name([])
        self.setBackground(theme.panel)
        for side, title in self._titles.items():
            axis = self.getAxis(side)
            axis.setPen(theme.line)
            axis.setTextPen(theme.muted)
            axis.setStyle(tickLength=-4)
            axis.enableAutoSIPrefix(False)
            self.setLabel(side, title, color=theme.muted)
        self.showGrid(x=True, y=True, alpha=0.12)
        self._edges = [pyqtgraph.PlotCurveItem() for _ in range(2)]
        self._band = pyqtgraph.FillBetweenItem(*self._edges, brush=_faint(theme.refined))
        item.addItem(self._band)
        self._curves: dict[Role, Any] = {role: self._make_curve(role) for role in _ROLES}

    def _make_curve(self, role: Role) -> Any:
        colour = getattr(current_theme(), role)
        looks: dict[str, Any] = {"stepMode": "center", "fillLevel": 0, "brush": _faint(colour)} if self._has_steps else {}
        curve = pyqtgraph.PlotDataItem(pen=pyqtgraph.mkPen(colour, width=_WIDTH), **looks)
        self.getPlotItem().addItem(curve)
        return curve

    def show_curves(self, curves: Sequence[Curve], band: tuple[Values, Values, Values] | None = None) -> None:
        """Show these in place of those before.

        Args:
            band: x, lower and upper edge of a band in the refined curve's colour.
        """
        shown = {curve.role: curve for curve in curves}
        for role, item in self._curves.items():
            if role in shown:
                item.setData(shown[role].x, shown[role].y)
            item.setVisible(role in shown)
        self._band.setVisible(band is not None)
        if band is not None:
            for edge, values in zip(self._edges, band[1:], strict=True):
                edge.setData(band[0], values)
        self._name(curves)
        ys = [curve.y for curve in curves] + ([*band[1:]] if band is not None else [])
        low = 0.0 if self._has_steps else min(float(y.min()) for y in ys)
        self.setRange(
            xRange=(min(float(curve.x.min()) for curve in curves), max(float(curve.x.max()) for curve in curves)),
            yRange=(low, max(float(y.max()) for y in ys)),
        )

    def _name(self, curves: Sequence[Curve]) -> None:
        theme = current_theme()
        rows = [f'<span style="color: {getattr(theme, curve.role)}">\u2501\u2501</span>\u2002{html.escape(curve.name)}' for curve in curves]
        text = "<br>".join(rows)
        if text != self.legend.text():
            self.legend.setText(text)
            self._place_legend()

    def _place_legend(self) -> None:
        self.legend.adjustSize()
        self.legend.move(self.width() - self.legend.width() - _LEGEND_MARGIN_PX[0], _LEGEND_MARGIN_PX[1])

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Keep the names in their corner."""
        super().resizeEvent(event)
        if event is not None:  # The library calls this itself while it makes the widget.
            self._place_legend()


def _faint(colour: str) -> QColor:
    fill = QColor(colour)
    fill.setAlpha(_FILL_ALPHA)
    return fill
