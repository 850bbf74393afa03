"""The thread that takes one picture through the engine. It knows no bpy; the window reads `Follower.snapshot` and `preview` when it likes.

An engine that goes away, hangs or says what makes no sense is looked for again a few times; jobs outlive their engine, so the new one
goes on after the last finished batch of members. Every wait has an end, so the thread has one too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..engine.api.client import EngineClient
from ..engine.api.errors import (
    CancelledError,
    EngineTimeoutError,
    EngineUnavailableError,
    FrameRefusedError,
    RedepthError,
    UnknownJobError,
    error_from_json,
)
from ..engine.api.job import Job
from ..engine.api.messages import Notice, Progress
from ..engine.api.settings import RefineSettings
from .snapshot import Snapshot

Connect = Callable[[], EngineClient]

ATTEMPTS = 4
PAUSE_S = 1.0
_LOOK_S = 0.2
_LOST = (EngineUnavailableError, EngineTimeoutError, FrameRefusedError)


class Submit(Protocol):
    """How a job is begun."""

    def __call__(self, client: EngineClient) -> Job: ...


def submission(picture: Path, settings: RefineSettings, write_picture: Callable[[], None]) -> Submit:
    """Return the way to begin a new job; ``write_picture`` is called first, in the follower's thread."""

    def submit(client: EngineClient) -> Job:
        write_picture()
        return client.submit(picture, settings)

    return submit


def attachment(job_id: str) -> Submit:
    """Return the way to take up a job that the engine knows already."""
    return lambda client: client.attach(job_id)


class Follower(threading.Thread):
    """One job, from connecting to its end.

    Attributes:
        snapshot: what is known now; replaced, never changed.
        preview: the latest disparity (h, w) of the running members, or None.
        previews: counts them.
    """

    def __init__(self, begin: Submit, connect: Connect) -> None:
        super().__init__(name="redepth job", daemon=True)
        self.snapshot = Snapshot()
        self.preview: NDArray[np.float32] | None = None
        self.previews = 0
        self._begin, self._connect = begin, connect
        self._cancelling = threading.Event()
        self._leaving = threading.Event()

    def cancel(self) -> None:
        """Ask the engine to stop the job; returns at once."""
        self._cancelling.set()

    def leave(self) -> None:
        """Let the thread end; the job goes on in the engine."""
        self._leaving.set()

    def run(self) -> None:
        """Follow the job until it ends; what goes wrong on the way becomes the last snapshot's error."""
        try:
            self._follow()
        except CancelledError as error:
            self._show(state="cancelled", error=error)
        except RedepthError as error:
            self._show(state="failed", error=error)

    def _follow(self) -> None:
        lost = 0
        while not self._leaving.is_set():
            try:
                with self._connect() as client:
                    job = self._take_up(client)
                    lost = 0
                    self._watch(job)
                return
            except _LOST as error:
                lost += 1
                if lost == ATTEMPTS:
                    raise
                if self._cancelling.is_set() and not self.snapshot.job_id:
                    raise CancelledError("Cancelled before the engine had the job.") from error
                self._show(state="lost", error=EngineUnavailableError(f"Lost the engine, looking for it again ({lost} of {ATTEMPTS - 1})."))
                self._leaving.wait(PAUSE_S)

    def _take_up(self, client: EngineClient) -> Job:
        """Return the job: the one begun before where there is one, else a new one; an engine that forgot it gets the picture again."""
        if self._cancelling.is_set() and not self.snapshot.job_id:
            raise CancelledError("Cancelled before the engine had the job.")
        if self.snapshot.job_id:
            try:
                job = client.attach(self.snapshot.job_id)
            except UnknownJobError:
                job = self._begin(client)
        else:
            job = self._begin(client)
        self._tell(job)
        return job

    def _watch(self, job: Job) -> None:
        asked = False
        while not job.info.ended and not self._leaving.is_set():
            if self._cancelling.is_set() and not asked:
                job.cancel()
                asked = True
            events = job.poll(_LOOK_S)
            notices = [event.text for event in events if isinstance(event, Notice)]
            progress = next((event for event in reversed(events) if isinstance(event, Progress)), self.snapshot.progress)
            self._take_preview(job)
            self._tell(job, progress=progress, notices=(*self.snapshot.notices, *notices))
        if job.info.error:
            raise error_from_json(job.info.error)
        if job.info.state == "cancelled":
            kept = "What was reached can still be built." if job.info.has_result else ""
            raise CancelledError("Cancelled.", hint=kept)

    def _take_preview(self, job: Job) -> None:
        if job.info.previews != self.previews:
            preview = job.preview()
            if preview is not None:
                self.preview = preview
                self.previews = job.info.previews

    def _tell(self, job: Job, **changes: Any) -> None:
        info = job.info
        state = info.state if info.state in ("queued", "running", "finished") else self.snapshot.state
        state = "running" if state == "lost" else state
        error = None if state != "cancelled" else self.snapshot.error
        known = {"job_id": info.id, "folder": info.folder, "ahead": info.ahead, "has_result": info.has_result}
        self._show(state=state, error=error, reached=self.snapshot.fraction, **known, **changes)

    def _show(self, **changes: Any) -> None:
        self.snapshot = replace(self.snapshot, **changes)
