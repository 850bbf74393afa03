"""What is known of a task at one moment, and the words that the panel shows for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ..engine.api.errors import RedepthError
from ..engine.api.messages import PHASES, Progress

State = Literal["connecting", "queued", "running", "lost", "finished", "failed", "cancelled"]
ENDED: tuple[State, ...] = ("finished", "failed", "cancelled")

# What a phase takes of the whole, by experience with the embedded pair; the true steps of each phase move the bar inside its share.
_SHARES: dict[str, float] = {"load": 0.10, "base": 0.05, "refine": 0.67, "gate": 0.03, "upsample": 0.13, "write": 0.02}
_PHASE_WORDS: dict[str, str] = {
    "load": "Loading the models",
    "base": "Predicting depth",
    "refine": "Refining",
    "gate": "Judging the refinement",
    "upsample": "Bringing depth to the picture's size",
    "write": "Writing the result",
}


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A task at one moment; the thread that follows it puts a new one in the place of the old.

    Attributes:
        job_id: the engine's name for it; empty until it has been submitted.
        folder: the job's folder; empty until then.
        ahead: jobs that run before it.
        progress: the latest step, or None.
        notices: sentences that the user should know, oldest first.
        has_result: the folder holds a result, of a cancelled job what was reached.
        error: why it failed or was cancelled, or why the engine is being looked for again.
        reached: the fraction that was shown before; the bar never goes back, not even where a batch of members is done anew.
    """

    state: State = "connecting"
    job_id: str = ""
    folder: str = ""
    ahead: int = 0
    progress: Progress | None = None
    notices: tuple[str, ...] = ()
    has_result: bool = False
    error: RedepthError | None = None
    reached: float = 0.0

    def __post_init__(self) -> None:
        if self.state not in get_args(State):
            raise ValueError(f"no state is called {self.state!r}")

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ENDED

    @property
    def fraction(self) -> float:
        """How much of the work is done, 0 to 1, as far as the engine has said."""
        if self.state == "finished":
            return 1.0
        if self.progress is None:
            return self.reached
        before = sum(_SHARES[phase] for phase in PHASES[: PHASES.index(self.progress.phase)])
        return max(self.reached, before + _SHARES[self.progress.phase] * _share_of_phase(self.progress))

    @property
    def sentence(self) -> str:
        """What to show for it, one line."""
        if self.state == "connecting":
            return "Connecting to the engine"
        if self.state == "queued":
            return f"Waiting, {self.ahead} ahead" if self.ahead else "Waiting for the engine"
        if self.state == "running":
            return progress_words(self.progress) if self.progress else "Starting"
        if self.state == "finished":
            return "Finished"
        return self.error.sentence if self.error else self.state.capitalize()


def progress_words(progress: Progress) -> str:
    """Return a phase, its member and step, and the time still to come, such as "Refining member 2 of 4, step 12 of 30, 8 s left"."""
    words = [_PHASE_WORDS[progress.phase]]
    if progress.member > 1:
        words[0] += f" member {progress.member} of {progress.members}"
    if progress.steps > 1:
        words.append(f"step {progress.step} of {progress.steps}")
    if progress.told_eta_s is not None:
        words.append(f"{time_words(progress.told_eta_s)} left")
    return ", ".join(words)


def time_words(seconds: float) -> str:
    """Return a duration for people: "8 s", "3 min 20 s", "2 h 05 min"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _share_of_phase(progress: Progress) -> float:
    """Return how much of its phase is done: by time where that is known, for members may run one by one or all at once."""
    here = min(1.0, progress.step / progress.steps) if progress.steps > 0 else 0.0
    if not (progress.members and progress.member):
        return here
    before = (progress.member - 1) / progress.members
    if progress.eta_s is None or progress.elapsed_s <= 0:
        return before + here / progress.members
    return before + (1 - before) * progress.elapsed_s / (progress.elapsed_s + progress.eta_s)
