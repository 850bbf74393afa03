"""Three ways to tell how a run goes: bars on a terminal, notices alone elsewhere, JSON lines for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol

from ..api.messages import Event, Notice, Progress, event_to_json

_PHASE_TITLES = {"load": "Loading", "base": "Base depth", "refine": "Refining", "gate": "Judging", "upsample": "Upsampling", "write": "Writing"}


class Reporter(Protocol):
    """Entered for the time of a run; told what happens."""

    def __enter__(self) -> Reporter: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None: ...

    def event(self, event: Event) -> None:
        """A refinement's own event."""

    def picture(self, number: int, count: int, name: str) -> None:
        """Picture ``number``, counted from 1, of ``count`` begins."""

    def download(self, name: str, bytes_done: int, bytes_total: int) -> None:
        """So much of ``name`` is here; ``bytes_total`` is 0 while unknown."""


def choose_reporter(*, json_events: bool) -> Reporter:
    """Return the reporter for this run: JSON on request, bars where stderr is a terminal, notices alone elsewhere."""
    if json_events:
        return JsonReporter()
    return BarReporter() if sys.stderr.isatty() else NoticeReporter()


def print_json_line(value: dict[str, Any]) -> None:
    """Print ``value`` as one line of JSON and hand it over at once."""
    print(json.dumps(value, allow_nan=False), flush=True)


class _Unentered:
    """A reporter that has nothing to open or close."""

    def __enter__(self) -> Any:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        return None


class JsonReporter(_Unentered):
    """One JSON object a line on stdout."""

    def event(self, event: Event) -> None:
        print_json_line(event_to_json(event))

    def picture(self, number: int, count: int, name: str) -> None:
        print_json_line({"event": "picture", "number": number, "count": count, "id": name})

    def download(self, name: str, bytes_done: int, bytes_total: int) -> None:
        print_json_line({"event": "download", "name": name, "bytes_done": bytes_done, "bytes": bytes_total})


class NoticeReporter(_Unentered):
    """Notices as lines on stderr; progress is not told."""

    def event(self, event: Event) -> None:
        if isinstance(event, Notice):
            print(event.text, file=sys.stderr)

    def picture(self, number: int, count: int, name: str) -> None:
        return None

    def download(self, name: str, bytes_done: int, bytes_total: int) -> None:
        return None


class BarReporter:
    """Bars on stderr: one for the phase, and one for all pictures where there are several."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bars

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[note]}", markup=False))
        self._bars = Bars(*columns, console=Console(stderr=True), transient=True)
        self._phase_bar = self._bars.add_task("Starting", total=None, note="")  # importing torch takes seconds
        self._pictures_bar = self._bars.add_task("", visible=False, note="")
        self._pictures = PictureClock(count=0)

    def __enter__(self) -> BarReporter:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._bars.stop()

    def event(self, event: Event) -> None:
        if isinstance(event, Notice):
            self._bars.console.print(event.text, markup=False, highlight=False)
            return
        title = _PHASE_TITLES[event.phase]
        self._bars.update(self._phase_bar, visible=True, description=title, completed=event.step, total=event.steps, note=phase_note(event))
        if self._pictures.count and event.phase == "refine" and event.eta_s is not None:
            self._show_pictures(event.eta_s)

    def picture(self, number: int, count: int, name: str) -> None:
        if number == 1:
            self._pictures = PictureClock(count=count)
        self._pictures.begin(number)
        self._bars.update(self._pictures_bar, visible=True, description=f"Picture {number}/{count} {name}", completed=number - 1, total=count)

    def download(self, name: str, bytes_done: int, bytes_total: int) -> None:
        note = f"{bytes_done / 1e6:.0f} of {bytes_total / 1e6:.0f} MB" if bytes_total else f"{bytes_done / 1e6:.0f} MB"
        self._bars.update(self._phase_bar, visible=True, description=f"Fetching {name}", completed=bytes_done, total=bytes_total or None, note=note)

    def _show_pictures(self, picture_eta_s: float) -> None:
        done, eta_s = self._pictures.progress(picture_eta_s)
        self._bars.update(self._pictures_bar, completed=done, note=f"{clock(eta_s)} left")


class PictureClock:
    """Time of a run over ``count`` pictures: what is left is the rest of this one, and the others at the mean time of those before."""

    def __init__(self, *, count: int, now_s: Callable[[], float] = time.monotonic) -> None:
        self.count = count
        self._now_s = now_s
        self._run_began_s = self._picture_began_s = now_s()
        self._number = 1

    def begin(self, number: int) -> None:
        """Picture ``number``, counted from 1, begins."""
        self._number, self._picture_began_s = number, self._now_s()

    def progress(self, picture_eta_s: float) -> tuple[float, float]:
        """Return pictures done, with a fraction for this one, and seconds left for all, given the seconds left for this one."""
        picture_s = self._now_s() - self._picture_began_s + picture_eta_s
        fraction = 1.0 - picture_eta_s / picture_s if picture_s > 0 else 0.0
        finished = self._number - 1
        mean_s = (self._picture_began_s - self._run_began_s) / finished if finished else picture_s
        return finished + fraction, picture_eta_s + (self.count - self._number) * mean_s


def phase_note(progress: Progress) -> str:
    """Return what stands beside a phase's bar, such as ``member 1 of 3 · step 12 of 100 · 0:32 left``."""
    parts = [f"member {progress.member} of {progress.members}"] if progress.members else []
    if progress.steps > 1:
        parts.append(f"step {progress.step} of {progress.steps}")
    if progress.told_eta_s is not None:
        parts.append(f"{clock(progress.told_eta_s)} left")
    return " · ".join(parts)


def clock(seconds: float) -> str:
    """Return ``seconds`` as 0:07, 12:30 or 1:02:03."""
    minutes, whole_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole_s:02}" if hours else f"{minutes}:{whole_s:02}"
