"""The thread that gives jobs to the worker and sees to it that none is ever waited for in vain.

It looks at the state and acts, again whenever something changed and a few times a second. A worker counts as lost when

    its process ended, or its connection did;
    its heartbeat, sent by a thread of its own, stays away for `Limits.beat_s` (the process is stopped, or native code holds the
    interpreter); while it loads libraries and models, which may hold the interpreter for long, for `Limits.loading_beat_s`;
    its job has not moved for `Limits.stall_s` of the phase that it is in, though the heart beats.

A lost worker is terminated, and killed if that does not end it within `Limits.grace_s`. A cancelled job has `Limits.grace_s` to stop between
steps before the same happens, or one and a half of its longest step where steps are slow, so that what it reached is kept; once it is past
its steps it has `Limits.closing_s`, for then its result is nearly there.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..api.channel import Channel
from ..api.errors import EngineError, FrameRefusedError, RedepthError, RequestError, WorkerDiedError, error_from_json
from ..api.messages import Event, event_from_json, event_to_json
from .child import Child
from .job_list import JobList, ListedJob
from .revisions import ENGINE_ROOT

_LOADING = ("load", "base")  # the first use of a device loads libraries too
_CLOSING = ("upsample", "write")
_LOOK_S = 0.25
_ASLEEP_S = 2.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds after which the supervisor acts; see the module."""

    beat_s: float = 3.0
    loading_beat_s: float = 120.0
    grace_s: float = 3.0
    closing_s: float = 60.0
    idle_s: float = 600.0
    last_words_s: float = 1.0
    stall_s: dict[str, float] = field(
        default_factory=lambda: {"load": 1800.0, "base": 1800.0, "refine": 3600.0, "gate": 3600.0, "upsample": 900.0, "write": 600.0}
    )


class Supervisor:
    """Owns at most one `Child`; everything under the lock of ``jobs``."""

    def __init__(self, jobs: JobList, command: Sequence[str], limits: Limits) -> None:
        self.child: Child | None = None
        self._jobs, self._command, self._limits = jobs, command, limits
        self._numbers = 0
        self._release_asked = False
        self._stopping = False
        self._looked_at = time.monotonic()
        self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)

    def start(self) -> None:
        """Begin to supervise."""
        self._thread.start()

    def release(self) -> None:
        """Let the worker go, after its job if it is at one."""
        with self._jobs.changed:
            self._release_asked = self.child is not None
            self._jobs.changed.notify_all()

    def stop(self) -> None:
        """End the worker now; its job stays as running, and is taken up when the engine is started again."""
        with self._jobs.changed:
            self._stopping = True
            self._jobs.changed.notify_all()
        self._thread.join(timeout=10)
        if self.child:
            self.child.kill()

    def adopt(self, channel: Channel, number: Any) -> None:
        """Take the connection of a worker that reports for duty.

        Raises:
            RequestError: it is not the one that was started.
        """
        with self._jobs.changed:
            child = self.child
            if child is None or child.number != number or child.channel or child.ending:
                raise RequestError(f"Worker {number} is not awaited.", hint="Workers are started by the engine alone.")
            child.channel, child.heard_at = channel, time.monotonic()
            if child.job:
                child.send(_order(child.job))
        threading.Thread(target=self._listen, args=(child, channel), name=f"worker {number}", daemon=True).start()

    def _supervise(self) -> None:
        told = ""
        with self._jobs.changed:
            while not self._stopping:
                fault = ""
                try:
                    self._look(time.monotonic())
                except Exception as error:  # the edge of this thread: the engine goes on, whatever it was
                    fault = repr(error)
                    if fault != told:  # A fault that lasts is met at every look, and told of once.
                        _log.exception("the supervisor met a fault")
                told = fault
                self._jobs.changed.wait(_LOOK_S)

    def _look(self, now: float) -> None:
        child, asleep = self.child, now - self._looked_at > _ASLEEP_S
        self._looked_at = now
        if child is None:
            self._release_asked = False
            if (job := self._jobs.begin_next()) is not None:
                self._start_child(job, now)
        elif child.is_over(now, self._limits.last_words_s):
            self._bury(child)
        elif child.ending:
            child.press(now, self._limits.grace_s)
        elif asleep:  # we were stopped, not the worker: what it said meanwhile is still to be read
            child.heard_at = child.moved_at = now
        elif reason := self._reason_to_end(child, now):
            child.terminate(now, self._limits.grace_s, reason)
        elif child.job:
            self._press_cancel(child, child.job, now)
        elif self._release_asked or now - child.idle_since > self._limits.idle_s:
            child.leave(now, self._limits.grace_s)
        elif (job := self._jobs.begin_next()) is not None:
            child.forget_output()  # Not of a new worker: it may have said already why it cannot start.
            self._give(child, job, now)
            child.send(_order(job))

    def _reason_to_end(self, child: Child, now: float) -> str:
        limits = self._limits
        if child.cut_off_at is not None and now - child.cut_off_at > limits.last_words_s:
            return "its connection ended"
        loading = child.channel is None or (child.job is not None and child.phase in _LOADING)
        if now - child.heard_at > (limits.loading_beat_s if loading else limits.beat_s):
            return f"it gave no sign of life for {now - child.heard_at:.0f} s in phase {child.phase}"
        if child.job and now - child.moved_at > limits.stall_s[child.phase]:
            return f"it did not get on for {now - child.moved_at:.0f} s in phase {child.phase}"
        return ""

    def _press_cancel(self, child: Child, job: ListedJob, now: float) -> None:
        if not job.cancel_asked:
            return
        if child.cancel_sent_at is None:
            child.cancel_sent_at = now
            child.send({"cancel": job.job_id})
        elif now - child.cancel_sent_at > self._time_to_stop(child):
            child.terminate(now, self._limits.grace_s)

    def _time_to_stop(self, child: Child) -> float:
        if child.phase in _CLOSING:
            return self._limits.closing_s
        return max(self._limits.grace_s, 1.5 * child.longest_step_s)

    def _start_child(self, job: ListedJob, now: float) -> None:
        self._numbers += 1
        try:
            child = Child(self._numbers, self._command, os.environ, ENGINE_ROOT, now)
        except OSError as error:
            death = WorkerDiedError(f"The worker cannot be started: {error.strerror}.", hint="Check the engine's installation.")
            self._jobs.end(job, "failed", death)
            return
        self.child = child
        self._give(child, job, now)

    def _give(self, child: Child, job: ListedJob, now: float) -> None:
        child.job, child.phase, child.cancel_sent_at = job, "load", None
        child.heard_at = child.moved_at = now
        child.longest_step_s = 0.0

    def _bury(self, child: Child) -> None:
        """Draw the sum of a worker that has ended."""
        self.child = None
        if child.channel:
            child.channel.close()
        job = child.job
        _log.info("worker %d %s", child.number, child.how_it_ended())
        if job is None:
            self._jobs.changed.notify_all()
        elif job.folder.has_complete_result():
            self._end_job(child, job, "finished")
        elif job.cancel_asked:
            self._end_job(child, job, "cancelled")
        else:
            self._end_job(child, job, "failed", _death(child))

    def _end_job(self, child: Child, job: ListedJob, state: Any, error: RedepthError | None = None, traceback: str = "") -> None:
        if output := child.output() + traceback.encode(errors="replace"):
            try:
                (job.folder.path / "worker.log").write_bytes(output)
            except OSError as refusal:
                _log.warning("the worker's log is not kept: %s", refusal)
        child.job, child.idle_since = None, time.monotonic()
        self._jobs.end(job, state, error)

    def _listen(self, child: Child, channel: Channel) -> None:
        """Take what the worker says until its connection ends."""
        try:
            while True:
                message = channel.receive(None)
                with self._jobs.changed:
                    self._hear(child, message)
                    self._jobs.changed.notify_all()
        except EngineError as error:
            with self._jobs.changed:
                child.cut_off_at = time.monotonic()
                if isinstance(error, FrameRefusedError) and not child.ending:
                    child.terminate(time.monotonic(), self._limits.grace_s, "it sent what could not be understood")
                self._jobs.changed.notify_all()

    def _hear(self, child: Child, message: dict[str, Any]) -> None:
        child.heard_at, kind = time.monotonic(), message.get("tell")
        if kind == "beat":
            child.facts = message
            return
        job = child.job
        if job is None or message.get("job") != job.job_id:
            return
        if child.phase == "refine":
            child.longest_step_s = max(child.longest_step_s, child.heard_at - child.moved_at)
        child.moved_at = child.heard_at
        if kind == "event":
            self._hear_event(child, job, event_from_json(message.get("event")))
        elif kind == "preview":
            job.previews += 1
        elif kind == "done":
            self._end_job(child, job, "finished" if message.get("complete") else "cancelled")
        elif kind == "failed":
            error = error_from_json(dict(message.get("error") or {}))
            if message.get("leaving"):
                child.leave(child.heard_at, self._limits.grace_s)
            cancelled, traceback = error.code == "cancelled", str(message.get("traceback", ""))
            self._end_job(child, job, "cancelled" if cancelled else "failed", None if cancelled else error, traceback)
        else:
            raise FrameRefusedError(f"A worker tells no {kind!r}.")

    def _hear_event(self, child: Child, job: ListedJob, event: Event) -> None:
        child.phase = getattr(event, "phase", child.phase)
        self._jobs.add_event(job, event_to_json(event))


def _order(job: ListedJob) -> dict[str, Any]:
    return {"run": job.job_id, "revisions": job.revisions}


def _death(child: Child) -> WorkerDiedError:
    what = f"was ended, for {child.reason}" if child.reason else child.how_it_ended()
    said = child.last_lines()
    hint = "Submit it again: it goes on after its last finished batch of members. If the memory ran out, try --members-per-batch 1."
    return WorkerDiedError(
        f"The worker {what}, in phase {child.phase}.",
        hint=f"{hint} Its last lines: {said}" if said else hint,
        code="engine.worker_hung" if child.reason else None,
    )
