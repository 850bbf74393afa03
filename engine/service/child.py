"""The worker as the supervisor holds it: its process, its output, its connection, and the steps by which it is ended."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from ..api.channel import Channel
from ..api.errors import EngineError
from .job_list import ListedJob

LOG_KEPT_BYTES = 64 << 10
_SAID_LINES = 5
_SAID_CHARACTERS = 400
_log = logging.getLogger(__name__)


class Child:
    """A worker process. All but its output belongs under the lock of the job list.

    Attributes:
        job: what it is at.
        channel: None until it has reported.
        cut_off_at: when its connection ended, or None.
        heard_at, moved_at: when it last gave a sign of life, and when its job last moved.
        phase: of its job.
        longest_step_s: the longest time that its job took from one sign of progress to the next in ``refine``.
        facts: device, models and free memory as it last told them.
        reason: why it is being ended, where that is a fault.
    """

    def __init__(self, number: int, command: Sequence[str], environment: Mapping[str, str], cwd: os.PathLike[str], now: float) -> None:
        self.number = number
        self.job: ListedJob | None = None
        self.channel: Channel | None = None
        self.cut_off_at: float | None = None
        self.heard_at = self.moved_at = self.idle_since = now
        self.phase = "load"
        self.longest_step_s = 0.0
        self.facts: dict[str, Any] = {}
        self.reason = ""
        self.cancel_sent_at: float | None = None
        self._ending_step: int | None = None
        self._next_step_at = 0.0
        self._exited_at: float | None = None
        self._output = bytearray()
        self._process = subprocess.Popen(
            [*command, str(number)],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=sys.platform != "win32",  # Ctrl-C in the terminal of `serve` is the listener's business
        )
        self._drainer = threading.Thread(target=self._drain, name=f"output of worker {number}", daemon=True)
        self._drainer.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ending(self) -> bool:
        """Whether it has been told to go."""
        return self._ending_step is not None

    def send(self, message: dict[str, Any]) -> None:
        """Send ``message``; a worker that cannot take it is noticed by its connection."""
        if self.channel:
            try:
                self.channel.send(message)
            except EngineError as error:
                _log.warning("worker %d takes nothing: %s", self.number, error.sentence)

    def leave(self, now: float, grace_s: float) -> None:
        """Let it go in peace: it ends itself when its connection does."""
        self._ending_step, self._next_step_at = 0, now + grace_s
        if self.channel:
            self.channel.close()

    def terminate(self, now: float, grace_s: float, reason: str = "") -> None:
        """Ask the system to end it."""
        self.reason = self.reason or reason
        self._ending_step, self._next_step_at = 1, now + grace_s
        _log.warning("terminating worker %d: %s", self.number, reason or "it did not stop when asked")
        self._process.terminate()

    def press(self, now: float, grace_s: float) -> None:
        """Take the next step of ending it once the last one had its time: leave, terminate, kill."""
        if now < self._next_step_at:
            return
        if self._ending_step == 0:
            self.terminate(now, grace_s)
        elif self._process.poll() is None:
            self._next_step_at = now + grace_s
            self._process.kill()

    def kill(self) -> None:
        """End it at once and wait for that."""
        self._process.kill()
        self._process.wait(timeout=10)

    def is_over(self, now: float, last_words_s: float) -> bool:
        """Return whether the process has ended and all that it sent and wrote was heard, which something else that holds its pipe may delay."""
        if self._process.poll() is None:
            return False
        self._exited_at = self._exited_at or now
        all_heard = (self.channel is None or self.cut_off_at is not None) and not self._drainer.is_alive()
        return all_heard or now - self._exited_at > last_words_s

    def how_it_ended(self) -> str:
        """Return the process's end in words."""
        status = self._process.returncode or 0
        if status >= 0:
            return f"ended with status {status}"
        named = {int(number): number.name for number in signal.Signals}
        return f"was ended by signal {named.get(-status, -status)}"

    def output(self) -> bytes:
        """Return the last that it wrote to stdout and stderr since `forget_output`."""
        return bytes(self._output[-LOG_KEPT_BYTES:])

    def forget_output(self) -> None:
        """Begin a new log."""
        self._output.clear()

    def last_lines(self) -> str:
        """Return its last lines on one line."""
        lines = self.output()[-4 * _SAID_CHARACTERS :].decode(errors="replace").splitlines()
        printable = ["".join(letter for letter in line if letter.isprintable()).strip() for line in lines]
        return " | ".join([line for line in printable if line][-_SAID_LINES:])[-_SAID_CHARACTERS:]

    def _drain(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None  # it was asked for
        with pipe:
            while chunk := os.read(pipe.fileno(), 1 << 16):
                self._output += chunk
                if len(self._output) > 2 * LOG_KEPT_BYTES:
                    del self._output[:-LOG_KEPT_BYTES]
