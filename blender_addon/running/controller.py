"""`Controller`: every task of this Blender, and what to do next about each. Knows no bpy, never waits.

A modal timer, an app timer or a plain loop calls `poll` again and again; it says which tasks have ended since the last call. Threads
(`running.follower`) do all that may take time.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..engine.api.errors import CancelledError, EngineError
from ..engine.api.settings import RefineSettings
from .follower import Connect, Follower, Submit, attachment, submission
from .snapshot import Snapshot

CANCEL_WAIT_S = 12.0
LEAVE_S = 1.0


@dataclass
class Task:
    """One picture's way through the engine.

    Attributes:
        number: counts the tasks of this Blender.
        name: what to show for it.
        wish: what the caller wants to know again when it has ended; any JSON object.
        picture: the file that was submitted; None where a known job is followed.
        done_with: set by the caller once the ended task needs no more attention.
    """

    number: int
    name: str
    wish: dict[str, Any]
    picture: Path | None
    follower: Follower
    cancelled_at: float | None = None
    final: Snapshot | None = None
    done_with: bool = False
    told: bool = field(default=False, repr=False)

    @property
    def snapshot(self) -> Snapshot:
        """What is known of it now."""
        return self.final or self.follower.snapshot

    @property
    def cancelling(self) -> bool:
        """Whether it was asked to stop and has not yet."""
        return self.cancelled_at is not None and not self.snapshot.ended

    @property
    def sentence(self) -> str:
        """What to show for it, one line."""
        return "Cancelling" if self.cancelling else self.snapshot.sentence


class Controller:
    """The tasks of this Blender, oldest first."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.tasks: list[Task] = []
        self._numbers = itertools.count(1)
        self._clock = clock

    def submit(
        self,
        picture: Path,
        settings: RefineSettings,
        connect: Connect,
        *,
        name: str,
        wish: dict[str, Any],
        write_picture: Callable[[], None] = lambda: None,
    ) -> Task:
        """Begin a task for a picture's file, which ``write_picture`` makes where it is not there yet; returns at once."""
        return self._start(submission(picture, settings, write_picture), connect, name, wish, picture)

    def follow(self, job_id: str, connect: Connect, *, name: str, wish: dict[str, Any]) -> Task:
        """Begin a task for a job that the engine knows: found again, or another client's; returns at once."""
        return self._start(attachment(job_id), connect, name, wish, None)

    def _start(self, begin: Submit, connect: Connect, name: str, wish: dict[str, Any], picture: Path | None) -> Task:
        task = Task(next(self._numbers), name, wish, picture, Follower(begin, connect))
        self.tasks.append(task)
        task.follower.start()
        return task

    @property
    def running(self) -> list[Task]:
        """The tasks that have not ended."""
        return [task for task in self.tasks if not task.snapshot.ended]

    def find(self, number: int) -> Task | None:
        """Return the task of that number, if it is still listed."""
        return next((task for task in self.tasks if task.number == number), None)

    def poll(self) -> list[Task]:
        """Return the tasks that ended since the last call, each once."""
        for task in self.tasks:
            self._end_if_dead(task)
        ended = [task for task in self.tasks if task.snapshot.ended and not task.told]
        for task in ended:
            task.told = True
        return ended

    def cancel(self, task: Task) -> None:
        """Ask a task to stop; one whose engine does not confirm in time is given up by `poll`."""
        if task.cancelled_at is None:
            task.cancelled_at = self._clock()
        task.follower.cancel()

    def forget(self, task: Task) -> None:
        """Take an ended task off the list."""
        if task.snapshot.ended and task in self.tasks:
            self.tasks.remove(task)

    def close(self) -> None:
        """Let all threads go; jobs go on in the engine."""
        for task in self.tasks:
            task.follower.leave()
        deadline = time.monotonic() + LEAVE_S
        for task in self.tasks:
            task.follower.join(max(0.0, deadline - time.monotonic()))
        self.tasks.clear()

    def _end_if_dead(self, task: Task) -> None:
        """End a task whose thread ended without a word, or whose engine does not confirm the cancel."""
        if task.snapshot.ended:
            return
        if not task.follower.is_alive() and not task.follower.snapshot.ended:
            fault = EngineError("The add-on's own thread for this job ended by a fault.", hint="The system console shows it; please report it.")
            task.final = replace(task.follower.snapshot, state="failed", error=fault)
        elif task.cancelled_at is not None and self._clock() - task.cancelled_at > CANCEL_WAIT_S:
            task.follower.leave()
            given_up = CancelledError("Given up: the engine did not confirm the cancel.", hint="If it does not recover, end it in the preferences.")
            task.final = replace(task.follower.snapshot, state="cancelled", error=given_up)
