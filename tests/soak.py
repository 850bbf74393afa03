"""Kill listener, worker and clients at random while they work, and count the jobs that are lost: ``python tests/soak.py --kills 200 --seed 1``.

The engine is the product's, with the toy worker of `tests/engine/service`, so that thousands of kills take minutes. A job is lost if its result
never comes, differs by a byte from that of an undisturbed engine, or is gone in the end. The exit status says whether one was.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PIL import Image

from engine.api.client import EngineClient
from engine.api.errors import EngineError, EngineUnavailableError, WorkerDiedError
from engine.api.folders import find_folders
from engine.api.result import RefineResult
from tests.engine.service.toys import ToyEngine, is_alive, settings

CLIENTS = 2
LIMITS = {"grace_s": 1.0}
JOB_S = 60.0
PATIENCE_S = 120.0


@dataclass
class Soak:
    """One run: clients work off their shares of the jobs, over and over, until the last kill."""

    home: Path
    picture: Path
    chance: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    clients: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = ToyEngine(self.home)

    def run(self, kills: int, jobs: int) -> None:
        """Kill until ``kills`` hit or every client has all results of its share; then wait for the latter."""
        self.engine.start(limits=LIMITS).close()
        self.clients = [self._start_client(share, jobs) for share in range(CLIENTS)]
        while self.kills.total() < kills and any(client.poll() != 0 for client in self.clients):
            time.sleep(self.chance.uniform(0.02, 0.4))
            self._kill(self.chance.choice(["listener", "worker", "worker", "worker", "client"]))
            self._replace_the_dead(jobs)
        deadline = time.monotonic() + PATIENCE_S
        while any(client.poll() is None for client in self.clients) and time.monotonic() < deadline:
            self._replace_the_dead(jobs)
            time.sleep(0.05)

    def end(self) -> None:
        """Leave no process behind."""
        for client in self.clients:
            client.kill()
            client.wait()
        self.engine.end()

    def _start_client(self, share: int, jobs: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, __file__, "--client", str(share), "--jobs", str(jobs), "--picture", str(self.picture)]
        return subprocess.Popen(command, env=os.environ | {"REDEPTH_HOME": str(self.home)})

    def _kill(self, what: str) -> None:
        if what == "listener":
            pid: int | None = self.engine.processes[-1].pid
        else:
            pid = self.chance.choice(self.clients).pid if what == "client" else self._worker()
        if pid and is_alive(pid):
            with suppress(ProcessLookupError):
                os.kill(pid, 9)
                self.kills[what] += 1

    def _worker(self) -> int | None:
        with suppress(EngineError):
            return self.engine.worker_pid()
        return None

    def _replace_the_dead(self, jobs: int) -> None:
        if self.engine.processes[-1].poll() is not None:
            self.engine.start(limits=LIMITS).close()
        for share, client in enumerate(self.clients):
            if client.poll() not in (None, 0):
                self.clients[share] = self._start_client(share, jobs)


def work_off(picture: Path, seeds: range) -> None:
    """Be a client: get the result of every job, however often engine and worker die."""
    for seed in seeds:
        while not _try_job(picture, seed):
            time.sleep(0.02)


def _try_job(picture: Path, seed: int) -> bool:
    try:
        with EngineClient.connect(start=False) as client:
            client.submit(picture, settings(seed=seed, steps=8)).result(JOB_S)
    except (EngineUnavailableError, WorkerDiedError):
        return False
    return True


def digests(picture: Path, jobs: int) -> dict[int, str]:
    """Return a digest of each job's arrays, from the engine that runs now."""
    with EngineClient.connect(start=False) as client:
        return {seed: _digest(client.submit(picture, settings(seed=seed, steps=8)).result(JOB_S)) for seed in range(jobs)}


def _digest(result: RefineResult) -> str:
    arrays = (result.image_srgb, result.disparity_base, result.disparity_refined, result.uncertainty)
    return hashlib.blake2b(b"".join(array.tobytes() for array in arrays)).hexdigest()


def kept_jobs() -> int:
    """Return how many finished jobs the engine knows without working."""
    with EngineClient.connect(start=False) as client:
        return sum(job.state == "finished" and job.has_result for job in client.jobs())


def soak(kills: int, seed: int, jobs: int) -> int:
    """Run the soak and return how many jobs were lost."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as folder:
        picture = Path(folder) / "picture.png"
        Image.fromarray(np.random.default_rng(seed).integers(0, 255, (64, 64, 3), np.uint8)).save(picture)
        found: list[dict[int, str]] = []
        for name, count in (("disturbed", kills), ("undisturbed", 0)):
            os.environ["REDEPTH_HOME"] = str(Path(folder) / name)
            find_folders().make()
            run = Soak(Path(folder) / name, picture, random.Random(seed))
            try:
                run.run(count, jobs)
                kept = kept_jobs()
                found.append(digests(picture, jobs))
            finally:
                run.end()
            if count:
                disturbed, kept_after_kills = run.kills, kept
    lost = sum(found[0].get(number) != found[1][number] for number in range(jobs)) + max(0, jobs - kept_after_kills)
    told = ", ".join(f"{count} of the {what}" for what, count in sorted(disturbed.items()))
    sys.stdout.write(f"{sum(disturbed.values())} kills ({told}), {jobs} jobs, {lost} lost, {time.monotonic() - started:.0f} s, seed {seed}\n")
    return lost


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=0, help="0 = twice as many as kills")
    parser.add_argument("--client", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--picture", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.client is not None:
        work_off(arguments.picture, range(arguments.client, arguments.jobs, CLIENTS))
        return 0
    return 1 if soak(arguments.kills, arguments.seed, arguments.jobs or 2 * arguments.kills) else 0


if __name__ == "__main__":
    sys.exit(main())
