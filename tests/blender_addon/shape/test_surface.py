"""What the sliders do to the vertices, by closed form."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from tests.blender_addon.shape.scenes import NAME, SIZE_PX, box_before_wall, maps, maps_of, ramp, shape, surfaces

cameras = importlib.import_module(f"{NAME}.engine.geometry.camera")
disparities = importlib.import_module(f"{NAME}.engine.geometry.disparity")


def points(surface: object, shape: object) -> np.ndarray:
    return surface.vertices(shape, surface.depth(shape))


def from_camera(vertices: np.ndarray, shape: object) -> np.ndarray:
    return vertices - np.array([0, 0, shape.camera_distance], np.float32)


@pytest.mark.parametrize(
    "changes", [{}, {"near_far_ratio": 20.0}, {"depth_scale": 0.3}, {"fov_deg": 90.0}, {"refined_share": 0.4}, {"smoothing": 1.0}]
)
def test_every_vertex_is_seen_at_its_pixels_centre_whatever_the_sliders(changes: dict[str, float]) -> None:
    surface, wanted = surfaces.Surface(maps_of(box_before_wall(), ramp()), 96), shape(**changes)
    seen = surface.camera(wanted).project(from_camera(points(surface, wanted), wanted))
    columns, rows = np.meshgrid(surface.grid.columns + 0.5, surface.grid.rows + 0.5)
    assert np.abs(seen - np.stack([columns, rows], -1).reshape(-1, 2)).max() < 1e-3


def test_the_pictures_plane_fills_the_matched_cameras_view() -> None:
    wanted = shape(fov_deg=70.0)
    camera = cameras.Camera(*SIZE_PX, 70.0)
    corner = np.array([[wanted.size / 2, wanted.size / 2 * SIZE_PX[1] / SIZE_PX[0], -wanted.camera_distance]])
    assert camera.project(corner) == pytest.approx(np.array([[SIZE_PX[0], 0.0]]))


def test_zero_and_one_are_exactly_the_engines_two_maps() -> None:
    base, refined = ramp(), box_before_wall()
    surface = surfaces.Surface(maps_of(base, refined), 96)
    both = disparities.disparity_range(base, refined)
    for share, disparity in ((0.0, base), (1.0, refined)):
        assert np.array_equal(surface.depth(shape(refined_share=share)), disparities.depth_from_disparity(disparity, 4.0, both))


def test_the_ratio_is_that_of_farthest_and_nearest() -> None:
    surface = surfaces.Surface(maps_of(ramp()), 96)
    depth = -from_camera(points(surface, shape(near_far_ratio=7.0)), shape(near_far_ratio=7.0))[:, 2]
    assert depth.max() / depth.min() == pytest.approx(7.0, rel=1e-5)


def test_half_the_disparity_lies_in_the_pictures_plane_and_scale_grows_about_the_camera() -> None:
    disparity = ramp()
    disparity[5, 7] = (disparity.min() + disparity.max()) / 2
    surface = surfaces.Surface(maps_of(disparity), 96)
    assert points(surface, shape())[5 * SIZE_PX[0] + 7, 2] == pytest.approx(0.0, abs=1e-5)
    one, three = (from_camera(points(surface, wanted), wanted) for wanted in (shape(), shape(depth_scale=3.0)))
    assert np.allclose(three, 3 * one, rtol=1e-5)


def test_the_cut_parts_box_and_wall_and_zero_cuts_nothing() -> None:
    surface = surfaces.Surface(maps_of(box_before_wall()), 96)
    cells = 2 * (len(surface.grid.rows) - 1) * (len(surface.grid.columns) - 1)
    whole = surface.faces(shape(edge_cut=0.0), surface.depth(shape()))
    cut = surface.faces(shape(), surface.depth(shape()))
    assert len(whole) == cells
    depth = surface.depth(shape()).ravel()
    assert 0 < len(cut) < cells
    assert np.ptp(depth[cut], axis=1).max() == 0


def test_a_coarser_mesh_takes_its_vertices_from_the_same_pixels() -> None:
    fine, coarse = (surfaces.Surface(maps_of(ramp()), count) for count in (96, 20))
    assert set(coarse.grid.columns) <= set(fine.grid.columns)
    assert (coarse.grid.columns[0], coarse.grid.columns[-1]) == (0, SIZE_PX[0] - 1)
    assert len(coarse.grid.columns) == 20


def test_maps_come_back_from_their_pixels_unchanged() -> None:
    stored = maps_of(ramp(), box_before_wall())
    again = maps.maps_from_pixels(stored.pixels(), *SIZE_PX)
    for name in ("base", "refined", "uncertainty", "kept"):
        assert np.array_equal(getattr(again, name), getattr(stored, name))


def test_pictures_larger_than_the_limit_are_stored_at_real_pixels() -> None:
    grid = maps.stored_grid(5000, 3000)
    assert (len(grid.columns), grid.columns[0], grid.columns[-1], grid.rows[-1]) == (maps.STORED_PX, 0, 4999, 2999)
    with pytest.raises(ValueError, match="reshape"):
        maps.maps_from_pixels(np.zeros(16, np.float32), 5000, 3000)
