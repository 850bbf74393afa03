"""Scenes seen anew: cropped, mirrored, blurred or sharpened, and in other colours. B scenes, H W pixels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

from .world.scene import Scenes
from .world.textures import uniform


def augment(scenes: Scenes, generator: torch.Generator) -> Scenes:
    """Return ``scenes`` cropped to 60-100 %, mirrored or not, with other sharpness, contrast and colours, at their own size."""
    height, width = scenes.depth.shape[-2:]
    share, top, left, mirrored = uniform(generator, 4).tolist()
    rows, columns = (round(side * (0.6 + 0.4 * share)) for side in (height, width))
    y, x = round(top * (height - rows)), round(left * (width - columns))
    image, depth = (field[..., y : y + rows, x : x + columns] for field in (scenes.image_srgb, scenes.depth))
    image, depth = interpolate(image, (height, width), mode="bilinear"), interpolate(depth, (height, width))
    if mirrored < 0.5:
        image, depth = image.flip(-1), depth.flip(-1)
    batch = len(depth)
    image = _sharpened(image, uniform(generator, batch, 1, 1, 1, low=-1.0, high=1.0))
    middle = image.mean((2, 3), keepdim=True)
    image = (middle + uniform(generator, batch, 1, 1, 1, low=0.7, high=1.3) * (image - middle)).clamp(0, 1)
    gains, gamma = uniform(generator, batch, 3, 1, 1, low=0.85, high=1.15), uniform(generator, batch, 1, 1, 1, low=0.7, high=1.4)
    image = (image * gains).clamp(0, 1) ** gamma
    grey = image.mean(1, keepdim=True)
    saturation = uniform(generator, batch, 1, 1, 1, high=2.5)
    return Scenes((grey + saturation * (image - grey)).clamp(0, 1), depth)


def _sharpened(image: Tensor, strength: Tensor) -> Tensor:
    """Return ``image`` (B, 3, H, W) with its finest detail, what a mean over 3 by 3 pixels leaves out, times 1 + ``strength`` (B, 1, 1, 1)."""
    mean = avg_pool2d(pad(image, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return (image + strength * (image - mean)).clamp(0, 1)
