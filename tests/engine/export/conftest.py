"""A small result with everything a real one has: a ball in front of a wall, and a blurred base."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from engine.api.result import RefineResult
from engine.api.settings import settings_from_preset


def make_result(width: int = 48, height: int = 36, **changes: object) -> RefineResult:
    across, down = np.meshgrid(np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32))
    ball = np.sqrt(np.clip(0.36 - across**2 - down**2, 0, None))
    refined = 2 + 0.5 * across + np.where(ball > 0, 3 + ball, 0)
    base = 2 + 0.5 * across + 3.5 * np.exp(-4 * (across**2 + down**2))
    red_right_green_down = np.stack([across * 127 + 127, down * 127 + 127, ball * 200], axis=-1)
    fields: dict[str, object] = {
        "image_srgb": red_right_green_down.astype(np.uint8),
        "disparity_base": base.astype(np.float32),
        "disparity_refined": refined.astype(np.float32),
        "uncertainty": (0.01 * ball).astype(np.float32),
        "fov_deg": 50.0,
        "fov_source": "exif",
        "provenance": {
            "models": {
                "depth": {"name": "a", "title": "Model A", "licence": "Apache-2.0"},
                "prior": {"name": "b", "title": "Prior B", "licence": "none"},
            },
            "settings": settings_from_preset("quick", seed=5).to_json(),
            "prompt": "eine Kugel, 球",
            "complete": True,
        },
    }
    return RefineResult(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def result() -> RefineResult:
    return make_result()


@pytest.fixture
def result_of() -> Callable[..., RefineResult]:
    return make_result
