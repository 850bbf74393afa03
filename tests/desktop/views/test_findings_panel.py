"""The card of findings is one text, in the colours of the theme."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.state.findings import Finding
from desktop.views.findings_panel import FindingsPanel
from desktop.views.parts import scrolled
from desktop.views.theme import THEMES, apply_theme

pytestmark = pytest.mark.gui

FOUND = [
    Finding(title="Doubtful", text="Signs: range < 3 % & <b>no</b> edges.", tone="doubtful"),
    Finding(title="Members agree", text="All of them.", tone="good"),
]


@pytest.fixture
def panel(qtbot: QtBot, qapp: QApplication) -> Iterator[FindingsPanel]:
    made = FindingsPanel()
    qtbot.addWidget(made)
    made.show()
    yield made
    apply_theme(qapp, "dark")


def read(panel: FindingsPanel) -> list[str]:
    document = QTextDocument()
    document.setHtml(panel.lines.text())
    return document.toPlainText().splitlines()


def test_every_finding_stands_there_as_it_was_written(panel: FindingsPanel) -> None:
    panel.show_findings(FOUND)
    assert read(panel) == ["Doubtful", "Signs: range < 3 % & <b>no</b> edges.", "Members agree", "All of them."]
    assert "3\u00a0%" in panel.lines.text()
    panel.show_findings([])
    (line,) = read(panel)
    assert line.startswith("Refine a picture")


def test_a_new_theme_gives_new_colours_to_what_stands_there(panel: FindingsPanel, qapp: QApplication) -> None:
    panel.show_findings(FOUND)
    for name in ("light", "dark"):
        apply_theme(qapp, name)
        theme, other = THEMES[name], THEMES["dark" if name == "light" else "light"]
        for tone in ("doubtful", "good", "muted"):
            assert getattr(theme, tone) in panel.lines.text()
            assert getattr(other, tone) not in panel.lines.text()


def test_findings_that_are_too_high_are_scrolled_and_not_cut(qtbot: QtBot) -> None:
    panel = FindingsPanel()
    area = scrolled(panel)
    qtbot.addWidget(area)
    area.resize(240, 200)
    area.show()
    panel.show_findings([FOUND[0]] * 8)
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() > 0)
    assert panel.lines.height() >= panel.lines.heightForWidth(panel.lines.width()) > area.height()
