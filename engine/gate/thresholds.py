"""What the prior's score must show before a change is trusted: of each prior its own, found by trial, or the cautious defaults."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Limits of the score ln(refined / base), see `engine.gate.score`; shares fall linearly from ``full`` to ``none``.

    The defaults suit a prior that nobody tried on scenes with known depth: what it finds no worse than the base is kept.

    Attributes:
        detail_full, detail_none: of the local score, for detail.
        broad_full, broad_none: of the picture's score, for the broad change.
        broad_share: in [0, 1], the most that is kept of the broad change.
    """

    detail_full: float = 0.0
    detail_none: float = 0.05
    broad_full: float = 0.0
    broad_none: float = 0.05
    broad_share: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
                raise ValueError(f"{field.name} is {value!r}, not a number")
        if not (self.detail_full < self.detail_none and self.broad_full < self.broad_none and 0 <= self.broad_share <= 1):
            raise ValueError("a full threshold is not below its none, or broad_share is outside 0 to 1")

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Thresholds:
        """Return the thresholds that ``value`` holds, one number a field.

        Raises:
            ValueError, TypeError, KeyError: it holds something else.
        """
        return cls(**{field.name: value[field.name] for field in fields(cls)})
