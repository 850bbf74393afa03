"""Ctrl-C in two steps: the first asks the work to stop and keep what it has, the second aborts."""

from __future__ import annotations

import os
import signal
from types import FrameType, TracebackType

_SAID = b"\nStopping after this step and keeping what was reached. Ctrl-C again aborts at once.\n"
_STDERR = 2


class StopOnInterrupt:
    """While entered, the first SIGINT sets `requested`; a second one raises KeyboardInterrupt.

    Only the main thread may enter it: Python delivers signals there.
    """

    def __init__(self) -> None:
        self._requested = False

    def requested(self) -> bool:
        """Return whether the user asked to stop; give it as ``should_stop``."""
        return self._requested

    def __enter__(self) -> StopOnInterrupt:
        self._previous = signal.signal(signal.SIGINT, self._on_interrupt)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._requested:
            raise KeyboardInterrupt
        self._requested = True
        os.write(_STDERR, _SAID)  # not print: the signal may have come in the middle of one
