"""Where and how much refinement changed the depth, and whether to trust it: the sentences that the viewer opens with.

Shapes: H W picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .comparison import Comparison, Which
from .measures import measure_rows
from .painting import DOUBT, sure_change
from .view import Point

Tone = Literal["plain", "good", "doubtful"]

NOTEWORTHY = 0.01
_REGIONS = (("upper left", "top", "upper right"), ("left", "centre", "right"), ("lower left", "bottom", "lower right"))
_AT = ("top", "left", "right", "bottom")
_SURE_ENOUGH = 0.6
_SPOTS = 40
_REASONS_SHOWN = 2
_MEASURED = ("Closer to the truth", "Farther from the truth", "As far from the truth")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing to know: a few words to catch the eye, a sentence that explains, and what it means for trust."""

    title: str
    text: str
    tone: Tone = "plain"


def findings(comparison: Comparison) -> list[Finding]:
    """Return what to know about the pair, the most important first."""
    if comparison.is_single:
        found = [Finding(title="One map", text="There is nothing to compare yet. Open a second depth file, or refine the picture.")]
    else:
        signs = _trust(comparison)
        measured = [sign for sign in signs if sign.title in _MEASURED]
        found = [*(measured or _verdict(signs)), *_how_much_and_where(comparison), *signs[len(measured) :]]
    found += [Finding(title="Note", text=note) for note in comparison.notes]
    return found + [Finding(title="Note", text=notice["text"]) for notice in comparison.provenance.get("notices", [])]


def _how_much_and_where(comparison: Comparison) -> list[Finding]:
    size = np.abs(comparison.change)
    mean, moved = float(size.mean(dtype=np.float64)), float((size > NOTEWORTHY).mean())
    if moved == 0:
        return [Finding(title="No change", text=f"No pixel moved by more than {100 * NOTEWORTHY:g} % of the range.")]
    _, strongest = _strongest_spot(comparison)
    spot = f"the strongest spot, by {100 * abs(strongest):.2g} %, is where the cross is"
    text = f"{100 * moved:.0f} % of the picture moved by more than {100 * NOTEWORTHY:g} % of the range; {spot}."
    return [Finding(title=f"{100 * mean:.2g} % mean change", text=text), _where(comparison)]


def _where(comparison: Comparison) -> Finding:
    means = region_means(comparison)
    order = np.argsort(-np.abs(means).ravel())
    strongest = [(divmod(int(index), 3), float(means.ravel()[index])) for index in order[:3]]
    words = [f"{_REGIONS[row][column]} {100 * abs(mean):.2g} % {'nearer' if mean > 0 else 'farther'}" for (row, column), mean in strongest]
    (row, column), _ = strongest[0]
    place = _REGIONS[row][column]
    return Finding(title=f"Most {'at' if place in _AT else 'in'} the {place}", text=f"On average {', '.join(words)}.")


def strongest_change(comparison: Comparison) -> Point | None:
    """Return the middle (x, y) of the spot that changed most, or None where nothing did."""
    point, change = _strongest_spot(comparison)
    return point if change else None


def _strongest_spot(comparison: Comparison) -> tuple[Point, float]:
    """Return the spot whose mean change is largest, and that change as a share of the range; a single odd pixel is no spot."""
    height, width = comparison.change.shape
    side = max(1, min(height, width) // _SPOTS)
    rows, columns = np.arange(0, height, side), np.arange(0, width, side)
    sums = np.add.reduceat(np.add.reduceat(comparison.change, rows, axis=0, dtype=np.float64), columns, axis=1)
    row_sizes, column_sizes = np.diff(rows, append=height), np.diff(columns, append=width)
    means = sums / (row_sizes[:, None] * column_sizes[None, :])
    means[row_sizes < side / 2] = 0
    means[:, column_sizes < side / 2] = 0
    row, column = np.unravel_index(int(np.argmax(np.abs(means))), means.shape)
    middle = (float(columns[column] + column_sizes[column] / 2), float(rows[row] + row_sizes[row] / 2))
    return middle, float(means[row, column])


def region_means(comparison: Comparison) -> np.ndarray:
    """Return the mean change (3, 3) of each ninth of the picture, as a share of the range."""
    return np.array(
        [
            [float(part.mean(dtype=np.float64)) if part.size else 0.0 for part in np.array_split(band, 3, axis=1)]
            for band in np.array_split(comparison.change, 3)
        ]
    )


def _trust(comparison: Comparison) -> list[Finding]:
    return [*_measured(comparison), *_stopped(comparison), *_members(comparison), *_gate(comparison)]


def _verdict(signs: list[Finding]) -> list[Finding]:
    """Return what the signs say together."""
    if not signs:
        return []
    doubtful = [sign for sign in signs if sign.tone == "doubtful"]
    reasons = ", ".join(_lower_first(sign.title) for sign in signs)
    if not doubtful:
        return [Finding(title="Looks trustworthy", text=f"Signs: {reasons}.", tone="good")]
    title = "Doubtful" if len(doubtful) == len(signs) else "Trust it in part"
    return [Finding(title=title, text=f"Signs: {reasons}.", tone="doubtful")]


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _measured(comparison: Comparison) -> list[Finding]:
    if comparison.truth is None:
        return []
    row = next(row for row in measure_rows(comparison) if (row.protocol, row.title) == ("standard", "AbsRel"))
    tones: dict[Which | None, Tone] = {"refined": "good", "base": "doubtful", None: "plain"}
    title = _MEASURED[("refined", "base", None).index(row.better)]
    share = f" ({100 * (row.refined / row.base - 1):+.1f} %)" if row.base else ""
    text = f"Measured, AbsRel goes from {row.base:#.3g} to {row.refined:#.3g}{share}."
    return [Finding(title=title, text=text, tone=tones[row.better])]


def _gate(comparison: Comparison) -> list[Finding]:
    gate = comparison.provenance.get("gate")
    if not gate:
        return []
    share, reasons = float(gate["share_kept"]), [str(reason) for reason in gate.get("reasons", [])]
    shown = " ".join(reasons[:_REASONS_SHOWN])
    more = f" Press I for {len(reasons) - _REASONS_SHOWN} more." if len(reasons) > _REASONS_SHOWN else ""
    text = (
        f"The quality gate let {100 * share:.0f} % of the refinement pass{'; the base stands for the rest' if share < 0.995 else ''}. {shown}{more}"
    )
    return [Finding(title=f"Gate: {100 * share:.0f} % kept", text=text.strip(), tone="good" if share > 0.995 else "doubtful")]


def _members(comparison: Comparison) -> list[Finding]:
    if comparison.uncertainty is None:
        return []
    if not comparison.has_several_members:
        return [Finding(title="One member", text="A single run says nothing about doubt; refine with several members to see it.", tone="doubtful")]
    moved = np.abs(comparison.change) > NOTEWORTHY
    if not moved.any():
        return []
    sure = float(sure_change(comparison)[moved].mean())
    text = f"Where the depth moved, {100 * sure:.0f} % of the pixels moved by more than {DOUBT:g} × the spread of the members."
    title = "Members agree" if sure >= _SURE_ENOUGH else "Members disagree"
    return [Finding(title=title, text=text, tone="good" if sure >= _SURE_ENOUGH else "doubtful")]


def _stopped(comparison: Comparison) -> list[Finding]:
    facts = comparison.provenance
    if facts.get("complete", True):
        return []
    return [Finding(title="Stopped early", text=f"{facts['steps_done']} of {facts['steps_asked']} steps were done.", tone="doubtful")]
