"""A job's progress in words and curves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from engine.api.errors import DamagedFolderError
from engine.api.messages import JobInfo, Phase, Progress, event_from_json

PHASE_WORDS: dict[Phase, str] = {
    "load": "Loading the models",
    "base": "First depth",
    "refine": "Refining",
    "gate": "Checking quality",
    "upsample": "Upsampling",
    "write": "Writing",
}
STATE_WORDS = {"queued": "waiting", "running": "running", "finished": "finished", "failed": "failed", "cancelled": "cancelled"}


def clock(seconds: float) -> str:
    """Return seconds as 0:07 or 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def progress_of(info: JobInfo) -> Progress | None:
    """Return the latest progress that the engine told of a job."""
    event = None if info.progress is None else event_from_json(info.progress)
    return event if isinstance(event, Progress) else None


def describe(info: JobInfo) -> str:
    """Return what a job is at: phase, member, step and time to come."""
    if info.state == "queued":
        return "waiting" if not info.ahead else f"waiting, {info.ahead} before it"
    if info.ended:
        return STATE_WORDS[info.state]
    progress = progress_of(info)
    if progress is None:
        return "starting"
    words = [PHASE_WORDS[progress.phase]]
    if progress.members:
        words.append(f"member {progress.member} of {progress.members}")
    if progress.steps > 1:
        words.append(f"step {progress.step} of {progress.steps}")
    if progress.told_eta_s is not None:
        words.append(f"{clock(progress.told_eta_s)} to go")
    return " · ".join(words)


def share_done(info: JobInfo) -> float | None:
    """Return how much of its present phase is done, 0 to 1; None while unknown."""
    progress = progress_of(info)
    if info.ended:
        return 1.0
    return None if progress is None or not progress.steps or progress.phase == "load" else min(1.0, progress.step / progress.steps)


def picture_of(info: JobInfo) -> Path:
    """Return the engine's copy of a job's picture.

    Raises:
        DamagedFolderError: it is gone.
    """
    folder = Path(info.folder) / "input"
    picture = next((path for path in sorted(folder.glob("*")) if path.is_file()), None)
    if picture is None:
        raise DamagedFolderError(f"The folder {folder} holds no picture.", hint="Submit the picture again.")
    return picture


@dataclass
class LossCurves:
    """The losses of one job, step by step, as they come in; ``values[name][i]`` belongs to ``steps[name][i]``."""

    steps: dict[str, list[int]] = field(default_factory=dict)
    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, progress: Progress) -> None:
        """Take what one event says."""
        for name, value in progress.losses.items():
            self.steps.setdefault(name, []).append(progress.step)
            self.values.setdefault(name, []).append(value)
