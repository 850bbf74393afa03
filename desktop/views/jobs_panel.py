"""The engine's jobs, whoever submitted them: what runs, what waits, what can be opened again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from engine.api.messages import JobInfo

from ..state.progress import describe
from .parts import card, label

_MARKS = {"queued": "◷", "running": "▶", "finished": "✓", "failed": "✕", "cancelled": "■"}
_SHOWN = 100


class JobsPanel(QWidget):
    """A list, newest first.

    Signals:
        open_asked, cancel_asked, remove_asked: job id.
    """

    open_asked = Signal(str)
    cancel_asked = Signal(str)
    remove_asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._jobs: list[JobInfo] = []
        self.list = QListWidget()
        self.list.setAccessibleName("Jobs of the engine")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setMinimumHeight(90)
        self.open, self.cancel, self.remove = QPushButton("Open"), QPushButton("Cancel"), QPushButton("Remove")
        self._empty = label("None yet. Jobs that Blender or the command line start appear here too.", "muted")
        buttons = QWidget()
        line = QHBoxLayout(buttons)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        for button in (self.open, self.cancel, self.remove):
            line.addWidget(button)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(card(self._empty, self.list, buttons, title="Jobs of the engine"))
        self.list.currentItemChanged.connect(lambda *_: self._show_buttons())
        self.list.itemActivated.connect(lambda _: self._ask_open())
        self.open.clicked.connect(self._ask_open)
        self.cancel.clicked.connect(lambda: self._with_chosen(self.cancel_asked.emit))
        self.remove.clicked.connect(lambda: self._with_chosen(self.remove_asked.emit))
        self.show_jobs([])

    def show_jobs(self, jobs: Sequence[JobInfo]) -> None:
        """Show these; the chosen one stays chosen."""
        self._jobs = sorted(jobs, key=lambda job: job.submitted_at, reverse=True)[:_SHOWN]
        chosen = self._chosen_id()
        self.list.blockSignals(True)
        while self.list.count() > len(self._jobs):
            self.list.takeItem(self.list.count() - 1)
        for index, job in enumerate(self._jobs):
            if index >= self.list.count():
                self.list.addItem(QListWidgetItem())
            item = self.list.item(index)
            when = time.strftime("%d %b %H:%M", time.localtime(job.submitted_at)) if job.ended else ""
            text = f"{_MARKS[job.state]}  {job.name}\n      {' · '.join(filter(None, (describe(job), when)))}"
            if item.text() != text:
                item.setText(text)
            item.setData(Qt.ItemDataRole.UserRole, job.id)
            item.setToolTip(job.error["sentence"] if job.error else f"Job {job.id}")
            if job.id == chosen:
                self.list.setCurrentItem(item)
        self.list.blockSignals(False)
        self._empty.setVisible(not self._jobs)
        self.list.setVisible(bool(self._jobs))
        self._show_buttons()

    def _chosen_id(self) -> str:
        item = self.list.currentItem()
        return "" if item is None else str(item.data(Qt.ItemDataRole.UserRole))

    def _chosen(self) -> JobInfo | None:
        return next((job for job in self._jobs if job.id == self._chosen_id()), None)

    def _show_buttons(self) -> None:
        job = self._chosen()
        self.open.setEnabled(job is not None and (job.has_result or not job.ended))
        self.open.setText("Follow" if job is not None and not job.ended else "Open")
        self.cancel.setEnabled(job is not None and not job.ended)
        self.remove.setEnabled(job is not None and job.ended)

    def _ask_open(self) -> None:
        job = self._chosen()
        if job is not None and self.open.isEnabled():
            self.open_asked.emit(job.id)

    def _with_chosen(self, ask: Callable[[str], object]) -> None:
        job = self._chosen()
        if job is not None:
            ask(job.id)
