"""A picture, a base and honest or broken refinements of it, small enough to judge in a fraction of a second."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

HEIGHT, WIDTH = 72, 96


def grid() -> tuple[Tensor, Tensor]:
    """Return x in [-1, 1] and y in [-1, 1], each (HEIGHT, WIDTH)."""
    down, across = torch.meshgrid(torch.linspace(-1, 1, HEIGHT), torch.linspace(-1, 1, WIDTH), indexing="ij")
    return across, down


@pytest.fixture
def base() -> Tensor:
    """A floor that comes nearer toward the bottom, and a ball on it."""
    across, down = grid()
    return 3 + down + 1.5 * torch.exp(-8 * (across**2 + (down - 0.2) ** 2))


@pytest.fixture
def relief() -> Tensor:
    """An honest change: waves of a few pixels, smooth from pixel to pixel, everywhere alike."""
    across, down = grid()
    return 0.05 * torch.sin(14 * across) * torch.cos(11 * down)


@pytest.fixture
def image_srgb() -> Tensor:
    """(3, HEIGHT, WIDTH), neither dark nor white nor blue, with a print of its own in random blocks."""
    blocks = torch.rand(HEIGHT // 4, WIDTH // 4, generator=torch.Generator().manual_seed(5)).repeat_interleave(4, 0).repeat_interleave(4, 1)
    return torch.stack([0.5 + 0.2 * blocks, 0.4 + 0.2 * blocks, 0.3 + 0.2 * blocks])
