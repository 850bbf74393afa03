"""A thread that draws frames for one pane: it owns the painter, and of all requests only the newest counts."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QThread, Signal
from PySide6.QtGui import QImage

from desktop.state.comparison import Which
from engine.api.errors import RedepthError

from ..rendering.frames import Frame, Painter

_PAUSE_S = 0.12  # before a finer frame: whoever drags on shall not wait for it
_LONGEST_STEP_MS = 30_000

_log = logging.getLogger(__name__)

# Threads that were started and not stopped: kept here, for Qt ends the program when a thread's object goes before the thread does.
_running: set[FrameThread] = set()


@dataclass(frozen=True, eq=False)
class Drawn:
    """A frame as Qt draws it, and the request it answers."""

    images: dict[Which, QImage]
    notes: dict[Which, str]
    request: Any
    is_final: bool


class FrameThread(QThread):
    """Draws what is asked for, the newest request alone.

    Signals:
        drawn: `Drawn`.
        failed: sentence, hint.
    """

    drawn = Signal(object)
    failed = Signal(str, str)

    def __init__(self, make_painter: Callable[[], Painter[Any]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make_painter = make_painter
        self._changed = Condition()
        self._newest: Any = None
        self._painter: Painter[Any] | None = None
        self._is_stopping = self._has_no_painter = False

    def ask(self, request: object) -> None:
        """Draw ``request`` in place of whatever was asked for before; the first call starts the thread."""
        with self._changed:
            self._newest = request
            self._changed.notify()
        if not self.is_lost and not self.isRunning():
            _running.add(self)
            self.start()

    @property
    def is_lost(self) -> bool:
        """Whether it ended or never could begin, so that nothing will be drawn any more."""
        return self._is_stopping or self._has_no_painter

    def stop(self) -> None:
        """End the thread and wait until its painter is closed; nothing is drawn after that."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        if self.wait(_LONGEST_STEP_MS):
            _running.discard(self)

    def run(self) -> None:
        with self._telling():
            self._painter = self._make_painter()
        if self._painter is None:
            return
        try:
            while (request := self._next()) is not None:
                with self._telling():
                    self._draw(self._painter, request)
        finally:
            self._painter.close()

    def _next(self) -> Any:
        """Wait for the next request and take it; None when the thread shall end."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping or self._newest is not None)
            request, self._newest = self._newest, None
            return None if self._is_stopping else request

    def _draw(self, painter: Painter[Any], request: Any) -> None:
        for frame in painter.frames(request):
            if frame is not None:
                self._show(frame, request)
            if self._is_superseded(_PAUSE_S if frame is not None and not frame.is_final else 0):
                return

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Tell of whatever fails, and go on; without a painter there is nothing to go on with."""
        try:
            yield
        except RedepthError as error:
            self._fail(error.sentence, error.hint)
        except Exception as exc:
            _log.exception("drawing failed")
            self._fail(f"The viewer failed at drawing this: {exc}.", "Copy the report and tell us of it.")

    def _fail(self, sentence: str, hint: str) -> None:
        self._has_no_painter = self._painter is None
        self.failed.emit(sentence, hint)

    def _is_superseded(self, pause_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._is_stopping or self._newest is not None, timeout=pause_s)

    def _show(self, frame: Frame, request: object) -> None:
        images = {side: image_from_rgbx(picture) for side, picture in frame.pictures.items()}
        self.drawn.emit(Drawn(images, frame.notes, request, frame.is_final))


def image_from_rgbx(picture: NDArray[np.uint8]) -> QImage:
    """Return a picture (h, w, 4) as an image that owns its pixels, in the layout that Qt draws fastest."""
    height, width = picture.shape[:2]
    return QImage(picture.data, width, height, 4 * width, QImage.Format.Format_RGBX8888).convertToFormat(QImage.Format.Format_RGB32)


@atexit.register
def _stop_all() -> None:
    for thread in list(_running):
        thread.stop()
