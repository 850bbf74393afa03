"""Scenes seen anew: cropped, mirrored and in other colours. B scenes, H W pixels."""

from __future__ import annotations

import torch
from torch.nn.functional import interpolate

from .world.scene import Scenes
from .world.textures import uniform


def augment(scenes: Scenes, generator: torch.Generator) -> Scenes:
    """Return ``scenes`` cropped to 75-100 %, mirrored or not, with other colours, at their own size."""
    height, width = scenes.depth.shape[-2:]
    share, top, left, mirrored = uniform(generator, 4).tolist()
    rows, columns = (round(side * (0.75 + 0.25 * share)) for side in (height, width))
    y, x = round(top * (height - rows)), round(left * (width - columns))
    image, depth = (field[..., y : y + rows, x : x + columns] for field in (scenes.image_srgb, scenes.depth))
    image, depth = interpolate(image, (height, width), mode="bilinear"), interpolate(depth, (height, width))
    if mirrored < 0.5:
        image, depth = image.flip(-1), depth.flip(-1)
    batch = len(depth)
    gains, gamma = uniform(generator, batch, 3, 1, 1, low=0.85, high=1.15), uniform(generator, batch, 1, 1, 1, low=0.7, high=1.4)
    image = (image * gains).clamp(0, 1) ** gamma
    grey = image.mean(1, keepdim=True)
    saturation = uniform(generator, batch, 1, 1, 1, high=2.5)
    return Scenes((grey + saturation * (image - grey)).clamp(0, 1), depth)
