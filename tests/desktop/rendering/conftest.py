"""Two depths whose true normals are known, and a drawing context."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import moderngl
import numpy as np
import pytest

from desktop.rendering.context import open_context
from desktop.state.comparison import Comparison

SIZE_PX = (96, 72)


def make_comparison(width: int = SIZE_PX[0], height: int = SIZE_PX[1], **changes: object) -> Comparison:
    """Return a ball in front of a wall (refined) against its blurred self (base), under a picture that turns red rightward and green downward."""
    across, down = np.meshgrid(np.linspace(-width / height, width / height, width), np.linspace(-1, 1, height))
    ball = np.sqrt(np.clip(0.36 - (across + 0.2) ** 2 - down**2, 0, None))
    refined = np.where(ball > 0, 3 + ball, 2)
    blurred = np.exp(-4 * ((across + 0.2) ** 2 + down**2))
    base = 2 + 1.5 * blurred
    picture = np.stack([100 * across * height / width + 120, 90 * down + 100, blurred * 220 + 20], axis=-1)
    fields: dict[str, object] = {
        "name": "ball",
        "image_srgb": picture.astype(np.uint8),
        "disparity_base": base.astype(np.float32),
        "disparity_refined": refined.astype(np.float32),
        "label_base": "Model A",
        "label_refined": "Refined",
        "fov_deg": 50.0,
    }
    return Comparison(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def comparison() -> Comparison:
    return make_comparison()


@pytest.fixture
def comparison_of() -> Callable[..., Comparison]:
    return make_comparison


@pytest.fixture(scope="module")
def context() -> Iterator[moderngl.Context]:
    context = open_context()
    yield context
    context.release()
