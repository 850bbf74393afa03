"""`EngineClient`: the shared engine as Blender, the viewer and the command line see it.

    with EngineClient.connect() as engine:
        job = engine.submit("photo.jpg", settings)
        for event in job.events():
            ...
        result = job.result(timeout_s=60)

Every call ends: with its answer, or with an `EngineError` within its time. `Job.poll` never waits, for loops that draw a window.
A client may be used from several threads. After `EngineTimeoutError` and `EngineUnavailableError` connect again; no job is lost.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from .channel import Channel
from .connecting import checked, open_channel
from .errors import EngineTimeoutError, EngineUnavailableError, FrameRefusedError
from .folders import Folders, find_folders
from .job import ANSWER_S, Job
from .launch import find_installation, log_tail, start_engine
from .messages import EngineStatus, JobInfo, job_from_json
from .settings import RefineSettings

SUBMIT_S = 120.0
_LOOK_AGAIN_S = 0.02


class EngineClient:
    """A connection to the shared engine. Each job that is followed has another, so that waiting for news holds up nothing."""

    def __init__(self, folders: Folders, channel: Channel) -> None:
        self._folders = folders
        self._channel = channel
        self._asking = threading.Lock()

    @classmethod
    def connect(
        cls,
        *,
        start: bool = True,
        python: str | os.PathLike[str] | None = None,
        timeout_s: float = 15.0,
    ) -> EngineClient:
        """Return a client of the running engine.

        Args:
            start: start one where none runs.
            python: the interpreter to start it with; None = see `engine.api.launch.find_installation`.

        Raises:
            EngineUnavailableError: none runs, and none was to be started or could be.
            EngineTimeoutError: one runs or was started, and does not answer.
            EngineVersionError, UnauthorisedError: it refuses this program.
        """
        folders, deadline = find_folders(), time.monotonic() + timeout_s
        child: subprocess.Popen[bytes] | None = None
        while True:
            try:
                return cls(folders, open_channel(folders, {"role": "client"}, timeout_s))
            except EngineUnavailableError:
                if not start:
                    raise
            if child is None or child.poll() == 0:  # 0: another engine ran at that moment, and may have been about to leave
                child = start_engine(folders, find_installation(folders, python))
            elif child.poll():
                raise EngineUnavailableError("The engine could not be started.", hint=f"It said: {log_tail(folders)}")
            if time.monotonic() > deadline:
                raise EngineTimeoutError(f"The engine did not answer within {timeout_s:g} s of being started.", hint=f"See {folders.log_file}.")
            time.sleep(_LOOK_AGAIN_S)

    def __enter__(self) -> EngineClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; jobs go on."""
        self._channel.close()

    def submit(self, picture: str | os.PathLike[str], settings: RefineSettings) -> Job:
        """Ask for ``picture`` to be refined; the same request again joins the job, or is answered from its folder.

        The engine keeps a copy of the file. Model folders in ``settings`` that are given as relative paths are taken from this
        process's working folder.

        Raises:
            PictureError: the file cannot be read.
            ModelError: the engine lacks the models.
            OutputError: the engine's disk is full.
        """
        settings = replace(settings, depth_model=_absolute_folder(settings.depth_model), prior=_absolute_folder(settings.prior))
        picture_path = os.fspath(Path(picture).expanduser().absolute())
        answer = self._ask({"ask": "submit", "picture": picture_path, "settings": settings.to_json()}, SUBMIT_S)
        return self._job(answer)

    def attach(self, job_id: str) -> Job:
        """Return a job that any client submitted.

        Raises:
            UnknownJobError: there is none.
        """
        answer = self._ask({"ask": "follow", "job": job_id, "after": 0, "wait_s": 0.0})
        return self._job(answer)

    def jobs(self) -> list[JobInfo]:
        """Return the jobs whose folders are kept, newest last; of more than 500 the newest."""
        return [job_from_json(job) for job in self._ask({"ask": "jobs"}).get("jobs", [])]

    def remove(self, job_id: str) -> None:
        """Remove a job and its folder.

        Raises:
            UnknownJobError: there is none.
            RequestError: it is queued, running, or used by another client.
        """
        self._ask({"ask": "remove", "job": job_id})

    def status(self) -> EngineStatus:
        """Return what the engine is at."""
        try:
            return EngineStatus(**self._ask({"ask": "status"})["status"])
        except (KeyError, TypeError) as exc:
            raise FrameRefusedError("The engine described itself in fields that this program does not know.") from exc

    def release(self) -> None:
        """Let the worker end, and with it the models' hold on the device: at once, or after the job that it is at."""
        self._ask({"ask": "release"})

    def shutdown(self) -> None:
        """End the engine; unfinished jobs go on when it is started again."""
        with suppress(EngineUnavailableError):  # It went before its answer came.
            self._ask({"ask": "shutdown"})

    def _job(self, answer: dict[str, Any]) -> Job:
        return Job(job_from_json(answer.get("job")), open_channel=self._open_channel, cancel=self._cancel)

    def _cancel(self, job_id: str) -> None:
        self._ask({"ask": "cancel", "job": job_id})

    def _open_channel(self) -> Channel:
        return open_channel(self._folders, {"role": "client"}, ANSWER_S)

    def _ask(self, request: dict[str, Any], timeout_s: float = ANSWER_S) -> dict[str, Any]:
        with self._asking:
            try:
                self._channel.send(request)
                return checked(self._channel.receive(timeout_s))
            except EngineTimeoutError:
                self._channel.close()  # its answer may still come, and would be taken for that of the next question
                raise


def _absolute_folder(name: str) -> str:
    """Return a model's name, made absolute if it is the path of a folder; a plain word is a model's name."""
    path = Path(name).expanduser()
    return str(path.absolute()) if len(path.parts) > 1 and path.is_dir() else name
