from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import moderngl
import numpy as np
import pytest

from desktop.rendering.light import Light
from desktop.rendering.relight import Relighter
from desktop.rendering.srgb import linear_from_srgb8
from desktop.rendering.surface import LARGEST_PREVIEW_PX, Surface, preview_size_px, surface_from_comparison
from desktop.state.comparison import Comparison
from engine.api.errors import SettingsError
from engine.api.settings import MeshSettings
from engine.geometry.camera import Camera

SETTINGS = MeshSettings(near_far_ratio=3.0)
ALBEDO_LEVEL = 180


@pytest.fixture
def relighter(context: moderngl.Context) -> Iterator[Relighter]:
    relighter = Relighter(context)
    yield relighter
    relighter.release()


def srgb_from_linear(linear: np.ndarray) -> np.ndarray:
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


def blinn_phong(surface: Surface, light: Light) -> np.ndarray:
    """Return the picture in levels, from the formula alone, in float64 and with the rays taken from the camera."""
    width, height = surface.camera.width_px, surface.camera.height_px
    points = surface.camera.unproject(np.ones((height, width)))
    view_dir = -points / np.linalg.norm(points, axis=-1, keepdims=True)
    light_dir = np.array([light.x, light.y, light.height]) / np.sqrt(light.x**2 + light.y**2 + light.height**2)
    half_dir = view_dir + light_dir
    half_dir /= np.linalg.norm(half_dir, axis=-1, keepdims=True)
    normals = surface.normals.astype(np.float64)
    albedo = np.full_like(normals, 0.5) if light.clay else surface.albedo.astype(np.float64)
    facing = np.maximum(0, normals @ light_dir)[..., None]
    gloss = np.maximum(0.01, (normals * half_dir).sum(-1))[..., None] ** light.shininess
    lit = albedo * (light.ambient + light.diffuse * facing) + light.specular * gloss
    return 255 * srgb_from_linear(np.clip((1 - light.original) * lit + light.original * albedo, 0, 1))


def plane(normal: tuple[float, float, float], shape: tuple[int, int] = (8, 10)) -> Surface:
    """Return a plane of one colour; a sharp lens, so that every ray is nearly the axis."""
    unit = np.asarray(normal, np.float32) / np.float32(np.linalg.norm(normal))
    albedo = np.full((*shape, 3), linear_from_srgb8(np.array([ALBEDO_LEVEL], np.uint8))[0], np.float32)
    return Surface(
        albedo=albedo, normals=np.broadcast_to(unit, (*shape, 3)), depth=np.ones(shape, np.float32), camera=Camera(shape[1], shape[0], 1.0)
    )


@pytest.mark.parametrize(
    "light",
    [
        Light(),
        Light(x=1.2, y=-0.4, height=0.3, ambient=0.0, specular=0.8, shininess=8.0),
        Light(x=0.0, y=0.0, specular=1.0, shininess=128.0),
        Light(x=-1.3, y=0.9, height=0.1, original=0.4),
        Light(x=0.5, y=1.0, clay=True),
        Light(ambient=1.0, diffuse=0.0, specular=0.0),
    ],
)
def test_a_dragged_light_changes_the_picture_as_the_formula_says(light: Light, relighter: Relighter, comparison: Comparison) -> None:
    for which in ("base", "refined"):
        surface = surface_from_comparison(comparison, which, SETTINGS, comparison.size_px)
        relighter.load(surface)
        picture = relighter.relight(light)
        assert picture.shape == (72, 96, 4)
        assert np.abs(picture[..., :3] - blinn_phong(surface, light)).max() <= 1.0
        assert (picture[..., 3] == 255).all()


def test_light_straight_on_grazing_and_behind(relighter: Relighter) -> None:
    light = Light(x=0.0, y=0.0, ambient=0.0, diffuse=1.0, specular=0.0)
    relighter.load(plane((0, 0, 1)))
    assert (relighter.relight(light)[..., :3] == ALBEDO_LEVEL).all()
    relighter.load(plane((1, 0, 1)))  # half way: cos 45 degrees of the albedo
    expected = 255 * srgb_from_linear(np.sqrt(0.5) * linear_from_srgb8(np.array([ALBEDO_LEVEL], np.uint8)))
    assert np.abs(relighter.relight(light)[..., :3] - expected).max() <= 1
    relighter.load(plane((1, 0, 0)))
    assert (relighter.relight(light)[..., :3] == 0).all()
    relighter.load(plane((-1, 0, 1)))
    assert (relighter.relight(replace(light, x=4.0, height=0.05))[..., :3] == 0).all()


def test_the_highlight_is_where_the_half_vector_meets_the_normal(relighter: Relighter, comparison: Comparison) -> None:
    surface = surface_from_comparison(comparison, "refined", SETTINGS, comparison.size_px)
    relighter.load(surface)
    gloss = Light(x=0.8, y=0.5, ambient=0.0, diffuse=0.0, specular=1.0, shininess=60.0)
    row, column = np.unravel_index(relighter.relight(gloss)[..., 0].argmax(), surface.depth.shape)
    view_dir = -surface.camera.unproject(surface.depth)[row, column]
    half_dir = view_dir / np.linalg.norm(view_dir) + gloss.light_dir
    assert surface.normals[row, column] @ (half_dir / np.linalg.norm(half_dir)) > 0.99


def test_light_from_the_left_brightens_the_left_of_a_ball_and_from_above_its_top(relighter: Relighter, comparison: Comparison) -> None:
    surface = surface_from_comparison(comparison, "refined", SETTINGS, comparison.size_px)
    relighter.load(surface)
    rows, columns = np.nonzero(comparison.disparity_refined > 3)
    left, top = columns < columns.mean() - 5, rows < rows.mean() - 5
    shape = Light(clay=True, ambient=0.0, specular=0.0, x=-2.0, y=0.0)
    ball = relighter.relight(shape)[rows, columns, 0].astype(float)
    assert ball[left].mean() > 2 * ball[~left].mean()
    ball = relighter.relight(replace(shape, x=0.0, y=2.0))[rows, columns, 0].astype(float)
    assert ball[top].mean() > 2 * ball[~top].mean()


def test_all_of_the_original_is_the_picture_itself(relighter: Relighter, comparison: Comparison) -> None:
    relighter.load(surface_from_comparison(comparison, "base", SETTINGS, comparison.size_px))
    np.testing.assert_array_equal(relighter.relight(Light(original=1.0))[..., :3], comparison.image_srgb)


def test_a_ball_throws_its_shadow_away_from_the_light(relighter: Relighter, comparison: Comparison) -> None:
    relighter.load(surface_from_comparison(comparison, "refined", MeshSettings(near_far_ratio=1.3), comparison.size_px))
    light = Light(x=-1.5, y=0.0, height=1.0, clay=True, specular=0.0)
    change = relighter.relight(light).astype(int)[..., 0] - relighter.relight(replace(light, shadows=True))[..., 0]
    assert change.min() == 0
    wall = comparison.disparity_refined == 2
    centre = np.nonzero(~wall)[1].mean()
    shadow = np.nonzero((change > 50) & wall)[1]
    assert len(shadow) > 100
    assert (shadow > centre).mean() > 0.95
    flat = plane((0, 0, 1), (40, 60))
    relighter.load(replace(flat, camera=Camera(60, 40, 50.0)))
    np.testing.assert_array_equal(relighter.relight(replace(light, shadows=True)), relighter.relight(light))


def test_a_new_surface_replaces_the_old_one_whatever_its_size(
    relighter: Relighter, comparison: Comparison, comparison_of: Callable[..., Comparison]
) -> None:
    other = comparison_of(41, 83)
    for each in (comparison, other, comparison):
        surface = surface_from_comparison(each, "base", SETTINGS, each.size_px)
        relighter.load(surface)
        assert np.abs(relighter.relight(Light())[..., :3] - blinn_phong(surface, Light())).max() <= 1.0


def test_relighting_nothing_is_refused(relighter: Relighter) -> None:
    with pytest.raises(ValueError, match="no surface"):
        relighter.relight(Light())


def test_previews_fit_and_never_exceed_the_picture() -> None:
    assert preview_size_px((96, 72), (500, 500)) == (96, 72)
    assert preview_size_px((4000, 3000), (400, 400)) == (400, 300)
    width, height = preview_size_px((6000, 4000), (9000, 9000))
    assert 0.99 * LARGEST_PREVIEW_PX < width * height <= LARGEST_PREVIEW_PX
    assert preview_size_px((5000, 3), (100, 100)) == (100, 2)


def test_a_preview_is_the_same_shape_at_another_size(comparison_of: Callable[..., Comparison]) -> None:
    large, small = (400, 300), (100, 75)
    comparison = comparison_of(*large)
    whole, preview = (surface_from_comparison(comparison, "base", SETTINGS, size) for size in (large, small))
    assert preview.camera.fov_deg == whole.camera.fov_deg == comparison.fov_deg
    means = whole.normals.reshape(75, 4, 100, 4, 3).mean(axis=(1, 3))
    assert np.abs(means - preview.normals)[1:-1, 1:-1].max() < 0.03
    assert abs(float(preview.depth.max()) - float(whole.depth.max())) < 0.01


def test_lights_that_cannot_be_are_refused() -> None:
    for field, value in (("height", 0.0), ("shininess", 0.5), ("original", 1.5), ("x", float("nan"))):
        with pytest.raises(SettingsError, match=field):
            Light(**{field: value})
