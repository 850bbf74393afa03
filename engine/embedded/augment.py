"""Scenes seen anew: cropped, mirrored, blurred or sharpened, in other colours, and in other styles. B scenes, H W pixels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, interpolate, pad

from .world.scene import Scenes
from .world.textures import uniform

_RESTYLED_SHARE = 0.35
_TEXTURED_SHARE = 0.4
_MOST_TEXTURE = 0.2


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


def restyle(image_srgb: Tensor, generator: torch.Generator) -> Tensor:
    """Return pictures (B, 3, H, W) of which some have another style, so that depth is learned from shape and not from how made scenes look.

    Some are mixed with themselves under a random convolution (arXiv 2007.13003). Some wear fine texture, which goes by colour as real materials do.
    """
    for share, other_style in ((_RESTYLED_SHARE, _convolved), (_TEXTURED_SHARE, _textured)):
        rows = torch.randperm(len(image_srgb), generator=generator, device=generator.device)[: round(share * len(image_srgb))]
        if len(rows):
            image_srgb = image_srgb.index_copy(0, rows, other_style(image_srgb[rows], generator))
    return image_srgb


def _convolved(image: Tensor, generator: torch.Generator) -> Tensor:
    batch, channels = image.shape[:2]
    side = (1, 3, 5)[int(torch.randint(3, (1,), generator=generator, device=generator.device))]
    kernels = torch.randn((batch * channels, channels, side, side), generator=generator, device=generator.device)
    middle, spread = image.mean((2, 3), keepdim=True), image.std((2, 3), keepdim=True)
    padded = pad(image - middle, (side // 2,) * 4, mode="replicate")
    other = conv2d(padded.flatten(0, 1)[None], kernels, groups=batch).view_as(image)
    other = middle + spread * other / other.std((1, 2, 3), keepdim=True).clamp_min(1e-4)
    return torch.lerp(image, other, uniform(generator, batch, 1, 1, 1)).clamp(0, 1)


def _textured(image: Tensor, generator: torch.Generator) -> Tensor:
    batch, _, height, width = image.shape
    rows, columns = (int(side) for side in torch.randint(1, 5, (2,), generator=generator, device=generator.device))
    noise = torch.randn((batch, 1, height + rows - 1, width + columns - 1), generator=generator, device=generator.device)
    texture = avg_pool2d(noise, (rows, columns), stride=1) * (rows * columns) ** 0.5
    colour = avg_pool2d(pad(image, (2, 2, 2, 2), mode="replicate"), 5, stride=1)
    along = torch.randn((batch, 3, 1, 1), generator=generator, device=generator.device)
    phase = 8 * (colour * along).sum(1, keepdim=True) + uniform(generator, batch, 1, 1, 1, high=6.3)
    strength = uniform(generator, batch, 1, 1, 1, high=_MOST_TEXTURE)
    return (image * (1 + strength * (phase.sin() > 0) * texture)).clamp(0, 1)
