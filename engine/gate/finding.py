"""What the gate found, as it goes into ``provenance["gate"]`` and to people."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["kept", "partly", "base"]

KEPT_FROM = 0.95
BASE_BELOW = 0.05


def verdict_from_share(share_kept: float) -> Verdict:
    """Return ``kept`` from a share of 0.95, ``base`` below 0.05, else ``partly``."""
    return "kept" if share_kept >= KEPT_FROM else "base" if share_kept < BASE_BELOW else "partly"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The gate's judgement of one picture.

    Attributes:
        share_kept: in [0, 1], of the refinement: the mean of the kept share over all pixels.
        signs: what was measured over the whole picture, by name.
        thresholds: what the signs were compared with, by name.
        reasons: sentences for people: what spoke against the refinement; empty where nothing did.
    """

    share_kept: float
    signs: dict[str, float]
    thresholds: dict[str, float]
    reasons: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """``kept``: the refinement stands; ``partly``: in some regions the base does; ``base``: everywhere."""
        return verdict_from_share(self.share_kept)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object: ``verdict``, ``share_kept``, ``signs``, ``thresholds``, ``reasons``."""
        return {"verdict": self.verdict, **asdict(self), "reasons": list(self.reasons)}
