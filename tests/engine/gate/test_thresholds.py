from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path

import pytest

from engine.api.errors import WeightsInvalidError
from engine.gate.thresholds import Thresholds
from engine.models.catalogue import Weights
from engine.models.gate_thresholds import gate_thresholds


def weights_in(folder: Path) -> Weights:
    return Weights(name="mine", title="mine", folder=folder, revision="1", licence="none")


def test_thresholds_come_back_from_json() -> None:
    thresholds = Thresholds(detail_full=-0.2, detail_none=0.1, broad_full=-0.4, broad_none=-0.3, broad_share=0.5)
    assert Thresholds.from_json(json.loads(json.dumps(asdict(thresholds)))) == thresholds


@pytest.mark.parametrize(
    "changes",
    [{"detail_full": 0.1}, {"broad_none": -1.0}, {"broad_share": 1.1}, {"broad_share": -0.1}, {"detail_none": math.inf}, {"broad_full": True}],
)
def test_thresholds_that_make_no_sense_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        Thresholds(**changes)


def test_a_prior_without_trials_gets_the_defaults(tmp_path: Path) -> None:
    assert gate_thresholds(weights_in(tmp_path)) == Thresholds()


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"thresholds": {"detail_full": 0}}', '{"thresholds": null}'])
def test_a_damaged_file_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "gate.json").write_text(content, encoding="utf-8")
    with pytest.raises(WeightsInvalidError, match=r"gate\.json"):
        gate_thresholds(weights_in(tmp_path))
