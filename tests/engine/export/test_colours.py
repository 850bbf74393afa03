from __future__ import annotations

import numpy as np
import pytest

from engine.export.colours import COLOUR_MAPS, DEFAULT_COLOUR_MAP, change_to_srgb8, disparity_to_srgb8, normals_to_srgb8, share_to_srgb8
from engine.geometry.disparity import DisparityRange


def test_near_is_brighter_than_far_at_every_step() -> None:
    colours = disparity_to_srgb8(np.linspace(0, 1, 256)[None])[0].astype(float)
    brightness = colours @ [0.2126, 0.7152, 0.0722]
    assert np.diff(brightness).min() > -0.5
    assert brightness[0] < 10
    assert brightness[-1] > 230


def test_equal_values_get_equal_colours_in_a_shared_range() -> None:
    shared = DisparityRange(0.0, 4.0)
    first = disparity_to_srgb8(np.array([[1.0, 2.0]]), shared)
    second = disparity_to_srgb8(np.array([[2.0, 4.0]]), shared)
    np.testing.assert_array_equal(first[0, 1], second[0, 0])
    assert (first[0, 0] != first[0, 1]).any()


def test_change_is_blue_white_red_and_symmetric() -> None:
    farther, none, nearer, beyond = change_to_srgb8(np.array([[-2.0, 0.0, 2.0, 99.0]]), 2.0)[0].astype(int)
    assert farther[2] > farther[0] + 50
    assert nearer[0] > nearer[2] + 50
    assert none.min() > 200
    np.testing.assert_array_equal(nearer, beyond)


def test_normal_colours() -> None:
    normals = np.array([[[0, 0, 1], [1, 0, 0], [0, -1, 0]]] * 300, np.float32)
    np.testing.assert_array_equal(normals_to_srgb8(normals)[299], [[128, 128, 255], [255, 128, 128], [128, 0, 128]])


@pytest.mark.parametrize("colour_map", COLOUR_MAPS)
def test_every_colour_map_tells_all_levels_apart(colour_map: str) -> None:
    colours = disparity_to_srgb8(np.linspace(0, 1, 64)[None], colour_map=colour_map)[0]
    assert len(np.unique(colours, axis=0)) == 64
    default = disparity_to_srgb8(np.linspace(0, 1, 64)[None])[0]
    assert np.array_equal(colours, default) == (colour_map == DEFAULT_COLOUR_MAP)


def test_a_larger_share_is_brighter_and_what_is_beyond_keeps_the_ends_colour() -> None:
    colours = share_to_srgb8(np.array([[-1.0, 0.0, 0.25, 0.5, 0.75, 1.0, 2.0]]))[0].astype(float)
    brightness = colours @ [0.2126, 0.7152, 0.0722]
    assert np.diff(brightness[1:6]).min() > 10
    assert (brightness[0], brightness[6]) == (brightness[1], brightness[5])
