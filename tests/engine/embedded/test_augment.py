"""Augmented scenes stay true: depth is cropped and mirrored with its picture and changes in no other way."""

from __future__ import annotations

import torch

from engine.embedded.augment import augment, restyle
from engine.embedded.world.scene import Scenes


def ramp_scenes() -> Scenes:
    """Return pictures that show their own depth, a ramp over columns."""
    ramp = torch.linspace(0, 1, 64).expand(2, 1, 48, 64)
    return Scenes(ramp.expand(-1, 3, -1, -1).contiguous(), ramp + 1)


def test_picture_and_depth_are_cropped_and_mirrored_together() -> None:
    mirrored = set()
    for seed in range(12):
        seen = augment(ramp_scenes(), torch.Generator().manual_seed(seed))
        assert seen.image_srgb.shape == (2, 3, 48, 64) and seen.depth.shape == (2, 1, 48, 64)
        assert seen.image_srgb.min() >= 0 and seen.image_srgb.max() <= 1
        columns = seen.depth[0, 0, 0]
        assert seen.depth.std(dim=2).max() == 0
        span = float((columns[-1] - columns[0]).abs())
        assert 0.57 < span <= 1
        mirrored.add(bool(columns[0] > columns[-1]))
        brightness = seen.image_srgb[0].mean(dim=(0, 1))
        assert torch.corrcoef(torch.stack([brightness, columns]))[0, 1] > 0.95
    assert mirrored == {True, False}


def test_the_same_generator_state_gives_the_same_scenes() -> None:
    first, second = (augment(ramp_scenes(), torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first.image_srgb, second.image_srgb) and torch.equal(first.depth, second.depth)


def test_another_style_changes_colours_and_texture_of_some_pictures_but_keeps_their_edges() -> None:
    left = torch.tensor([0.2, 0.4, 0.3]).view(1, 3, 1, 1).expand(64, -1, 48, 32)
    right = torch.tensor([0.8, 0.3, 0.6]).view(1, 3, 1, 1).expand(64, -1, 48, 32)
    picture = torch.cat([left, right], dim=-1)
    generator = torch.Generator().manual_seed(1)
    restyled = restyle(picture, generator)
    assert restyled.shape == picture.shape and restyled.min() >= 0 and restyled.max() <= 1
    untouched = (restyled - picture).abs().amax((1, 2, 3)) < 1e-6
    assert 0.2 < untouched.float().mean() < 0.6  # In the mean 0.65 · 0.6.
    away = (restyled[..., :28].mean((2, 3)) - restyled[..., 36:].mean((2, 3))).abs().amax(1)
    assert (away > 0.02).float().mean() > 0.9
    rough = restyled[..., 2:28].std((2, 3)).amax(1)
    assert (rough > 0.02).any() and (rough < 1e-6).any()
    assert torch.equal(restyled, restyle(picture, torch.Generator().manual_seed(1)))
