"""Scenes: repeatable, finite, exact where a closed form exists, and split into families that share no body."""

from __future__ import annotations

import math

import pytest
import torch

from engine.embedded.world.bodies import Placement
from engine.embedded.world.families import FAMILIES, LABELLED, UNSEEN
from engine.embedded.world.layout import Layout
from engine.embedded.world.scene import DEPTH_SCALE, MIN_DISPARITY, camera_rays, disparity_target, draw_scenes, see
from engine.embedded.world.textures import TILES, draw_tiles, sample_tiles


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_same_seed_gives_the_same_bytes_and_another_seed_does_not(name: str) -> None:
    first, again, other = (draw_scenes(torch.Generator().manual_seed(seed), FAMILIES[name], 2, (24, 32)) for seed in (5, 5, 6))
    assert torch.equal(first.image_srgb, again.image_srgb) and torch.equal(first.depth, again.depth)
    assert not torch.equal(first.depth, other.depth)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_scenes_are_finite_pictures_with_positive_varied_depth(name: str) -> None:
    scenes = draw_scenes(torch.Generator().manual_seed(1), FAMILIES[name], 16, (36, 48))
    assert scenes.image_srgb.shape == (16, 3, 36, 48) and scenes.depth.shape == (16, 1, 36, 48)
    assert scenes.image_srgb.min() >= 0 and scenes.image_srgb.max() <= 1
    assert scenes.depth.isfinite().all() and scenes.depth.min() > 0
    assert (scenes.image_srgb.std((1, 2, 3)) > 0.02).all()
    assert (scenes.depth.std((1, 2, 3)) > 0.01).all()


def test_families_share_no_body_and_no_relief() -> None:
    assert not set(LABELLED.bodies) & set(UNSEEN.bodies)
    assert not set(LABELLED.relief) & set(UNSEEN.relief)


def test_the_back_wall_of_a_turned_room_has_the_depth_of_a_slanted_plane() -> None:
    """A wall turned by a about y through (0, 0, -2): t = 2 / (1 + x tan a) for the ray (x, y, -1)."""
    angle = 0.3
    turn = torch.tensor([[[math.cos(angle), 0.0, math.sin(angle)], [0.0, 1.0, 0.0], [-math.sin(angle), 0.0, math.cos(angle)]]])
    half = 50.0
    centre = torch.tensor([[0.0, 0.0, -2.0]]) + half * turn[:, :, 2]
    layout = Layout(torch.eye(3)[None], torch.tensor([40.0]), Placement(centre, turn, torch.full((1, 3), half)), [])
    rays = camera_rays(layout.fov_deg, 6, 8)
    surface = see(layout, rays)
    torch.testing.assert_close(surface.t, 2 / (1 - rays[..., 0] * math.tan(angle)), atol=1e-4, rtol=1e-4)


def test_rays_span_the_field_of_view_across_the_longer_side() -> None:
    """The outer edge of the outer pixel lies at half the field of view."""
    rays = camera_rays(torch.tensor([60.0]), 3, 4).view(3, 4, 3)
    assert rays[0, 3, 0].item() * 4 / 3 == pytest.approx(math.tan(math.radians(30)), rel=1e-5)
    assert rays[0, 0, 1] > 0 > rays[2, 0, 1]


def test_disparity_target_puts_the_median_at_depth_two_and_a_half() -> None:
    depth = torch.tensor([[[[1.0, 2.0, 4.0]]]])
    pseudo_depth = DEPTH_SCALE / (disparity_target(depth) + MIN_DISPARITY)
    torch.testing.assert_close(pseudo_depth, depth * 1.25)


def test_every_tile_repeats_without_a_seam_and_is_not_flat() -> None:
    for kind in TILES:
        tile = draw_tiles(torch.Generator().manual_seed(2), (kind,), 1)
        assert tile.isfinite().all() and tile.std() > 0.01, kind


def test_sampling_a_tile_repeats_with_period_one_and_keeps_tiles_apart() -> None:
    tiles = torch.rand(3, 2, 64, 64, generator=torch.Generator().manual_seed(0))
    uv = torch.rand(50, 2, generator=torch.Generator().manual_seed(1))
    index = torch.arange(50) % 3
    torch.testing.assert_close(sample_tiles(tiles, index, uv), sample_tiles(tiles, index, uv + torch.tensor([2.0, -1.0])), atol=1e-3, rtol=0)
    centre = (torch.tensor([[10.0, 20.0]]) + 0.5) / 64
    torch.testing.assert_close(sample_tiles(tiles, torch.tensor([1]), centre)[0], tiles[1, :, 20, 10], atol=1e-4, rtol=0)
