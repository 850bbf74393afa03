"""Square tiles that repeat: colours and heights that the world's surfaces wear.

Each tile is made from seeded noise, so a bank is a pure function of its generator. T tiles, S pixels a side.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, pad

TILE_PX = 64
_BORDER_PX = 1


def uniform(generator: torch.Generator, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Return uniform numbers in [low, high) on the generator's own device."""
    return torch.rand(shape, generator=generator, device=generator.device) * (high - low) + low


def _grid(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    line = (torch.arange(TILE_PX, device=generator.device) + 0.5) / TILE_PX
    return line[None, :].expand(TILE_PX, TILE_PX), line[:, None].expand(TILE_PX, TILE_PX)


def fractal_noise(generator: torch.Generator, count: int, roughness: float) -> Tensor:
    """Return (count, S, S) periodic noise, mean 0 and deviation 1, with amplitude falling as frequency^-roughness."""
    frequency = torch.fft.fftfreq(TILE_PX, device=generator.device) * TILE_PX
    radius = (frequency[:, None] ** 2 + frequency[None, :] ** 2).sqrt().clamp_min(1)
    white = torch.randn((count, TILE_PX, TILE_PX), generator=generator, device=generator.device)
    noise = torch.fft.ifft2(torch.fft.fft2(white) * radius**-roughness).real
    noise = noise - noise.mean((1, 2), keepdim=True)
    return noise / noise.std((1, 2), keepdim=True)


def _count(generator: torch.Generator, low: int, high: int) -> int:
    return int(torch.randint(low, high, (1,), generator=generator, device=generator.device))


def _plain(generator: torch.Generator) -> Tensor:
    return 0.04 * fractal_noise(generator, 1, 0.4)[0]


def _clouds(generator: torch.Generator) -> Tensor:
    return fractal_noise(generator, 1, 1.6)[0]


def _speckle(generator: torch.Generator) -> Tensor:
    return fractal_noise(generator, 1, 0.6)[0]


def _stripes(generator: torch.Generator) -> Tensor:
    u, _ = _grid(generator)
    return torch.tanh(6 * torch.sin(2 * torch.pi * _count(generator, 2, 9) * u))


def _checks(generator: torch.Generator) -> Tensor:
    u, v = _grid(generator)
    cells = _count(generator, 1, 5)
    return torch.tanh(9 * torch.sin(2 * torch.pi * cells * u) * torch.sin(2 * torch.pi * cells * v))


def _wood(generator: torch.Generator) -> Tensor:
    u, _ = _grid(generator)
    warp = fractal_noise(generator, 1, 2.2)[0].mean(0, keepdim=True) + 0.15 * fractal_noise(generator, 1, 1.8)[0]
    return torch.sin(2 * torch.pi * (_count(generator, 2, 6) * u) + 2 * warp) + 0.3 * fractal_noise(generator, 1, 0.7)[0]


def _print(generator: torch.Generator) -> Tensor:
    """Lines of words, as on a page or a cover."""
    u, v = _grid(generator)
    lines = _count(generator, 4, 11)
    row, column = (v * lines).floor(), (u * 4 * lines).floor()
    letters = torch.sin(row * 12.9898 + column * 78.233 + _count(generator, 0, 99)) * 43758.5453
    inked = ((letters - letters.floor()) > 0.35) & (((v * lines) % 1 - 0.5).abs() < 0.3)
    return 1 - 2 * inked.float()


def _collage(generator: torch.Generator) -> Tensor:
    """Rectangles over one another, as in a picture or a poster."""
    u, v = _grid(generator)
    tile = 0.5 * fractal_noise(generator, 1, 1.8)[0]
    for _ in range(7):
        x, y, width, height, value = uniform(generator, 5).tolist()
        inside = ((u - x).abs() < 0.05 + 0.25 * width) & ((v - y).abs() < 0.05 + 0.25 * height)
        tile = torch.where(inside, 3 * value - 1.5 + 0.3 * tile, tile)
    return tile


def _cells(generator: torch.Generator) -> Tensor:
    """Distance to the nearest of scattered points: scales, pebbles, leather."""
    u, v = _grid(generator)
    sites = uniform(generator, _count(generator, 8, 40), 2)
    du, dv = (u[None] - sites[:, 0, None, None]).abs(), (v[None] - sites[:, 1, None, None]).abs()
    distance = (torch.minimum(du, 1 - du) ** 2 + torch.minimum(dv, 1 - dv) ** 2).sqrt().amin(0)
    return 1.5 - 3.5 * distance / distance.amax()


def _bricks(generator: torch.Generator) -> Tensor:
    u, v = _grid(generator)
    rows = 2 * _count(generator, 2, 5)
    y = v * rows
    x = u * rows / 2 + 0.5 * (y.floor() % 2)
    edge = torch.minimum(((x % 1) - 0.5).abs().sub(0.5).abs() * 2, ((y % 1) - 0.5).abs().sub(0.5).abs())
    return torch.tanh(12 * (edge - 0.1)) + 0.15 * fractal_noise(generator, 1, 0.8)[0]


def _grooves(generator: torch.Generator) -> Tensor:
    u, _ = _grid(generator)
    return torch.sin(2 * torch.pi * _count(generator, 2, 7) * u).abs() * 2 - 1


def _folds(generator: torch.Generator) -> Tensor:
    """Long soft waves that bend: cloth and curtains."""
    u, v = _grid(generator)
    bend = 0.5 * fractal_noise(generator, 1, 2.5)[0] + torch.sin(2 * torch.pi * v)
    return torch.sin(2 * torch.pi * _count(generator, 1, 4) * u + bend) + 0.4 * fractal_noise(generator, 1, 2.5)[0]


def _ripples(generator: torch.Generator) -> Tensor:
    u, v = _grid(generator)
    radius = ((u - 0.5) ** 2 + (v - 0.5) ** 2).sqrt()
    return torch.sin(2 * torch.pi * radius * _count(generator, 3, 8)) * (1 - 2 * radius).clamp_min(0)


def _studs(generator: torch.Generator) -> Tensor:
    u, v = _grid(generator)
    count = _count(generator, 2, 6)
    radius = (((u * count) % 1 - 0.5) ** 2 + ((v * count) % 1 - 0.5) ** 2).sqrt()
    return (0.16 - radius**2).clamp_min(0).sqrt() * 4 - 1


TILES: dict[str, Callable[[torch.Generator], Tensor]] = {
    "plain": _plain,
    "clouds": _clouds,
    "speckle": _speckle,
    "stripes": _stripes,
    "checks": _checks,
    "wood": _wood,
    "print": _print,
    "collage": _collage,
    "cells": _cells,
    "bricks": _bricks,
    "grooves": _grooves,
    "folds": _folds,
    "ripples": _ripples,
    "studs": _studs,
}


def draw_tiles(generator: torch.Generator, kinds: tuple[str, ...], count: int) -> Tensor:
    """Return (count, S, S) tiles of kinds drawn at random from ``kinds``, roughly within [-2, 2]."""
    chosen = torch.randint(len(kinds), (count,), generator=generator, device=generator.device).tolist()
    return torch.stack([TILES[kinds[index]](generator) for index in chosen])


def draw_albedo_tiles(generator: torch.Generator, kinds: tuple[str, ...], count: int) -> Tensor:
    """Return (count, 3, S, S) colour tiles, linear reflectance in [0.02, 0.95]: each a way between two or three colours."""
    pattern = draw_tiles(generator, kinds, count).clamp(-2, 2)[:, None]
    grey = uniform(generator, count, 1, 1, 1, low=0.04, high=0.85)
    tint = 1 + uniform(generator, count, 1, 1, 1, high=0.8) ** 2 * uniform(generator, count, 3, 1, 1, low=-1, high=1)
    contrast = 0.6 * uniform(generator, count, 1, 1, 1) ** 1.5
    direction = contrast * (1 + 0.5 * uniform(generator, count, 3, 1, 1, low=-1, high=1))
    hue = 0.15 * contrast * fractal_noise(generator, count, 1.8)[:, None] * uniform(generator, count, 3, 1, 1, low=-1, high=1)
    return (grey * tint * (1 + direction * pattern + hue)).clamp(0.02, 0.95)


def with_slopes(heights: Tensor) -> Tensor:
    """Return (T, 3, S, S): height, and its slopes along u and v per tile length, from heights (T, S, S) by periodic central differences."""
    along_u = (heights.roll(-1, 2) - heights.roll(1, 2)) * (TILE_PX / 2)
    along_v = (heights.roll(-1, 1) - heights.roll(1, 1)) * (TILE_PX / 2)
    return torch.stack([heights, along_u, along_v], dim=1)


def sample_tiles(tiles: Tensor, index: Tensor, uv: Tensor) -> Tensor:
    """Return (N, C) bilinear samples of tile ``index`` (N,) at ``uv`` (N, 2), which repeats with period 1; ``tiles`` is (T, C, S, S)."""
    count, channels = tiles.shape[:2]
    side = TILE_PX + 2 * _BORDER_PX
    sheet = pad(tiles, (_BORDER_PX,) * 4, mode="circular").transpose(0, 1).reshape(1, channels, count * side, side)
    at = (uv - uv.floor()) * TILE_PX + _BORDER_PX
    x = at[:, 0] * (2 / side) - 1
    y = (at[:, 1] + index * side) * (2 / (count * side)) - 1
    samples = grid_sample(sheet, torch.stack([x, y], dim=-1)[None, None], mode="bilinear", align_corners=False)
    return samples[0, :, 0].T
