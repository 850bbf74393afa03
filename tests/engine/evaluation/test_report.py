"""Measuring and reporting: what goes in comes back in the JSON, and a NaN never does."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.evaluation.manifest import GroundTruth
from engine.evaluation.measure import measure
from engine.evaluation.metrics import METRICS
from engine.evaluation.report import MeasuredImage, encode_report, report_to_json, summarise


@pytest.fixture
def truth() -> GroundTruth:
    depth = np.random.default_rng(0).uniform(1.0, 3.0, (20, 30))
    valid = np.random.default_rng(1).random(depth.shape) < 0.95
    return GroundTruth(depth=np.where(valid, depth, 0.0), valid=valid)


def measured(truth: GroundTruth, name: str, seed: int) -> MeasuredImage:
    """A picture whose refined disparity is exact and whose base is not."""
    exact = np.divide(1.0, truth.depth, out=np.zeros_like(truth.depth), where=truth.valid)
    noise = np.random.default_rng(seed).uniform(-0.2, 0.2, exact.shape)
    return MeasuredImage(
        name=name,
        kind="depth_m",
        picture_size_px=(30, 20),
        truth_size_px=truth.size_px,
        valid_pixels=int(truth.valid.sum()),
        fov_deg=55.0,
        fov_source="default",
        refinement={"prompt": "a cup"},
        base=measure(exact + noise, truth, fov_deg=55.0),
        refined=measure(exact, truth, fov_deg=55.0),
    )


def test_measure_gives_every_metric_by_both_protocols(truth: GroundTruth) -> None:
    errors = measured(truth, "a", 2).base
    assert {protocol: set(metrics) for protocol, metrics in errors.items()} == {"paper": set(METRICS), "standard": set(METRICS)}


def test_prediction_of_another_size_is_brought_to_the_truth() -> None:
    across = np.tile(np.linspace(1.0, 2.0, 60), (40, 1))
    small = across.reshape(20, 2, 30, 2).mean(axis=(1, 3))
    truth = GroundTruth(depth=1.0 / small, valid=np.ones(small.shape, bool))
    assert measure(across, truth, fov_deg=55.0)["standard"]["abs_rel"] < 2e-3
    assert measure(across[:, ::-1], truth, fov_deg=55.0)["standard"]["rmse"] < 2e-3  # mirrored: the sign of the scale is free
    assert measure(across**4, truth, fov_deg=55.0)["standard"]["abs_rel"] > 0.02


def test_report_says_what_was_measured(truth: GroundTruth) -> None:
    images = [measured(truth, "a", 2), measured(truth, "b", 3)]
    summary = summarise(images)
    report = report_to_json(images, summary, settings={"preset": "quick"}, made_by={"device": "cpu"}, complete=True)
    back = json.loads(encode_report(report))
    assert back == report
    assert [image["id"] for image in back["images"]] == ["a", "b"]
    for protocol in ("paper", "standard"):
        assert set(back["summary"][protocol]) == set(METRICS)
        for name, compared in back["summary"][protocol].items():
            bases = [image["protocols"][protocol]["base"][name] for image in back["images"]]
            assert compared["mean_base"] == pytest.approx(np.mean(bases))
            assert compared["images"] == 2
        assert back["summary"][protocol]["abs_rel"]["win_rate"] == 1.0
        assert back["summary"][protocol]["abs_rel"]["relative_change"]["high"] < -0.99


def test_pictures_without_normals_are_left_out_of_that_metric(truth: GroundTruth) -> None:
    chequers = GroundTruth(depth=truth.depth, valid=truth.valid & (np.indices(truth.valid.shape).sum(axis=0) % 2 == 0))
    scattered = measured(chequers, "b", 3)
    assert "normal_deg" not in scattered.base["paper"]
    summary = summarise([measured(truth, "a", 2), scattered])
    assert summary["paper"]["normal_deg"].images == 1
    assert summary["paper"]["abs_rel"].images == 2
    assert "normal_deg" not in summarise([scattered])["paper"]


def test_no_number_that_is_not_finite_is_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode_report({"rmse": float("nan")})
