"""A plot names its curves in its corner, in their colours."""

from __future__ import annotations

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from desktop.views.curve_plot import Curve, CurvePlot
from desktop.views.theme import current_theme

pytestmark = pytest.mark.gui


def curves(*names: str) -> list[Curve]:
    x = np.linspace(0, 1, 5)
    return [Curve(name=name, role=role, x=x, y=x * (k + 1)) for k, (name, role) in enumerate(zip(names, ("base", "refined"), strict=False))]


def test_the_names_stay_in_the_corner_and_follow_what_is_shown(qtbot: QtBot) -> None:
    plot = CurvePlot("x", "y")
    qtbot.addWidget(plot)
    plot.resize(400, 200)
    plot.show()
    plot.show_curves(curves("A < B", "refined & done"))
    text, theme = plot.legend.text(), current_theme()
    assert "A &lt; B" in text and "refined &amp; done" in text
    assert text.index(theme.base) < text.index("A &lt; B") < text.index(theme.refined)
    for width in (900, 300):
        plot.resize(width, 200)
        assert width / 2 < plot.legend.geometry().right() < width
    plot.show_curves(curves("alone"))
    assert "alone" in plot.legend.text() and "refined" not in plot.legend.text()


def test_a_plot_shows_the_range_of_its_numbers(qtbot: QtBot) -> None:
    plot = CurvePlot("x", "y")
    qtbot.addWidget(plot)
    plot.show()
    for largest in (2.0, 1000.0):
        plot.show_curves([Curve(name="one", role="base", x=np.array([0.0, 10.0]), y=np.array([0.0, largest]))])
        (left, right), (low, high) = plot.viewRange()
        assert left <= 0 and 10 <= right < 15
        assert low <= 0 and largest <= high < 1.5 * largest
