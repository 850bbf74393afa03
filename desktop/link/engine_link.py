"""`EngineLink`: the shared engine as the window sees it, through signals alone. All talking happens in `link.talker`'s thread."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QThread, Signal

from engine.api.settings import RefineSettings

from .talker import LinkState, Talker


@dataclass(frozen=True, kw_only=True)
class LinkStatus:
    """How the viewer stands with the engine: ``absent`` = none runs and none is needed; ``lost`` = one went away and is looked for."""

    state: LinkState
    text: str
    hint: str = ""


class _Thread(QThread):
    def __init__(self, talker: Talker) -> None:
        super().__init__()
        self.talker = talker

    def run(self) -> None:
        self.talker.run()


class EngineLink(QObject):
    """What the engine does and what it is asked for.

    Signals:
        status_changed: `LinkStatus`.
        jobs_changed: list of `JobInfo`, newest last.
        progressed: job id, `Progress` or `Notice`.
        previewed: job id, disparity (h, w) of the running members.
        submitted: `JobInfo` of a job that this window asked for, path of its picture, and whether it asked to follow a running one.
        ended: `JobInfo`, and a `Comparison` or the `RedepthError` that it ended with.
        opened: `Comparison` of a job that was asked for by `open_job`, path of the engine's copy of its picture.
        refused: `RedepthError` of a request.
        models_found: list of `ModelFacts`.
    """

    status_changed = Signal(object)
    jobs_changed = Signal(object)
    progressed = Signal(str, object)
    previewed = Signal(str, object)
    submitted = Signal(object, object, bool)
    ended = Signal(object, object)
    opened = Signal(object, object)
    refused = Signal(object)
    models_found = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._talker = Talker(
            on_status=lambda state, text, hint: self.status_changed.emit(LinkStatus(state=state, text=text, hint=hint)),
            on_jobs=self.jobs_changed.emit,
            on_event=self.progressed.emit,
            on_preview=self.previewed.emit,
            on_submitted=self.submitted.emit,
            on_ended=self.ended.emit,
            on_opened=self.opened.emit,
            on_refused=self.refused.emit,
            on_models=self.models_found.emit,
        )
        self._thread = _Thread(self._talker)

    def start(self) -> None:
        """Begin to look for an engine."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; the engine and its jobs go on."""
        self._talker.stop()
        self._thread.wait()

    def submit(self, picture: Path, settings: RefineSettings) -> None:
        """Ask for a refinement; an engine is started where none runs."""
        self._talker.ask_submit(picture, settings)

    def cancel(self, job_id: str) -> None:
        """Ask a job to stop within a step."""
        self._talker.ask_cancel(job_id)

    def remove(self, job_id: str) -> None:
        """Ask for a kept job to be removed with its folder."""
        self._talker.ask_remove(job_id)

    def open_job(self, job_id: str) -> None:
        """Ask for the result of a kept job."""
        self._talker.ask_open(job_id)

    def release(self) -> None:
        """Let the engine free the device's memory."""
        self._talker.ask_release()

    def find_models(self) -> None:
        """Ask which models are on this machine."""
        self._talker.ask_models()
