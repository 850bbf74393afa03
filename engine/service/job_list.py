"""All jobs that the engine knows: their states, their order, and the news of them.

Every method takes the one lock of the service, `JobList.changed`; whoever waits for a change waits on it.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..api.disk import remove_parts
from ..api.errors import DamagedFolderError, OutputError, RedepthError, RequestError, UnknownJobError, WorkerDiedError, error_to_json
from ..api.messages import ENDED, JobInfo, JobState
from .job_folder import JobFolder, Request, SavedState

EVENTS_KEPT = 1000
STARTS_ALLOWED = 3
STOPPING_S = 90.0
_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class ListedJob:
    """A job in memory; change it only under the lock."""

    folder: JobFolder
    name: str
    submitted_at: float
    revisions: dict[str, str]
    saved: SavedState = field(default_factory=SavedState)
    has_result: bool = False
    cancel_asked: bool = False
    previews: int = 0
    events: deque[tuple[int, dict[str, Any]]] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT))
    last_event: int = 0
    progress: dict[str, Any] | None = None

    @property
    def job_id(self) -> str:
        return self.folder.job_id

    @property
    def ended(self) -> bool:
        return self.saved.state in ENDED


class JobList:
    """See the module. `users` counts the connections that took part in a job, `ends` how often one ended; used jobs are never removed."""

    def __init__(self, jobs_folder: Path) -> None:
        self.changed = threading.Condition()
        self.folder = jobs_folder
        self.users: Counter[str] = Counter()
        self.ends = 0
        self._jobs: dict[str, ListedJob] = {}
        self._queue: list[ListedJob] = []

    def load(self) -> None:
        """Take up every job on disk; those that a crash interrupted are queued again, in the order of their submission."""
        remove_parts(self.folder)
        with self.changed:
            for path in sorted(self.folder.iterdir()):
                if path.is_dir():
                    self._read(JobFolder(path))
            for job in sorted(self._jobs.values(), key=lambda job: job.submitted_at):
                self._take_up(job)

    def _read(self, folder: JobFolder) -> None:
        try:
            request = folder.read_request()
        except RedepthError as error:
            _log.warning("removing a damaged job: %s", error.sentence)
            shutil.rmtree(folder.path, ignore_errors=True)
            return
        self._jobs[folder.job_id] = job = _listed(folder, request)
        job.saved, job.has_result = folder.read_state(), folder.has_result()

    def _take_up(self, job: ListedJob) -> None:
        if job.saved.state == "finished" and not job.has_result:
            self._save(job, "failed", DamagedFolderError(f"The result in {job.folder.path} is damaged.", hint="Submit the picture again."))
        elif not job.ended and job.folder.has_complete_result():
            self._save(job, "finished")
        elif not job.ended and job.saved.starts >= STARTS_ALLOWED:
            self._save(job, "failed", WorkerDiedError(f"The job was begun {job.saved.starts} times and never ended.", hint="Submit it again."))
        elif not job.ended:
            self._enqueue(job, job.saved.starts)

    def find_whole(self, job_id: str) -> JobInfo | None:
        """Return the job if there is nothing to do for it: it is on its way, or finished with its files in place.

        One that is about to stop is waited for, for whoever asks wants it to run.
        """
        with self.changed:
            job = self._jobs.get(job_id)
            self.changed.wait_for(lambda: job is None or job.ended or not job.cancel_asked, STOPPING_S)
            if job is None or job.saved.state in ("failed", "cancelled") or (job.ended and not job.folder.has_result()):
                return None
            job.folder.touch()
            return self._info(job)

    def submit(self, request: Request, folder: JobFolder) -> JobInfo:
        """Queue ``request``, whose ``folder`` is there, or join the job that is on its way."""
        with self.changed:
            if (whole := self.find_whole(request.job_id)) is not None:
                return whole
            job = self._jobs[request.job_id] = _listed(folder, request)
            shutil.rmtree(folder.result, ignore_errors=True)
            self._enqueue(job, 0)
            return self._info(job)

    def info(self, job_id: str) -> JobInfo:
        """Return what is known of a job.

        Raises:
            UnknownJobError: there is none.
        """
        with self.changed:
            return self._info(self._get(job_id))

    def infos(self) -> list[JobInfo]:
        """Return all jobs, newest last."""
        with self.changed:
            return [self._info(job) for job in sorted(self._jobs.values(), key=lambda job: job.submitted_at)]

    def news(self, job_id: str, after: int, wait_s: float) -> tuple[JobInfo, list[dict[str, Any]], int]:
        """Return the job, its events above ``after`` and the last one's number, once there is one, the job ended or ``wait_s`` passed.

        Raises:
            UnknownJobError: there is no such job, or no longer.
        """
        with self.changed:
            self.changed.wait_for(lambda: (job := self._get(job_id)).ended or job.last_event > after, wait_s)
            job = self._get(job_id)
            return self._info(job), [event for number, event in job.events if number > after], job.last_event

    def cancel(self, job_id: str) -> JobInfo:
        """Ask a job to stop; one that has not begun ends at once, one that has ended stays as it is.

        Raises:
            UnknownJobError: there is none.
        """
        with self.changed:
            job = self._get(job_id)
            if job in self._queue:
                self._queue.remove(job)
                self.end(job, "cancelled")
            elif not job.ended:
                job.cancel_asked = True
                self.changed.notify_all()
            return self._info(job)

    def remove(self, job_id: str, *, user: bool = False) -> JobInfo:
        """Remove a job and its folder.

        Args:
            user: whoever asks counts as one of the job's users.

        Raises:
            UnknownJobError: there is none.
            RequestError: it has not ended, or somebody uses it.
        """
        with self.changed:
            job = self._get(job_id)
            if not job.ended:
                raise RequestError(f"The job {job_id} has not ended.", hint="Cancel it first.")
            if self.users[job_id] > int(user):
                raise RequestError(f"The job {job_id} is used by another program.", hint="Close it there first.")
            info = self._info(job)
            shutil.rmtree(job.folder.path, ignore_errors=True)
            if job.folder.path.exists():
                raise RequestError(f"The folder {job.folder.path} cannot be removed.", hint="Close the program that has its files open.")
            del self._jobs[job_id]
            self.changed.notify_all()
            return info

    def queued(self) -> list[str]:
        """Return the identifiers of the jobs that wait, next first."""
        with self.changed:
            return [job.job_id for job in self._queue]

    def begin_next(self) -> ListedJob | None:
        """Return the next job, now running, or None."""
        with self.changed:
            if not self._queue:
                return None
            job = self._queue.pop(0)
            self._save(job, "running", starts=job.saved.starts + 1)
            self.changed.notify_all()
            return job

    def add_event(self, job: ListedJob, event: dict[str, Any]) -> None:
        """Tell an event of a running job."""
        with self.changed:
            job.last_event += 1
            job.events.append((job.last_event, event))
            if event.get("event") == "progress":
                job.progress = event
            job.folder.append_progress(event)
            self.changed.notify_all()

    def end(self, job: ListedJob, state: JobState, error: RedepthError | None = None) -> None:
        """Let a job be over."""
        with self.changed:
            _remove_job_parts(job)
            job.has_result = job.folder.has_result()
            self._save(job, state, error)
            job.folder.touch()
            self.ends += 1
            self.changed.notify_all()

    def _enqueue(self, job: ListedJob, starts: int) -> None:
        _remove_job_parts(job)
        job.cancel_asked, job.has_result = False, False
        self._save(job, "queued", starts=starts)
        self._queue.append(job)
        self.changed.notify_all()

    def _save(self, job: ListedJob, state: JobState, error: RedepthError | None = None, starts: int | None = None) -> None:
        job.saved = SavedState(state=state, starts=job.saved.starts if starts is None else starts, error=error_to_json(error) if error else None)
        try:
            job.folder.write_state(job.saved)
        except OutputError as refusal:  # it still holds for as long as this engine runs
            _log.warning("%s", refusal)

    def _get(self, job_id: str) -> ListedJob:
        try:
            return self._jobs[job_id]
        except KeyError:
            raise UnknownJobError(f"There is no job {job_id}.", hint="List them with `python -m engine jobs`.") from None

    def _info(self, job: ListedJob) -> JobInfo:
        return JobInfo(
            id=job.job_id,
            name=job.name,
            state=job.saved.state,
            folder=str(job.folder.path),
            submitted_at=job.submitted_at,
            ahead=self._queue.index(job) if job in self._queue else 0,
            progress=job.progress,
            previews=job.previews,
            has_result=job.has_result,
            error=job.saved.error,
        )


def _listed(folder: JobFolder, request: Request) -> ListedJob:
    return ListedJob(folder=folder, name=request.name, submitted_at=request.submitted_at, revisions=dict(request.revisions))


def _remove_job_parts(job: ListedJob) -> None:
    """Remove what a worker that died left half-written; none is at the job now."""
    remove_parts(job.folder.path)
    remove_parts(job.folder.path / "members")
