"""A picture seen in several ways: at several sizes, each mirrored too. The networks' errors differ from view to view.

Shapes: V views, H W picture pixels, h w the pixels of what is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional


def see_in_views(
    see: Callable[[Tensor], Tensor],
    picture_srgb: Tensor,
    size: tuple[int, int],
    *,
    scales: Sequence[float],
    multiple_px: int,
    unmirrored: Callable[[Tensor], Tensor] = lambda field: field.flip(-1),
) -> Tensor:
    """Return what ``see`` makes of each view, (V, C, h, w) in the picture's place: of each size first the picture, then its mirror image.

    Args:
        see: picture (1, 3, H', W') to field (1, C, h', w'); given ``picture_srgb`` itself for the view of its own size.
        picture_srgb: (1, 3, H, W) in [0, 1].
        size: (h, w), what all fields are resampled to.
        scales: sizes of the views, in parts of the picture's.
        multiple_px: the sides of a view are multiples of this.
        unmirrored: takes the field of a mirror image back into the picture's place.
    """
    fields = []
    for scale in scales:
        sides = [max(1, round(scale * side / multiple_px)) * multiple_px for side in picture_srgb.shape[-2:]]
        view = picture_srgb
        if sides != list(picture_srgb.shape[-2:]):
            view = functional.interpolate(picture_srgb, sides, mode="bicubic", antialias=True).clamp(0, 1)
        for field in (see(view), unmirrored(see(view.flip(-1)))):
            fields.append(functional.interpolate(field, size, mode="bilinear", antialias=True))
    return torch.cat(fields)
