"""`Refining`: the window's jobs in the engine, from the button to the result; and what the engine says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer

from engine.api.errors import CancelledError, InputError, RedepthError
from engine.api.messages import JobInfo, Notice, Progress
from engine.api.settings import RefineSettings

from ..link.engine_link import EngineLink, LinkStatus
from ..state.comparison import Comparison
from ..state.progress import LossCurves
from .session import Session

LOSSES_EVERY_MS = 300


class Refining(QObject):
    """Follows the job of the picture that is shown, and remembers which pictures have results."""

    def __init__(self, session: Session, link: EngineLink) -> None:
        super().__init__(session)
        self.session, self.window, self.link = session, session.window, link
        self.job: JobInfo | None = None
        self.jobs: list[JobInfo] = []
        self._pictures: dict[str, Path] = {}
        self._results: dict[Path, str] = {}
        self._waiting: set[str] = set()
        self._curves: dict[str, LossCurves] = {}
        self._engine_was_lost = False
        self._loss_timer = QTimer(self)
        self._loss_timer.setSingleShot(True)
        self._loss_timer.setInterval(LOSSES_EVERY_MS)
        self._loss_timer.timeout.connect(self._show_losses)
        self._wire()

    def _wire(self) -> None:
        window, link = self.window, self.link
        window.refine.refine_asked.connect(self.refine)
        window.refine.cancel_asked.connect(link.cancel)
        window.refine.refused.connect(window.message.show_error)
        window.jobs.open_asked.connect(link.open_job)
        window.jobs.cancel_asked.connect(link.cancel)
        window.jobs.remove_asked.connect(link.remove)
        self.session.picture_opened.connect(self._take_picture)
        self.session.opened.connect(lambda _: window.refine.show_job(self.job))
        link.status_changed.connect(self._take_status)
        link.jobs_changed.connect(self._take_jobs)
        link.progressed.connect(self._take_event)
        link.previewed.connect(self._take_preview)
        link.submitted.connect(self._take_submitted)
        link.ended.connect(self._take_ended)
        link.opened.connect(self._take_opened)
        link.refused.connect(window.message.show_error)
        link.models_found.connect(window.refine.show_models)

    # --- asking -----------------------------------------------------------------------------------------------------------------------------

    def refine(self, settings: RefineSettings) -> None:
        """Ask the engine to refine the picture that is open."""
        if self.session.picture is not None:
            self.window.message.clear()
            self.link.submit(self.session.picture, settings)

    def refine_folder(self) -> None:
        """Ask for every picture of the strip, one after the other; those that have a result are answered from it."""
        pictures: Sequence[Path] = self.session.folder_pictures
        if not pictures:
            hint = "Open a folder first, or several pictures at once."
            self.window.message.show_error(InputError("There is no folder of pictures to refine.", hint=hint, code="input.folder"))
            return
        try:
            settings = self.window.refine.settings()
        except RedepthError as error:
            self.window.message.show_error(error)
            return
        self.window.message.clear()
        for picture in pictures:
            self.link.submit(picture, settings)

    # --- what is open -----------------------------------------------------------------------------------------------------------------------

    def _take_picture(self, path: Path) -> None:
        """Take up the running job of a picture, or its result."""
        self.job = next((job for job in self.jobs if self._pictures.get(job.id) == path and job.id in self._waiting), None)
        self.window.refine.show_job(self.job)
        if self.job is None and path in self._results:
            self.link.open_job(self._results[path])

    def _take_opened(self, comparison: Comparison, picture: Path) -> None:
        self.job = next((job for job in self.jobs if job.id == comparison.job_id), None)
        self.session.take_result(comparison, self._pictures.get(comparison.job_id, picture))

    # --- what the engine says ---------------------------------------------------------------------------------------------------------------

    def _take_status(self, status: LinkStatus) -> None:
        self.window.engine_state.setText(status.text)
        self.window.engine_state.setToolTip(status.hint)
        lost = status.state == "lost"
        if lost:
            self.window.message.show_error(RedepthError(status.text, hint=status.hint, code="engine.unavailable"))
        elif self._engine_was_lost and status.state == "connected":
            self.window.message.show_note("The engine is back; the job goes on.")
        self._engine_was_lost = lost or (self._engine_was_lost and status.state != "connected")

    def _take_jobs(self, jobs: list[JobInfo]) -> None:
        self.jobs = jobs
        self.window.jobs.show_jobs(jobs)
        if self.job is not None:
            known = self.job
            self.job = next((job for job in jobs if job.id == known.id), known)
            self.window.refine.show_job(self.job)

    def _take_submitted(self, job: JobInfo, picture: Path, is_followed: bool) -> None:
        self._pictures.setdefault(job.id, picture)
        self._waiting.add(job.id)
        if self._pictures[job.id] == self.session.picture:
            self.job = job
            self.window.refine.show_job(job)
        elif is_followed:
            self.job = job
            self.session.open([picture])

    def _take_event(self, job_id: str, event: Progress | Notice) -> None:
        if not isinstance(event, Progress) or not event.losses:
            return
        first = job_id not in self._curves
        self._curves.setdefault(job_id, LossCurves()).add(event)
        if self.job is not None and job_id == self.job.id:
            if first:
                self.window.plots.reveal("Losses")
            if not self._loss_timer.isActive():
                self._loss_timer.start()

    def _show_losses(self) -> None:
        """Draw the curves of the job that is shown; a few times a second at most, for a plot costs more than a step."""
        curves = self._curves.get(self.job.id) if self.job is not None else None
        if curves is not None and self.window.plots.isVisible():
            self.window.plots.show_losses(curves)

    def _take_preview(self, job_id: str, disparity: Any) -> None:
        if self.job is not None and job_id == self.job.id and self.session.shown is not None:
            self.window.compare.show_preview(disparity)

    def _take_ended(self, job: JobInfo, ending: Comparison | RedepthError) -> None:
        self._waiting.discard(job.id)
        picture = self._pictures.get(job.id)
        if picture is not None and isinstance(ending, Comparison):
            self._results[picture] = job.id
        if self.job is None or job.id != self.job.id:
            return
        self.job = job
        self.window.compare.end_preview()
        self.window.refine.show_job(job)
        if isinstance(ending, Comparison):
            self.session.take_result(ending, picture)
        elif isinstance(ending, CancelledError):
            self.window.message.show_note(str(ending))
        else:
            self.window.message.show_error(ending)

    @property
    def is_settled(self) -> bool:
        """Whether no job of the picture that is shown is under way, and nothing else of the window."""
        running = self.job is not None and self.job.id in self._waiting
        return not running and self.session.is_settled
