"""The quality gate's thresholds that belong to a prior: found by trial with its weights, kept beside them."""

from __future__ import annotations

import json

from ..api.errors import WeightsInvalidError
from ..gate.thresholds import Thresholds
from .catalogue import Weights

FILE_NAME = "gate.json"


def gate_thresholds(prior: Weights) -> Thresholds:
    """Return what ``gate.json`` in the prior's folder says, or the cautious defaults where it has none.

    Raises:
        WeightsInvalidError: the file is damaged.
    """
    file = prior.folder / FILE_NAME
    if not file.exists():
        return Thresholds()
    try:
        return Thresholds.from_json(json.loads(file.read_text(encoding="utf-8"))["thresholds"])
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise WeightsInvalidError(f"{file} holds no thresholds of the quality gate.", hint="Restore the file, or remove it to use defaults.") from exc
