"""Cleaning against scenes of exactly known disparity, blurred and grained as a small decoder does it. Sizes: 96 x 128 unless said otherwise."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from engine.images.clean import clean_disparity
from tests.engine.images import disparity_scenes
from tests.engine.images.disparity_scenes import coordinates, on_planes, outline, rmse

SIZE = (96, 128)
GREY = np.full((*SIZE, 3), 0.5, np.float32)
SCENES = ("slanted step", "disc", "corner")
painted = partial(disparity_scenes.painted, strength=0.05)  # A picture at a map's size has been averaged: less of its texture is left.


def blurred(values, reach=3):
    """Return means over squares of 2 ``reach`` + 1 samples: steps become ramps of that width."""
    size = 2 * reach + 1
    return np.lib.stride_tricks.sliding_window_view(np.pad(values, reach, mode="edge"), (size, size)).mean(axis=(2, 3)).astype(np.float32)


def scene(name):
    """Return where the nearer of two slanted planes is, and the exact disparity."""
    inside = outline(name, SIZE)
    return inside, on_planes(inside)


@pytest.mark.parametrize("name", SCENES)
def test_ramps_between_surfaces_become_steps(name):
    inside, exact = scene(name)
    seen = blurred(exact)
    near = np.abs(seen - exact) > 0.05
    cleaned = clean_disparity(seen, painted(inside))
    assert rmse(cleaned, exact, near) < 0.35 * rmse(seen, exact, near)
    assert rmse(cleaned, exact, ~near) < rmse(seen, exact, ~near)


def test_a_step_that_the_picture_does_not_show_is_sharpened_in_its_middle():
    inside, exact = scene("slanted step")
    seen = blurred(exact)
    cleaned = clean_disparity(seen, GREY)
    assert rmse(cleaned, exact) < 0.8 * rmse(seen, exact)
    plane = exact - 0.5 * inside
    assert np.abs((cleaned - plane > 0.25).sum(axis=1) - inside.sum(axis=1))[4:-4].max() <= 1


@pytest.mark.parametrize("name", SCENES)
def test_grain_goes_and_no_step_is_crossed(name):
    inside, exact = scene(name)
    rows = 0.002 * np.where(np.arange(SIZE[0]) % 4 < 2, 1, -1)[:, None].astype(np.float32)
    cleaned = clean_disparity(exact + rows, painted(inside))
    flat = np.abs(blurred(exact, reach=4) - exact) < 0.01
    assert rmse(cleaned, exact, flat) < 0.3 * rmse(exact + rows, exact, flat)
    assert np.abs(cleaned - exact).max() < 0.05


def test_a_thin_thing_of_its_own_colour_stays():
    y, x = coordinates(SIZE)
    pole = np.abs(x + 0.1 * y - 0.5) < 1.5 / SIZE[1]
    exact = on_planes(pole)
    assert rmse(clean_disparity(exact, painted(pole)), exact, pole) < 0.02
    seen = blurred(exact, reach=1)
    assert rmse(clean_disparity(seen, painted(pole)), exact, pole) < 0.2 * rmse(seen, exact, pole)


@pytest.mark.parametrize("size", [SIZE, (101, 33), (12, 9)])
def test_a_plane_stays_a_plane_under_any_texture(size):
    y, x = coordinates(size)
    plane = (3.0 * x - 2.0 * y).astype(np.float32)
    texture = np.random.default_rng(1).random((*size, 3), dtype=np.float32)
    np.testing.assert_allclose(clean_disparity(plane, texture), plane, atol=3e-6)


def test_no_texture_enters_a_curved_surface():
    y, x = coordinates(SIZE)
    curved = (np.sin(3.0 * x) + y**2).astype(np.float32)
    checks = np.repeat((np.indices(SIZE).sum(axis=0) % 14 < 7)[:, :, None], 3, axis=2).astype(np.float32)
    cleaned = clean_disparity(curved, checks)
    np.testing.assert_array_equal(cleaned, clean_disparity(curved, GREY))
    assert np.abs(cleaned - curved).max() < 2e-3 * np.ptp(curved)


def test_no_value_leaves_the_range_of_those_around_it():
    inside, exact = scene("disc")
    seen = blurred(exact) + np.random.default_rng(2).normal(0.0, 0.003, SIZE).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(seen, 8, mode="edge"), (17, 17))
    cleaned = clean_disparity(seen, painted(inside))[8:-8, 8:-8]
    assert (cleaned >= windows.min(axis=(2, 3))[8:-8, 8:-8] - 1e-6).all()
    assert (cleaned <= windows.max(axis=(2, 3))[8:-8, 8:-8] + 1e-6).all()


def test_scale_and_shift_pass_through():
    inside, exact = scene("disc")
    seen, image_srgb = blurred(exact), painted(inside)
    np.testing.assert_allclose(clean_disparity(8.0 * seen + 2.0, image_srgb), 8.0 * clean_disparity(seen, image_srgb) + 2.0, atol=2e-4)


def test_a_mirrored_map_is_cleaned_to_the_mirror_image():
    inside, exact = scene("corner")
    seen, image_srgb = blurred(exact), painted(inside)
    mirrored = clean_disparity(seen[:, ::-1], image_srgb[:, ::-1])[:, ::-1]
    np.testing.assert_allclose(mirrored, clean_disparity(seen, image_srgb), atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (5, 4)])
def test_the_smallest_maps_work(shape):
    disparity = np.random.default_rng(3).random(shape, dtype=np.float32)
    cleaned = clean_disparity(disparity, np.full((*shape, 3), 0.5, np.float32))
    assert cleaned.shape == shape and cleaned.dtype == np.float32
    assert cleaned.min() >= disparity.min() - 1e-6 and cleaned.max() <= disparity.max() + 1e-6


def test_a_flat_map_is_left_alone():
    flat = np.full(SIZE, 2.5, np.float32)
    np.testing.assert_array_equal(clean_disparity(flat, GREY), flat)


def test_what_is_cleaned_is_not_changed_and_gives_the_same_bytes_again():
    inside, exact = scene("disc")
    seen, image_srgb = blurred(exact), painted(inside)
    before = seen.copy()
    assert clean_disparity(seen, image_srgb).tobytes() == clean_disparity(seen, image_srgb).tobytes()
    np.testing.assert_array_equal(seen, before)


@pytest.mark.parametrize(("disparity", "image"), [((4,), (4, 3)), ((4, 4), (4, 4)), ((4, 4), (8, 8, 3)), ((0, 4), (0, 4, 3))])
def test_wrong_shapes_are_refused(disparity, image):
    with pytest.raises(ValueError, match="shapes"):
        clean_disparity(np.zeros(disparity, np.float32), np.zeros(image, np.float32))


def test_a_map_with_nan_is_refused():
    with pytest.raises(ValueError, match="finite"):
        clean_disparity(np.full((4, 4), np.nan, np.float32), np.zeros((4, 4, 3), np.float32))
