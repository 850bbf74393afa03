"""The sample that ships: its picture, lens and depth must describe one and the same view."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.evaluation.manifest import read_manifest
from engine.images.load import load_picture

WIDTH, HEIGHT = 1024, 768
# Rows and columns where nothing but the wall, and nothing but the table, is seen.
WALL = (slice(20, 340, 16), slice(20, 180, 16))
TABLE = (slice(680, 760, 8), slice(60, 960, 32))


@pytest.fixture(scope="module")
def samples(project_root: Path) -> Path:
    return project_root / "samples"


def plane_through(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return the unit normal of the best plane and the largest distance from it."""
    centred = points - points.mean(axis=0)
    normal = np.linalg.svd(centred)[2][2]
    return normal, float(np.abs(centred @ normal).max())


def test_depth_and_lens_agree_on_flat_wall_level_table_and_the_right_angle_between(samples: Path) -> None:
    picture = load_picture(samples / "still_life.jpg")
    assert picture.image_srgb.shape == (HEIGHT, WIDTH, 3)
    assert picture.fov_deg is not None
    (entry,) = read_manifest(samples / "manifest.json")
    depth_m = entry.load_truth().depth
    assert depth_m.shape == (HEIGHT, WIDTH)
    half = math.tan(math.radians(picture.fov_deg) / 2)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    rays = np.stack([(columns / WIDTH * 2 - 1) * half, (HEIGHT / WIDTH - rows / WIDTH * 2) * half, np.full(rows.shape, -1.0)], axis=-1)
    points = rays * depth_m[..., None]
    wall_normal, wall_error_m = plane_through(points[WALL].reshape(-1, 3))
    table_normal, table_error_m = plane_through(points[TABLE].reshape(-1, 3))
    assert wall_error_m < 2e-4
    assert table_error_m < 2e-4
    assert abs(wall_normal @ table_normal) < 1e-3


def test_truth_is_whole_small_and_measured_in_metres(samples: Path) -> None:
    (entry,) = json.loads((samples / "manifest.json").read_text(encoding="utf-8"))
    (listed,) = read_manifest(samples / "manifest.json")
    truth = listed.load_truth()
    assert listed.kind == "depth_m"
    assert truth.valid.all()
    assert [round(float(bound), 3) for bound in (truth.depth.min(), truth.depth.max())] == entry["range"]
    assert (samples / entry["ground_truth"]).stat().st_size < 2_000_000
