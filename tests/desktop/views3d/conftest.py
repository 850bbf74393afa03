"""Panes on Qt's offscreen platform, shown and settled, and a comparison that they show."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from desktop.state.comparison import Comparison
from desktop.views3d.mesh_pane import MeshPane
from desktop.views3d.relight_pane import RelightPane

Pane = RelightPane | MeshPane
SETTLED_MS = 60_000


def make_comparison(width: int = 160, height: int = 120, **changes: object) -> Comparison:
    """Return a ball in front of a wall (refined) against its blurred self (base), under a picture that turns red rightward."""
    across, down = np.meshgrid(np.linspace(-width / height, width / height, width), np.linspace(-1, 1, height))
    ball = np.sqrt(np.clip(0.36 - (across + 0.2) ** 2 - down**2, 0, None))
    blurred = np.exp(-4 * ((across + 0.2) ** 2 + down**2))
    fields: dict[str, object] = {
        "name": "ball",
        "image_srgb": np.stack([100 * across * height / width + 120, 90 * down + 100, blurred * 220 + 20], axis=-1).astype(np.uint8),
        "disparity_base": (2 + 1.5 * blurred).astype(np.float32),
        "disparity_refined": np.where(ball > 0, 3 + ball, 2).astype(np.float32),
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


@pytest.fixture
def settled(qtbot: QtBot) -> Callable[[Pane], None]:
    """Return a function that waits until a pane shows its newest request."""

    def wait(pane: Pane) -> None:
        qtbot.waitUntil(lambda: pane.is_settled, timeout=SETTLED_MS)

    return wait


def pixels(image: QImage | None) -> np.ndarray:
    """Return an image as (h, w, 3) red, green, blue."""
    assert image is not None
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)
