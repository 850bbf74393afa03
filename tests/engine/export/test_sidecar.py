from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from engine.api.errors import NumericalError
from engine.api.result import RefineResult
from engine.api.settings import MeshSettings
from engine.export.sidecar import encode_json, resolved_fov, result_facts
from engine.geometry.camera import Camera
from engine.geometry.disparity import depth_from_disparity
from engine.geometry.mesh import grid_mesh


def facts_of(result: RefineResult, settings: MeshSettings) -> dict:
    depth = depth_from_disparity(result.disparity_refined, settings.near_far_ratio)
    mesh = grid_mesh(depth, Camera(*result.size_px), long_side_vertices=10, edge_cut=0)
    return json.loads(encode_json(result_facts(result, settings, depth, mesh)))


def test_the_stated_line_gives_the_depth(result: RefineResult) -> None:
    facts = facts_of(result, MeshSettings(near_far_ratio=6.0))
    inverse = facts["depth"]["scale"] * result.disparity_refined + facts["depth"]["shift"]
    np.testing.assert_allclose(1 / inverse, depth_from_disparity(result.disparity_refined, 6.0), rtol=1e-5)
    assert facts["depth"]["near_far_ratio"] == 6.0


def test_provenance_is_kept_whole(result: RefineResult) -> None:
    facts = facts_of(result, MeshSettings())
    assert facts["provenance"] == result.provenance
    assert facts["size_px"] == [48, 36]
    assert facts["mesh"]["vertices"] == 80


def test_the_angle_of_view_says_where_it_came_from(result: RefineResult, result_of: Callable[..., RefineResult]) -> None:
    assert resolved_fov(result, MeshSettings()) == (50.0, "exif")
    assert resolved_fov(result_of(fov_source="default"), MeshSettings()) == (50.0, "default")
    assert resolved_fov(result, MeshSettings(fov_deg=30.0)) == (30.0, "option")
    camera = facts_of(result, MeshSettings(fov_deg=90.0))["camera"]
    assert camera["horizontal_fov_deg"] == pytest.approx(90.0)
    assert camera["focal_px"] == pytest.approx(24.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_is_strict(value: float) -> None:
    with pytest.raises(NumericalError, match="not finite"):
        encode_json({"loss": [value]})


def test_text_of_any_language_stays_readable() -> None:
    assert "球" in encode_json({"prompt": "球"}).decode()
