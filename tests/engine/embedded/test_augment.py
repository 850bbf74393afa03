"""Augmented scenes stay true: depth is cropped and mirrored with its picture and changes in no other way."""

from __future__ import annotations

import torch

from engine.embedded.augment import augment
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
