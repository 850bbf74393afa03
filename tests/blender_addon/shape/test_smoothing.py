"""Smoothing: planes stay, noise goes, edges stay."""

from __future__ import annotations

import numpy as np
import pytest

from tests.blender_addon.shape.scenes import box_before_wall, maps_of, ramp, shape, surfaces


def depths(disparity: np.ndarray, **changes: float) -> tuple[np.ndarray, np.ndarray]:
    surface = surfaces.Surface(maps_of(disparity), 96)
    return surface.depth(shape(**changes)), surface.depth(shape(smoothing=1.0, **changes))


@pytest.mark.parametrize("long_side_vertices", [96, 70, 40])
def test_a_tilted_plane_stays_as_it_is_on_uneven_grids_too(long_side_vertices: int) -> None:
    surface = surfaces.Surface(maps_of(ramp()), long_side_vertices)
    assert np.allclose(surface.depth(shape()), surface.depth(shape(smoothing=1.0)), rtol=4e-6)


def test_noise_shrinks_the_more_the_further_the_slider() -> None:
    noisy = ramp() + np.random.default_rng(0).normal(0, 0.03, ramp().shape).astype(np.float32)
    surface = surfaces.Surface(maps_of(noisy), 96)
    wanted = [1 / surface.depth(shape(smoothing=amount, edge_cut=0.0)) for amount in (0.0, 0.25, 0.5, 1.0)]
    bends = [np.abs(np.diff(inverse, 2, axis=1)).mean() for inverse in wanted]
    assert bends == sorted(bends, reverse=True)
    assert bends[-1] < 0.3 * bends[0]


def test_an_edge_that_is_cut_is_not_blurred_and_one_that_is_not_is() -> None:
    rough, smooth = depths(box_before_wall())
    assert np.array_equal(rough, smooth)
    rough, smooth = depths(box_before_wall(), edge_cut=0.0)
    assert np.abs(rough - smooth).max() > 0.5


def test_no_round_looks_across_a_jump_that_the_mesh_is_cut_at_however_small_or_thin() -> None:
    disparity = np.ones(ramp().shape, np.float32)
    disparity[:, 40:43] = 1.6
    disparity[0, 0] = 3  # so that the bar is a small part of the range
    surface = surfaces.Surface(maps_of(disparity), 96)
    rough = surface.depth(shape(edge_cut=10.0))
    joined = surface.joins(shape(edge_cut=10.0), rough).x
    assert not joined[30, 39] and not joined[30, 42]
    assert np.allclose(rough, surface.depth(shape(edge_cut=10.0, smoothing=1.0)), rtol=1e-6)
