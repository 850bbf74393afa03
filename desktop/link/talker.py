"""The thread that talks to the engine: it takes requests, follows every unfinished job whoever submitted it, and finds a lost engine again.

It knows no Qt: what happens goes to callbacks, which it calls in its own thread.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from engine.api.client import EngineClient
from engine.api.errors import EngineTimeoutError, EngineUnavailableError, RedepthError
from engine.api.job import Job
from engine.api.messages import JobInfo
from engine.api.settings import RefineSettings

from ..state.comparison import comparison_from_result
from ..state.progress import picture_of
from .models import list_models

TICK_S = 0.05
LIST_EVERY_S = 1.0
LOOK_AGAIN_S = 1.0
_CONNECT_S = 20.0
_RESULT_S = 10.0
_LOST = (EngineUnavailableError, EngineTimeoutError)

Request = Callable[[], None]
LinkState = Literal["absent", "starting", "connected", "lost"]


class Talker:
    """One connection to the engine, kept alive; see `EngineLink` for what the callbacks mean."""

    def __init__(
        self,
        *,
        on_status: Callable[[LinkState, str, str], object],
        on_jobs: Callable[[list[JobInfo]], object],
        on_event: Callable[[str, Any], object],
        on_preview: Callable[[str, Any], object],
        on_submitted: Callable[[JobInfo, Path, bool], object],
        on_ended: Callable[[JobInfo, Any], object],
        on_opened: Callable[[Any, Path], object],
        on_refused: Callable[[RedepthError], object],
        on_models: Callable[[Any], object],
    ) -> None:
        self._on_status, self._on_jobs, self._on_event, self._on_preview = on_status, on_jobs, on_event, on_preview
        self._on_submitted, self._on_ended, self._on_opened, self._on_refused, self._on_models = (
            on_submitted,
            on_ended,
            on_opened,
            on_refused,
            on_models,
        )
        self._requests: queue.Queue[Request] = queue.Queue()
        self._stopping = threading.Event()
        self._client: EngineClient | None = None
        self._followed: dict[str, Job] = {}
        self._unfinished: dict[str, JobInfo] = {}
        self._previews: dict[str, int] = {}
        self._listed: list[JobInfo] = []
        self._told: list[JobInfo] | None = None
        self._list_at = self._look_at = 0.0
        self._status: tuple[LinkState, str, str] | None = None

    # --- asked by the window, in its thread -------------------------------------------------------------------------------------------------

    def ask_submit(self, picture: Path, settings: RefineSettings) -> None:
        """Submit a picture; an engine is started where none runs."""
        self._requests.put(lambda: self._submit(picture, settings))

    def ask_cancel(self, job_id: str) -> None:
        """Stop a job within a step."""
        self._requests.put(lambda: self._connected().attach(job_id).cancel())

    def ask_remove(self, job_id: str) -> None:
        """Remove a job with its folder."""
        self._requests.put(lambda: self._remove(job_id))

    def ask_open(self, job_id: str) -> None:
        """Open a job's result, or follow it while it runs."""
        self._requests.put(lambda: self._open(job_id))

    def ask_release(self) -> None:
        """Free the device's memory."""
        self._requests.put(lambda: self._connected().release())

    def ask_models(self) -> None:
        """Find the models that are here, in a thread of its own, for the answer takes seconds."""
        threading.Thread(target=self._find_models, daemon=True).start()

    def stop(self) -> None:
        """End `run` at its next turn; nothing more is told."""
        self._stopping.set()

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping.is_set()

    # --- the thread -------------------------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Talk until `stop`."""
        while not self._stopping.is_set():
            try:
                self._answer_request()
                if self._client is None:
                    self._look_for_engine()
                else:
                    self._follow()
            except _LOST as error:
                self._lose(error)
            except RedepthError as error:
                self._on_refused(error)
        if self._client is not None:
            self._client.close()

    def _answer_request(self) -> None:
        try:
            request = self._requests.get(timeout=TICK_S)
        except queue.Empty:
            return
        try:
            request()
        except _LOST as error:
            self._on_refused(error)
            raise

    def _connected(self) -> EngineClient:
        """Return the client, with an engine started where none runs."""
        if self._client is None:
            self._tell("starting", "Starting the engine …")
            self._take(EngineClient.connect(timeout_s=_CONNECT_S))
        assert self._client is not None
        return self._client

    def _take(self, client: EngineClient) -> None:
        self._client, self._list_at = client, 0.0
        status = client.status()
        self._tell("connected", f"Engine {status.version}")
        for job_id in sorted(self._unfinished):
            self._attach(job_id)

    def _attach(self, job_id: str) -> None:
        assert self._client is not None
        try:
            self._followed[job_id] = self._client.attach(job_id)
        except _LOST:
            raise
        except RedepthError as error:
            self._on_ended(replace(self._unfinished.pop(job_id), state="failed"), error)

    def _look_for_engine(self) -> None:
        """Connect to a running engine; start one only where jobs of this window wait for it."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_AGAIN_S
        try:
            self._take(EngineClient.connect(start=bool(self._unfinished), timeout_s=_CONNECT_S))
        except EngineUnavailableError as error:
            if self._unfinished:
                raise
            if self._status is None:
                self._tell("absent", "No engine runs; it starts with the first refinement", error.hint)
        except EngineTimeoutError:
            raise
        except RedepthError as error:  # it runs and refuses this program; said once, not every second
            if self._status is None or self._status[1] != error.sentence:
                self._on_refused(error)
            self._tell("absent", error.sentence, error.hint)

    def _lose(self, error: RedepthError) -> None:
        """Say that the engine is gone and forget the connection; `_look_for_engine` goes on from there."""
        if self._client is not None:
            self._client.close()
        self._client = None
        self._followed.clear()
        self._look_at = time.monotonic() + LOOK_AGAIN_S
        if self._unfinished:
            self._tell("lost", f"{error.sentence} Looking for it; the job goes on where it was.", error.hint)
        else:
            self._tell("absent", "The engine has ended; it starts again with the next refinement", error.hint)

    def _tell(self, state: LinkState, text: str, hint: str = "") -> None:
        if (state, text, hint) != self._status:
            self._status = (state, text, hint)
            self._on_status(state, text, hint)

    def _follow(self) -> None:
        """Take the news of every unfinished job."""
        assert self._client is not None
        if time.monotonic() >= self._list_at:
            self._list_at = time.monotonic() + LIST_EVERY_S
            self._listed = self._client.jobs()
            for info in self._listed:
                if not info.ended and info.id not in self._followed:
                    self._unfinished[info.id] = info
                    self._attach(info.id)
        for job_id, job in list(self._followed.items()):
            for event in job.poll(0.0):
                self._on_event(job_id, event)
            self._unfinished[job_id] = job.info
            if job.info.previews > self._previews.get(job_id, 0) and not job.info.ended:
                self._previews[job_id] = job.info.previews
                preview = job.preview()
                if preview is not None:
                    self._on_preview(job_id, preview)
            if job.info.ended:
                self._end(job)
        self._tell_jobs()

    def _tell_jobs(self) -> None:
        fresh = {job_id: job.info for job_id, job in self._followed.items()}
        known = {info.id for info in self._listed}
        jobs = [fresh.get(info.id, info) for info in self._listed] + [info for job_id, info in fresh.items() if job_id not in known]
        if jobs != self._told:
            self._told = jobs
            self._on_jobs(jobs)

    def _end(self, job: Job) -> None:
        self._followed.pop(job.info.id)
        self._unfinished.pop(job.info.id, None)
        self._previews.pop(job.info.id, None)
        self._list_at = 0.0
        self._tell_jobs()
        try:
            self._on_ended(job.info, comparison_from_result(job.result(_RESULT_S), job.info.name, job_id=job.info.id))
        except _LOST:
            raise
        except RedepthError as error:
            self._on_ended(job.info, error)

    def _submit(self, picture: Path, settings: RefineSettings) -> None:
        try:
            job = self._connected().submit(picture, settings)
        except _LOST:
            if self._status is not None and self._status[0] == "starting":
                self._tell("absent", "The engine could not be started")
            raise
        self._on_submitted(job.info, picture, False)
        self._unfinished[job.info.id] = job.info
        self._followed[job.info.id] = job

    def _remove(self, job_id: str) -> None:
        self._connected().remove(job_id)
        self._list_at = 0.0

    def _open(self, job_id: str) -> None:
        job = self._connected().attach(job_id)
        if not job.info.ended:
            self._on_submitted(job.info, picture_of(job.info), True)
            return
        self._on_opened(comparison_from_result(job.result(_RESULT_S), job.info.name, job_id=job_id), picture_of(job.info))

    def _find_models(self) -> None:
        try:
            self._on_models(list_models())
        except RedepthError as error:
            self._on_refused(error)
