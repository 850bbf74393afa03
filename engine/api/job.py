"""`Job`: one refinement in the engine's hands, as its client sees it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .channel import Channel
from .connecting import checked
from .errors import CancelledError, EngineTimeoutError, error_from_json
from .messages import Event, JobInfo, event_from_json, job_from_json
from .result import RefineResult
from .result_folder import read_result

ANSWER_S = 10.0
FOLLOW_S = 5.0


class Job:
    """One refinement in the engine's hands.

    Attributes:
        info: what was last heard of it.
    """

    def __init__(self, info: JobInfo, *, open_channel: Callable[[], Channel], cancel: Callable[[str], object]) -> None:
        self.info = info
        self._open_channel, self._cancel = open_channel, cancel
        self._channel: Channel | None = None
        self._taking = threading.Lock()
        self._asked_at: float | None = None
        self._after = 0
        self._unread: deque[Event] = deque()

    def poll(self, wait_s: float = 0.0) -> list[Event]:
        """Return what happened since the last call, after at most ``wait_s`` if that is nothing.

        Raises:
            EngineUnavailableError, EngineTimeoutError: the engine went away or hangs.
        """
        if not self._unread:
            self._take_news(wait_s)
        events = list(self._unread)
        self._unread.clear()
        return events

    def events(self) -> Iterator[Event]:
        """Yield what happens until the job ends.

        Raises:
            EngineUnavailableError, EngineTimeoutError: the engine went away or hangs.
        """
        while self._unread or not self.info.ended:
            yield from self.poll(FOLLOW_S)

    def result(self, timeout_s: float) -> RefineResult:
        """Return the result once the job has ended; its arrays are mapped from the job's folder.

        Of a cancelled job it is what was reached (``provenance["complete"]`` is False). Events met on the way are kept for `poll`.

        Raises:
            EngineTimeoutError: the job has not ended within ``timeout_s``.
            CancelledError: it was cancelled before there was anything.
            RedepthError: it failed, with that very error.
        """
        deadline = time.monotonic() + timeout_s
        while not self.info.ended:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise EngineTimeoutError(f"The job has not ended within {timeout_s:g} s.", hint="Wait longer, or cancel it.")
            self._take_news(min(left_s, FOLLOW_S))
        if self.info.error:
            raise error_from_json(self.info.error)
        if not self.info.has_result:
            raise CancelledError("The job was cancelled before there was a result.", hint="Finished batches of members are kept; submit it again.")
        return read_result(Path(self.info.folder) / "result")

    def preview(self) -> NDArray[np.float32] | None:
        """Return the latest disparity (h, w) of the running members, or None before the first; ``info.previews`` counts them."""
        path = Path(self.info.folder) / "preview.npy"
        try:
            preview: NDArray[np.float32] = np.load(path)
        except FileNotFoundError:
            return None
        return preview

    def cancel(self) -> None:
        """Ask the job to stop within a step, for every client that waits for it; no news if it has ended already."""
        self._cancel(self.info.id)

    def _take_news(self, wait_s: float) -> None:
        """Ask for news unless a question is open, and take its answer if it comes within ``wait_s``."""
        with self._taking:
            if self.info.ended:
                return
            if self._channel is None:
                self._channel = self._open_channel()
            if self._asked_at is None:
                self._channel.send({"ask": "follow", "job": self.info.id, "after": self._after, "wait_s": FOLLOW_S})
                self._asked_at = time.monotonic()
            try:
                answer = checked(self._channel.receive(wait_s))
            except EngineTimeoutError:
                if time.monotonic() - self._asked_at > FOLLOW_S + ANSWER_S:
                    raise
                return
            self._asked_at = None
            self.info, self._after = job_from_json(answer.get("job")), int(answer["after"])
            self._unread.extend(event_from_json(event) for event in answer["events"])
            if self.info.ended:
                self._channel.close()
