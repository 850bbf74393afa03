from __future__ import annotations

import torch
from torch import Tensor

from engine.models.views import see_in_views


def columns(picture_srgb: Tensor) -> Tensor:
    """Return (1, 1, H, W): how far to the right each pixel is, from 0 to 1."""
    height, width = picture_srgb.shape[-2:]
    return torch.linspace(0, 1, width).expand(1, 1, height, width)


def test_views_come_in_the_pictures_place_and_size() -> None:
    """What lies to the right in a mirror image lies to the left in the picture."""
    fields = see_in_views(columns, torch.rand(1, 3, 32, 48), (16, 24), scales=(0.5, 1.0, 1.5), multiple_px=8)
    assert fields.shape == (6, 1, 16, 24)
    rising = torch.linspace(0, 1, 24).expand(3, 1, 16, 24)
    torch.testing.assert_close(fields[0::2], rising, atol=0.05, rtol=0)
    torch.testing.assert_close(fields[1::2], 1 - rising, atol=0.05, rtol=0)


def test_each_view_has_its_size_in_whole_multiples_and_stays_in_range() -> None:
    sizes: list[tuple[int, ...]] = []

    def see(view: Tensor) -> Tensor:
        sizes.append(tuple(view.shape))
        assert view.min() >= 0 and view.max() <= 1
        return view[:, :1]

    checks = (torch.arange(24)[:, None] // 3 + torch.arange(40) // 3).remainder(2).expand(1, 3, 24, 40).float()  # Bicubic resampling overshoots.
    see_in_views(see, checks, (24, 40), scales=(0.1, 0.8, 1.2), multiple_px=8)
    assert sizes == [(1, 3, 8, 8)] * 2 + [(1, 3, 16, 32)] * 2 + [(1, 3, 32, 48)] * 2
