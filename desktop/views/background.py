"""Work off the window's thread: functions run in a few threads, their results come back as calls in the window's."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from engine.api.errors import RedepthError

THREADS = 2
_log = logging.getLogger(__name__)

Failed = Callable[[RedepthError], object]
_Ended = tuple[str, int, Callable[[], object] | None]  # key, number and the call that tells of it


class UnforeseenError(RedepthError):
    """A fault of the viewer itself; its traceback is in the log and in the copyable report."""

    code = "viewer.fault"


class Background(QObject):
    """Runs work in threads. Work asked for under a ``key`` replaces what was asked for under it before: only the newest is told of.

    Results that come at once are told of one at a turn of the event loop, so that the window answers between them.

    Signals:
        idle: nothing is under way any more.
    """

    idle = Signal()
    _ended = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="viewer")
        self._newest: dict[str, int] = {}
        self._count = self._under_way = 0
        self._stopped = False
        self._ended.connect(self._take, Qt.ConnectionType.QueuedConnection)
        self._untold: deque[_Ended] = deque()
        self._next_turn = QTimer(self, singleShot=True, interval=0)
        self._next_turn.timeout.connect(self._tell)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return self._under_way == 0

    def run(self, key: str, work: Callable[[], Any], done: Callable[[Any], object], failed: Failed) -> None:
        """Run ``work`` in a thread, then ``done`` with its result, or ``failed`` with its error, in this one."""
        self._count += 1
        self._under_way += 1
        self._newest[key] = number = self._count
        self._pool.submit(self._work, key, number, work, done, failed)

    def forget(self, key: str) -> None:
        """Let nothing be told of what was asked for under ``key``."""
        self._newest.pop(key, None)

    def stop(self) -> None:
        """Tell of nothing any more; what is under way ends by itself, what waits is not begun."""
        self._stopped = True
        self._newest.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _work(self, key: str, number: int, work: Callable[[], Any], done: Callable[[Any], object], failed: Failed) -> None:
        is_wanted = self._newest.get(key) == number
        call = self._outcome(key, work, done, failed) if is_wanted else None
        if not self._stopped:
            self._ended.emit((key, number, call))

    def _outcome(self, key: str, work: Callable[[], Any], done: Callable[[Any], object], failed: Failed) -> Callable[[], object]:
        """Do the work and return the call that tells of it. This is one of the two edges that take every error."""
        try:
            return partial(done, work())
        except RedepthError as error:
            return partial(failed, error)
        except Exception as exc:
            _log.exception("the viewer failed at %s", key)
            fault = UnforeseenError(f"The viewer failed at this ({key}): {exc}.", hint="Copy the report and tell us of it.")
            fault.__cause__ = exc
            return partial(failed, fault)

    def _take(self, ended: _Ended) -> None:
        self._untold.append(ended)
        self._next_turn.start()

    def _tell(self) -> None:
        key, number, call = self._untold.popleft()
        if self._untold:
            self._next_turn.start()
        if call is not None and self._newest.get(key) == number:
            del self._newest[key]
            call()
        self._under_way -= 1
        if self._under_way == 0:
            self.idle.emit()
