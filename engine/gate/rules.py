"""What each sign allows in each region, and the sentence that says so. Shapes as in `engine.gate`.

The limits of the score come from trials (`Thresholds`). Those of the other signs stand here. They lie far outside what refinements of made scenes
show (of 192 of them 99 % of all regions lay on the allowed side), so they catch what is broken and leave alone what is merely large. Exceptions are
disagreement, which told good from bad detail in those trials, and darkness, where refinement did more harm than good.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from . import signs
from .bands import ramp, split
from .score import Score
from .thresholds import Thresholds

TOLD_FROM = 0.02


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A sign (H, W), where it allows all (``full``) and nothing (``none``), and what it means where it takes a share away."""

    name: str
    sign: Tensor
    full: float
    none: float
    sentence: str

    @property
    def share(self) -> Tensor:
        """The share (H, W) that it allows."""
        return ramp(self.sign, self.full, self.none)

    @property
    def reason(self) -> str | None:
        """A sentence with the part of the picture that lost a share, or None where that is next to nothing."""
        lost = float((1 - self.share).mean())
        return f"{self.sentence} ({100 * lost:.0f} % of the picture)." if lost >= TOLD_FROM else None


def region_rules(image_srgb: Tensor, base: Tensor, refined: Tensor, members: Tensor, score: Score, thresholds: Thresholds) -> list[Rule]:
    """Return the rules for a region; they decide on its detail, and take part in what is decided on its broad change.

    Args:
        image_srgb: (3, H, W) in [0, 1].
        base, refined: (H, W).
        members: (B, H, W).
    """
    _, detail = split(refined - base)
    luminance = image_srgb.mean(dim=0)
    return [
        Rule(
            name="local_score",
            sign=score.local,
            full=thresholds.detail_full,
            none=thresholds.detail_none,
            sentence="The base stands where the prior finds the refinement too little better, or worse",
        ),
        Rule(
            name="disagreement",
            sign=signs.disagreement(base, members),
            full=0.5,
            none=1.0,
            sentence="The base stands where the members disagree about the change",
        ),
        Rule(
            name="reversal",
            sign=signs.reversal(base, refined),
            full=0.6,
            none=1.0,
            sentence="The base stands where the refinement flattened its slopes or turned them around",
        ),
        Rule(
            name="grain",
            sign=signs.grain(detail),
            full=0.25,
            none=0.5,
            sentence="The base stands where the change is noise from pixel to pixel",
        ),
        Rule(
            name="embossing",
            sign=signs.embossing(detail, luminance),
            full=0.6,
            none=0.8,
            sentence="The base stands where the picture's brightness was embossed as height",
        ),
        Rule(
            name="darkness",
            sign=signs.darkness(luminance),
            full=0.85,
            none=0.95,
            sentence="The base stands where the picture is too dark for shading to show",
        ),
        Rule(
            name="saturation",
            sign=signs.saturation(image_srgb),
            full=0.97,
            none=0.995,
            sentence="The base stands where the picture is overexposed",
        ),
        Rule(
            name="sky",
            sign=signs.sky(image_srgb, base),
            full=0.0,
            none=1.0,
            sentence="The base stands where the picture looks like sky",
        ),
    ]


def drift_rule(base: Tensor, broad: Tensor) -> Rule:
    """Return the rule for the broad change (H, W) alone."""
    return Rule(
        name="drift",
        sign=signs.drift(base, broad),
        full=0.6,
        none=1.0,
        sentence="The base stands where the refinement drifts from it over a broad area",
    )
