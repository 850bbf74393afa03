"""The worker's process: takes one job after the other, tells how it goes, and ends when the engine does.

    main thread        runs jobs
    receiving thread   takes orders; ends the process when the connection does, wherever the main thread is
    beating thread     tells twice a second that the process lives, and what it holds

Whatever is written to stdout or stderr goes to the job's log. Refining itself is `engine.service.worker_refine`.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..api.array_folder import replace_array
from ..api.channel import HANDSHAKE_S, Channel
from ..api.connecting import open_channel
from ..api.errors import CancelledError, EngineError, OutOfMemoryError, RedepthError, error_to_json
from ..api.folders import find_folders
from ..api.messages import Event, Progress, event_to_json
from ..api.result import RefineResult
from ..api.result_folder import write_result
from ..startup import before_torch
from .job_folder import JobFolder

BEAT_S = 0.5
TELL_S = 0.1
TRACEBACK_CHARACTERS = 20_000


class Refiner(Protocol):
    """What turns a job into a result."""

    def refine(self, job: JobFolder, revisions: Mapping[str, str], report: Report) -> RefineResult:
        """Return the result; see `engine.pipeline.refine_picture` for what it raises."""

    def facts(self) -> dict[str, Any]:
        """Return ``device``, ``models`` and ``free_memory_mb``; called from another thread."""


class Report:
    """How a refinement tells the engine where it is, and learns that it shall stop."""

    def __init__(self, channel: Channel, folder: JobFolder) -> None:
        self._channel, self._folder = channel, folder
        self._stop = threading.Event()
        self._told_at, self._told_phase = 0.0, ""

    def on_event(self, event: Event) -> None:
        """Tell ``event``; of many steps in a row only some.

        Raises:
            CancelledError: the job was cancelled while the models load; later `should_stop` says so.
        """
        if isinstance(event, Progress) and event.phase == "load" and self.should_stop():
            raise CancelledError("Cancelled while the models were loading.")
        if not isinstance(event, Progress) or self._is_due(event):
            self.tell("event", event=event_to_json(event))

    def on_preview(self, disparity: NDArray[np.float32]) -> None:
        """Show ``disparity`` (h, w) as the job's preview."""
        replace_array(self._folder.preview, disparity)
        self.tell("preview")

    def should_stop(self) -> bool:
        """Return whether the job was cancelled."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Let `should_stop` be true from now on."""
        self._stop.set()

    def tell(self, kind: str, **fields: Any) -> None:
        """Send a message about this job."""
        self._channel.send({"tell": kind, "job": self._folder.job_id, **fields})

    def _is_due(self, progress: Progress) -> bool:
        now = time.monotonic()
        due = progress.phase != self._told_phase or progress.step in (1, progress.steps) or now - self._told_at >= TELL_S
        if due:
            self._told_at, self._told_phase = now, progress.phase
        return due


class Worker:
    """See the module."""

    def __init__(self, channel: Channel, make_refiner: Callable[[], Refiner], jobs: Path) -> None:
        self._channel, self._make_refiner, self._jobs = channel, make_refiner, jobs
        self._refiner: Refiner | None = None
        self._orders: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reports: dict[str, Report] = {}

    def run(self) -> None:
        """Work until a job leaves this process unfit for another one, or the connection ends (and the process with it)."""
        for work in (self._receive, self._beat):
            threading.Thread(target=work, daemon=True).start()
        while self._work(self._orders.get()):
            gc.collect()

    def _receive(self) -> None:
        try:
            while True:
                order = self._channel.receive(None)
                if "run" in order:
                    self._reports[order["run"]] = Report(self._channel, JobFolder(self._jobs / order["run"]))
                    self._orders.put(order)
                elif order.get("cancel") in self._reports:
                    self._reports[order["cancel"]].stop()
        except EngineError:
            os._exit(0)  # the engine is gone, or wants no more of this worker; finished members are on the disk

    def _beat(self) -> None:
        try:
            while True:
                self._channel.send({"tell": "beat", **(self._refiner.facts() if self._refiner else {})})
                time.sleep(BEAT_S)
        except EngineError:
            os._exit(0)

    def _work(self, order: dict[str, Any]) -> bool:
        """Run one job; return whether this process is fit for another one."""
        report = self._reports[order["run"]]
        try:
            complete = self._refine(JobFolder(self._jobs / order["run"]), order["revisions"], report)
        except Exception as exc:  # the edge of the worker: whatever it was, the job fails with it and the engine goes on
            error, leaving = _for_the_client(exc)
            said = "".join(traceback.format_exception(exc))[-TRACEBACK_CHARACTERS:] if error is not exc else ""
            del self._reports[order["run"]]  # before the engine hears of it, for it may send the same job again at once
            report.tell("failed", error=error_to_json(error), leaving=leaving, traceback=said)
            return not leaving
        del self._reports[order["run"]]
        report.tell("done", complete=complete)
        return True

    def _refine(self, folder: JobFolder, revisions: Mapping[str, str], report: Report) -> bool:
        report.on_event(Progress(phase="load", step=0, steps=2))
        self._refiner = self._refiner or self._make_refiner()
        result = self._refiner.refine(folder, revisions, report)
        report.on_event(Progress(phase="write", step=0, steps=1))
        write_result(folder.result, result)
        report.on_event(Progress(phase="write", step=1, steps=1))
        return bool(result.provenance["complete"])


def work_for_engine(number: int, make_refiner: Callable[[], Refiner]) -> None:
    """Report for duty as worker ``number`` and work.

    Args:
        make_refiner: called for the first job, for it may take long.
    """
    faulthandler.enable()
    if sys.platform != "win32":
        faulthandler.register(signal.SIGTERM, all_threads=True, chain=True)  # a hung worker tells where it hung
    folders = find_folders()
    channel = open_channel(folders, {"role": "worker", "number": number}, HANDSHAKE_S)
    Worker(channel, make_refiner, folders.jobs).run()


def _for_the_client(exc: Exception) -> tuple[RedepthError, bool]:
    """Return the error to tell, and whether this process shall not be used again."""
    if isinstance(exc, RedepthError):
        return exc, isinstance(exc, OutOfMemoryError)
    if isinstance(exc, MemoryError):
        sentence = "This machine's memory is too small for this picture and these settings."
        return OutOfMemoryError(sentence, hint="Close other programs, try --members-per-batch 1, or reduce the picture."), True
    sentence = f"Re-Depth has a fault of its own: {type(exc).__name__}: {exc}"
    return RedepthError(sentence[:500], hint="See worker.log in the job's folder.", code="fault"), True


def _torch_refiner() -> Refiner:
    from .worker_refine import TorchRefiner

    return TorchRefiner()


if __name__ == "__main__":
    before_torch()
    work_for_engine(int(sys.argv[1]), _torch_refiner)
