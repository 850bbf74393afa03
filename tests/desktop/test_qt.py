"""What the viewer needs of Qt's Python binding, beyond its documentation."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, Qt, Signal
from pytestqt.qtbot import QtBot

EMISSIONS = 2000


class Source(QObject):
    happened = Signal(object)


def test_signals_leave_the_reference_counts_of_constants_alone(qtbot: QtBot) -> None:
    source, heard = Source(), []
    source.happened.connect(heard.append)
    source.happened.connect(lambda value: None, Qt.ConnectionType.QueuedConnection)
    constants = (True, False, None)
    before = [sys.getrefcount(constant) for constant in constants]
    for number in range(EMISSIONS):
        source.happened.emit(number)
        if number % 50 == 0:
            qtbot.wait(0)
    qtbot.waitUntil(lambda: len(heard) == EMISSIONS)
    lost = [start - sys.getrefcount(constant) for start, constant in zip(before, constants, strict=True)]
    assert max(lost) < EMISSIONS / 20
