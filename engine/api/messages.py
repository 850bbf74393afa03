"""Typed progress: what a running refinement tells whoever started it.

A refinement passes through `PHASES` in order. Every event is a frozen dataclass; `event_to_json` writes one line of JSON for programs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Phase = Literal["load", "base", "refine", "upsample", "write"]
PHASES: tuple[Phase, ...] = ("load", "base", "refine", "upsample", "write")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a phase has come.

    Attributes:
        member, members: the first member of the running batch, counted from 1, and how many there are; 0 outside ``refine``.
        step, steps: steps done and to do in this phase.
        losses: current mean losses by name, ``guidance`` and ``smoothness``; empty outside ``refine``.
        elapsed_s, eta_s: seconds since the phase began, and still to come (None while unknown).
    """

    phase: Phase
    step: int
    steps: int
    member: int = 0
    members: int = 0
    losses: dict[str, float] = field(default_factory=dict)
    elapsed_s: float = 0.0
    eta_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something the user should know, though nothing failed; ``code`` is stable, ``text`` one sentence."""

    code: str
    text: str


Event = Progress | Notice


def event_to_json(event: Event) -> dict[str, Any]:
    """Return ``event`` as a JSON object with its kind under ``event``."""
    return {"event": type(event).__name__.lower(), **asdict(event)}
