from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from engine.method.relight import (
    MIN_LINEAR,
    Light,
    composite,
    display_from_linear,
    normals_from_depth,
    pseudo_depth,
    relight,
    shade,
)


def light(x: float, y: float, *, shininess: float = 16.0, diffuse: float = 1.0) -> Light:
    return Light(
        xy=torch.tensor([[x, y]], dtype=torch.float64),
        shininess=torch.tensor([shininess], dtype=torch.float64),
        diffuse_specular=torch.tensor([[diffuse, 1 - diffuse]], dtype=torch.float64),
    )


def plane_normals(normal: tuple[float, float, float]) -> torch.Tensor:
    return functional.normalize(torch.tensor(normal, dtype=torch.float64), dim=0)[None, :, None, None].expand(1, 3, 4, 5)


def pixel_positions(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return x and y (H, W) of the pixels: the left and right columns at -W/H and W/H, the top and bottom rows at 1 and -1."""
    right, down = torch.arange(width, dtype=torch.float64) / (width - 1), torch.arange(height, dtype=torch.float64) / (height - 1)
    x, y = (2 * right - 1) * width / height, 1 - 2 * down
    return x.expand(height, width), y[:, None].expand(height, width)


def test_pseudo_depth_closed_form() -> None:
    raw = torch.tensor([[[-1.0, 0.0, 0.9]]], dtype=torch.float64)
    depth = pseudo_depth(raw, torch.zeros(1, dtype=torch.float64), depth_scale=7.0, min_disparity=0.1)
    torch.testing.assert_close(depth, torch.tensor([[[70.0, 70.0, 7.0]]], dtype=torch.float64))


def test_scale_offset_moves_depth_by_at_most_one_in_seven() -> None:
    raw = torch.rand(2, 3, 3, dtype=torch.float64)
    depth = pseudo_depth(raw, torch.tensor([100.0, -100.0], dtype=torch.float64), depth_scale=7.0, min_disparity=0.1)
    torch.testing.assert_close(depth * (raw + 0.1), torch.tensor([8.0, 6.0], dtype=torch.float64)[:, None, None].expand_as(raw))


def test_flat_surface_faces_the_viewer() -> None:
    normals = normals_from_depth(torch.full((2, 6, 7), 5.0))
    torch.testing.assert_close(normals, torch.tensor([0.0, 0.0, 1.0])[None, :, None, None].expand(2, 3, 6, 7))


@pytest.mark.parametrize(("height", "width"), [(9, 12), (12, 9), (9, 9)])
@pytest.mark.parametrize(("slope_x", "slope_y"), [(0.5, 0.0), (0.0, 0.5), (-0.3, 0.8)])
def test_tilted_plane_has_its_own_normal_everywhere(slope_x: float, slope_y: float, height: int, width: int) -> None:
    x, y = pixel_positions(height, width)
    depth = (4 + slope_x * x + slope_y * y)[None]
    normals = normals_from_depth(depth)
    expected = functional.normalize(torch.tensor([slope_x, slope_y, 1.0], dtype=torch.float64), dim=0)
    torch.testing.assert_close(normals, expected[None, :, None, None].expand_as(normals))


def test_sphere_normals_point_from_its_centre() -> None:
    x, y = (position[None] for position in pixel_positions(129, 129))
    radius_squared = x**2 + y**2
    depth = 5 - (2 - radius_squared.clamp(max=1)).sqrt()
    normals = normals_from_depth(depth)
    exact = torch.stack([x, y, 5 - depth], dim=1) / math.sqrt(2)
    inside = (radius_squared < 0.9)[:, None].expand_as(normals)
    torch.testing.assert_close(normals[inside], exact[inside], atol=2e-4, rtol=0)


def test_normals_are_differentiable() -> None:
    depth = torch.rand(1, 4, 5, dtype=torch.float64) + 2
    assert torch.autograd.gradcheck(normals_from_depth, depth.requires_grad_())


def test_light_straight_on_is_full() -> None:
    diffuse, specular = shade(plane_normals((0, 0, 1)), light(0, 0))
    torch.testing.assert_close(diffuse, torch.ones_like(diffuse))
    torch.testing.assert_close(specular, torch.ones_like(specular))


def test_grazing_light_gives_the_cosine() -> None:
    diffuse, specular = shade(plane_normals((0, 0, 1)), light(1, 0, shininess=4))
    torch.testing.assert_close(diffuse, torch.full_like(diffuse, math.cos(math.pi / 4)))
    torch.testing.assert_close(specular, torch.full_like(specular, math.cos(math.pi / 8) ** 4))


def test_light_from_behind_leaves_the_floor_value() -> None:
    away = plane_normals((-1, 0, 0))
    diffuse, _ = shade(away, light(1, 0))
    assert (diffuse == 0).all()
    relit = composite(torch.ones(1, 3, 4, 5, dtype=torch.float64), away, light(1, 0))
    assert (relit == MIN_LINEAR).all()


def test_surface_turned_to_the_right_is_lit_from_the_right() -> None:
    right, left = plane_normals((1, 0, 1)), plane_normals((-1, 0, 1))
    from_right = light(0.8, 0)
    assert (shade(right, from_right)[0] > shade(left, from_right)[0]).all()


def test_composite_closed_form() -> None:
    image_srgb = torch.full((1, 3, 4, 5), 0.5, dtype=torch.float64)
    relit = composite(image_srgb, plane_normals((0, 0, 1)), light(1, 0, shininess=8, diffuse=0.75))
    expected = 0.75 * math.cos(math.pi / 4) * 0.5**2.2 + 0.25 * math.cos(math.pi / 8) ** 8
    torch.testing.assert_close(relit, torch.full_like(relit, expected))
    torch.testing.assert_close(display_from_linear(relit) ** 2.2, relit)


def test_members_are_lit_by_their_own_lights() -> None:
    depth = torch.rand(3, 6, 7, dtype=torch.float64) + 3
    lights = [light(0.1, 0.9), light(-0.7, 0.2, diffuse=0.3), light(0.5, -0.5, shininess=64)]
    together = Light(**{name: torch.cat([getattr(one, name) for one in lights]) for name in ("xy", "shininess", "diffuse_specular")})
    image_srgb = torch.rand(1, 3, 6, 7, dtype=torch.float64)
    batched = relight(image_srgb, depth, together)
    alone = torch.cat([relight(image_srgb, depth[member : member + 1], one) for member, one in enumerate(lights)])
    torch.testing.assert_close(batched, alone)


def test_each_surface_is_lit_by_its_lights_in_turn() -> None:
    depth = torch.rand(2, 6, 7, dtype=torch.float64) + 3
    lights = [light(0.1, 0.9), light(-0.7, 0.2, diffuse=0.3), light(0.5, -0.5, shininess=64), light(-0.2, 0.4)]
    together = Light(**{name: torch.cat([getattr(one, name) for one in lights]) for name in ("xy", "shininess", "diffuse_specular")})
    image_srgb = torch.rand(1, 3, 6, 7, dtype=torch.float64)
    alone = torch.cat([relight(image_srgb, depth[number // 2][None], one) for number, one in enumerate(lights)])
    torch.testing.assert_close(relight(image_srgb, depth, together), alone)


def test_relit_is_differentiable_by_depth() -> None:
    depth = torch.rand(1, 4, 5, dtype=torch.float64) * 0.2 + 2
    image_srgb = torch.rand(1, 3, 4, 5, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda z: relight(image_srgb, z, light(0.3, -0.2, diffuse=0.6)), depth.requires_grad_(), atol=1e-5)
