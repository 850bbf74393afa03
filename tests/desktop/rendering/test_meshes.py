from __future__ import annotations

from collections.abc import Callable, Iterator

import moderngl
import numpy as np
import pytest
from PIL import Image, ImageFilter

from desktop.rendering.light import Light
from desktop.rendering.meshes import Look, MeshRenderer
from desktop.rendering.orbit import OrbitCamera
from desktop.rendering.shapes import mesh_from_comparison, pivot_of
from desktop.state.comparison import Comparison
from engine.api.settings import MeshSettings
from engine.export.colours import normals_to_srgb8
from engine.geometry.mesh import grid_mesh

BACKGROUND = (255, 0, 255)
PLAIN = Look(shading="picture", background_srgb=BACKGROUND)
UNCUT = MeshSettings(edge_cut=0.0, near_far_ratio=2.0)
CUT = MeshSettings(edge_cut=3.0, near_far_ratio=2.0)


@pytest.fixture
def renderer(context: moderngl.Context) -> Iterator[MeshRenderer]:
    renderer = MeshRenderer(context)
    yield renderer
    renderer.release()


Draw = Callable[..., np.ndarray]


@pytest.fixture
def draw(renderer: MeshRenderer, comparison: Comparison) -> Draw:
    """Return a function that draws a side of ``comparison``, (h, w, 3)."""
    renderer.load_picture(comparison.image_srgb)

    def draw(
        look: Look = PLAIN,
        camera: OrbitCamera | None = None,
        settings: MeshSettings = UNCUT,
        size_px: tuple[int, int] = (96, 72),
        which: str = "refined",
        smooth: bool = False,
    ) -> np.ndarray:
        mesh = renderer.load_mesh(mesh_from_comparison(comparison, which, settings))
        picture = renderer.draw(mesh, camera or OrbitCamera(), pivot_of(comparison, settings), look, size_px, smooth=smooth)
        mesh.release()
        assert (picture[..., 3] == 255).all()
        return picture[..., :3].astype(int)

    return draw


def is_background(picture: np.ndarray) -> np.ndarray:
    return (picture == BACKGROUND).all(axis=-1)


def test_the_mesh_shown_is_the_mesh_of_the_whole_depth(comparison: Comparison) -> None:
    for which in ("base", "refined"):
        settings = MeshSettings(long_side_vertices=31, edge_cut=3.0, near_far_ratio=3.0)
        shown = mesh_from_comparison(comparison, which, settings)
        expected = grid_mesh(comparison.depth(which, settings), comparison.camera(settings), long_side_vertices=31, edge_cut=3.0)
        for name in ("vertices", "faces", "uv", "normals"):
            np.testing.assert_array_equal(getattr(shown, name), getattr(expected, name))


@pytest.mark.parametrize("smooth", [False, True])
def test_the_photo_view_shows_the_photo_upright_and_not_mirrored(draw: Draw, comparison: Comparison, smooth: bool) -> None:
    picture = draw(which="base", smooth=smooth)
    inside = (slice(2, -2), slice(2, -2))  # vertices are pixel centres, so half a pixel at the border is bare
    assert np.abs(picture - comparison.image_srgb)[inside].max() <= 2
    assert np.abs(picture[:, ::-1] - comparison.image_srgb)[inside].mean() > 20
    assert np.abs(picture[::-1] - comparison.image_srgb)[inside].mean() > 20


def test_a_larger_canvas_shows_the_same_with_a_margin_of_background(draw: Draw, comparison: Comparison) -> None:
    picture = draw(size_px=(96 * 4, 72 * 2))
    assert is_background(picture[:, :90]).all()
    assert is_background(picture[:, -90:]).all()
    assert not is_background(picture[4:-4, 100:-100]).any()


def test_from_the_right_the_ball_lies_left_and_from_above_it_lies_low(draw: Draw) -> None:
    wall = Look(shading="picture", background_srgb=(0, 0, 0))
    cameras = OrbitCamera(), OrbitCamera(yaw_deg=20.0), OrbitCamera(pitch_deg=20.0)
    front, aside, above = (np.argwhere(draw(wall, camera, CUT)[..., 2] > 120).mean(axis=0) for camera in cameras)
    # The ball, the only blue in the picture, is nearer than the pivot.
    assert aside[1] < front[1] - 5
    assert above[0] > front[0] + 5


def test_edges_are_cut_where_the_settings_say(draw: Draw, comparison: Comparison) -> None:
    aside = OrbitCamera(yaw_deg=35.0)
    whole, cut = draw(camera=aside, settings=UNCUT), draw(camera=aside, settings=CUT)
    assert is_background(cut).sum() > is_background(whole).sum() + 100
    ball = Image.fromarray(comparison.disparity_refined > 2)
    rim = np.asarray(ball.convert("L").filter(ImageFilter.MaxFilter(5))) != np.asarray(ball.convert("L").filter(ImageFilter.MinFilter(5)))
    bare = is_background(draw(settings=CUT))[2:-2, 2:-2]
    assert bare.sum() > 50
    assert not (bare & ~rim[2:-2, 2:-2]).any()


def test_normals_have_the_colours_of_the_normal_map(draw: Draw, comparison: Comparison) -> None:
    colours = normals_to_srgb8(comparison.normals("base", UNCUT)).astype(int)
    picture = draw(Look(shading="normals"), which="base")
    assert np.abs(picture - colours)[2:-2, 2:-2].max() <= 3


def test_light_falls_as_the_formula_says(draw: Draw, comparison: Comparison) -> None:
    light = Light(x=1.5, y=0.5, height=0.7, ambient=0.1, diffuse=0.8, specular=0.0)
    picture = draw(Look(shading="clay", light=light), which="base")
    lit = 0.5 * (0.1 + 0.8 * np.maximum(0, comparison.normals("base", UNCUT) @ np.array(light.light_dir)))
    expected = 255 * (1.055 * lit ** (1 / 2.4) - 0.055)
    assert np.abs(picture - expected[..., None])[2:-2, 2:-2].max() <= 2


def test_the_back_is_darker(draw: Draw) -> None:
    front, back = draw(), draw(camera=OrbitCamera(yaw_deg=180.0))
    assert back[~is_background(back)].max() < 0.75 * front.max()
    assert (~is_background(back)).sum() > 100


def test_wires_are_drawn_over_the_faces(draw: Draw) -> None:
    coarse = MeshSettings(long_side_vertices=9, edge_cut=0.0)
    bare, wired = (draw(Look(shading="clay", wire=wire, background_srgb=BACKGROUND), settings=coarse, size_px=(384, 288)) for wire in (False, True))
    changed = (bare != wired).any(axis=-1)
    assert 0.02 < changed.mean() < 0.25


def test_a_mesh_without_faces_is_background(draw: Draw, renderer: MeshRenderer, comparison: Comparison) -> None:
    mesh = mesh_from_comparison(comparison, "refined", UNCUT)
    empty = renderer.load_mesh(type(mesh)(mesh.vertices, mesh.faces[:0], mesh.uv, mesh.normals))
    assert is_background(renderer.draw(empty, OrbitCamera(), pivot_of(comparison, UNCUT), PLAIN, (40, 30), smooth=False)[..., :3]).all()
    empty.release()


def test_a_mesh_without_a_picture_is_refused(renderer: MeshRenderer, comparison: Comparison) -> None:
    mesh = renderer.load_mesh(mesh_from_comparison(comparison, "base", UNCUT))
    with pytest.raises(ValueError, match="no picture"):
        renderer.draw(mesh, OrbitCamera(), pivot_of(comparison, UNCUT), PLAIN, (40, 30), smooth=False)
    mesh.release()


def test_the_pivot_is_between_nearest_and_farthest_and_its_sphere_holds_all(comparison: Comparison) -> None:
    settings = MeshSettings(near_far_ratio=6.0)
    pivot = pivot_of(comparison, settings)
    assert 1 < pivot.depth < 6
    for which in ("base", "refined"):
        vertices = mesh_from_comparison(comparison, which, settings).vertices
        assert np.linalg.norm(vertices - pivot.centre, axis=1).max() <= pivot.radius


def test_a_million_triangles_are_drawn(renderer: MeshRenderer, comparison_of: Callable[..., Comparison]) -> None:
    large = comparison_of(820, 620)
    settings = MeshSettings(long_side_vertices=8192, edge_cut=0.0)
    mesh = mesh_from_comparison(large, "refined", settings)
    assert len(mesh.faces) > 1_000_000
    renderer.load_picture(large.image_srgb)
    loaded = renderer.load_mesh(mesh)
    picture = renderer.draw(loaded, OrbitCamera(), pivot_of(large, settings), PLAIN, large.size_px, smooth=False)
    loaded.release()
    assert np.abs(picture[2:-2, 2:-2, :3].astype(int) - large.image_srgb[2:-2, 2:-2]).max() <= 2
