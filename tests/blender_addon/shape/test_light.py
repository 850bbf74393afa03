"""The guessed light of a picture."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from tests.blender_addon.shape.scenes import NAME

lights = importlib.import_module(f"{NAME}.shape.light")


def flat(height: int = 60, width: int = 80) -> np.ndarray:
    return np.ones((height, width), np.float32)


def test_even_light_is_one_whatever_its_brightness() -> None:
    for grey in (0.1, 0.9):
        assert np.allclose(lights.light_map(np.full((60, 80, 3), grey, np.float32), flat()), 1.0, atol=1e-5)


def test_a_slow_fall_of_light_is_found_and_fine_texture_is_not() -> None:
    fall = np.exp(np.linspace(0, -1.5, 80, dtype=np.float32))[None, :] * flat()
    texture = np.where(np.indices((60, 80)).sum(0) % 2, 1.15, 0.85).astype(np.float32)
    light = lights.light_map((0.7 * fall * texture)[..., None].repeat(3, -1), flat())
    inner = slice(10, -10)
    assert np.corrcoef(np.log(light[inner, inner]).ravel(), np.log(fall[inner, inner]).ravel())[0, 1] > 0.99
    assert np.abs(np.diff(light, axis=1)).max() < 0.05


def test_light_may_jump_where_depth_does() -> None:
    disparity, picture = flat(), np.full((60, 80, 3), 0.8, np.float32)
    disparity[:, 40:] = 5
    picture[:, 40:] = 0.2
    light = lights.light_map(picture, disparity)
    assert light[30, 39] / light[30, 40] == pytest.approx(4.0, rel=0.1)
    even = lights.light_map(picture, flat())
    assert even[30, 39] / even[30, 40] < 1.2


def test_shrinking_averages_cells() -> None:
    values = np.arange(24, dtype=np.float32).reshape(4, 6)
    assert np.allclose(lights.shrunk(values, 3, 2), [[3.5, 5.5, 7.5], [15.5, 17.5, 19.5]])
    assert lights.shrunk(np.ones((50, 33, 3), np.float32), 7, 9) == pytest.approx(np.ones((9, 7, 3)))
    assert lights.small_size(4000, 3000) == (256, 192)
    assert lights.small_size(100, 50) == (100, 50)
