"""`EngineLink`: the shared engine as the window sees it, through signals alone. All talking happens in `link.talker`'s thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal, SignalInstance

from engine.api.settings import RefineSettings

from .talker import LinkState, Talker

LEAVE_S = 2.0


@dataclass(frozen=True, kw_only=True)
class LinkStatus:
    """How the viewer stands with the engine: ``absent`` = none runs and none is needed; ``lost`` = one went away and is looked for."""

    state: LinkState
    text: str
    hint: str = ""


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
            on_status=lambda state, text, hint: self._tell(self.status_changed, LinkStatus(state=state, text=text, hint=hint)),
            on_jobs=lambda jobs: self._tell(self.jobs_changed, jobs),
            on_event=lambda job_id, event: self._tell(self.progressed, job_id, event),
            on_preview=lambda job_id, preview: self._tell(self.previewed, job_id, preview),
            on_submitted=lambda job, picture, followed: self._tell(self.submitted, job, picture, followed),
            on_ended=lambda job, ending: self._tell(self.ended, job, ending),
            on_opened=lambda comparison, picture: self._tell(self.opened, comparison, picture),
            on_refused=lambda error: self._tell(self.refused, error),
            on_models=lambda models: self._tell(self.models_found, models),
        )
        self._thread = threading.Thread(target=self._talker.run, name="engine link", daemon=True)

    def start(self) -> None:
        """Begin to look for an engine."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; the engine and its jobs go on."""
        self._talker.stop()
        self._thread.join(LEAVE_S)  # it may be waiting for an answer; it then ends with the program

    def _tell(self, signal: SignalInstance, *facts: object) -> None:
        """Emit from the talker's thread, unless the window is going and nobody listens any more."""
        if not self._talker.is_stopping:
            signal.emit(*facts)

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
