"""Engines with the toy worker, as processes of their own, for tests and the soak."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.api.client import EngineClient
from engine.api.errors import EngineUnavailableError
from engine.api.settings import RefineSettings, settings_from_preset

HERE, ROOT = Path(__file__).parent, Path(__file__).resolve().parents[3]


def settings(accident: str = "", **changes: Any) -> RefineSettings:
    """Return settings of three members, one a batch, of few steps."""
    return settings_from_preset("quick", **({"steps": 4, "members": 3, "members_per_batch": 1, "prompt": accident} | changes))


def wait_until(true: Callable[[], Any], timeout_s: float = 10.0) -> Any:
    """Return the first true value."""
    deadline = time.monotonic() + timeout_s
    while not (value := true()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)
    return value


@dataclass
class ToyEngine:
    """An engine with the toy worker, in the home that ``REDEPTH_HOME`` names."""

    home: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, **fields: Any) -> EngineClient:
        """Start the listener, which need not be the first here, and connect."""
        with (self.home / "toy.log").open("ab") as log:
            environment = os.environ | {"PYTHONPATH": str(ROOT)}
            command = [sys.executable, str(HERE / "toy_engine.py"), json.dumps(fields)]
            self.processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        return wait_until(self.connected)

    def connected(self) -> EngineClient | None:
        try:
            return EngineClient.connect(start=False)
        except EngineUnavailableError:
            assert self.processes[-1].poll() is None, (self.home / "toy.log").read_text()
            return None

    def kill_listener(self) -> None:
        """SIGKILL, and wait until the worker noticed."""
        worker = self.worker_pid()
        self.processes[-1].kill()
        self.processes[-1].wait(timeout=10)
        if worker:
            wait_until(lambda: not is_alive(worker))

    def end(self) -> None:
        """End every listener that is still there."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                try:
                    process.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(timeout=10)

    def worker_pid(self) -> int | None:
        with EngineClient.connect(start=False) as client:
            return client.status().worker_pid


def is_alive(pid: int) -> bool:
    """Return whether a process runs (one that ended and is not yet taken note of does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
