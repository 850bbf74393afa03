from __future__ import annotations

import numpy as np
import pytest

from engine.geometry.camera import Camera
from engine.geometry.mesh import GridMesh, grid_faces, grid_joins, grid_mesh, grid_points, pixel_grid


def rough_depth(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(1, 1.2, (height, width)).astype(np.float32)


def projected_areas(mesh: GridMesh, camera: Camera) -> np.ndarray:
    """Signed areas (F,) in square pixels, positive = counter-clockwise as the viewer sees it."""
    corners = camera.project(mesh.vertices.astype(np.float64))[mesh.faces]
    return -np.linalg.det(corners[:, 1:] - corners[:, :1]) / 2  # minus: rows run down


@pytest.mark.parametrize(("size", "long_side"), [((30, 20), 30), ((20, 30), 500), ((31, 20), 12), ((20, 31), 12), ((200, 2), 7)])
def test_vertices_are_pixels_of_the_depth_map(size: tuple[int, int], long_side: int) -> None:
    camera, depth = Camera(*size, 65.0), rough_depth(*size)
    mesh = grid_mesh(depth, camera, long_side_vertices=long_side, edge_cut=0)
    pixels = camera.project(mesh.vertices.astype(np.float64))
    indices = np.rint(pixels - 0.5).astype(int)
    np.testing.assert_allclose(pixels, indices + 0.5, atol=1e-4)
    np.testing.assert_array_equal(-mesh.vertices[:, 2], depth[indices[:, 1], indices[:, 0]])
    np.testing.assert_array_equal(indices.min(0), [0, 0])
    np.testing.assert_array_equal(indices.max(0), [size[0] - 1, size[1] - 1])
    assert len(np.unique(indices, axis=0)) == len(indices)
    longer = int(size[1] > size[0])
    assert len(np.unique(indices[:, longer])) == min(long_side, max(size))


def test_at_full_resolution_every_pixel_has_its_vertex_in_order() -> None:
    camera, depth = Camera(7, 5), rough_depth(7, 5)
    mesh = grid_mesh(depth, camera, long_side_vertices=7, edge_cut=0)
    np.testing.assert_array_equal(mesh.vertices, camera.unproject(depth).reshape(-1, 3))


@pytest.mark.parametrize("size", [(30, 20), (20, 31)])
def test_faces_cover_the_picture_once_counter_clockwise(size: tuple[int, int]) -> None:
    camera = Camera(*size)
    mesh = grid_mesh(rough_depth(*size), camera, long_side_vertices=13, edge_cut=0)
    areas = projected_areas(mesh, camera)
    assert areas.min() > 0
    assert areas.sum() == pytest.approx((size[0] - 1) * (size[1] - 1), rel=1e-5)


def test_faces_and_normals_face_the_camera() -> None:
    camera = Camera(40, 30)
    mesh = grid_mesh(rough_depth(40, 30), camera, long_side_vertices=40, edge_cut=3)
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    assert (np.einsum("fi,fi->f", np.cross(b - a, c - a), -(a + b + c)) > 0).all()
    assert (np.einsum("vi,vi->v", mesh.normals, -mesh.vertices) > 0).all()
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-6)


def test_dtypes_and_shapes() -> None:
    mesh = grid_mesh(rough_depth(6, 4).astype(np.float64), Camera(6, 4), long_side_vertices=6, edge_cut=0)
    assert (mesh.vertices.dtype, mesh.faces.dtype, mesh.uv.dtype, mesh.normals.dtype) == (np.float32, np.int32, np.float32, np.float32)
    assert (mesh.vertices.shape, mesh.faces.shape, mesh.uv.shape, mesh.normals.shape) == ((24, 3), (30, 3), (24, 2), (24, 3))


def test_uv_points_at_pixel_centres_with_v_up() -> None:
    mesh = grid_mesh(rough_depth(4, 2), Camera(4, 2), long_side_vertices=4, edge_cut=0)
    np.testing.assert_allclose(mesh.uv[[0, 3, 4]], [[0.125, 0.75], [0.875, 0.75], [0.125, 0.25]], atol=1e-7)


def test_a_step_is_cut_along_itself_and_nowhere_else() -> None:
    depth = np.ones((10, 12), np.float32)
    depth[:, 6:] = 2.0
    mesh = grid_mesh(depth, Camera(12, 10), long_side_vertices=12, edge_cut=2)
    depths = -mesh.vertices[mesh.faces, 2]
    assert len(mesh.faces) == 2 * 9 * 10  # 11 columns of cells less the one that spans the step
    np.testing.assert_array_equal(depths.min(1), depths.max(1))
    np.testing.assert_allclose(mesh.normals, np.broadcast_to([0, 0, 1], mesh.normals.shape), atol=1e-6)


@pytest.mark.parametrize("scale", [1e-3, 0.5, 64.0, 1e4])
def test_the_cut_ignores_the_scale_of_depth(scale: float) -> None:
    camera, depth = Camera(40, 30), rough_depth(40, 30).astype(np.float64)
    faces = grid_mesh(depth, camera, long_side_vertices=40, edge_cut=4).faces
    assert 100 < len(faces) < 2 * 39 * 29 - 100
    np.testing.assert_array_equal(grid_mesh(scale * depth, camera, long_side_vertices=40, edge_cut=4).faces, faces)


@pytest.mark.parametrize("long_side", [17, 60, 129])
@pytest.mark.parametrize("axis", [0, 1])
def test_the_cut_is_the_tangent_of_the_steepest_slope_at_every_resolution(long_side: int, axis: int) -> None:
    camera, tangent = Camera(129, 129, 2.0), 5.0
    ray = camera.unproject(np.ones((129, 129)))[..., axis]
    depth = 1 / (1 - tangent * ray)  # a plane that recedes by 5 units for each unit across; depth within 10 % of 1
    whole = grid_mesh(depth, camera, long_side_vertices=long_side, edge_cut=6)
    cut = grid_mesh(depth, camera, long_side_vertices=long_side, edge_cut=4)
    assert len(whole.faces) == 2 * (long_side - 1) ** 2
    assert len(cut.faces) == 0


def test_a_far_corner_costs_one_face_only() -> None:
    for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
        depth = np.ones((2, 2))
        depth[corner] = 5.0
        faces = grid_mesh(depth, Camera(2, 2), long_side_vertices=2, edge_cut=1).faces
        assert sorted(faces.ravel()) == sorted(set(range(4)) - {2 * corner[0] + corner[1]})


def test_cells_are_split_along_the_smaller_change() -> None:
    ridge = np.array([[1.0, 1.5], [2.0, 1.0]])
    for depth, shared in ((ridge, {0, 3}), (ridge[::-1], {1, 2})):
        first, second = grid_mesh(depth, Camera(2, 2), long_side_vertices=2, edge_cut=0).faces.tolist()
        assert set(first) & set(second) == shared


def test_dropping_loose_vertices_keeps_every_triangle() -> None:
    depth = rough_depth(20, 20)
    depth[5, 5] = 50.0
    mesh = grid_mesh(depth, Camera(20, 20), long_side_vertices=20, edge_cut=30)
    compact = mesh.without_loose_vertices()
    assert len(compact.vertices) == len(mesh.vertices) - 1
    assert compact.faces.dtype == np.int32
    for name in ("vertices", "uv", "normals"):
        np.testing.assert_array_equal(getattr(compact, name)[compact.faces], getattr(mesh, name)[mesh.faces])


def test_sliders_move_the_same_vertices() -> None:
    camera, depth = Camera(50, 40), rough_depth(50, 40)
    mesh = grid_mesh(depth**2, camera, long_side_vertices=25, edge_cut=5)
    grid = pixel_grid(camera, 25)
    moved = grid.sample(depth) ** 2
    np.testing.assert_array_equal(grid_points(moved, camera, grid).reshape(-1, 3), mesh.vertices)
    np.testing.assert_array_equal(grid_faces(moved, grid_joins(moved, camera, grid, 5)), mesh.faces)


def test_depth_of_another_size_and_grids_too_small_are_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        grid_mesh(np.ones((3, 4)), Camera(3, 4), long_side_vertices=4, edge_cut=0)
    with pytest.raises(ValueError, match="two vertices"):
        grid_mesh(np.ones((1, 4)), Camera(4, 1), long_side_vertices=4, edge_cut=0)
    with pytest.raises(ValueError, match="two vertices"):
        grid_mesh(np.ones((4, 4)), Camera(4, 4), long_side_vertices=1, edge_cut=0)
