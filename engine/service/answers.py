"""What the engine answers to each question of a client; see `engine.api.messages` for the questions."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .. import __version__
from ..api.errors import PictureError, RequestError
from ..api.messages import EngineStatus
from ..api.settings import RefineSettings
from .cache_limit import enforce_limit
from .job_folder import Request, create_job_folder, picture_digest
from .job_list import JobList
from .revisions import Revisions
from .supervisor import Supervisor

LONGEST_WAIT_S = 30.0
JOBS_USED_AT_ONCE = 50
JOBS_TOLD = 500  # what fits a frame with room to spare


class Answers:
    """Answers for all clients; each client's thread calls it."""

    def __init__(self, jobs: JobList, supervisor: Supervisor, revisions: Revisions, limit_bytes: int, shut_down: Callable[[], None]) -> None:
        self._jobs, self._supervisor, self._revisions = jobs, supervisor, revisions
        self._limit_bytes, self._shut_down = limit_bytes, shut_down
        self._jobs_bytes = 0
        self.clients = 0

    def answer(self, question: dict[str, Any], used: dict[str, None]) -> dict[str, Any]:
        """Return the answer to ``question``.

        Args:
            used: the jobs that the asking connection takes part in, last used last; those that it asks about join them.

        Raises:
            RedepthError: to be sent instead.
        """
        known: dict[str, Callable[[dict[str, Any], dict[str, None]], dict[str, Any]]] = {
            "submit": self._submit,
            "follow": self._follow,
            "cancel": self._cancel,
            "remove": self._remove,
            "jobs": lambda question, used: {"jobs": [asdict(info) for info in self._jobs.infos()[-JOBS_TOLD:]]},
            "status": lambda question, used: {"status": asdict(self._status())},
            "release": self._release,
            "shutdown": self._end,
        }
        asked = known.get(_text(question, "ask"))
        if asked is None:
            raise RequestError(f"The engine knows no question {question['ask']!r}.", hint=f"Known are: {', '.join(known)}.")
        return asked(question, used)

    def keep_limit(self) -> None:
        """Count the job folders, and remove the oldest where they hold too much."""
        self._jobs_bytes = enforce_limit(self._jobs, self._limit_bytes)

    def _submit(self, question: dict[str, Any], used: dict[str, None]) -> dict[str, Any]:
        settings = RefineSettings.from_json(_object(question, "settings"))
        picture = Path(_text(question, "picture"))
        request = Request(
            name=picture.name,
            picture_digest=_readable_digest(picture),
            settings=settings,
            revisions=self._revisions.of(settings),
            submitted_at=time.time(),
        )
        self._take_part(request.job_id, used)
        info = self._jobs.find_whole(request.job_id)
        if info is None:
            info = self._jobs.submit(request, create_job_folder(self._jobs.folder, request, picture))
        return {"job": asdict(info)}

    def _follow(self, question: dict[str, Any], used: dict[str, None]) -> dict[str, Any]:
        job_id = self._known_job(question, used)
        after, wait_s = int(_number(question, "after")), min(_number(question, "wait_s"), LONGEST_WAIT_S)
        info, events, last = self._jobs.news(job_id, after, wait_s)
        return {"job": asdict(info), "events": events, "after": last}

    def _cancel(self, question: dict[str, Any], used: dict[str, None]) -> dict[str, Any]:
        return {"job": asdict(self._jobs.cancel(self._known_job(question, used)))}

    def _remove(self, question: dict[str, Any], used: dict[str, None]) -> dict[str, Any]:
        return {"job": asdict(self._jobs.remove(_text(question, "job"), user=_text(question, "job") in used))}

    def _release(self, question: dict[str, Any], used: dict[str, None]) -> dict[str, Any]:
        self._supervisor.release()
        return {}

    def _end(self, question: dict[str, Any], used: dict[str, None]) -> dict[str, Any]:
        self._shut_down()
        return {}

    def _status(self) -> EngineStatus:
        with self._jobs.changed:
            child = self._supervisor.child
            facts = child.facts if child else {}
            return EngineStatus(
                version=__version__,
                pid=os.getpid(),
                worker="none" if child is None else "busy" if child.job else "idle",
                worker_pid=child.pid if child else None,
                device=facts.get("device"),
                free_memory_mb=facts.get("free_memory_mb"),
                models=facts.get("models") or {},
                running=child.job.job_id if child and child.job else None,
                queued=self._jobs.queued(),
                clients=self.clients,
                jobs_bytes=self._jobs_bytes,
            )

    def _known_job(self, question: dict[str, Any], used: dict[str, None]) -> str:
        job_id = _text(question, "job")
        self._jobs.info(job_id)
        self._take_part(job_id, used)
        return job_id

    def _take_part(self, job_id: str, used: dict[str, None]) -> None:
        with self._jobs.changed:
            if job_id not in used:
                self._jobs.users[job_id] += 1
            used.pop(job_id, None)
            used[job_id] = None
            while len(used) > JOBS_USED_AT_ONCE:  # else a program that runs for weeks would keep everything
                oldest = next(iter(used))
                del used[oldest]
                self._jobs.users[oldest] -= 1


def _readable_digest(picture: Path) -> str:
    try:
        if not picture.exists():
            raise PictureError(f"There is no file {picture}.", hint="Check the spelling and the folder.", code="picture.missing")
        if not picture.is_file():
            raise PictureError(f"{picture} is not an ordinary file.", hint="Name one picture.", code="picture.not_a_file")
        return picture_digest(picture)
    except PermissionError as exc:
        raise PictureError(f"{picture} may not be read.", hint="Give yourself permission to read it.", code="picture.permission") from exc
    except (OSError, ValueError) as exc:  # ValueError: a null character in the name
        raise PictureError(f"{picture.name} cannot be opened: {exc}.", hint="Check the name and the disk.", code="picture.unreadable") from exc


def _text(question: dict[str, Any], name: str) -> str:
    value = question.get(name)
    if not isinstance(value, str):
        raise RequestError(f"The question lacks the text {name!r}.")
    return value


def _number(question: dict[str, Any], name: str) -> float:
    value = question.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or not 0 <= value < 2**53:
        raise RequestError(f"The question lacks the number {name!r}, or it is out of range.")
    return value


def _object(question: dict[str, Any], name: str) -> dict[str, Any]:
    value = question.get(name)
    if not isinstance(value, dict):
        raise RequestError(f"The question lacks the object {name!r}.")
    return value
