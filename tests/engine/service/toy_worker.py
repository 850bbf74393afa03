"""A worker whose refinement is arithmetic instead of torch, and which has an accident where the job's prompt asks for one.

Everything around the refinement is the product's own: process, connection, heartbeat, folders. Prompts are ``ACCIDENT PHASE``, such as
``die refine`` or ``stop write``; with ``once`` behind them only the first worker has it. ``refine`` means: in the second batch of members.
``slow`` alone makes steps last longer than a cancelled job is usually given.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.api import array_folder
from engine.api.array_folder import read_array_folder, write_array_folder
from engine.api.errors import DamagedFolderError, NumericalError
from engine.api.messages import Notice, Phase, Progress
from engine.api.result import RefineResult
from engine.api.settings import MethodSettings
from engine.service.job_folder import JobFolder
from engine.service.worker import Report, work_for_engine

STEP_S, SLOW_STEP_S = 0.01, 1.2
SIDE_PX = 40


class ToyRefiner:
    """Refines to numbers that depend on the picture's bytes, the seed and the member alone."""

    def facts(self) -> dict[str, Any]:
        return {"device": "toy", "models": {"depth": "toy"}, "free_memory_mb": 1}

    def refine(self, job: JobFolder, revisions: Mapping[str, str], report: Report) -> RefineResult:
        settings = job.read_request().settings
        method, accident = settings.method, Accident(settings.prompt or "", job)
        report.on_event(Progress(phase="load", step=1, steps=2))
        accident.may_happen("load", report)
        report.on_event(Progress(phase="base", step=1, steps=1))
        start = np.frombuffer(job.picture.read_bytes()[-SIDE_PX:], np.uint8).astype(np.float32)
        batches, steps_done = [], 0
        for first in range(0, method.members, method.members_per_batch or method.members):
            members = range(first, min(first + (method.members_per_batch or method.members), method.members))
            if first:
                accident.may_happen("refine", report)
            batch, steps = self._batch(job, report, members, start, method, settings.prompt == "slow")
            steps_done += steps * len(members)
            batches.append(batch)
            if steps < method.steps:
                break
        report.on_event(Progress(phase="gate", step=1, steps=1))
        accident.may_happen("gate", report)
        report.on_event(Progress(phase="upsample", step=0, steps=1))
        accident.may_happen("upsample", report)
        refined = np.concatenate(batches)
        if accident.kind and accident.place == "write":
            accident.wait_for_write()
        return RefineResult(
            image_srgb=np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8),
            disparity_base=np.tile(start, (SIDE_PX, 1)),
            disparity_refined=np.tile(refined.mean(0), (SIDE_PX, 1)),
            uncertainty=np.tile(refined.std(0), (SIDE_PX, 1)),
            kept=np.full((SIDE_PX, SIDE_PX), 0.5, np.float32),
            fov_deg=55.0,
            fov_source="default",
            provenance={"complete": steps_done == method.steps * method.members, "steps_done": steps_done, "pid": os.getpid()},
        )

    def _batch(self, job: JobFolder, report: Report, members: range, start: Any, method: MethodSettings, slow: bool) -> tuple[Any, int]:
        steps = method.steps
        try:
            return np.array(read_array_folder(job.members(members), check_digests=True)[0]["disparity"]), steps
        except DamagedFolderError:
            pass
        batch = np.stack([start + np.random.default_rng((method.seed, member)).random(SIDE_PX, np.float32) for member in members])
        for step in range(1, steps + 1):
            if report.should_stop():
                return batch, step - 1
            time.sleep(SLOW_STEP_S if slow else STEP_S)
            report.on_event(Progress(phase="refine", step=step, steps=steps, member=members[0] + 1, members=len(members)))
            report.on_preview(batch[:, :, None].mean(0))
        write_array_folder(job.members(members), {"disparity": batch}, {})
        return batch, steps


class Accident:
    """What the prompt asks for."""

    def __init__(self, prompt: str, job: JobFolder) -> None:
        self.kind, self.place, *once = [*prompt.split(), "", ""][:3]
        marker = job.path / "happened"
        if once == ["once"] and marker.exists():
            self.kind = ""
        if once == ["once"]:
            marker.touch()

    def may_happen(self, phase: Phase, report: Report) -> None:
        if self.kind and self.place == phase:
            report.on_event(Notice(code="toy", text=f"{self.kind} in {phase}"))
            getattr(self, self.kind)()

    def wait_for_write(self) -> None:
        """Strike when the arrays of the result are written and its facts are not."""
        plain = array_folder.write_synced

        def strike(path: Path, content: bytes) -> None:
            array_folder.write_synced = plain
            getattr(self, self.kind)()

        array_folder.write_synced = strike

    def die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def crash(self) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    def stop(self) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)

    def sleep(self) -> None:
        time.sleep(60)

    def rubbish(self) -> None:
        os.write(1, b'{"tell": "done"}\n\x00\xff\xfe' * 10)

    def flood(self) -> None:
        for _ in range(300):
            os.write(2, b"flood " * 20_000)
        os.write(2, b"\nthe last line\n")

    def blunder(self) -> None:
        raise ZeroDivisionError("a programming mistake")

    def diverge(self) -> None:
        raise NumericalError("The loss is no longer finite.", hint="Lower it.")

    def exhaust(self) -> None:
        limit = 2 << 30
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        np.ones(limit, np.uint8)

    def fill(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))


if __name__ == "__main__":
    work_for_engine(int(sys.argv[1]), ToyRefiner)
