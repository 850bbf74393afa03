from __future__ import annotations

import json

import pytest

from engine.gate.finding import Finding, verdict_from_share


@pytest.mark.parametrize(("share", "verdict"), [(1.0, "kept"), (0.95, "kept"), (0.94, "partly"), (0.05, "partly"), (0.04, "base"), (0.0, "base")])
def test_the_verdict_follows_the_share(share: float, verdict: str) -> None:
    assert verdict_from_share(share) == verdict


def test_a_finding_is_one_json_object() -> None:
    finding = Finding(share_kept=0.5, signs={"disagreement": 0.2}, thresholds={"disagreement": 1.0}, reasons=("They disagree.",))
    told = finding.to_json()
    assert json.loads(json.dumps(told)) == told
    assert told == {
        "verdict": "partly",
        "share_kept": 0.5,
        "signs": {"disagreement": 0.2},
        "thresholds": {"disagreement": 1.0},
        "reasons": ["They disagree."],
    }
